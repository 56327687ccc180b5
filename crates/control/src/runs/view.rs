//! Runs as the API shows them.

use super::{Runs, commands, error::Result, live::Live};
use crate::{forges, rollouts::PlanDoc, services};
use tradewind_api::v1;
use tradewind_model::{
    access::{Part, Subject},
    fault::{Fault, Lang},
    id::{RolloutId, RunId, ServiceName},
    pipeline::{AllowFailure, JobKind, JobPlan, Status},
    said,
};
use tradewind_store::{
    StoreError,
    rows::{self, Page, runs},
};

impl Runs {
    pub async fn get(&self, run: RunId, lang: Lang) -> Result<v1::Run> {
        let live = self.load(run).await?;
        self.view_whole(&live, lang).await
    }

    /// With what a list of runs leaves out.
    pub(super) async fn view_whole(&self, live: &Live, lang: Lang) -> Result<v1::Run> {
        let mut shown = self.view(live, lang).await?;
        commands::add(&self.ctx, &self.logs, live, &mut shown, lang).await?;
        Ok(shown)
    }

    /// Newest first; the cursor is a run's number. With a state, only those in it; a page may have fewer than asked for, and
    /// another behind it all the same.
    pub async fn list(
        &self,
        service: &ServiceName,
        state: Option<v1::RunState>,
        page: Page<i64>,
        lang: Lang,
    ) -> Result<v1::Page<v1::Run>> {
        let limit = page.limit as usize;
        let stored = state.map(stored_states);
        let rows = runs::list(&mut self.ctx.store.read().await?, service, stored.as_deref(), page).await?;
        let next = (rows.len() == limit).then(|| rows.last().map(|r| r.number.to_string())).flatten();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let env = Part::if_any(row.env.clone());
            if !self.ctx.sees(&Subject { env, ..Subject::service(row.service.clone()) }) {
                continue;
            }
            let live = Live::load(&mut self.ctx.store.read().await?, row).await?;
            if state.is_some_and(|wanted| run_state(&live).ok() != Some(wanted)) {
                continue;
            }
            items.push(self.view(&live, lang).await?);
        }
        Ok(v1::Page { items, next })
    }

    pub(super) async fn load(&self, run: RunId) -> Result<Live> {
        let mut snapshot = self.ctx.store.read().await?;
        let row = runs::find(&mut snapshot, run).await?;
        let row = row.ok_or_else(|| Fault::new(&crate::faults::NO_RUN).with("run", run))?;
        Live::load(&mut snapshot, row).await
    }

    /// What was to be expected of the judge when a rollout began, where it has one.
    pub(super) async fn outlook(&self, rollout: RolloutId, lang: Lang) -> Result<Option<String>> {
        let row = rows::rollouts::get(&mut self.ctx.store.read().await?, rollout).await?;
        let doc: PlanDoc = row.plan.read()?;
        Ok(doc.outlook.map(|o| o.text.get(lang).to_owned()))
    }

    /// What a rollout that has not begun waits for.
    pub(super) async fn waits_for(&self, rollout: RolloutId, lang: Lang) -> Result<Option<String>> {
        Ok(crate::rollouts::view::waits_for(&mut self.ctx.store.read().await?, rollout, lang).await?)
    }

    pub(super) async fn view(&self, live: &Live, lang: Lang) -> Result<v1::Run> {
        let mut jobs = Vec::with_capacity(live.jobs.len());
        for at in 0..live.jobs.len() {
            jobs.push(self.view_job(live, at, lang).await?);
        }
        let trigger = &live.plan.trigger;
        let waits =
            jobs.iter().zip(&live.jobs).any(|(job, row)| job.state == v1::JobState::Pending && row.task.is_none());
        let waiting = || waits.then(|| said!("waits for a host with an agent", "等待有 agent 的主机"));
        let reason = live.body.reason.clone().or_else(waiting);
        Ok(v1::Run {
            id: live.run.id,
            service: live.run.service.clone(),
            number: u64::try_from(live.run.number).unwrap_or_default(),
            commit: live.run.commit.clone(),
            branch: trigger.ref_name().to_owned(),
            title: trigger.title().map(str::to_owned),
            env: live.run.env.clone(),
            state: run_state(live)?,
            reason: reason.map(|r| r.get(lang).to_owned()),
            requested_by: services::who(&live.run.actor),
            forge: live.run.cause.as_deref().and_then(forges::push_of),
            created_at: live.run.created_at.into(),
            started_at: live.jobs.iter().filter_map(|j| j.started_at).min().map(Into::into),
            finished_at: live.run.finished_at.map(Into::into),
            jobs,
            release: live.body.release.as_ref().map(|m| v1::ReleaseRef { label: m.label.clone(), digest: m.digest }),
            rollout: live.body.rollout,
        })
    }

    pub(super) async fn view_job(&self, live: &Live, at: usize, lang: Lang) -> Result<v1::Job> {
        let (row, body) = (&live.jobs[at], &live.bodies[at]);
        let plan = live.plan.pipeline.as_ref().and_then(|p| p.jobs.get(at)).ok_or_else(|| StoreError::Corrupt {
            what: format!("run {} has more jobs than its plan", live.run.id),
            source: None,
        })?;
        let log_bytes = match row.task {
            Some(task) => self.logs.size(task).await?,
            None => 0,
        };
        Ok(v1::Job {
            id: row.id,
            name: row.name.clone(),
            stage: row.stage.clone(),
            kind: match plan.kind {
                JobKind::Script => v1::JobKind::Script,
                JobKind::Package => v1::JobKind::Package,
            },
            state: job_state(status(&row.state)?),
            allow_failure: may_fail(plan, body.exit_code),
            started_at: row.started_at.map(Into::into),
            finished_at: row.finished_at.map(Into::into),
            exit_code: body.exit_code,
            message: body.message.as_ref().map(|m| m.get(lang).to_owned()),
            log_bytes,
            needs: plan.needs.as_ref().map(|needs| needs.iter().map(|n| live.jobs[n.job].name.clone()).collect()),
            attempt: u32::try_from(body.earlier.len()).unwrap_or(u32::MAX).saturating_add(1),
            commands: Vec::new(),
            attempts: Vec::new(),
        })
    }
}

fn may_fail(plan: &JobPlan, exit_code: Option<i32>) -> bool {
    match &plan.allow_failure {
        AllowFailure::No => false,
        AllowFailure::Yes => true,
        AllowFailure::ExitCodes(codes) => exit_code.is_some_and(|c| codes.contains(&c)),
    }
}

fn status(stored: &str) -> Result<Status> {
    let unknown = || StoreError::Corrupt { what: format!("a state `{stored}`"), source: None };
    Ok(Status::parse(stored).ok_or_else(unknown)?)
}

pub(super) fn run_state(live: &Live) -> Result<v1::RunState> {
    let warned = live.pipeline().is_some_and(|(plan, state)| state.has_warnings(plan));
    Ok(match status(&live.run.state)? {
        Status::Created | Status::WaitingForResource | Status::Preparing | Status::Pending | Status::Scheduled => {
            v1::RunState::Pending
        }
        Status::Running => v1::RunState::Running,
        Status::Manual => v1::RunState::Manual,
        Status::Success if warned => v1::RunState::SuccessWithWarnings,
        Status::Success => v1::RunState::Success,
        Status::Failed => v1::RunState::Failed,
        Status::Canceling => v1::RunState::Canceling,
        Status::Canceled => v1::RunState::Canceled,
        Status::Skipped => v1::RunState::Skipped,
    })
}

/// Those that a run in a state may have in its row.
fn stored_states(state: v1::RunState) -> Vec<&'static str> {
    let all: &[Status] = match state {
        v1::RunState::Pending => {
            &[Status::Created, Status::WaitingForResource, Status::Preparing, Status::Pending, Status::Scheduled]
        }
        v1::RunState::Running => &[Status::Running],
        v1::RunState::Manual => &[Status::Manual],
        v1::RunState::Success | v1::RunState::SuccessWithWarnings => &[Status::Success],
        v1::RunState::Failed => &[Status::Failed],
        v1::RunState::Canceling => &[Status::Canceling],
        v1::RunState::Canceled => &[Status::Canceled],
        v1::RunState::Skipped => &[Status::Skipped],
    };
    all.iter().map(|s| s.as_str()).collect()
}

fn job_state(status: Status) -> v1::JobState {
    match status {
        Status::Created | Status::WaitingForResource | Status::Preparing | Status::Scheduled => v1::JobState::Created,
        Status::Pending => v1::JobState::Pending,
        Status::Running => v1::JobState::Running,
        Status::Manual => v1::JobState::Manual,
        Status::Success => v1::JobState::Success,
        Status::Failed => v1::JobState::Failed,
        Status::Canceling => v1::JobState::Canceling,
        Status::Canceled => v1::JobState::Canceled,
        Status::Skipped => v1::JobState::Skipped,
    }
}

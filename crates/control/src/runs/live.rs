//! One run inside one transaction: its rows as they are, and the step they take.

use super::{
    body::{JobBody, RunBody, RunPlan},
    error::Result,
    events::{self, Author},
    place, reconcile, release,
    work::{self, Ended},
};
use crate::{Ctx, housekeeping, tasks};
use serde_json::json;
use std::time::Duration;
use tradewind_model::{
    event::Actor,
    id::JobId,
    pipeline::{Change, Fact, JobIx, Outcome, Pipeline, State, Status, advance, superseded},
    release::ReleaseManifest,
    said,
    said::Said,
    time::Timestamp,
};
use tradewind_store::{
    Json, Reader, StoreError, Tx,
    rows::{artifact_terms, hosts, jobs, runs, tasks as task_rows},
};

/// So long a host may be away before what it was last seen running, beyond its time limit, is given up.
const LOST_AFTER: Duration = Duration::from_secs(600);

pub struct Live {
    pub run: runs::Run,
    pub plan: RunPlan,
    pub body: RunBody,
    pub jobs: Vec<jobs::Job>,
    pub bodies: Vec<JobBody>,
    author: Author,
    /// The body as it is stored.
    stored: RunBody,
}

/// What the task rows say, before the model is asked.
#[derive(Default)]
struct Reports {
    facts: Vec<Fact>,
    ended: Vec<(JobIx, Ended)>,
}

impl Live {
    pub async fn load(r: &mut impl Reader, run: runs::Run) -> Result<Self> {
        let jobs = jobs::of_run(r, run.id).await?;
        let bodies = jobs.iter().map(|j| j.body.read()).collect::<Result<_, StoreError>>()?;
        let body: RunBody = run.body.read()?;
        Ok(Self { plan: run.plan.read()?, stored: body.clone(), body, run, jobs, bodies, author: Author::system() })
    }

    /// Who is behind the steps from here on.
    pub fn asked_by(&mut self, actor: Actor, cause: Option<String>) {
        self.author = Author { actor, cause };
    }

    /// For people: why what follows happens.
    pub fn because(&mut self, reason: Said) {
        self.body.reason = Some(reason);
    }

    /// Plan and state of the pipeline; `None` where the rules left nothing to run.
    pub fn pipeline(&self) -> Option<(&Pipeline, &State)> {
        self.plan.pipeline.as_ref().zip(self.body.state.as_ref())
    }

    pub fn job(&self, id: JobId) -> Option<JobIx> {
        self.jobs.iter().position(|j| j.id == id)
    }

    pub fn superseded(&self) -> Vec<Fact> {
        self.pipeline().map(|(plan, state)| superseded(plan, state)).unwrap_or_default()
    }

    /// When this run has to be looked at again though nothing was reported.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (plan, state) = self.pipeline()?;
        advance(plan, state, &[], now).wake_at
    }

    /// Would [`Live::settle`] do anything, without facts from a person?
    pub async fn is_due(&self, ctx: &Ctx, r: &mut impl Reader, now: Timestamp) -> Result<bool> {
        let Some((plan, state)) = self.pipeline() else { return Ok(false) };
        let reports = self.reports(ctx, r, now).await?;
        let step = advance(plan, state, &reports.facts, now);
        let unplaced = self.unplaced(&step.state).next().is_some();
        Ok(step.state != *state || (unplaced && place::choose(r, ctx).await?.is_some()))
    }

    /// Takes in what the tasks' rows say and then `facts`, decides, and writes what follows: rows, tasks, events.
    pub async fn settle(&mut self, ctx: &Ctx, tx: &mut Tx, facts: &[Fact]) -> Result<()> {
        let now = tx.now();
        let reports = self.reports(ctx, tx, now).await?;
        let Some((plan, state)) = self.plan.pipeline.clone().zip(self.body.state.clone()) else { return Ok(()) };
        let known = [reports.facts, facts.to_vec()].concat();
        let step = advance(&plan, &state, &known, now);

        let mut packaged = None;
        for (job, ended) in reports.ended {
            if let Some((digest, rule)) = ended.artifacts.zip(plan.jobs[job].artifacts.as_ref()) {
                artifact_terms::keep(tx, &digest, housekeeping::kept(rule.keep, now)).await?;
            }
            self.take_in(job, &state, ended, &mut packaged);
        }
        self.body.state = Some(step.state.clone());
        for change in &step.changes {
            self.apply(tx, &plan, &state, &step.state, *change).await?;
        }
        if let Some((job, manifest)) = packaged
            && step.state.jobs[job].status == Status::Success
        {
            let author = self.author.clone();
            release::make(self, ctx, tx, &manifest, &author).await?;
        }
        self.place(ctx, tx, &plan, &step.state).await?;
        if self.body != self.stored {
            self.write_run(tx, state.status, step.state.status).await?;
        }
        Ok(())
    }

    async fn reports(&self, ctx: &Ctx, r: &mut impl Reader, now: Timestamp) -> Result<Reports> {
        let mut out = Reports::default();
        let Some((plan, state)) = self.pipeline() else { return Ok(out) };
        for job in 0..self.jobs.len() {
            let (stands, attempt) = (state.jobs[job].status, self.bodies[job].attempt);
            let open = matches!(stands, Status::Pending | Status::Running | Status::Canceling);
            let Some(task) = self.jobs[job].task.filter(|_| open && attempt == state.jobs[job].attempt) else {
                continue;
            };
            let row = task_rows::get(r, task).await?;
            if let Some(result) = tasks::result(&row)? {
                let ended = Ended::of(result, plan.jobs[job].kind, &self.plan, plan.jobs[job].timeout_ms);
                out.facts.push(Fact::Finished { job, attempt, outcome: ended.outcome.clone() });
                out.ended.push((job, ended));
            } else if let Some(ended) = self.lost(ctx, r, &row, job, now).await? {
                out.facts.push(Fact::Finished { job, attempt, outcome: ended.outcome.clone() });
                out.ended.push((job, ended));
            } else if tasks::is_running(&row) {
                out.facts.push(Fact::Started { job, attempt });
            }
        }
        Ok(out)
    }

    /// A task whose host went away for good: nothing that runs is given up while it may still report in time.
    async fn lost(
        &self,
        ctx: &Ctx,
        r: &mut impl Reader,
        row: &task_rows::Task,
        job: JobIx,
        now: Timestamp,
    ) -> Result<Option<Ended>> {
        let Some((plan, state)) = self.pipeline() else { return Ok(None) };
        let overdue = match (state.jobs[job].status, state.jobs[job].started_at) {
            (Status::Canceling, _) => true,
            (Status::Running, Some(at)) => now > at.plus(Duration::from_millis(plan.jobs[job].timeout_ms)),
            _ => false,
        };
        if !overdue || ctx.agents.is_present(row.host) {
            return Ok(None);
        }
        let host = hosts::get(r, row.host).await?;
        let away_since = host.last_seen_at.unwrap_or_default().max(ctx.since);
        Ok((now.since(away_since) > LOST_AFTER).then(|| {
            Ended::lost(said!(
                "its host {host} has not reported for {minutes} min",
                "所在主机 {host} 已 {minutes} 分钟没有上报",
                host = host.name,
                minutes = LOST_AFTER.as_secs() / 60
            ))
        }))
    }

    /// What a report says beside its outcome. One about a job that ended before says nothing any more.
    fn take_in(&mut self, job: JobIx, before: &State, ended: Ended, packaged: &mut Option<(JobIx, ReleaseManifest)>) {
        let body = &mut self.bodies[job];
        body.exit_code = ended.exit_code;
        body.message = ended.message;
        body.artifacts = ended.artifacts;
        let canceling = before.jobs[job].status == Status::Canceling;
        if let Some(manifest) = ended.manifest.filter(|_| !canceling && ended.outcome == Outcome::Success) {
            *packaged = Some((job, manifest));
        }
    }

    async fn apply(&mut self, tx: &mut Tx, plan: &Pipeline, old: &State, new: &State, change: Change) -> Result<()> {
        let Change { job, from, to, attempt } = change;
        let task = self.jobs[job].task;
        let leaves =
            matches!(to, Status::Canceling | Status::Canceled | Status::Failed) || attempt != old.jobs[job].attempt;
        if let Some(task) = task.filter(|_| leaves) {
            // Does nothing where the task has ended, which is the usual way to get here.
            tasks::cancel(tx, task).await?;
        }
        let told = self.bodies[job].clone();
        if attempt != old.jobs[job].attempt {
            let body = &mut self.bodies[job];
            body.earlier.extend(task);
            *body = JobBody { earlier: std::mem::take(&mut body.earlier), ..JobBody::default() };
            self.jobs[job].task = None;
        }
        let stands = &new.jobs[job];
        let row = &mut self.jobs[job];
        row.state = to.as_str().into();
        row.started_at = stands.started_at;
        row.finished_at = stands.finished_at;
        self.write_job(tx, job).await?;

        let before = json!({ "state": from, "attempt": old.jobs[job].attempt });
        let after = json!({
            "state": to, "attempt": attempt, "name": plan.jobs[job].name, "run": self.run.id,
            "exit_code": told.exit_code, "message": told.message.as_ref().map(Said::en),
        });
        events::of_job(tx, &self.run, &self.jobs[job], &self.author, events::job_kind(to), Some(before), after).await?;
        Ok(())
    }

    async fn write_job(&mut self, tx: &mut Tx, job: JobIx) -> Result<()> {
        let row = self.jobs[job].clone();
        self.jobs[job] = jobs::update(tx, jobs::Job { body: Json::of(&self.bodies[job]), ..row }).await?;
        Ok(())
    }

    fn unplaced<'a>(&'a self, state: &'a State) -> impl Iterator<Item = JobIx> + 'a {
        (0..self.jobs.len()).filter(|&j| {
            state.jobs[j].status == Status::Pending
                && (self.jobs[j].task.is_none() || self.bodies[j].attempt != state.jobs[j].attempt)
        })
    }

    /// Hands every job that is due to a host; without a host they wait.
    async fn place(&mut self, ctx: &Ctx, tx: &mut Tx, plan: &Pipeline, state: &State) -> Result<()> {
        let due: Vec<JobIx> = self.unplaced(state).collect();
        for &job in &due {
            let Some(host) = place::choose(tx, ctx).await? else { return Ok(()) };
            let work = work::compose(&self.plan, plan, job, &self.jobs, &self.bodies);
            let task = tasks::hand_out(tx, host.id, reconcile::owner(self.run.id), work).await?;
            self.bodies[job].attempt = state.jobs[job].attempt;
            self.jobs[job].task = Some(task);
            self.write_job(tx, job).await?;
            let after = json!({ "name": plan.jobs[job].name, "run": self.run.id, "task": task, "host": host.name });
            events::of_job(tx, &self.run, &self.jobs[job], &self.author, "job.handed_out", None, after).await?;
        }
        Ok(())
    }

    async fn write_run(&mut self, tx: &mut Tx, from: Status, to: Status) -> Result<()> {
        let finished_at = match (to.is_final(), self.run.finished_at) {
            (false, _) => None,
            (true, before) => before.or(Some(tx.now())),
        };
        let row = runs::Run { state: to.as_str().into(), body: Json::of(&self.body), finished_at, ..self.run.clone() };
        self.run = runs::update(tx, row).await?;
        self.stored = self.body.clone();
        if from != to {
            let mut after = events::state(to);
            after["reason"] = json!(self.body.reason.as_ref().map(Said::en));
            after["release"] = json!(self.body.release.as_ref().map(|m| &m.label));
            let before = Some(events::state(from));
            events::of_run(tx, &self.run, &self.author, events::run_kind(to), before, after).await?;
        }
        Ok(())
    }
}

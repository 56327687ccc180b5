//! Rollouts as the API shows them.

use super::{PlanDoc, advance, get, read, told};
use crate::{
    Ctx, Result,
    agents::observed,
    freezes, judging,
    policies::{self, Agreement},
    services,
};
use tradewind_api::v1::{self, ReleaseRef, RolloutKind, RolloutPhase, SitePhase, SiteRollout};
use tradewind_model::{
    access::Subject,
    event::Event,
    fault::Lang,
    id::{EnvName, HostId, Place, RevisionId, RolloutId, ServiceName},
    protocol::agent::TaskResult,
    rollout::{
        facts::count,
        faults,
        plan::{Kind, SitePlan, Strategy},
        reason::Reason,
        state::{Phase, SiteState, State, Step},
    },
};
use tradewind_store::{
    Reader, events,
    rows::{self, Page, rollouts::Rollout},
};

pub async fn show(ctx: &Ctx, id: RolloutId, lang: Lang) -> Result<v1::Rollout> {
    let mut r = ctx.store.read().await?;
    let row = get(&mut r, id).await?;
    view(ctx, &mut r, row, lang).await
}

/// Newest first.
pub async fn list(
    ctx: &Ctx,
    service: &ServiceName,
    env: Option<&EnvName>,
    after: Option<RolloutId>,
    limit: u32,
    lang: Lang,
) -> Result<v1::Page<v1::Rollout>> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut rows = rows::rollouts::list(&mut r, service, env, Page { after, limit: limit + 1 }).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|x| x.id.to_string())).flatten();
    rows.retain(|row| ctx.sees(&Subject::env(row.service.clone(), row.env.clone())));
    let mut items = Vec::new();
    for row in rows {
        items.push(view(ctx, &mut r, row, lang).await?);
    }
    Ok(v1::Page { items, next })
}

async fn view(ctx: &Ctx, r: &mut impl Reader, row: Rollout, lang: Lang) -> Result<v1::Rollout> {
    let doc: PlanDoc = read(&row.plan)?;
    let state: State = read(&row.state)?;
    let to = ReleaseRef { label: doc.label.clone(), digest: doc.release };
    let from = match doc.plan.sites.iter().find_map(|s| s.from) {
        Some(id) => Some(reference(r, id).await?),
        None => None,
    };
    let queue_position = queue_position(r, &row, &state).await?;
    let subject = format!("rollout/{}", row.id);
    let log = events::of_subject(r, &subject, 0, 1_000).await?;
    let mut sites = Vec::new();
    for s in &doc.plan.sites {
        sites.push(site(r, &row, &doc, s, &state, lang).await?);
    }
    let agreed = policies::agreement(r, &row, doc.plan.kind).await?;
    let reason = match &state.reason {
        Some(reason) => Some(reason.what(lang)),
        None => waiting_for(r, &row, &doc, &state, queue_position, &agreed, lang).await?,
    };
    let approvals = (agreed.needed > 0).then(|| v1::Approvals {
        needed: agreed.needed,
        from: agreed.from,
        given: agreed.given.into_iter().map(|a| v1::Approval { by: a.handle, note: a.note, at: a.at.into() }).collect(),
    });
    Ok(v1::Rollout {
        approvals,
        id: row.id,
        kind: kind(doc.plan.kind),
        service_kind: doc.plan.service_kind.into(),
        from,
        to,
        strategy: strategy(doc.plan.strategy).into(),
        phase: phase(&state),
        reason,
        reason_code: state.reason.as_ref().map(|r| r.code.clone()),
        requested_by: services::who(&row.requester),
        created_at: row.created_at.into(),
        started_at: state.started_at.map(Into::into),
        finished_at: row.finished_at.map(Into::into),
        queue_position,
        wave: state.begun().map(number),
        waves: waves(&doc, &state, &log),
        sites,
        timeline: log.iter().filter_map(|e| told::entry(e, lang)).collect(),
        verification: verification(r, &row, &state, lang).await?,
        judgement: judging::view::brief(r, &row, lang, ctx).await?,
        service: row.service,
        env: row.env,
        note: row.note,
        ticket: row.ticket,
    })
}

async fn reference(r: &mut impl Reader, id: RevisionId) -> Result<ReleaseRef> {
    let revision = rows::revisions::get(r, id).await?;
    Ok(ReleaseRef { label: revision.label, digest: revision.release })
}

/// What a rollout that has not begun waits for, in a sentence.
pub(crate) async fn waits_for(r: &mut impl Reader, id: RolloutId, lang: Lang) -> Result<Option<String>> {
    let row = get(r, id).await?;
    let (doc, state): (PlanDoc, State) = (read(&row.plan)?, read(&row.state)?);
    let position = queue_position(r, &row, &state).await?;
    if position.is_none() {
        return Ok(None);
    }
    let agreed = policies::agreement(r, &row, doc.plan.kind).await?;
    waiting_for(r, &row, &doc, &state, position, &agreed, lang).await
}

/// Rollouts ahead of one that has not begun.
async fn queue_position(r: &mut impl Reader, row: &Rollout, state: &State) -> Result<Option<u32>> {
    if state.phase != Phase::Queued {
        return Ok(None);
    }
    let queue = rows::rollouts::queue(r, &row.service, &row.env).await?;
    let ahead = queue.iter().position(|q| q.id == row.id).unwrap_or_default();
    let active = usize::from(rows::rollouts::active(r, &row.service, &row.env).await?.is_some());
    Ok(Some(u32::try_from(ahead + active).unwrap_or(u32::MAX)))
}

async fn waiting_for(
    r: &mut impl Reader,
    row: &Rollout,
    doc: &PlanDoc,
    state: &State,
    queue_position: Option<u32>,
    agreed: &Agreement,
    lang: Lang,
) -> Result<Option<String>> {
    let queued = state.phase == Phase::Queued;
    let frozen = if queued || doc.plan.kind != Kind::Rollback && state.can_be_frozen(&doc.plan) {
        freezes::why(r, &row.service, &row.env).await?.map(|why| why.get(lang).to_owned())
    } else {
        None
    };
    if queued && let Some(closed) = services::closed(r, &row.service, &row.env, lang).await? {
        let held = closed.rollout.map(|failed| {
            let held = Reason::new(&faults::QUEUE_FROZEN).with("service", &row.service).with("env", &row.env);
            format!("{}{}", held.with("rollout", failed).what(lang), told::colon(lang))
        });
        let held = held.unwrap_or_default() + &closed.reason;
        return Ok(Some(frozen.map_or(held.clone(), |why| format!("{held}{}{why}", told::semicolon(lang)))));
    }
    if let Some(why) = frozen {
        return Ok(Some(match (queued, lang) {
            (true, _) => why,
            (false, Lang::En) => format!("no further wave begins: {why}"),
            (false, Lang::Zh) => format!("不再开始新的一波：{why}"),
        }));
    }
    if queued && let Some(why) = agreed.waiting(row.id) {
        return Ok(Some(why.get(lang).to_owned()));
    }
    let away = state.away_since.is_some();
    Ok(match (queue_position, away, lang) {
        (Some(n), _, Lang::En) => Some(format!("waits for {n} rollout(s) ahead of it")),
        (Some(n), _, Lang::Zh) => Some(format!("前面还有 {n} 个发布")),
        (None, true, Lang::En) if !state.phase.is_final() => Some("waits for the host's agent".into()),
        (None, true, Lang::Zh) if !state.phase.is_final() => Some("等待主机的 agent 连接".into()),
        (None, _, _) => None,
    })
}

async fn site(
    r: &mut impl Reader,
    row: &Rollout,
    doc: &PlanDoc,
    plan: &SitePlan,
    state: &State,
    lang: Lang,
) -> Result<SiteRollout> {
    let place = Place { service: row.service.clone(), env: row.env.clone(), site: plan.site.clone() };
    let loaded = super::places::load(r, &place).await?;
    let hosts: Vec<HostId> = rows::hosts::list(r).await?.iter().map(|h| h.id).collect();
    let reports = observed::reports(r, &hosts).await?;
    let seen = observed::seen_at(r, &place, &reports).await?;
    let counts = count(&loaded.desired, &seen, doc.plan.service_kind);
    let new = counts.get(&plan.to).cloned().unwrap_or_default();
    let share = reports
        .iter()
        .filter_map(|(_, o)| o.as_ref())
        .flat_map(|o| &o.observed.routes)
        .find(|o| o.place == place)
        .and_then(|o| o.splits.iter().find(|s| s.revision == plan.to))
        .map_or(0, |s| s.weight);
    let site = state.sites.get(&plan.site);
    let from = match plan.from {
        Some(id) => Some(reference(r, id).await?),
        None => None,
    };
    Ok(SiteRollout {
        site: plan.site.clone(),
        phase: site.map_or(SitePhase::Waiting, site_phase),
        share,
        from,
        to: reference(r, plan.to).await?,
        instances_ready: new.ready,
        instances_wanted: plan.instances,
        reason: site
            .and_then(|s| s.remark.as_ref())
            .map(|x| x.what(lang))
            .or_else(|| new.failed.or(new.message).map(|said| said.get(lang).to_owned())),
    })
}

async fn verification(
    r: &mut impl Reader,
    row: &Rollout,
    state: &State,
    lang: Lang,
) -> Result<Option<v1::VerifyReport>> {
    let mut whole: Option<v1::VerifyReport> = None;
    for (site, s) in state.sites.iter().filter(|(_, s)| s.verify_attempt > 0) {
        let owner = advance::verify_owner(row.id, site, s.verify_attempt);
        for task in rows::tasks::of_owner(r, &owner).await? {
            if let Some(result) = &task.result
                && let TaskResult::Verify { report } = read::<TaskResult>(result)?
            {
                let report = v1::VerifyReport::told(&report, lang);
                match &mut whole {
                    Some(w) => {
                        w.passed &= report.passed;
                        w.checks.extend(report.checks);
                    }
                    None => whole = Some(report),
                }
            }
        }
    }
    Ok(whole)
}

fn waves(doc: &PlanDoc, state: &State, log: &[Event]) -> Vec<v1::Wave> {
    let of = |kind: &'static str, index: usize| {
        log.iter().filter(move |e| {
            e.fact.kind == kind && e.fact.after.as_ref().and_then(|a| a["wave"].as_u64()) == Some(index as u64)
        })
    };
    // The log is told once it is sealed; what was set a moment ago is in the state.
    let set = |index: usize| {
        let now = state.sites.values().filter_map(|s| s.set).find(|s| s.wave == index).map(|s| s.share);
        let before =
            || of("rollout.share_set", index).next_back()?.fact.after.as_ref()?["share"].as_u64()?.try_into().ok();
        now.or_else(before)
    };
    doc.plan
        .waves
        .iter()
        .enumerate()
        .map(|(i, w)| v1::Wave {
            number: number(i),
            steps: vec![v1::WaveStep { site: w.site.clone(), share: w.share }],
            set_share: set(i),
            skipped: of("rollout.wave_skipped", i).next().is_some(),
            least_ms: w.min_ms,
            most_ms: w.max_ms,
            started_at: of("rollout.wave_started", i).next().map(|e| e.at.into()),
            finished_at: of("rollout.wave_finished", i).next().map(|e| e.at.into()),
        })
        .collect()
}

/// Waves are counted from 1 by people.
pub(crate) fn number(wave: usize) -> u32 {
    u32::try_from(wave + 1).unwrap_or(u32::MAX)
}

pub(crate) fn kind(k: Kind) -> RolloutKind {
    match k {
        Kind::Normal => RolloutKind::Normal,
        Kind::Hotfix => RolloutKind::Hotfix,
        Kind::Rollback => RolloutKind::Rollback,
        Kind::Drill => RolloutKind::Drill,
    }
}

pub(super) fn strategy(s: Strategy) -> &'static str {
    match s {
        Strategy::AllAtOnce => "all_at_once",
        Strategy::Rolling { .. } => "rolling",
        Strategy::BlueGreen => "blue_green",
        Strategy::Canary => "canary",
    }
}

pub(crate) fn phase(state: &State) -> RolloutPhase {
    match state.phase {
        Phase::Queued => RolloutPhase::Queued,
        Phase::Running if state.paused => RolloutPhase::Paused,
        Phase::Running => RolloutPhase::Running,
        Phase::Returning => RolloutPhase::Returning,
        Phase::Completed => RolloutPhase::Completed,
        Phase::Failed => RolloutPhase::Failed,
        Phase::Aborted => RolloutPhase::Aborted,
        Phase::Superseded => RolloutPhase::Superseded,
    }
}

fn site_phase(s: &SiteState) -> SitePhase {
    match s.step {
        Step::Waiting => SitePhase::Waiting,
        Step::Preparing { .. } | Step::Pausing { .. } | Step::StoppingOld { .. } | Step::Starting { .. } => {
            SitePhase::Starting
        }
        Step::Shifting { .. } => SitePhase::Shifting,
        Step::Verifying { .. } => SitePhase::Verifying,
        Step::Judging { .. } => SitePhase::Judging,
        Step::Soaking { .. } => SitePhase::Soaking,
        Step::Serving { .. } | Step::Stayed => SitePhase::Done,
        Step::BackStoppingNew { .. } | Step::BackStarting { .. } | Step::BackShifting { .. } => SitePhase::Returning,
        Step::Returned => SitePhase::Returned,
    }
}

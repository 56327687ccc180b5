//! One decision about one active rollout: facts in, rows and events out, in the caller's transaction.

use super::{
    PlanDoc, events,
    places::{self, Filling, Loaded, RevisionBody},
    queue, read,
};
use crate::{
    Ctx, Result,
    agents::{desired, observed},
    freezes, hosts, judging, tasks,
};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_model::{
    event::Actor,
    fault::Text,
    id::{HostId, InstanceId, Place, RevisionId, RolloutId, SiteName},
    protocol::agent::{DesiredPhase, EdgeProbe, TaskResult, VerifyCheck, VerifyWork, Work},
    rollout::{
        decide::{Decision, decide},
        effect::{Effect, Happened},
        facts::{Facts, RouteFacts, SiteFacts, VerifyFacts, VerifyOutcome, count},
        plan::{Kind, Plan},
        state::{Phase, State},
    },
    said,
    said::Said,
    workload::HealthProbe,
};
use tradewind_store::{Json, Reader, Tx, rows, rows::rollouts::Rollout};

/// Decides and persists until nothing more follows from what is known.
pub async fn advance(tx: &mut Tx, ctx: &Ctx, row: Rollout) -> Result<Rollout> {
    let doc: PlanDoc = read(&row.plan)?;
    let state: State = read(&row.state)?;
    if !row.active {
        return Ok(row);
    }
    if doc.plan.kind == Kind::Rollback || state.phase == Phase::Returning {
        tx.urgent();
    }
    let mut loaded = BTreeMap::new();
    for site in &doc.plan.sites {
        let place = Place { service: row.service.clone(), env: row.env.clone(), site: site.site.clone() };
        loaded.insert(site.site.clone(), places::load(tx, &place).await?);
    }
    let facts = facts(tx, ctx, &row, &doc.plan, &state, &loaded).await?;
    let decision = decide(&doc.plan, &state, &facts, tx.now());
    if decision.state == state && decision.effects.is_empty() && row.next_wake_at == decision.next_wake_at {
        return Ok(row);
    }
    persist(tx, ctx, row, &doc, &state, decision, loaded).await
}

async fn facts(
    r: &mut impl Reader,
    ctx: &Ctx,
    row: &Rollout,
    plan: &Plan,
    state: &State,
    loaded: &BTreeMap<SiteName, Loaded>,
) -> Result<Facts> {
    let mut hosts: Vec<HostId> = loaded.values().flat_map(|l| l.hosts()).collect();
    hosts.push(hosts::place_on(r).await?.id);
    hosts.sort_unstable();
    hosts.dedup();
    let reports = observed::reports(r, &hosts).await?;
    let present = hosts.iter().all(|h| ctx.agents.is_present(*h));
    let fresh = reports.iter().all(|(_, report)| report.as_ref().is_some_and(|r| r.fresh));
    let frozen = match plan.kind {
        Kind::Rollback => false,
        Kind::Normal | Kind::Hotfix | Kind::Drill => freezes::is_on(r, &row.service, &row.env).await?,
    };
    let judge = ctx.folds.of(row.id);
    let mut sites = BTreeMap::new();
    for (site, place) in loaded {
        let seen = observed::seen_at(r, &place.place, &reports).await?;
        let revisions = count(&place.desired, &seen, plan.service_kind);
        let mut known = reports.iter().filter_map(|(_, o)| o.as_ref());
        let route = RouteFacts {
            version: place.desired.route.as_ref().map_or(0, |r| r.version),
            acked: known.clone().map(|o| o.acked(&place.place)).min().unwrap_or(0),
        };
        let tripped = known.find_map(|o| o.tripped(&place.place, row.id)).cloned();
        let attempt = state.sites.get(site).map_or(0, |s| s.verify_attempt);
        let verify = verification(r, row.id, site, attempt).await?;
        let judged = judge.as_ref().and_then(|fold| fold.judged(site));
        sites.insert(site.clone(), SiteFacts { fresh, revisions, route, verify, tripped, judged });
    }
    let others_wait = !rows::rollouts::queue(r, &row.service, &row.env).await?.is_empty();
    Ok(Facts { agents_present: present, frozen, others_wait, sites })
}

pub(super) fn verify_owner(rollout: RolloutId, site: &SiteName, attempt: u32) -> String {
    format!("rollout/{rollout}/{site}/verify/{attempt}")
}

async fn verification(
    r: &mut impl Reader,
    rollout: RolloutId,
    site: &SiteName,
    attempt: u32,
) -> Result<Option<VerifyFacts>> {
    if attempt == 0 {
        return Ok(None);
    }
    let tasks = rows::tasks::of_owner(r, &verify_owner(rollout, site, attempt)).await?;
    let Some(task) = tasks.first() else { return Ok(None) };
    let outcome = match &task.result {
        None => VerifyOutcome::Pending,
        Some(result) => match read::<TaskResult>(result)? {
            TaskResult::Verify { report } if report.passed => VerifyOutcome::Passed,
            TaskResult::Verify { report } => {
                let said =
                    |c: &VerifyCheck| said!("{what}: {detail}", "{what}：{detail}", what = &c.what, detail = &c.detail);
                let failed: Vec<Said> = report.checks.iter().filter(|c| !c.passed).map(said).collect();
                VerifyOutcome::Failed { detail: Said::join(&failed, &Text { en: "; ", zh: "；" }) }
            }
            TaskResult::Error { reason, .. } => VerifyOutcome::Failed { detail: reason },
            TaskResult::Job { .. } | TaskResult::Package { .. } => {
                VerifyOutcome::Failed { detail: said!("the agent answered another question", "agent 答非所问") }
            }
        },
    };
    Ok(Some(VerifyFacts { attempt, outcome }))
}

async fn persist(
    tx: &mut Tx,
    ctx: &Ctx,
    mut row: Rollout,
    doc: &PlanDoc,
    before: &State,
    decision: Decision,
    mut loaded: BTreeMap<SiteName, Loaded>,
) -> Result<Rollout> {
    let now = tx.now();
    let revisions = bodies(tx, &row, doc, &loaded).await?;
    let filling = Filling { salt: row.id.to_string(), revisions: &revisions };
    let mut new_id = || InstanceId::at(now);
    let mut freeze = None;
    let mut verifications = Vec::new();
    let mut completed = Vec::new();
    for effect in &decision.effects {
        let site = match effect {
            Effect::Want { site, .. }
            | Effect::StopOthers { site, .. }
            | Effect::Carry { site, .. }
            | Effect::StopOthersBelow { site, .. }
            | Effect::Route { site, .. } => site,
            Effect::Complete { site, revision, .. } => {
                completed.push((site.clone(), *revision));
                site
            }
            Effect::Verify { site, revision, attempt } => {
                verifications.push((site.clone(), *revision, *attempt));
                continue;
            }
            Effect::FreezeQueue { reason } => {
                freeze = Some(reason.clone());
                continue;
            }
        };
        if let Some(place) = loaded.get_mut(site) {
            place.desired.apply(effect, &doc.plan, &mut new_id);
        }
    }
    for place in loaded.values_mut() {
        place.save(tx, &filling).await?;
    }
    // No row of theirs need change for that.
    if !completed.is_empty()
        || desired::compared(&doc.plan, before) != desired::compared(&doc.plan, &decision.state)
        || desired::on_trial(&row, &doc.plan, before) != desired::on_trial(&row, &doc.plan, &decision.state)
    {
        for host in loaded.values().flat_map(|l| l.hosts()).collect::<BTreeSet<_>>() {
            hosts::touch(tx, host).await?;
        }
    }
    for (site, revision, attempt) in verifications {
        if let Some(place) = loaded.get(&site) {
            verify(tx, &row, place, revision, attempt, &revisions).await?;
        }
    }
    for (site, revision) in completed {
        complete(tx, &row, doc.plan.kind, site, revision).await?;
    }
    if let Some(reason) = freeze {
        let by = Actor::System { part: "rollout".into() };
        let reason = reason.with("rollout", row.id);
        rows::queues::freeze(tx, &row.service, &row.env, &by, Json::of(&reason).as_str()).await?;
    }
    let judge = ctx.folds.of(row.id);
    for what in &decision.happened {
        tx.event(events::happened(&row, what, &doc.label, judge.as_deref())).await?;
        if let Happened::TrafficMoved { site, share } | Happened::ShardsMoved { site, share, .. } = what
            && doc.plan.judging.is_some()
            && let Some(at) = decision.state.sites.get(site)
            && let Some(wave) = at.wave
        {
            judging::begin_wave(tx, row.id, site, wave, *share, at.turn()).await?;
            if let (Some(place), Some(plan)) = (loaded.get(site), doc.plan.site(site))
                && judging::usual::alone(&doc.plan, plan)
            {
                judging::stand_alone(tx, row.id, &place.place, doc, &decision.state).await?;
            }
        }
    }
    if decision.happened.is_empty() && decision.state != *before {
        let after = serde_json::json!({ "sites": decision.state.sites, "release": doc.label });
        tx.event(events::about(&row, "rollout.stepped", &crate::ctx::Asker::system("rollout"), after)).await?;
    } else if decision.happened.is_empty() {
        tx.without_event("only the time of the next look changed");
    }
    let finished = decision.state.phase.is_final();
    row.phase = decision.state.phase.as_str().into();
    row.state = Json::of(&decision.state);
    row.next_wake_at = decision.next_wake_at;
    row.active = !finished;
    row.finished_at = finished.then_some(now);
    let row = rows::rollouts::update(tx, row).await?;
    let ended = decision.happened.iter().any(|h| matches!(h, Happened::Finished { .. }));
    if ended {
        let (service, env) = (row.service.clone(), row.env.clone());
        Box::pin(queue::begin_next(tx, ctx, &service, &env)).await?;
    }
    Ok(row)
}

/// What the rows of every revision at hand are filled with.
async fn bodies(
    r: &mut impl Reader,
    row: &Rollout,
    doc: &PlanDoc,
    loaded: &BTreeMap<SiteName, Loaded>,
) -> Result<BTreeMap<RevisionId, RevisionBody>> {
    let mut wanted: Vec<RevisionId> = doc.plan.sites.iter().flat_map(|s| [Some(s.to), s.from]).flatten().collect();
    wanted.extend(loaded.values().flat_map(|l| l.desired.instances.iter().map(|i| i.revision)));
    wanted.sort_unstable();
    wanted.dedup();
    let mut bodies = BTreeMap::new();
    for id in wanted {
        let revision = rows::revisions::get(r, id).await?;
        let release = rows::releases::get(r, &row.service, &revision.release).await?;
        let resolved = if revision.release == doc.release {
            doc.resolved.clone()
        } else {
            super::resolve(r, &row.service, &row.env, &revision.release).await?
        };
        bodies.insert(
            id,
            RevisionBody { release: revision.release, bundle: release.bundle, label: revision.label, resolved },
        );
    }
    Ok(bodies)
}

async fn verify(
    tx: &mut Tx,
    row: &Rollout,
    place: &Loaded,
    revision: RevisionId,
    attempt: u32,
    bodies: &BTreeMap<RevisionId, RevisionBody>,
) -> Result<()> {
    let owner = verify_owner(row.id, &place.place.site, attempt);
    if !rows::tasks::of_owner(tx, &owner).await?.is_empty() {
        return Ok(());
    }
    let Some(body) = bodies.get(&revision) else { return Ok(()) };
    let instances: Vec<InstanceId> = place
        .desired
        .instances
        .iter()
        .filter(|i| i.revision == revision && i.phase == DesiredPhase::Run)
        .map(|i| i.id)
        .collect();
    // Where the place answers, which need not be what the release asks for.
    let through_edge = place.route_body().filter(|_| body.resolved.route.is_some()).map(|route| {
        let host = route.hosts.first().map_or_else(|| "localhost".into(), |h| h.replacen('*', "verify", 1));
        let health = body.resolved.workload.health.as_ref();
        let path = match health.map(|h| &h.probe) {
            Some(HealthProbe::Http { path }) if path.starts_with(route.path_prefix.as_str()) => path.clone(),
            Some(HealthProbe::Http { .. } | HealthProbe::Tcp | HealthProbe::Command { .. }) | None => {
                route.path_prefix.clone()
            }
        };
        EdgeProbe { host, path }
    });
    let host = match instances.first().and_then(|id| place.host_of(*id)) {
        Some(host) => host,
        None => hosts::place_on(tx).await?.id,
    };
    let work = Work::Verify(Box::new(VerifyWork {
        place: place.place.clone(),
        revision,
        instances,
        health: body.resolved.workload.health.clone(),
        through_edge,
        timeout_ms: 10_000,
    }));
    tasks::hand_out(tx, host, owner, work).await?;
    Ok(())
}

async fn complete(tx: &mut Tx, row: &Rollout, kind: Kind, site: SiteName, revision: RevisionId) -> Result<()> {
    let place = Place { service: row.service.clone(), env: row.env.clone(), site };
    let mut known = rows::places::get(tx, &place).await?;
    match kind {
        Kind::Rollback => known.history.went_back_to(revision),
        Kind::Normal | Kind::Hotfix | Kind::Drill => known.history.completed(revision),
    }
    rows::places::put(tx, known).await?;
    rows::revisions::complete(tx, revision).await?;
    Ok(())
}

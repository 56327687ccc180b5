//! Asking for a rollout: from a finished pipeline, from `deploy`, from `promote`.

use super::{
    PlanDoc, Target,
    claims::{self, Claim, Taken},
    events, kind_str, queue,
};
use crate::{Ctx, Result, ctx::Asker, faults, policies, secrets};
use tradewind_model::{
    access::{Action, Subject},
    fault::Fault,
    id::{EnvName, Place, RevisionId, RolloutId, ServiceName},
    rollout::{
        faults as roll,
        plan::{Kind, Plan, Request, SitePlan, Timing},
        state::{Phase, State},
    },
    shards::Layout,
    spec::ResolvedSpec,
};
use tradewind_store::{Json, Reader, Tx, rows, transact};

/// Why and for whom.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub note: Option<String>,
    pub ticket: Option<String>,
}

/// Deploys a release to an environment, behind whatever is under way there.
pub async fn deploy(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    release: &str,
    kind: Kind,
    wish: &Wish,
    by: &Asker,
) -> Result<RolloutId> {
    by.allow(Action::Deploy, &Subject::env(service.clone(), env.clone()))?;
    transact!(ctx.store, tx => {
        let target = super::target(tx, service, env, release).await?;
        request(tx, ctx, service, env, &target, kind, wish, by).await
    })
}

/// Moves what is live in one environment on to another.
pub async fn promote(
    ctx: &Ctx,
    service: &ServiceName,
    from: &EnvName,
    to: &EnvName,
    wish: &Wish,
    by: &Asker,
) -> Result<RolloutId> {
    by.allow(Action::Read, &Subject::env(service.clone(), from.clone()))?;
    by.allow(Action::Deploy, &Subject::env(service.clone(), to.clone()))?;
    transact!(ctx.store, tx => {
        let places = rows::places::list(tx, Some(service)).await?;
        let live = places.iter().find(|p| p.place.env == *from).and_then(|p| p.history.current());
        let Some(live) = live else {
            return Err(Fault::new(&faults::NOT_LIVE).with("service", service).with("env", from).into());
        };
        let digest = rows::revisions::get(tx, live).await?.release;
        let target = super::target(tx, service, to, &digest.to_string()).await?;
        request(tx, ctx, service, to, &target, Kind::Normal, wish, by).await
    })
}

/// Whether they may bring this to all of the environment's sites.
pub(crate) fn may(by: &Asker, service: &ServiceName, env: &EnvName, target: &Target) -> Result<()> {
    for site in &target.resolved.sites {
        by.allow(Action::Deploy, &Subject::env(service.clone(), env.clone()).at(site.clone()))?;
    }
    Ok(())
}

/// Queues a rollout in the caller's transaction, and begins it when its turn has come already.
#[allow(clippy::too_many_arguments, reason = "a request has this many sides; grouping them would only rename them")]
pub async fn request(
    tx: &mut Tx,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    kind: Kind,
    wish: &Wish,
    by: &Asker,
) -> Result<RolloutId> {
    may(by, service, env, target)?;
    policies::check_request(tx, service, env, &target.release, &target.resolved, by).await?;
    let id = RolloutId::at(tx.now());
    rows::environments::ensure(tx, env).await?;
    secrets::are_set(tx, service, env, &target.resolved).await?;
    let mut sites = Vec::new();
    for site in &target.resolved.sites {
        rows::sites::ensure(tx, env, site).await?;
        let place = Place { service: service.clone(), env: env.clone(), site: site.clone() };
        route_is_free(tx, &place, &sites, &target.resolved).await?;
        sites.push(site_plan(tx, &place, target).await?);
    }
    if sites.iter().all(|s| s.from == Some(s.to)) && rows::rollouts::active(tx, service, env).await?.is_none() {
        let place = format!("{service}/{env}");
        return Err(Fault::new(&roll::NOTHING_TO_DO)
            .with("place", place)
            .with("release", target.release.label())
            .into());
    }
    let plan = plan(kind, &target.resolved, sites);
    let state = State::queued(&plan);
    let doc = PlanDoc {
        plan,
        release: target.release.digest,
        label: target.release.label(),
        resolved: target.resolved.clone(),
        outlook: None,
    };
    let new = rows::rollouts::NewRollout {
        id,
        service: service.clone(),
        env: env.clone(),
        kind: kind_str(kind).into(),
        phase: Phase::Queued.as_str().into(),
        active: false,
        plan: Json::of(&doc),
        state: Json::of(&state),
        next_wake_at: None,
        note: wish.note.clone(),
        ticket: wish.ticket.clone(),
        requester: by.actor.clone(),
    };
    let row = rows::rollouts::insert(tx, new).await?;
    let after = serde_json::json!({ "release": doc.label, "kind": row.kind, "note": row.note, "ticket": row.ticket });
    tx.event(events::about(&row, "rollout.requested", by, after)).await?;
    Box::pin(queue::begin_next(tx, ctx, service, env)).await?;
    Ok(id)
}

/// From what the site runs to the target's revision there, which is made where there is none.
pub(super) async fn site_plan(tx: &mut Tx, place: &Place, target: &Target) -> Result<SitePlan> {
    let from = super::places::history(tx, place).await?.current();
    let to = revision(tx, place, target).await?;
    let before = match from {
        Some(r) => Some(Box::pin(before(tx, place, r)).await?),
        None => None,
    };
    Ok(SitePlan {
        site: place.site.clone(),
        from,
        from_label: before.as_ref().map(|b| b.label.clone()),
        from_half_made: false,
        to,
        to_label: target.release.label(),
        instances: target.resolved.instances,
        from_instances: before.as_ref().and_then(|b| b.instances),
        layout: target.resolved.layout(),
        from_layout: before.and_then(|b| b.layout),
    })
}

/// What a plan says of the revision a site comes from.
struct Before {
    label: String,
    instances: Option<u32>,
    layout: Option<Layout>,
}

async fn before(tx: &mut Tx, place: &Place, revision: RevisionId) -> Result<Before> {
    let row = rows::revisions::get(tx, revision).await?;
    // A release whose spec is no longer understood can still be replaced: whole, and by as many instances.
    let resolved = super::resolve(tx, &place.service, &place.env, &row.release).await.ok();
    let (instances, layout) = (resolved.as_ref().map(|r| r.instances), resolved.and_then(|r| r.layout()));
    Ok(Before { label: row.label, instances, layout })
}

async fn revision(tx: &mut Tx, place: &Place, target: &Target) -> Result<RevisionId> {
    let id = RevisionId::at(tx.now());
    let new = rows::revisions::NewRevision {
        id,
        place: place.clone(),
        release: target.release.digest,
        label: target.release.label(),
        config_version: 0,
        kind: target.resolved.workload.kind.as_str().into(),
    };
    let row = match rows::revisions::of_release(tx, place, &new.release, new.config_version).await? {
        Some(row) => row,
        None => rows::revisions::insert(tx, new).await?,
    };
    Ok(row.id)
}

pub(super) fn plan(kind: Kind, resolved: &ResolvedSpec, sites: Vec<SitePlan>) -> Plan {
    let canary = resolved.canary.as_ref();
    Plan::new(Request {
        kind,
        service_kind: resolved.workload.kind,
        strategy: resolved.strategy,
        stages: canary.map(|c| c.stages.clone()).unwrap_or_default(),
        judging: canary.map(|c| c.judging.clone()),
        limits: Some(resolved.limits).filter(|l| l.error_rate.is_some() || l.p99_ms.is_some()),
        sites,
        timing: Timing {
            start_ms: resolved.start_timeout_ms,
            soak_ms: resolved.soak_ms,
            watch_ms: canary.map_or(0, |c| c.watch_ms),
            warm_ms: resolved.warm_ms,
            ..Timing::default()
        },
        verify: resolved.verify,
        freeze_queue_on_failure: resolved.freeze_queue,
    })
}

/// Two places cannot answer for the same host and path: the edge would have to guess.
async fn route_is_free(r: &mut impl Reader, place: &Place, sites: &[SitePlan], resolved: &ResolvedSpec) -> Result<()> {
    let Some(mine) = &resolved.route else { return Ok(()) };
    let claim = Claim { hosts: &mine.hosts, path: &mine.path };
    let taken = match sites.first() {
        Some(first) => {
            let owner = Place { site: first.site.clone(), ..place.clone() };
            let route = format!("{}{}", mine.hosts.first().map_or("*", String::as_str), mine.path);
            Some(Taken { owner, route })
        }
        None => claims::held_or_promised(r, place, claim).await?,
    };
    match taken {
        None => Ok(()),
        Some(Taken { owner, route }) => Err(Fault::new(&faults::ROUTE_TAKEN)
            .with("place", place)
            .with("route", route)
            .with("owner", owner)
            .with("env", &place.env)
            .into()),
    }
}

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
    id::{EnvName, Place, RevisionId, RolloutId, ServiceName, SiteName},
    rollout::{
        plan::{Kind, Plan, Request, SitePlan, Timing},
        state::{Phase, State},
    },
    shards::Layout,
    spec::ResolvedSpec,
    time::Timestamp,
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
        let digest = super::preview::live_in(tx, service, from).await?;
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

/// What a rollout would be, and the revisions it would make. Nothing is written to find out.
pub struct Draft {
    pub doc: PlanDoc,
    pub new: Vec<rows::revisions::NewRevision>,
}

impl Draft {
    /// Makes what the plan speaks of and is not there yet; its sites have to be.
    pub(super) async fn make(self, tx: &mut Tx) -> Result<PlanDoc> {
        for new in self.new {
            rows::revisions::insert(tx, new).await?;
        }
        Ok(self.doc)
    }
}

/// Plans a rollout as it would be, were it to begin now.
///
/// # Errors
/// The first thing that speaks against it.
pub async fn draft(
    r: &mut impl Reader,
    now: Timestamp,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    kind: Kind,
    by: &Asker,
) -> Result<Draft> {
    may(by, service, env, target)?;
    policies::check_request(r, service, env, &target.release, &target.resolved, by).await?;
    secrets::are_set(r, service, env, &target.resolved).await?;
    let draft = sketch(r, now, service, env, target, kind).await?;
    let first = draft.doc.plan.sites.first().map(|s| &s.site);
    for site in &target.resolved.sites {
        let place = Place { service: service.clone(), env: env.clone(), site: site.clone() };
        route_is_free(r, &place, first.filter(|f| *f != site), &target.resolved).await?;
    }
    let sites = &draft.doc.plan.sites;
    if sites.iter().all(|s| s.from == Some(s.to)) && rows::rollouts::active(r, service, env).await?.is_none() {
        return Err(super::earlier::already_in(r, service, env, &target.release.label()).await?.into());
    }
    Ok(draft)
}

/// The plan alone, whatever speaks against it.
pub(super) async fn sketch(
    r: &mut impl Reader,
    now: Timestamp,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    kind: Kind,
) -> Result<Draft> {
    let (mut sites, mut new) = (Vec::new(), Vec::new());
    for site in &target.resolved.sites {
        let place = Place { service: service.clone(), env: env.clone(), site: site.clone() };
        let (site, made) = site_plan(r, now, &place, target).await?;
        sites.push(site);
        new.extend(made);
    }
    Ok(Draft { doc: doc(target, plan(kind, &target.resolved, sites)), new })
}

pub(super) fn doc(target: &Target, plan: Plan) -> PlanDoc {
    PlanDoc {
        plan,
        release: target.release.digest,
        label: target.release.label(),
        resolved: target.resolved.clone(),
        outlook: None,
    }
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
    let now = tx.now();
    let id = RolloutId::at(now);
    let draft = draft(tx, now, service, env, target, kind, by).await?;
    rows::environments::ensure(tx, env).await?;
    for site in &target.resolved.sites {
        rows::sites::ensure(tx, env, site).await?;
    }
    let doc = draft.make(tx).await?;
    let state = State::queued(&doc.plan);
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

/// From what the site runs to the target's revision there, which is to be made where there is none.
pub(super) async fn site_plan(
    r: &mut impl Reader,
    now: Timestamp,
    place: &Place,
    target: &Target,
) -> Result<(SitePlan, Option<rows::revisions::NewRevision>)> {
    let from = super::places::history(r, place).await?.current();
    let (to, new) = revision(r, now, place, target).await?;
    let before = match from {
        Some(revision) => Some(before(r, place, revision).await?),
        None => None,
    };
    let plan = SitePlan {
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
    };
    Ok((plan, new))
}

/// What a plan says of the revision a site comes from.
struct Before {
    label: String,
    instances: Option<u32>,
    layout: Option<Layout>,
}

async fn before(r: &mut impl Reader, place: &Place, revision: RevisionId) -> Result<Before> {
    let row = rows::revisions::get(r, revision).await?;
    // A release whose spec is no longer understood can still be replaced: whole, and by as many instances.
    let resolved = super::resolve(r, &place.service, &place.env, &row.release).await.ok();
    let (instances, layout) = (resolved.as_ref().map(|s| s.instances), resolved.and_then(|s| s.layout()));
    Ok(Before { label: row.label, instances, layout })
}

async fn revision(
    r: &mut impl Reader,
    now: Timestamp,
    place: &Place,
    target: &Target,
) -> Result<(RevisionId, Option<rows::revisions::NewRevision>)> {
    if let Some(row) = rows::revisions::of_release(r, place, &target.release.digest, 0).await? {
        return Ok((row.id, None));
    }
    let new = rows::revisions::NewRevision {
        id: RevisionId::at(now),
        place: place.clone(),
        release: target.release.digest,
        label: target.release.label(),
        config_version: 0,
        kind: target.resolved.workload.kind.as_str().into(),
    };
    Ok((new.id, Some(new)))
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
async fn route_is_free(
    r: &mut impl Reader,
    place: &Place,
    before: Option<&SiteName>,
    resolved: &ResolvedSpec,
) -> Result<()> {
    let Some(mine) = &resolved.route else { return Ok(()) };
    let claim = Claim { hosts: &mine.hosts, path: &mine.path };
    let taken = match before {
        Some(first) => {
            let owner = Place { site: first.clone(), ..place.clone() };
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

//! One host's desired state, composed from rows; and the pump that sends it when it has changed.

use crate::{
    Ctx, Result,
    rollouts::{
        self, PlanDoc,
        places::{InstanceBody, RouteBody},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tradewind_model::{
    id::{Digest, HostId, Place},
    protocol::{
        agent::{Desired, DesiredInstance, DesiredRelease, DesiredRoute, DesiredSplit, DesiredTask, ToAgent},
        edge::Challenge,
        scrape::{DesiredScrape, Purpose},
        trial::{CountedRuns, ShardTrial},
    },
    rollout::{
        canary::shard_trial,
        plan::{Plan, SitePlan},
        state::{Phase, State},
    },
    workload::ServiceKind,
};
use tradewind_store::{Reader, rows, rows::rollouts::Rollout, transact};

/// Revisions of a place that stay unpacked on its host besides those that have instances: what a rollback may want.
const KEPT_UNPACKED: usize = 5;

pub async fn generation(r: &mut impl Reader, host: HostId) -> Result<u64> {
    Ok(u64::try_from(rows::observed::generation(r, host).await?).unwrap_or_default())
}

pub async fn compose(r: &mut impl Reader, host: HostId) -> Result<Desired> {
    let mut desired = Desired { generation: generation(r, host).await?, ..Desired::default() };
    let mut releases: BTreeMap<Digest, DesiredRelease> = BTreeMap::new();
    for row in rows::instances::on_host(r, host).await? {
        let body: InstanceBody = row.body.read()?;
        releases.entry(body.release).or_insert_with(|| DesiredRelease {
            release: body.release,
            bundle: body.bundle,
            service: row.place.service.to_string(),
            prepare: body.workload.prepare.clone(),
        });
        desired.instances.push(DesiredInstance {
            id: row.id,
            place: row.place,
            revision: row.revision,
            release: body.release,
            label: body.label,
            workload: body.workload,
            phase: body.phase,
        });
    }
    let places = rows::places::list(r, None).await?;
    for place in &places {
        for revision in place.history.revisions().iter().rev().take(KEPT_UNPACKED) {
            let revision = rows::revisions::get(r, *revision).await?;
            if releases.contains_key(&revision.release) {
                continue;
            }
            let release = rows::releases::get(r, &place.place.service, &revision.release).await?;
            let resolved = rollouts::resolve(r, &place.place.service, &place.place.env, &revision.release).await?;
            releases.insert(
                revision.release,
                DesiredRelease {
                    release: revision.release,
                    bundle: release.bundle,
                    service: place.place.service.to_string(),
                    prepare: resolved.workload.prepare,
                },
            );
        }
    }
    desired.releases = releases.into_values().collect();
    for row in rows::routes::list(r, None).await? {
        let body: RouteBody = row.body.read()?;
        let splits = body
            .wanted
            .splits
            .iter()
            .map(|(revision, weight)| DesiredSplit {
                revision: *revision,
                label: body.labels.get(revision).cloned().unwrap_or_default(),
                weight: *weight,
            })
            .collect();
        desired.routes.push(DesiredRoute {
            place: row.place,
            version: u64::try_from(row.version).unwrap_or_default(),
            hosts: body.hosts,
            path_prefix: body.path_prefix,
            mode: body.wanted.mode,
            sticky: body.sticky,
            salt: body.salt,
            splits,
            limits: body.limits,
            health: body.health,
            trial: body.wanted.trial,
        });
    }
    let Compared { scrapes, runs, trials } = compared_on(r, host).await?;
    (desired.scrapes, desired.counted_runs, desired.shard_trials) = (scrapes, runs, trials);
    desired.scrapes.extend(usual(r, &places, &desired).await?);
    desired.certificates = rows::certificates::list(r).await?.iter().map(|c| c.digest).collect();
    desired.challenges = rows::certificates::orders(r).await?.into_iter().filter_map(challenge).collect();
    for task in rows::tasks::on_host(r, host).await? {
        let task: DesiredTask = task.body.read()?;
        desired.tasks.push(task);
    }
    Ok(desired)
}

fn challenge(order: rows::certificates::Order) -> Option<Challenge> {
    let (token, authorization) = order.challenge?;
    Some(Challenge { host: order.host, token, authorization })
}

/// More than any store has counted: what an agent says beyond it is no number of ours.
const MOST: u64 = 1 << 48;

/// An agent refuses what is older than what it holds. Where the store was restored from a copy, its rows count all the
/// same: their number is put above `held`. A store that never told this host anything takes nothing from it.
pub async fn outrun(ctx: &Ctx, host: HostId, held: u64) -> Result<()> {
    if held == 0 {
        return Ok(());
    }
    let mut r = ctx.store.read().await?;
    let told = generation(&mut r, host).await?;
    drop(r);
    if !is_behind(told, held) {
        return Ok(());
    }
    let held = i64::try_from(held).unwrap_or(i64::MAX);
    let behind: Result<bool> = transact!(ctx.store, tx => {
        tx.without_event("what the rows say does not change");
        Ok(rows::observed::outrun(tx, host, held).await?)
    });
    if behind? {
        tracing::warn!(%host, held, told, "the store is older than what this host was told; what it says counts from now on");
    }
    Ok(())
}

/// Sends a connected agent its desired state now, and again whenever it changes. `held` is the number of the one it came
/// with. Ends when the agent is gone.
pub async fn pump(ctx: &Ctx, host: HostId, mut held: u64) {
    let mut commits = ctx.store.commits();
    let mut sent = None;
    loop {
        commits.borrow_and_update();
        match next(ctx, host, sent, held).await {
            Ok(Some(desired)) => {
                let generation = desired.generation;
                if generation >= held {
                    held = 0;
                }
                if !ctx.agents.send(host, ToAgent::Desired(Box::new(desired))).await {
                    return;
                }
                sent = Some(generation);
                continue;
            }
            Ok(None) => {}
            Err(e) => {
                tracing::error!(%host, error = &e as &dyn std::error::Error, "desired state could not be composed");
            }
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn next(ctx: &Ctx, host: HostId, sent: Option<u64>, held: u64) -> Result<Option<Desired>> {
    loop {
        outrun(ctx, host, held).await?;
        let mut r = ctx.store.read().await?;
        let generation = generation(&mut r, host).await?;
        // The host's first number may have come in between.
        if is_behind(generation, held) {
            continue;
        }
        if sent.is_some_and(|s| s >= generation) {
            return Ok(None);
        }
        return Ok(Some(compose(&mut r, host).await?));
    }
}

fn is_behind(told: u64, held: u64) -> bool {
    told > 0 && told < held && held <= MOST
}

/// Sites whose instances' own counters are read or whose runs are counted: where there is something to judge by them, from the
/// wave's beginning on. So every instance has been looked at before it has anything to do.
pub fn compared<'a>(plan: &'a Plan, state: &State) -> Vec<&'a SitePlan> {
    let by_runs = plan.service_kind == ServiceKind::Cron;
    let judges = plan.judging.as_ref().is_some_and(|j| j.scrape.is_some() || by_runs);
    if !judges || state.phase != Phase::Running {
        return Vec::new();
    }
    let begun = |s: &&SitePlan| state.sites.get(&s.site).is_some_and(|state| state.touched);
    plan.sites.iter().filter(|s| s.from.is_some_and(|from| from != s.to)).filter(begun).collect()
}

/// What is usual is read where nothing is compared.
async fn usual(
    r: &mut impl Reader,
    places: &[rows::places::PlaceRow],
    desired: &Desired,
) -> Result<Vec<DesiredScrape>> {
    let mut scrapes = Vec::new();
    for row in places {
        let Some(current) = row.history.current() else { continue };
        let here = desired.instances.iter().any(|i| i.revision == current);
        if !here || desired.scrapes.iter().any(|s| s.place == row.place) {
            continue;
        }
        let revision = rows::revisions::get(r, current).await?;
        let resolved = rollouts::resolve(r, &row.place.service, &row.place.env, &revision.release).await?;
        if let Some(scrape) = resolved.scrape.map(|s| s.usual()) {
            let rollout = Purpose::Usual(current).to_string();
            scrapes.push(DesiredScrape {
                place: row.place.clone(),
                rollout,
                canary: current,
                baseline: current,
                scrape,
            });
        }
    }
    Ok(scrapes)
}

/// A rollout's sites whose shards are moving.
pub fn on_trial(row: &Rollout, plan: &Plan, state: &State) -> Vec<ShardTrial> {
    let of_site = |s: &SitePlan| shard_trial(plan, state, s, place_of(row, s), row.id);
    plan.sites.iter().filter_map(of_site).collect()
}

fn place_of(row: &Rollout, site: &SitePlan) -> Place {
    Place { service: row.service.clone(), env: row.env.clone(), site: site.site.clone() }
}

#[derive(Default)]
struct Compared {
    scrapes: Vec<DesiredScrape>,
    runs: Vec<CountedRuns>,
    trials: Vec<ShardTrial>,
}

/// What a host reads of its instances, whose runs it counts, and which of their shards it may take back by itself: those of which it sees both
/// sides.
async fn compared_on(r: &mut impl Reader, host: HostId) -> Result<Compared> {
    let mut all = Compared::default();
    for row in rows::rollouts::unfinished(r).await?.into_iter().filter(|row| row.active) {
        let doc: PlanDoc = rollouts::read(&row.plan)?;
        let state: State = rollouts::read(&row.state)?;
        let on_trial = on_trial(&row, &doc.plan, &state);
        let compared = compared(&doc.plan, &state);
        for site in &doc.plan.sites {
            let place = place_of(&row, site);
            let trial = on_trial.iter().find(|t| t.place == place);
            let judged = compared.iter().any(|s| s.site == site.site);
            if trial.is_none() && !judged {
                continue;
            }
            let hosts: BTreeSet<HostId> = rows::instances::of_place(r, &place).await?.iter().map(|i| i.host).collect();
            all.trials.extend(trial.filter(|_| hosts == BTreeSet::from([host])).cloned());
            // A limit is held without a judge, too.
            let limited = trial.is_some_and(|t| t.limits.error_rate.is_some()) && state.phase == Phase::Running;
            let Some(baseline) = site.from.filter(|_| (judged || limited) && hosts.contains(&host)) else { continue };
            let (rollout, canary) = (row.id.to_string(), site.to);
            match (doc.plan.service_kind, &doc.resolved.scrape) {
                (ServiceKind::Cron, _) if judged => all.runs.push(CountedRuns { place, rollout, canary, baseline }),
                (ServiceKind::Web | ServiceKind::Worker, Some(scrape)) => {
                    let scrape = scrape.clone();
                    all.scrapes.push(DesiredScrape { place, rollout, canary, baseline, scrape });
                }
                (ServiceKind::Web | ServiceKind::Worker | ServiceKind::Cron, _) => {}
            }
        }
    }
    Ok(all)
}

//! Where a release stands at each place of its service, as to going back to it.

use crate::{
    Ctx, Result,
    agents::observed,
    rollouts,
    rollouts::{
        places::{self, Loaded},
        ways::{Ground, Wanted},
    },
    services, status,
};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_api::v1::{ReleaseRef, ReleaseStand, Stand, WayBack, WaysBack};
use tradewind_model::{
    access::Subject,
    fault::{Fault, Lang},
    id::{Digest, EnvName, HostId, InstanceId, Place, RevisionId, ServiceName, SiteName},
    protocol::agent::{InstancePhase, ObservedInstance},
    rollout::target::Target,
    time::Timestamp,
};
use tradewind_store::{
    Reader,
    rows::{self, Page, places::PlaceRow, releases::Release, revisions::Revision},
};

use super::{name_of, view};

/// Releases that [`ways_back`] names at most, of each sort.
const POSSIBLE: usize = 30;
const OTHERS: u32 = 20;

/// What the releases of a service are held against; read once for a page of them.
pub(crate) struct Ledger {
    grounds: BTreeMap<EnvName, Ground>,
    live: BTreeMap<Place, Digest>,
    /// Revisions that a rollback finds without starting anything, and until when.
    warm: BTreeMap<RevisionId, Option<Timestamp>>,
}

impl Ledger {
    /// Of the places that the caller sees.
    pub async fn of(ctx: &Ctx, r: &mut impl Reader, service: &ServiceName) -> Result<Self> {
        let mut by_env: BTreeMap<EnvName, Vec<PlaceRow>> = BTreeMap::new();
        for row in rows::places::list(r, Some(service)).await? {
            if ctx.sees(&Subject::place(&row.place)) {
                by_env.entry(row.place.env.clone()).or_default().push(row);
            }
        }
        let (mut live, mut warm, mut grounds) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        if !by_env.is_empty() {
            let hosts: Vec<HostId> = rows::hosts::list(r).await?.iter().map(|h| h.id).collect();
            let reports = observed::reports(r, &hosts).await?;
            let instances = reports.iter().filter_map(|(_, o)| o.as_ref()).flat_map(|o| &o.observed.instances);
            let seen: BTreeMap<InstanceId, &ObservedInstance> = instances.map(|i| (i.id, i)).collect();
            for row in by_env.values().flatten() {
                let current = row.history.current();
                if let Some(current) = current {
                    live.insert(row.place.clone(), rows::revisions::get(r, current).await?.release);
                }
                let loaded = places::load(r, &row.place).await?;
                warm.extend(kept_warm(&loaded, current, |id| seen.get(&id).map(|i| i.phase)));
            }
        }
        for (env, places) in by_env {
            let ground = Ground::under(r, service, &env, places).await?;
            grounds.insert(env, ground);
        }
        Ok(Self { grounds, live, warm })
    }

    /// Environments it is live in.
    pub fn live_in(&self, release: &Digest) -> Vec<EnvName> {
        let here = self.live.iter().filter(|(_, d)| *d == release).map(|(place, _)| place.env.clone());
        here.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// At each place, in order; `spec` is the release's own.
    pub async fn stands(
        &self,
        r: &mut impl Reader,
        release: &Release,
        spec: &str,
        lang: Lang,
    ) -> Result<Vec<ReleaseStand>> {
        let known = rows::revisions::of_service_release(r, &release.service, &release.digest).await?;
        let mut stands = Vec::new();
        for (env, ground) in &self.grounds {
            let readable = rollouts::resolve_text(spec, env, &release.digest).map(drop);
            for at in &ground.places {
                let there = known.iter().find(|k| k.place == at.place && k.config_version == 0);
                stands.push(self.stand(ground, at, release, there, readable.as_ref().err(), lang));
            }
        }
        Ok(stands)
    }

    fn stand(
        &self,
        ground: &Ground,
        at: &PlaceRow,
        release: &Release,
        there: Option<&Revision>,
        unreadable: Option<&Fault>,
        lang: Lang,
    ) -> ReleaseStand {
        let label = release.label();
        let led = ground.target(at, Some(Wanted { label: &label, revision: there }));
        let refused = unreadable.cloned().map_or(led.map(drop), Err).err();
        let live = self.live.get(&at.place) == Some(&release.digest);
        let warm = there.and_then(|t| self.warm.get(&t.id));
        let kept = there.is_some_and(|t| at.history.contains(t.id));
        let stand = match there {
            _ if live => Stand::Live,
            Some(_) if kept && unreadable.is_some() => Stand::Unreadable,
            Some(_) if kept && warm.is_some() => Stand::Warm,
            Some(_) if kept => Stand::Cold,
            Some(t) if t.completed_at.is_some() => Stand::Left,
            Some(_) | None => Stand::Never,
        };
        ReleaseStand {
            env: at.place.env.clone(),
            site: at.place.site.clone(),
            stand,
            possible: refused.is_none(),
            why: refused.as_ref().map(|f| f.what(lang)),
            code: refused.map(|f| f.code.id.to_owned()),
            completed_at: there.and_then(|t| t.completed_at).map(Into::into),
            warm_until: warm.copied().flatten().map(Into::into),
        }
    }
}

/// Revisions beside the live one of which every instance is as a warm predecessor's is meant to be.
fn kept_warm(
    loaded: &Loaded,
    live: Option<RevisionId>,
    phase: impl Fn(InstanceId) -> Option<InstancePhase>,
) -> BTreeMap<RevisionId, Option<Timestamp>> {
    let mut warm = BTreeMap::new();
    let mut cold = BTreeSet::new();
    for i in loaded.desired.instances.iter().filter(|i| Some(i.revision) != live) {
        if phase(i.id).is_some_and(|seen| status::is_warm(i.phase, seen.into())) {
            warm.entry(i.revision).or_insert(i.retire_at);
        } else {
            cold.insert(i.revision);
        }
    }
    warm.retain(|revision, _| !cold.contains(revision));
    warm
}

/// Where an environment can be taken back to, and why not elsewhere.
pub async fn ways_back(ctx: &Ctx, service: &ServiceName, env: &EnvName, lang: Lang) -> Result<WaysBack> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut ledger = Ledger::of(ctx, &mut r, service).await?;
    ledger.grounds.retain(|name, _| name == env);
    let mut sites = Vec::new();
    let mut completed: BTreeMap<Digest, Option<Timestamp>> = BTreeMap::new();
    let ground = ledger.grounds.get(env);
    for at in ground.iter().flat_map(|g| &g.places) {
        let led = ground.map(|g| g.target(at, None));
        sites.push(way(&mut r, service, at, led, lang).await?);
        for id in at.history.revisions().iter().rev().take(POSSIBLE + 1) {
            let revision = rows::revisions::get(&mut r, *id).await?;
            let newest = completed.entry(revision.release).or_default();
            *newest = (*newest).max(revision.completed_at);
        }
    }
    let mut newest: Vec<_> = completed.into_iter().collect();
    newest.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    let (mut possible, mut others) = (Vec::new(), Vec::new());
    for (digest, _) in newest {
        let row = rows::releases::get(&mut r, service, &digest).await?;
        let (shown, _) = view(&mut r, &ledger, row, lang).await?;
        if shown.stands.iter().any(|s| s.possible) { possible.push(shown) } else { others.push(shown) }
    }
    possible.truncate(POSSIBLE);
    for row in rows::releases::list(&mut r, service, Page::first(OTHERS)).await? {
        let known = possible.iter().chain(&others).any(|k| k.name.digest == row.digest);
        if !known {
            others.push(view(&mut r, &ledger, row, lang).await?.0);
        }
    }
    let under_way = ground.and_then(|g| g.active.as_ref()).map(|a| a.row.id);
    Ok(WaysBack { env: env.clone(), under_way, sites, possible, others })
}

async fn way(
    r: &mut impl Reader,
    service: &ServiceName,
    at: &PlaceRow,
    led: Option<std::result::Result<Target, Fault>>,
    lang: Lang,
) -> Result<WayBack> {
    let site: SiteName = at.place.site.clone();
    let live = named(r, service, at.history.current()).await?;
    let (to, refused) = match led {
        Some(Ok(target)) => (named(r, service, Some(target.to)).await?, None),
        Some(Err(fault)) => (None, Some(fault)),
        None => (None, None),
    };
    Ok(WayBack {
        site,
        live,
        to,
        why: refused.as_ref().map(|f| f.what(lang)),
        code: refused.map(|f| f.code.id.to_owned()),
    })
}

async fn named(r: &mut impl Reader, service: &ServiceName, revision: Option<RevisionId>) -> Result<Option<ReleaseRef>> {
    let Some(id) = revision else { return Ok(None) };
    let digest = rows::revisions::get(r, id).await?.release;
    Ok(Some(name_of(&rows::releases::get(r, service, &digest).await?)))
}

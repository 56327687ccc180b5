//! Counts that an agent brings: into the store, then acknowledged.
//!
//! They may come late, twice, or with seconds missing; each source numbers its own, so what is stored already is left out
//! and what is missing is known.

use super::{Entry, Tick, usual};
use crate::{Ctx, Result, agents::Stay, rollouts::PlanDoc};
use std::collections::BTreeMap;
use tradewind_model::{
    id::{Place, RolloutId},
    protocol::{
        edge::LATENCY_BOUNDS,
        scrape::Purpose,
        trial::{Feed, TICKS_KEPT_S, UnitCounts, UnitTick, UnitsTaken},
    },
    workload::ServiceKind,
};
use tradewind_store::{Json, Tx, rows, transact};

/// Who counted: a worker of an edge, a reader of instances' pages or a keeper of runs, on one route of one rollout.
type Source = (String, String, String);

/// Stores what is new and says what need not be sent again. What belongs to no rollout under way is taken and forgotten.
pub async fn take_in(ctx: &Ctx, stay: &Stay<'_>, ticks: Vec<UnitTick>) -> Result<Vec<UnitsTaken>> {
    let mut feeds: BTreeMap<Source, Vec<UnitTick>> = BTreeMap::new();
    for tick in ticks {
        feeds.entry((tick.route.clone(), tick.rollout.clone(), tick.epoch.clone())).or_default().push(tick);
    }
    let mut taken = Vec::new();
    for ((route, rollout, epoch), mut ticks) in feeds {
        ticks.sort_by_key(|t| t.seq);
        ticks.dedup_by_key(|t| t.seq);
        let Some(seq) = ticks.last().map(|t| t.seq) else { continue };
        let source = format!("{}/{route}/{epoch}", stay.host);
        match (rollout.parse::<Purpose>(), place(&route)) {
            (Ok(Purpose::Trial(id)), Some(place)) => {
                transact!(ctx.store, tx => store(tx, id, &place, &source, &ticks).await)?;
            }
            (Ok(Purpose::Usual(revision)), Some(place)) => {
                transact!(ctx.store, tx => usual::store(tx, stay.host, &place, revision, &source, &ticks).await)?;
            }
            (Err(_), _) | (Ok(_), None) => {}
        }
        taken.push(UnitsTaken { route, rollout, epoch, seq });
    }
    Ok(taken)
}

async fn store(tx: &mut Tx, rollout: RolloutId, place: &Place, source: &str, ticks: &[UnitTick]) -> Result<()> {
    let row = match rows::rollouts::get(tx, rollout).await {
        Ok(row) => row,
        Err(tradewind_store::StoreError::NotFound { .. }) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    if !row.active || row.service != place.service || row.env != place.env {
        return Ok(());
    }
    let doc: PlanDoc = crate::rollouts::read(&row.plan)?;
    let Some(judging) = doc.plan.judging.as_ref().filter(|_| doc.plan.sites.iter().any(|s| s.site == place.site))
    else {
        return Ok(());
    };
    let upto = u64::try_from(rows::evidence::upto(tx, rollout, source).await?).unwrap_or_default();
    let (scraped, every_s) =
        judging.scrape.as_ref().map_or((0, 1), |s| (s.metrics.len(), s.every_ms.div_ceil(1_000).max(1)));
    let numbers = |feed: Feed| match feed {
        Feed::Edge => judging.bounds_ms.len() + 1,
        Feed::Scrape => scraped,
        Feed::Runs => match doc.plan.service_kind {
            ServiceKind::Cron => 1,
            ServiceKind::Web | ServiceKind::Worker => 0,
        },
    };
    let Some(feed) = ticks.first().map(|t| t.feed) else { return Ok(()) };
    let whole = |a: &UnitCounts| a.n.len() == numbers(feed) && a.x.len() == numbers(feed) && numbers(feed) > 0;
    let sound = |a: &UnitCounts| whole(a) && a.latency.len() <= LATENCY_BOUNDS.len() + 1;
    let fits = |t: &UnitTick| t.feed == feed && sound(&t.canary) && sound(&t.baseline);
    let new: Vec<&UnitTick> = ticks.iter().filter(|t| t.seq > upto && fits(t)).collect();
    let (Some(first), Some(last)) = (new.first(), new.last()) else { return Ok(()) };
    let missing = (last.seq - upto).saturating_sub(new.len() as u64);
    // A source that is heard for the first time late in its life has lost nothing of ours before that.
    let lost = if upto == 0 { missing - (first.seq - 1).min(missing) } else { missing };
    let seconds = match feed {
        Feed::Edge | Feed::Runs => 1,
        Feed::Scrape => every_s,
    };
    let entry = Entry::Units {
        site: place.site.clone(),
        feed,
        lost: lost.saturating_mul(seconds).min(TICKS_KEPT_S * 1_000),
        ticks: new
            .iter()
            .map(|t| Tick { at: t.at, sampled: t.sampled, canary: t.canary.clone(), baseline: t.baseline.clone() })
            .collect(),
    };
    let upto = i64::try_from(last.seq).unwrap_or(i64::MAX);
    Ok(rows::evidence::append(tx, rollout, source, upto, &Json::of(&entry)).await?)
}

/// `service/env/site`.
fn place(route: &str) -> Option<Place> {
    let mut parts = route.split('/');
    let (service, env, site) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none();
    whole.then_some(Place { service: service.parse().ok()?, env: env.parse().ok()?, site: site.parse().ok()? })
}

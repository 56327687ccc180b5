//! What places count in ordinary times, by the hour: kept from what agents read while nothing is compared, and looked up when
//! a site changes over whole, with nothing beside its canary ([`standing`]).

use super::Entry;
use crate::{
    Result,
    rollouts::{self, PlanDoc},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range};
use tradewind_judge::{Sum, control};
use tradewind_model::{
    id::{HostId, Place, RevisionId, SiteName},
    protocol::{
        edge::FULL_SHARE,
        scrape::{MetricKind, Scrape},
        trial::{UnitCounts, UnitTick},
    },
    rollout::{
        plan::{Plan, SitePlan},
        state::State,
    },
    time::Timestamp,
};
use tradewind_store::{Json, Reader, Tx, rows};

/// Hours that are kept: four weeks and what a watch may add to them.
pub const KEPT_H: i64 = 5 * WEEK_H;
const DAY_H: i64 = 24;
const WEEK_H: i64 = 7 * DAY_H;
const WEEKS: i64 = 4;

/// By the metric's name.
pub type Counted = BTreeMap<String, Sum>;

/// An hour's counts, or some hours'.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hour {
    /// That were read.
    pub seconds: u64,
    pub counts: Counted,
}

impl Hour {
    /// The same time, at another host.
    pub fn beside(&mut self, other: &Self) {
        self.seconds = self.seconds.max(other.seconds);
        self.add(&other.counts);
    }

    /// The time after it.
    pub fn then(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.add(&other.counts);
    }

    fn add(&mut self, counts: &Counted) {
        for (name, sum) in counts {
            self.counts.entry(name.clone()).or_default().add(sum.n, sum.x);
        }
    }
}

/// What one business counter is held against where nothing runs beside the canary.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Standing {
    /// These other sites, each with how many of this site's usual exposures one of its stands for.
    Elsewhere { scales: BTreeMap<SiteName, f64> },
    /// The same hours of earlier weeks.
    Past { weeks: Vec<Sum> },
    /// Nobody knows: it is not judged.
    Unknown,
}

pub fn hour_of(t: Timestamp) -> i64 {
    t.0.div_euclid(3_600_000_000)
}

/// Adds what is new in these ticks to their hours, and tells a rollout under way at another site that looks here.
pub async fn store(
    tx: &mut Tx,
    host: HostId,
    place: &Place,
    revision: RevisionId,
    source: &str,
    ticks: &[UnitTick],
) -> Result<()> {
    let row = match rows::revisions::get(tx, revision).await {
        Ok(row) if row.place == *place => row,
        Ok(_) | Err(tradewind_store::StoreError::NotFound { .. }) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let resolved = rollouts::resolve(tx, &place.service, &place.env, &row.release).await?;
    let Some(scrape) = resolved.scrape.as_ref().map(Scrape::usual) else { return Ok(()) };
    let every_s = scrape.every_ms.div_ceil(1_000);
    let names: Vec<&str> = scrape.metrics.iter().map(|m| m.name.as_str()).collect();
    let whole = |c: &UnitCounts| c.n.len() == names.len() && c.x.len() == names.len();
    let ticks: Vec<&UnitTick> = ticks.iter().filter(|t| whole(&t.canary)).collect();
    let mut hours: BTreeMap<i64, Vec<&UnitTick>> = BTreeMap::new();
    for tick in &ticks {
        hours.entry(hour_of(tick.at)).or_default().push(tick);
    }
    for (hour, ticks) in hours {
        let known = rows::usual::find(tx, place, host, hour).await?;
        let upto = known.as_ref().filter(|k| k.source == source).map_or(0, |k| k.upto);
        let mut sums: Hour = known.map_or(Ok(Hour::default()), |k| k.body.read())?;
        let new: Vec<_> = ticks.into_iter().filter(|t| i64::try_from(t.seq).is_ok_and(|seq| seq > upto)).collect();
        let Some(upto) = new.iter().filter_map(|t| i64::try_from(t.seq).ok()).max() else { continue };
        add(&mut sums.counts, &names, &new);
        sums.seconds += every_s * new.len() as u64;
        let (place, source, body) = (place.clone(), source.to_owned(), Json::of(&sums));
        rows::usual::put(tx, &rows::usual::Usual { place, host, hour, source, upto, body }).await?;
    }
    tell_the_others(tx, place, source, &names, &ticks).await
}

fn add(sums: &mut Counted, names: &[&str], ticks: &[&UnitTick]) {
    for tick in ticks {
        for (i, name) in names.iter().enumerate() {
            sums.entry((*name).to_owned()).or_default().add(tick.canary.n[i], tick.canary.x[i]);
        }
    }
}

/// Every tick has a number for each name.
async fn tell_the_others(tx: &mut Tx, place: &Place, source: &str, names: &[&str], ticks: &[&UnitTick]) -> Result<()> {
    let Some(row) = rows::rollouts::active(tx, &place.service, &place.env).await? else { return Ok(()) };
    let doc: PlanDoc = rollouts::read(&row.plan)?;
    let state: State = rollouts::read(&row.state)?;
    let moves = |site: &SiteName| state.sites.get(site).is_some_and(|s| s.touched);
    let looks_here = |s: &SitePlan| s.site != place.site && moves(&s.site) && alone(&doc.plan, s);
    if moves(&place.site) || !doc.plan.sites.iter().any(looks_here) {
        return Ok(());
    }
    let upto = u64::try_from(rows::evidence::upto(tx, row.id, source).await?).unwrap_or_default();
    let new: Vec<&UnitTick> = ticks.iter().copied().filter(|t| t.seq > upto).collect();
    let Some(last) = new.last() else { return Ok(()) };
    let mut counts = Counted::new();
    add(&mut counts, names, &new);
    let upto = i64::try_from(last.seq).unwrap_or(i64::MAX);
    let entry = Entry::Elsewhere { site: place.site.clone(), counts };
    Ok(rows::evidence::append(tx, row.id, source, upto, &Json::of(&entry)).await?)
}

/// Whether a site changes over whole, so that its business counters have no baseline beside them.
pub fn alone(plan: &Plan, site: &SitePlan) -> bool {
    let first = plan.waves.iter().find(|w| w.site == site.site);
    site.from.is_some() && plan.judges_business() && first.is_some_and(|w| w.share >= FULL_SHARE)
}

/// What each business counter of a site that has just changed over whole is held against.
pub async fn standing(
    r: &mut impl Reader,
    place: &Place,
    doc: &PlanDoc,
    state: &State,
    now: Timestamp,
) -> Result<BTreeMap<String, Standing>> {
    let Some(judging) = doc.plan.judging.as_ref() else { return Ok(BTreeMap::new()) };
    let miss = super::fold::params(judging).alpha();
    let hour = hour_of(now);
    let watched = i64::try_from((doc.plan.timing.soak_ms + doc.plan.timing.watch_ms).div_ceil(3_600_000)).unwrap_or(0);
    let span = hour..hour + watched.clamp(0, DAY_H) + 1;
    let rows = rows::usual::between(r, &place.service, &place.env, hour - KEPT_H, hour + 1).await?;
    let past: Vec<(SiteName, i64, Counted)> = rows
        .into_iter()
        .map(|row| Ok((row.place.site, row.hour, row.body.read::<Hour>()?.counts)))
        .collect::<std::result::Result<_, tradewind_store::StoreError>>()?;
    let untouched = |site: &SiteName| *site != place.site && state.sites.get(site).is_none_or(|s| !s.touched);
    let business = judging.scrape.iter().flat_map(|s| &s.metrics).filter(|m| m.kind == MetricKind::Business);
    Ok(business
        .map(|m| (m.name.clone(), held_against(&past, &place.site, untouched, &m.name, hour, &span, miss)))
        .collect())
}

/// Other sites first: they see what the market does now.
fn held_against(
    past: &[(SiteName, i64, Counted)],
    own: &SiteName,
    untouched: impl Fn(&SiteName) -> bool,
    metric: &str,
    hour: i64,
    span: &Range<i64>,
    miss: f64,
) -> Standing {
    let sum = |site: &SiteName, hours: &dyn Fn(i64) -> bool| {
        let mut sum = Sum::default();
        let of_site = past.iter().filter(|(s, h, _)| s == site && hours(*h));
        for counted in of_site.filter_map(|(_, _, c)| c.get(metric)) {
            sum.add(counted.n, counted.x);
        }
        sum
    };
    // Sites sell at different times of their days: the same hours of the last days, give or take one.
    let like_now =
        |h: i64| (hour - WEEK_H..=hour).contains(&h) && [0, 1, DAY_H - 1].contains(&(hour - h).rem_euclid(DAY_H));
    let mut others: Vec<&SiteName> = past.iter().map(|(site, ..)| site).filter(|site| untouched(site)).collect();
    others.dedup();
    let here = sum(own, &like_now);
    let scales: BTreeMap<SiteName, f64> = others
        .into_iter()
        .filter_map(|site| Some((site.clone(), control::scale(here, sum(site, &like_now), miss)?)))
        .collect();
    if !scales.is_empty() {
        return Standing::Elsewhere { scales };
    }
    let week = |w: i64| sum(own, &|h| span.contains(&(h + w * WEEK_H)));
    let weeks: Vec<Sum> = (1..=WEEKS).map(week).filter(|s| s.n > 0).collect();
    match control::least(&weeks, miss) {
        Some(_) => Standing::Past { weeks },
        None => Standing::Unknown,
    }
}

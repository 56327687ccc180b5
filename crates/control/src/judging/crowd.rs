//! How many clients a place's requests come from. Nobody knows before they are counted, and they are counted in trials only:
//! so the last one says.

use super::Entry;
use crate::{
    Result,
    rollouts::{self, PlanDoc},
};
use tradewind_model::{
    id::{EnvName, ServiceName},
    protocol::trial::Feed,
};
use tradewind_store::{
    Reader,
    rows::{self, Page},
};

/// Rollouts that are looked through, and rows of the one that is taken: some ten minutes.
const BACK: u32 = 20;
const ROWS: u32 = 600;
/// Fewer requests say nothing.
const LEAST: u64 = 1_000;

/// Both between 0 and 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crowd {
    /// Clients met for the first time for each request.
    pub clients: f64,
    /// Clients that failed for the first time for each request that failed: 1 where failures hit anybody, less where the same
    /// clients fail again and again.
    pub first_failures: f64,
}

/// As of the last trial; `None` before there was one that counted clients in the same way.
pub async fn lately(r: &mut impl Reader, service: &ServiceName, env: &EnvName, doc: &PlanDoc) -> Result<Option<Crowd>> {
    let sticky = |doc: &PlanDoc| doc.resolved.route.as_ref().map(|route| route.sticky.clone());
    for row in rows::rollouts::list(r, service, Some(env), Page::first(BACK)).await? {
        let past: PlanDoc = rollouts::read(&row.plan)?;
        if past.plan.judging.is_none() || sticky(&past) != sticky(doc) {
            continue;
        }
        let (mut clients, mut requests, mut first, mut failed) = (0, 0, 0, 0);
        for row in rows::evidence::first(r, row.id, ROWS).await? {
            match row.body.read()? {
                Entry::Units { feed: Feed::Edge, ticks, .. } => {
                    for arm in ticks.iter().flat_map(|t| [&t.canary, &t.baseline]) {
                        clients += arm.new;
                        requests += arm.requests;
                        first += arm.x.first().copied().unwrap_or(0);
                        failed += arm.failed;
                    }
                }
                Entry::Units { .. } | Entry::Wave { .. } | Entry::Alone { .. } | Entry::Elsewhere { .. } => {}
            }
        }
        if requests >= LEAST && clients > 0 {
            let part = |of: u64, all: u64| if all == 0 { 1.0 } else { (of as f64 / all as f64).min(1.0) };
            return Ok(Some(Crowd { clients: part(clients, requests), first_failures: part(first, failed) }));
        }
    }
    Ok(None)
}

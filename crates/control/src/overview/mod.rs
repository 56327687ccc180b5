//! Services by environments. How everything stands is found out for all services at once, from narrow rows
//! ([`standing`]); what is asked for is chosen from that ([`choice`]), and only what a page shows is read whole ([`page`]).

mod choice;
mod page;
mod seen;
mod standing;

pub use choice::{Choice, Cursor};

use crate::{Ctx, Result};
use std::collections::BTreeSet;
use tradewind_api::v1::{self, Attention};
use tradewind_model::fault::Lang;

/// A page of what the caller sees; `after` is where the page before ended.
pub async fn overview(
    ctx: &Ctx,
    choice: &Choice,
    after: Option<&Cursor>,
    limit: u32,
    lang: Lang,
) -> Result<v1::Overview> {
    let mut r = ctx.store.read().await?;
    let seen = seen::seen(&mut r, ctx).await?;
    let all = standing::all(&mut r, ctx, &seen).await?;
    let environments: BTreeSet<_> = all.iter().flat_map(|s| s.envs.keys().cloned()).collect();
    let owners: BTreeSet<_> = all.iter().map(|s| s.owner.clone()).collect();
    let summary = summary(&all);
    let chosen = choice.of(all);
    let matching = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let mut shown: Vec<_> =
        chosen.into_iter().filter(|(at, _)| after.is_none_or(|a| at > a)).take(limit as usize + 1).collect();
    let more = shown.len() > limit as usize;
    shown.truncate(limit as usize);
    let next = more.then(|| shown.last().map(|(at, _)| at.to_string())).flatten();
    let items = page::whole(&mut r, &seen, shown.into_iter().map(|(_, s)| s).collect(), lang).await?;
    Ok(v1::Overview {
        items,
        next,
        matching,
        environments: environments.into_iter().collect(),
        owners: owners.into_iter().collect(),
        summary,
    })
}

fn summary(all: &[standing::Service]) -> v1::OverviewSummary {
    let mut sum = v1::OverviewSummary { services: u32::try_from(all.len()).unwrap_or(u32::MAX), ..Default::default() };
    for attention in all.iter().flat_map(standing::Service::attention) {
        match attention {
            Attention::Failing => sum.failing += 1,
            Attention::Degraded => sum.degraded += 1,
            Attention::Unknown => sum.unknown += 1,
            Attention::UnderWay => sum.under_way += 1,
            Attention::Frozen => sum.frozen += 1,
        }
    }
    sum
}

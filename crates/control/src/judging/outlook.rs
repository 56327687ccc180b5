//! What the judge can be expected to find, said before a canary begins: by requests ([`requests`]), by what
//! the service itself counts ([`own`]), or by runs.

use super::{fold::params, own, requests};
use crate::{Ctx, Result, rollouts::PlanDoc};
use serde::{Deserialize, Serialize};
use tradewind_judge::runs::{self, Schedule};
use tradewind_model::{
    id::{EnvName, ServiceName},
    protocol::edge::FULL_SHARE,
    said,
    said::Said,
    schedule::Calendar,
    workload::ServiceKind,
};
use tradewind_store::Reader;

/// The fault that is looked for: twice as many errors.
pub(super) const MORE: f64 = 2.0;
/// Where nothing fails there is nothing to double: what counts is how soon errors at the floor stand out, as the greatest
/// ratio that is looked for.
pub(super) const CLEAN: f64 = 50.0;

/// Of a wave under way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SoFar {
    /// First met on the canary since it has its share.
    pub clients: u64,
    pub seconds: f64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outlook {
    /// For a person: the traffic or the runs, how long it will take, what to change where that is hopeless.
    pub text: Said,
    /// Seconds until half of such faults are found; `None`: never, or nothing to go by.
    pub expected_s: Option<f64>,
    pub hopeless: bool,
}

/// For the first wave of a plan, which may be under way. `None` where nothing is judged.
pub async fn outlook(
    r: &mut impl Reader,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    doc: &PlanDoc,
    so_far: Option<SoFar>,
) -> Result<Option<Outlook>> {
    let found = match doc.plan.service_kind {
        ServiceKind::Web => requests::outlook(r, ctx, service, env, doc, so_far).await?,
        ServiceKind::Worker => None,
        ServiceKind::Cron => of_runs(ctx, doc),
    };
    let own = own::outlook(r, ctx, service, env, doc).await?;
    Ok(match (found, own) {
        (Some(found), Some(own)) => Some(found.and(&own)),
        (found, own) => found.or(own),
    })
}

impl Outlook {
    /// Each fault is found by its own: what is asked for last takes longest.
    fn and(self, other: &Self) -> Self {
        Self {
            text: said!("{one}; {other}", "{one}；{other}", one = &self.text, other = &other.text),
            expected_s: self.expected_s.zip(other.expected_s).map(|(a, b)| a.max(b)),
            hopeless: self.hopeless || other.hopeless,
        }
    }
}

fn of_runs(ctx: &Ctx, doc: &PlanDoc) -> Option<Outlook> {
    let rule = doc.plan.judging.as_ref()?;
    let wave = doc.plan.waves.first().filter(|w| w.share < FULL_SHARE)?;
    let before = doc.plan.site(&wave.site)?.back_instances();
    let calendar = Calendar::new(doc.resolved.workload.schedule.as_ref()?).ok()?;
    let found = runs::outlook(&Schedule {
        per_day: calendar.per_day(ctx.now()),
        canary: wave.instances,
        baseline: before.saturating_sub(wave.instances),
        params: params(rule),
        max_seconds: wave.max_ms.unwrap_or(u64::MAX) as f64 / 1_000.0,
    });
    Some(Outlook { text: found.text, expected_s: found.found_s, hopeless: found.hopeless })
}

//! How long the judge will need by the requests a place has lately: to find a fault, and to let a release go on that has none.

use super::{
    crowd::{self, Crowd},
    fold::params,
    outlook::{CLEAN, MORE, Outlook, SoFar},
};
use crate::{Ctx, Result, agents::flow::Flow, rollouts::PlanDoc};
use tradewind_judge::{
    forecast::{Forecast, forecast},
    runs,
    words::duration,
};
use tradewind_model::{
    fault::Text,
    id::{EnvName, Place, ServiceName},
    protocol::edge::{FULL_SHARE, Sticky},
    rollout::{judging::Promote, plan::Wave},
    said,
    said::Said,
    spec::values::show_percent,
};
use tradewind_store::Reader;

/// Fewer clients say nothing of how many will come.
const LEAST: u64 = 20;

/// What is judged, and by what traffic.
struct Seen {
    flow: Flow,
    crowd: Option<Crowd>,
    so_far: Option<SoFar>,
    by_client: bool,
    share: f64,
    max_s: f64,
}

/// For the first wave of a plan. `None` where no requests are judged.
pub async fn outlook(
    r: &mut impl Reader,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    doc: &PlanDoc,
    so_far: Option<SoFar>,
) -> Result<Option<Outlook>> {
    let wave = doc.plan.waves.first().filter(|w| w.share < FULL_SHARE);
    let (Some(_), Some(route), Some(wave)) = (&doc.plan.judging, &doc.resolved.route, wave) else { return Ok(None) };
    let by_client = match route.sticky {
        Sticky::Cookie { .. } | Sticky::Header { .. } => true,
        Sticky::None => false,
    };
    let place = Place { service: service.clone(), env: env.clone(), site: wave.site.clone() };
    let Some(flow) = ctx.agents.flow(&place).filter(|f| f.requests_per_s > 0.0) else {
        let text = said!(
            "there is no traffic here now, so nobody can say how long the judge will need; no data is no evidence",
            "这里目前没有流量，无法预计判定所需时间；没有数据就没有证据"
        );
        return Ok(Some(Outlook { text, expected_s: None, hopeless: false }));
    };
    let crowd = if by_client { crowd::lately(r, service, env, doc).await? } else { None };
    Ok(of(
        doc,
        wave,
        Seen {
            flow,
            crowd,
            so_far,
            by_client,
            share: f64::from(wave.share) / f64::from(FULL_SHARE),
            max_s: wave.max_ms.unwrap_or(u64::MAX) as f64 / 1_000.0,
        },
    ))
}

fn of(doc: &PlanDoc, wave: &Wave, seen: Seen) -> Option<Outlook> {
    let rule = doc.plan.judging.as_ref()?;
    let params = params(rule);
    let rate = seen.flow.failed_per_s / seen.flow.requests_per_s;
    let (clients, first_failures) = seen.crowd.map_or((1.0, 1.0), |c| (c.clients, c.first_failures));
    let clients = seen.measured().map_or(clients, |n| (n / seen.flow.requests_per_s).min(1.0));
    let per_unit = (rate * first_failures / clients).min(1.0);
    let units_per_s = seen.flow.requests_per_s * clients;
    let (base_rate, ratio) = match per_unit {
        0.0 => (params.floor() / CLEAN, CLEAN),
        rate => (rate, MORE.min(1.0 / rate)),
    };
    let found = forecast(&Forecast {
        units_per_s,
        share: seen.share,
        base_rate,
        ratio,
        alpha: params.alpha(),
        max_seconds: seen.max_s,
        clients: None,
    });
    let finds = match found.expected_s {
        _ if ratio < 1.1 => {
            said!("nearly all of them fail, so a worse release could not be told", "几乎全部失败，更差的版本无从分辨")
        }
        Some(t) if per_unit == 0.0 => {
            let floor = show_percent(rule.floor_ppm);
            match found.hopeless {
                false => said!(
                    "{floor} of errors would be found in about {t}",
                    "{floor} 的错误约 {t} 可发现",
                    floor = floor,
                    t = duration(t)
                ),
                true => said!(
                    "{floor} of errors would take about {t} to be found, and the wave takes {max} at most",
                    "{floor} 的错误约需 {t} 才能发现，而该批次最长 {max}",
                    floor = floor,
                    t = duration(t),
                    max = duration(seen.max_s)
                ),
            }
        }
        Some(_) | None => found.advice,
    };
    let (goes_on, never) = match (rule.promote, runs::clean_runs(&params)) {
        (Promote::Manual, _) | (_, None) => (None, false),
        (Promote::Evidence, Some(needed)) => {
            let (text, never) = goes_on(needed, wave, units_per_s, &seen);
            (Some(text), never)
        }
    };
    let parts: Vec<Said> = [Some(finds), goes_on].into_iter().flatten().collect();
    let text = said!(
        "{flow}: {parts}",
        "{flow}：{parts}",
        flow = lately(&seen, rate),
        parts = Said::join(&parts, &Text { en: "; ", zh: "；" })
    );
    Some(Outlook { text, expected_s: found.expected_s, hopeless: found.hopeless || never })
}

/// How long a release without a fault stays in the wave, and whether it cannot leave it in time.
fn goes_on(needed: u64, wave: &Wave, units_per_s: f64, seen: &Seen) -> (Said, bool) {
    let unit = match seen.by_client {
        true => said!("customers", "位客户"),
        false => said!("requests", "个请求"),
    };
    if let Some(so_far) = seen.so_far {
        return still(needed, unit, wave, units_per_s, so_far, seen);
    }
    let after = said!(
        "a release without errors goes on after {n} {unit} of it",
        "没有错误的版本在承接 {n} {unit}后放行",
        n = needed,
        unit = unit
    );
    // How many clients those requests come from is only known once they were counted.
    if seen.by_client && seen.crowd.is_none() {
        let few = said!(
            "{after}; all of this takes longer where few customers make many requests, since each counts once",
            "{after}；若少数客户发出大量请求，以上都会更久，因为每位客户只计一次",
            after = after
        );
        return (few, false);
    }
    let t = (needed as f64 / (units_per_s * seen.share)).max(wave.min_ms as f64 / 1_000.0);
    if t <= seen.max_s {
        return (said!("{after}, in about {t}", "{after}，约需 {t}", after = after, t = duration(t)), false);
    }
    let late = said!(
        "{after}, which takes about {t}, and the wave takes {max} at most: write a larger `judge.floor`, a larger first share, or a longer `max`",
        "{after}，约需 {t}，而该批次最长 {max}：请写更大的 `judge.floor`、更大的首个份额，或更长的 `max`",
        after = after,
        t = duration(t),
        max = duration(seen.max_s)
    );
    (late, true)
}

/// The same of a wave under way: what is left of it.
fn still(needed: u64, unit: Said, wave: &Wave, units_per_s: f64, so_far: SoFar, seen: &Seen) -> (Said, bool) {
    let left = needed.saturating_sub(so_far.clients);
    if left == 0 {
        let enough = said!(
            "{n} {unit} of it were counted, as many as a release without errors needs",
            "已计入 {n} {unit}，没有错误的版本到此即可放行",
            n = so_far.clients,
            unit = unit
        );
        return (enough, false);
    }
    let after = said!(
        "a release without errors goes on after {n} more {unit} of it",
        "没有错误的版本再承接 {n} {unit}后放行",
        n = left,
        unit = unit
    );
    if seen.by_client && seen.crowd.is_none() && seen.measured().is_none() {
        return (after, false);
    }
    let soonest = wave.min_ms as f64 / 1_000.0 - so_far.seconds;
    let t = (left as f64 / (units_per_s * seen.share)).max(soonest);
    let ends = (seen.max_s - so_far.seconds).max(0.0);
    if t <= ends {
        return (said!("{after}, in about {t}", "{after}，约需 {t}", after = after, t = duration(t)), false);
    }
    let late = said!(
        "{after}, which takes about {t}, and the wave ends in {ends}: give it a larger share (`tradewind rollout share`), or let it go on yourself (`tradewind rollout promote`)",
        "{after}，约需 {t}，而该批次将在 {ends}后结束：请加大份额（`tradewind rollout share`），或由人放行（`tradewind rollout promote`）",
        after = after,
        t = duration(t),
        ends = duration(ends)
    );
    (late, true)
}

impl Seen {
    /// New clients a second on both releases, as the wave's canary met them; `None` before it met some.
    fn measured(&self) -> Option<f64> {
        let met = self.so_far.filter(|s| s.clients >= LEAST && s.seconds > 0.0)?;
        Some(met.clients as f64 / met.seconds / self.share)
    }
}

fn lately(seen: &Seen, rate: f64) -> Said {
    let n = |per_s: f64| format!("{per_s:.1}");
    let flow = said!(
        "{n} requests a second lately, {rate} % of them failing",
        "近来每秒 {n} 个请求，失败 {rate}%",
        n = n(seen.flow.requests_per_s),
        rate = format!("{:.2}", rate * 100.0)
    );
    if let Some(n_now) = seen.measured().filter(|_| seen.by_client) {
        let n_now = n(n_now.min(seen.flow.requests_per_s));
        return said!("{flow}, from {n} new customers a second", "{flow}，约每秒 {n} 位新客户", flow = flow, n = n_now);
    }
    match seen.crowd {
        Some(c) => said!(
            "{flow}, from {n} new customers a second as of the last canary",
            "{flow}，按上次金丝雀约每秒 {n} 位新客户",
            flow = flow,
            n = n(seen.flow.requests_per_s * c.clients)
        ),
        None => flow,
    }
}

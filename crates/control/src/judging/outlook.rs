//! What the judge can be expected to find, said before a canary begins: from the traffic the place has lately.

use super::{
    crowd::{self, Crowd},
    fold::params,
    own,
};
use crate::{Ctx, Result, agents::flow::Flow, rollouts::PlanDoc};
use serde::{Deserialize, Serialize};
use tradewind_judge::{
    forecast::{Forecast, forecast},
    runs::{self, Schedule},
};
use tradewind_model::{
    id::{EnvName, Place, ServiceName},
    protocol::edge::{FULL_SHARE, Sticky},
    said,
    said::Said,
    schedule::Calendar,
    spec::values::show_percent,
    workload::ServiceKind,
};
use tradewind_store::Reader;

/// The fault that is looked for: twice as many errors.
const RATIO: f64 = 2.0;
const CLEAN_RATIO: f64 = 50.0;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outlook {
    /// For a person: the traffic or the runs, how long it will take, what to change where that is hopeless.
    pub text: Said,
    /// Seconds until half of such faults are found; `None`: never, or nothing to go by.
    pub expected_s: Option<f64>,
    pub hopeless: bool,
}

/// For the first wave of a plan. `None` where nothing is judged.
pub async fn outlook(
    r: &mut impl Reader,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    doc: &PlanDoc,
) -> Result<Option<Outlook>> {
    let by_client = match doc.resolved.route.as_ref().map(|r| &r.sticky) {
        Some(Sticky::Cookie { .. } | Sticky::Header { .. }) => true,
        Some(Sticky::None) | None => false,
    };
    let crowd = if by_client { crowd::lately(r, service, env, doc).await? } else { None };
    let found = match doc.plan.service_kind {
        ServiceKind::Web => of_requests(ctx, service, env, doc, by_client, crowd),
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

fn of_requests(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    doc: &PlanDoc,
    by_client: bool,
    crowd: Option<Crowd>,
) -> Option<Outlook> {
    let rule = doc.plan.judging.as_ref()?;
    doc.resolved.route.as_ref()?;
    let wave = doc.plan.waves.first().filter(|w| w.share < FULL_SHARE)?;
    let place = Place { service: service.clone(), env: env.clone(), site: wave.site.clone() };
    let Some(flow) = ctx.agents.flow(&place).filter(|f| f.requests_per_s > 0.0) else {
        let text = said!(
            "no traffic is known here yet, so nobody can say how long the judge will need; no data is no evidence",
            "这里还没有已知的流量，无法预计判定所需时间；没有数据就没有证据"
        );
        return Some(Outlook { text, expected_s: None, hopeless: false });
    };
    let rate = flow.failed_per_s / flow.requests_per_s;
    let params = params(rule);
    // Where nothing fails there is nothing to double: what counts is how soon errors at the floor stand out, as the greatest
    // ratio that is looked for.
    let (clients, first_failures) = crowd.map_or((1.0, 1.0), |c| (c.clients, c.first_failures));
    let per_client = (rate * first_failures / clients).min(1.0);
    let (base_rate, ratio) =
        if per_client > 0.0 { (per_client, RATIO) } else { (params.floor() / CLEAN_RATIO, CLEAN_RATIO) };
    let found = forecast(&Forecast {
        units_per_s: flow.requests_per_s * clients,
        share: f64::from(wave.share) / f64::from(FULL_SHARE),
        base_rate,
        ratio,
        alpha: params.alpha(),
        max_seconds: wave.max_ms.unwrap_or(u64::MAX) as f64 / 1_000.0,
        clients: None,
    });
    let advice = match found.expected_s {
        Some(t) if per_client == 0.0 && !found.hopeless => {
            let (floor, t) = (show_percent(rule.floor_ppm), t.ceil());
            said!(
                "{floor} of errors would be found in about {t} s",
                "{floor} 的错误约 {t} 秒可发现",
                floor = floor,
                t = t
            )
        }
        Some(_) | None => found.advice,
    };
    // How many clients those requests come from is only known once they are counted.
    let advice = match (by_client, crowd) {
        (true, None) => said!(
            "{advice}; longer where few clients make many requests, since each counts once",
            "{advice}；若少数客户端发出大量请求则更久，因为每个客户端只计一次",
            advice = advice
        ),
        (true, Some(_)) | (false, _) => advice,
    };
    let flow = match crowd {
        Some(c) => said!(
            "{flow}, from {n} new customers a second as of the last canary",
            "{flow}，按上次金丝雀约每秒 {n} 位新客户",
            flow = told(flow, rate),
            n = format!("{:.1}", flow.requests_per_s * c.clients)
        ),
        None => told(flow, rate),
    };
    let text = said!("{flow}: {advice}", "{flow}：{advice}", flow = flow, advice = advice);
    Some(Outlook { text, expected_s: found.expected_s, hopeless: found.hopeless })
}

fn told(flow: Flow, rate: f64) -> Said {
    said!(
        "{n} requests a second lately, {rate} % of them failing",
        "近来每秒 {n} 个请求，失败 {rate}%",
        n = format!("{:.1}", flow.requests_per_s),
        rate = format!("{:.2}", rate * 100.0)
    )
}

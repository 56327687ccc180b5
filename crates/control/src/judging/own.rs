//! How long the judge will need by what the service itself counts: from what its place counts in ordinary times.

use super::{
    fold::params,
    outlook::{CLEAN, MORE, Outlook},
    usual::{self, Hour},
};
use crate::{Ctx, Result, rollouts::PlanDoc};
use tradewind_judge::{
    Params, Sum,
    forecast::{Forecast, forecast},
    words::duration,
};
use tradewind_model::{
    fault::Text,
    id::{EnvName, Place, ServiceName},
    protocol::{
        edge::FULL_SHARE,
        scrape::{MetricKind, Read, ScrapedMetric},
    },
    rollout::{judging::Judging, plan::Wave},
    said,
    said::Said,
    spec::values::show_percent,
};
use tradewind_store::{Reader, rows};

/// Of orders: half as many.
const FEWER: f64 = 0.5;
/// Fewer seconds say nothing yet.
const LEAST_S: u64 = 60;

/// For the first wave of a plan. `None` where nothing of the kind is judged.
pub async fn outlook(
    r: &mut impl Reader,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    doc: &PlanDoc,
) -> Result<Option<Outlook>> {
    let wave = doc.plan.waves.first().filter(|w| w.share < FULL_SHARE);
    let (Some(judging), Some(wave)) = (doc.plan.judging.as_ref(), wave) else { return Ok(None) };
    let metrics: Vec<&ScrapedMetric> = judging.scrape.iter().flat_map(|s| &s.metrics).filter(|m| foretold(m)).collect();
    if metrics.is_empty() {
        return Ok(None);
    }
    let place = Place { service: service.clone(), env: env.clone(), site: wave.site.clone() };
    let lately = lately(r, ctx, &place).await?;
    let found: Vec<Outlook> = metrics.iter().map(|m| of(m, &lately, judging, wave)).collect();
    let parts: Vec<Said> = found.iter().map(|o| o.text.clone()).collect();
    Ok(Some(Outlook {
        text: Said::join(&parts, &Text { en: "; ", zh: "；" }),
        expected_s: found
            .iter()
            .map(|o| o.expected_s)
            .collect::<Option<Vec<f64>>>()
            .map(|all| all.into_iter().fold(0.0, f64::max)),
        hopeless: found.iter().any(|o| o.hopeless),
    }))
}

/// A histogram's bound says nothing of how much slower a fault would be.
fn foretold(metric: &ScrapedMetric) -> bool {
    match metric.kind {
        MetricKind::Error | MetricKind::Business => true,
        MetricKind::Latency => false,
    }
}

/// The last hour or two; the last day where they are too short.
async fn lately(r: &mut impl Reader, ctx: &Ctx, place: &Place) -> Result<Hour> {
    let now = usual::hour_of(ctx.now());
    let rows = rows::usual::between(r, &place.service, &place.env, now - 24, now + 1).await?;
    let mut hours: Vec<(i64, Hour)> = Vec::new();
    for row in rows.into_iter().filter(|row| row.place.site == place.site) {
        let hour: Hour = row.body.read()?;
        match hours.last_mut().filter(|(at, _)| *at == row.hour) {
            Some((_, known)) => known.beside(&hour),
            None => hours.push((row.hour, hour)),
        }
    }
    let sum = |from: i64| {
        let mut sum = Hour::default();
        hours.iter().filter(|(at, _)| *at >= from).for_each(|(_, hour)| sum.then(hour));
        sum
    };
    let last = sum(now - 1);
    Ok(if last.seconds >= LEAST_S { last } else { sum(now - 24) })
}

fn of(metric: &ScrapedMetric, lately: &Hour, judging: &Judging, wave: &Wave) -> Outlook {
    let name = &metric.name;
    let known = lately.counts.get(name).copied().filter(|sum| sum.n > 0 && lately.seconds >= LEAST_S);
    let Some(Sum { n, x }) = known else {
        let text = said!(
            "{name}: nothing is known of it here yet, so nobody can say how long the judge will need",
            "{name}：这里还没有它的数据，无法预计判定所需时间",
            name = name
        );
        return Outlook { text, expected_s: None, hopeless: false };
    };
    let params: Params = params(judging);
    let (rate, seconds) = (x as f64 / n as f64, lately.seconds as f64);
    let (base_rate, ratio, what) = match metric.kind {
        MetricKind::Business if x == 0 => {
            let text = said!(
                "{name}: there are none lately, so nobody can say how long the judge will need",
                "{name}：近来没有数据，无法预计判定所需时间",
                name = name
            );
            return Outlook { text, expected_s: None, hopeless: false };
        }
        MetricKind::Business => (rate, FEWER, said!("half as many", "减半")),
        MetricKind::Error | MetricKind::Latency if x == 0 => {
            let floor = show_percent(judging.floor_ppm);
            (params.floor() / CLEAN, CLEAN, said!("{floor} of failures", "{floor} 的失败", floor = floor))
        }
        MetricKind::Error | MetricKind::Latency => (rate, MORE, said!("twice as many", "翻倍")),
    };
    let found = forecast(&Forecast {
        units_per_s: n as f64 / seconds,
        share: f64::from(wave.share) / f64::from(FULL_SHARE),
        base_rate,
        ratio,
        alpha: params.alpha(),
        max_seconds: wave.max_ms.unwrap_or(u64::MAX) as f64 / 1_000.0,
        clients: None,
    });
    let now = said!(
        "{name}: {x} a minute of {n} {of}",
        "{name}：每分钟 {n} {of} 中有 {x}",
        name = name,
        x = a_minute(x, seconds),
        n = a_minute(n, seconds),
        of = out_of(metric)
    );
    let text = match found.expected_s {
        Some(t) if !found.hopeless => said!(
            "{now}; {what} would be found in about {t}",
            "{now}；{what}约 {t} 可发现",
            now = now,
            what = what,
            t = duration(t)
        ),
        Some(t) => {
            let more = found.share_that_would_do.map(|s| {
                said!(", or give it {s} of the work", "，或将份额提高到 {s}", s = show_percent((s * 1e6) as u32))
            });
            said!(
                "{now}; {what} would take about {t} to be found, longer than the wave: let it take that long{more}",
                "{now}；{what}约需 {t} 才能发现，超过这一波的时长：请延长到这么久{more}",
                now = now,
                what = what,
                t = duration(t),
                more = more.unwrap_or_default()
            )
        }
        None => said!(
            "{now}; {what} would never be found: rely on fixed limits and on people",
            "{now}；{what}无法发现：请依靠固定限值与人工观察",
            now = now,
            what = what
        ),
    };
    Outlook { text, expected_s: found.expected_s, hopeless: found.hopeless }
}

fn a_minute(count: u64, seconds: f64) -> String {
    let rate = count as f64 * 60.0 / seconds;
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn out_of(metric: &ScrapedMetric) -> Said {
    match &metric.read {
        Read::Counters { of: Some(series), .. } | Read::Histogram { series, .. } => Said::plain(series.name.clone()),
        Read::Counters { of: None, .. } => said!("requests", "请求"),
    }
}

//! A reading as one plain sentence, for somebody who was asleep a minute ago.

use crate::{
    Kind, MetricReading, Rate, Reading, Verdict,
    words::{self, SEMICOLON, count, duration, evidence, percent},
};
use tradewind_model::{
    fault::{Lang, Text},
    said,
    said::Said,
};

/// What the units of the comparison are to people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Customers,
    Requests,
    Sessions,
    /// One shard's work, done once.
    Cycles,
    /// Of a schedule.
    Runs,
}

impl Unit {
    fn noun(self) -> Text {
        match self {
            Self::Customers => Text { en: "customers", zh: "客户" },
            Self::Requests => Text { en: "requests", zh: "请求" },
            Self::Sessions => Text { en: "sessions", zh: "会话" },
            Self::Cycles => Text { en: "cycles", zh: "作业" },
            Self::Runs => Text { en: "runs", zh: "运行" },
        }
    }

    /// What Chinese counts them in.
    fn measure(self) -> &'static str {
        match self {
            Self::Customers => " 位",
            Self::Requests | Self::Sessions => " 个",
            Self::Cycles => " 轮",
            Self::Runs => " 次",
        }
    }
}

/// What people call the two releases and what is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names<'a> {
    /// `v3`.
    pub canary: &'a str,
    /// `v2`.
    pub baseline: &'a str,
    pub unit: Unit,
}

/// What the verdict is and why: from the culprit where there is one, from what is still missing otherwise.
pub fn sentence(reading: &Reading, names: &Names<'_>) -> Said {
    match reading.verdict {
        Verdict::Worse => worse(reading, names),
        Verdict::Better => better(reading, names),
        Verdict::Continue => said!("not decided yet: {what}", "尚未判定：{what}", what = missing(reading, names)),
        Verdict::Inconclusive => {
            said!(
                "time is up and nothing is shown: {what}",
                "时间已到，未能判定：{what}",
                what = missing(reading, names)
            )
        }
    }
}

fn join(parts: &[Said]) -> Said {
    Said::join(parts, &SEMICOLON)
}

fn worse(reading: &Reading, names: &Names<'_>) -> Said {
    let Some(m) = reading.culprits.first().and_then(|i| reading.metrics.get(*i)) else { return Said::default() };
    let mut parts = vec![arms(m, names)];
    parts.extend(how_much(m, names));
    let also: Vec<Said> = reading.culprits[1..].iter().filter_map(|i| reading.metrics.get(*i)).map(name).collect();
    if !also.is_empty() {
        let list = Said::join(&also, &Text { en: ", ", zh: "、" });
        parts.push(said!("also worse: {list}", "同样变差：{list}", list = list));
    }
    parts.push(said!("found after {t}", "{t}后发现", t = duration(reading.t - reading.began)));
    join(&parts)
}

fn better(reading: &Reading, names: &Names<'_>) -> Said {
    let Some(m) = weakest(reading) else { return Said::default() };
    let p = &reading.params;
    let below = if p.floor() > 0.0 {
        said!(
            "whatever is measured is less than {r1} times {baseline}'s, or below {floor}",
            "各项指标均低于 {baseline} 的 {r1} 倍，或低于 {floor}",
            r1 = words::times(p.r1()),
            baseline = names.baseline,
            floor = percent(p.floor())
        )
    } else {
        said!(
            "whatever is measured is less than {r1} times {baseline}'s",
            "各项指标均低于 {baseline} 的 {r1} 倍",
            r1 = words::times(p.r1()),
            baseline = names.baseline
        )
    };
    let after = said!("shown after {t}", "{t}后得出", t = duration(reading.t - reading.phase_began));
    let may = said!("{canary} may go on", "{canary} 可以继续", canary = names.canary);
    join(&[may, arms(m, names), below, after])
}

/// Why neither is shown.
fn missing(reading: &Reading, names: &Names<'_>) -> Said {
    let Some(m) = weakest(reading) else {
        let watched = reading.metrics.iter().any(|m| m.watched);
        return if watched {
            said!(
                "{canary} has all the traffic and is watched; nothing speaks against it so far",
                "{canary} 已承接全部流量，正在观察；目前没有不利证据",
                canary = names.canary
            )
        } else {
            said!("no metric is required, so nothing can be shown", "没有必需的指标，因此无法得出结论")
        };
    };
    let nobody = |on: &str| {
        said!(
            "{metric}: no {unit} on {on} yet, and no data is no evidence",
            "{metric}：{on} 上还没有{unit}，没有数据就没有证据",
            metric = name(m),
            unit = Said::in_both(|lang| match (lang, noun(m, names).get(lang)) {
                (Lang::Zh, unit) if unit.is_ascii() => format!(" {unit}"),
                (Lang::En | Lang::Zh, unit) => unit.to_owned(),
            }),
            on = on
        )
    };
    if m.canary.n == 0 {
        return nobody(names.canary);
    }
    if m.baseline.n == 0 && m.canary.x > 0 {
        return nobody(names.baseline);
    }
    let state = said!(
        "evidence that it is no worse is {p} of {p_needed}, that it is worse {e} of {e_needed}",
        "“不更差”的证据为 {p}（需 {p_needed}），“更差”的证据为 {e}（需 {e_needed}）",
        p = evidence(m.promotion),
        p_needed = evidence(reading.promotion_needed),
        e = evidence(reading.e),
        e_needed = evidence(reading.e_needed)
    );
    join(&[arms(m, names), state])
}

/// The required metric furthest from a promotion; nobody there counts as furthest.
fn weakest(reading: &Reading) -> Option<&MetricReading> {
    let needed = reading.metrics.iter().filter(|m| m.needed);
    needed.min_by(|a, b| (a.canary.n > 0).cmp(&(b.canary.n > 0)).then(a.promotion.total_cmp(&b.promotion)))
}

fn name(m: &MetricReading) -> Said {
    match &m.spec.site {
        Some(site) => said!("{name} ({site})", "{name}（{site}）", name = m.spec.shown(), site = site),
        None => m.spec.shown(),
    }
}

/// What is counted in it.
fn noun(m: &MetricReading, names: &Names<'_>) -> Said {
    m.spec.of.clone().unwrap_or_else(|| Said::in_both(|lang| names.unit.noun().get(lang).to_owned()))
}

/// Both arms of a metric: how many of how many, and the rate.
fn arms(m: &MetricReading, names: &Names<'_>) -> Said {
    let (Rate { n, x, rate, low, high }, other) = (m.canary, m.baseline);
    let spread = said!(
        "{rate}, between {low} and {high}",
        "{rate}，区间 {low} 至 {high}",
        rate = percent(rate),
        low = percent(low),
        high = percent(high)
    );
    let own = m.spec.of.as_ref();
    // A series' name stands for itself; what is counted in words has a word to be counted in.
    let counter = match own {
        Some(own) if own.get(Lang::Zh).is_ascii() => " ",
        Some(_) => " 个",
        None => names.unit.measure(),
    };
    let (of, failed, measure) = match m.spec.kind {
        Kind::Error => (Text { en: "of", zh: "中" }, Text { en: " failed", zh: "失败" }, counter),
        Kind::Latency => (Text { en: "of", zh: "中" }, Text { en: "", zh: "" }, counter),
        Kind::Business => (Text { en: "from", zh: "产生" }, Text { en: "", zh: "" }, ""),
    };
    // Chinese counts people and requests in words of their own; what they bring forth is a plain number.
    let canary = Said::in_both(|lang| {
        let unit = noun(m, names).get(lang).to_owned();
        let unit = if lang == Lang::Zh && unit.is_ascii() { format!("{unit} ") } else { unit };
        let (n, x, spread) = (count(n), count(x), spread.get(lang));
        let (of, failed, on) = (of.get(lang), failed.get(lang), names.canary);
        match lang {
            Lang::En => format!("{x} {of} {n} {unit}{failed} on {on} ({spread})"),
            Lang::Zh => format!("{on} 上 {n}{counter}{unit}{of} {x}{measure}{failed}（{spread}）"),
        }
    });
    let baseline = if m.elsewhere {
        let rate = percent(other.rate);
        said!(
            "where {rate} were to be expected by what the other sites sell meanwhile",
            "按其他站点同期的销售情况应为 {rate}",
            rate = rate
        )
    } else if other.n == 0 && m.watched {
        said!("{b} did not run beside it", "{b} 未与其同时运行", b = names.baseline)
    } else if other.n == 0 {
        said!("nobody on {b}", "{b} 上没有数据", b = names.baseline)
    } else {
        Said::in_both(|lang| {
            let (n, x, rate, of, on) =
                (count(other.n), count(other.x), percent(other.rate), of.get(lang), names.baseline);
            match lang {
                Lang::En => format!("{x} {of} {n} on {on} ({rate})"),
                Lang::Zh => format!("{on} 上 {n}{counter}{of} {x}{measure}（{rate}）"),
            }
        })
    };
    said!(
        "{metric}: {canary}, {baseline}",
        "{metric}：{canary}，{baseline}",
        metric = name(m),
        canary = canary,
        baseline = baseline
    )
}

/// How many times as many, and at least or at most how many times, where that is known.
fn how_much(m: &MetricReading, names: &Names<'_>) -> Option<Said> {
    if m.watched {
        let limit = m.watch_limit?;
        if m.baseline.n == 0 {
            return Some(said!(
                "less than the same hours of earlier weeks can explain, with a limit of {limit}",
                "低于往周同一时段所能解释的范围，界限为 {limit}",
                limit = percent(limit)
            ));
        }
        if m.spec.kind == Kind::Business {
            return Some(said!(
                "less than {baseline} can explain, with a limit of {limit}",
                "低于 {baseline} 所能解释的范围，界限为 {limit}",
                baseline = names.baseline,
                limit = percent(limit)
            ));
        }
        return Some(said!(
            "more than {baseline} can explain, with a limit of {limit}",
            "超出 {baseline} 所能解释的范围，界限为 {limit}",
            baseline = names.baseline,
            limit = percent(limit)
        ));
    }
    let ratio = m.ratio?;
    let (known, bound) = match m.spec.kind {
        Kind::Error | Kind::Latency => {
            let low = words::times(ratio.low);
            let bound = said!("at least {low} times", "至少 {low} 倍", low = low);
            (ratio.low > 1.0, bound)
        }
        Kind::Business => {
            let high = words::times(ratio.high.unwrap_or(1.0));
            let bound = said!("at most {high} times", "至多 {high} 倍", high = high);
            (ratio.high.is_some_and(|h| h < 1.0), bound)
        }
    };
    let estimate = ratio.estimate.map(words::times);
    match (estimate, known) {
        (Some(r), true) => Some(said!("{r} times as many, {bound}", "是其 {r} 倍，{bound}", r = r, bound = bound)),
        (Some(r), false) => Some(said!("{r} times as many", "是其 {r} 倍", r = r)),
        (None, true) => Some(said!("{bound} as many", "{bound}", bound = bound)),
        (None, false) => None,
    }
}

//! Finding on a page what one metric is counted by.

use super::{
    delta::{Count, Counts},
    parse::{Page, Sample},
};
use std::collections::BTreeMap;
use tradewind_model::{
    protocol::scrape::{Read, ScrapedMetric, Series},
    said,
    said::Said,
    spec::values::show_duration,
};

/// Series of one name that are summed up.
pub const MOST_SERIES: usize = 10_000;
/// Above it a double is not exact.
const MOST: f64 = (1_u64 << 53) as f64;
/// Bounds of a histogram that are named to a person.
const MOST_SHOWN: usize = 12;

/// What one page says of one metric.
#[derive(Clone, PartialEq, Debug)]
pub struct Picked {
    pub counts: Counts,
    /// What a person should know: a series that is not there.
    pub missing: Option<Said>,
    /// The page has a series of what is counted.
    pub shown: bool,
    /// Nothing may be concluded from this page yet: a counter that is not there may be one that is called otherwise. It is
    /// looked at again, and then counts for the time until then.
    pub held: bool,
}

/// Refused where the page has it, and not as a counter. `shown`: an earlier page of this process had a series of it.
pub fn pick(page: &Page<'_>, metric: &ScrapedMetric, shown: bool) -> Result<Picked, Said> {
    match &metric.read {
        Read::Counters { count, of } => counters(page, count, of.as_ref(), shown),
        Read::Histogram { series, bound_ms } => histogram(page, series, *bound_ms),
    }
}

fn counters(page: &Page<'_>, count: &Series, of: Option<&Series>, before: bool) -> Result<Picked, Said> {
    let mut counts = Counts::new();
    let mut missing = None;
    if let Some(of) = of {
        for (key, n) in values(page, of)? {
            counts.insert(format!("n{key}"), Count { n, x: 0 });
        }
        if counts.is_empty() {
            missing = Some(match page.knows(&of.name) {
                true => said!("there is no {series} yet", "还没有 {series}", series = shown(of)),
                false => said!(
                    "there is no {series}, which the rest is counted out of",
                    "没有作为分母的 {series}",
                    series = shown(of)
                ),
            });
        }
    }
    let events = values(page, count)?;
    let shown_now = !events.is_empty();
    let known = page.knows(&count.name);
    if !shown_now && missing.is_none() {
        missing = Some(match (before, known) {
            (true, _) => said!(
                "there is no {series} any more; nothing is counted until it is back",
                "{series} 不见了；重新出现之前不计数",
                series = shown(count)
            ),
            (false, true) => {
                said!("there is no {series} yet; it counts as 0", "还没有 {series}，按 0 计", series = shown(count))
            }
            (false, false) => said!(
                "there is no {series}; nothing is counted before there is one (give it the value 0 from the start)",
                "没有 {series}；出现之前不计数（请从一开始就输出 0）",
                series = shown(count)
            ),
        });
    }
    counts.extend(events.into_iter().map(|(key, x)| (format!("x{key}"), Count { n: 0, x })));
    Ok(Picked { counts, missing, shown: shown_now, held: !shown_now && (before || !known) })
}

fn histogram(page: &Page<'_>, series: &Series, bound_ms: u32) -> Result<Picked, Said> {
    let of = |suffix: &str| Series { name: format!("{}{suffix}", series.name), labels: series.labels.clone() };
    let all = values(page, &of("_count"))?;
    let bound = f64::from(bound_ms) / 1_000.0;
    let at_bound = |s: &&Sample<'_>| s.label("le").parse::<f64>().is_ok_and(|le| (le - bound).abs() <= bound * 1e-9);
    let buckets = of("_bucket");
    let fast = numbers(page.of(&buckets.name).filter(|s| fits(s, &buckets)).filter(at_bound), &buckets, Some("le"))?;
    if all.keys().any(|key| !fast.contains_key(key)) {
        return Err(no_bucket(page, series, &buckets, bound_ms));
    }
    let missing = all.is_empty().then(|| match page.knows(&series.name) {
        true => said!("there is no {series} yet", "还没有 {series}", series = shown(series)),
        false => said!("there is no histogram {series}", "没有直方图 {series}", series = shown(series)),
    });
    let count = |(key, n): (String, u64)| {
        let fast = fast.get(&key).copied().unwrap_or_default();
        (key, Count { n, x: n.saturating_sub(fast) })
    };
    let counts: Counts = all.into_iter().map(count).collect();
    Ok(Picked { shown: !counts.is_empty(), counts, missing, held: false })
}

fn no_bucket(page: &Page<'_>, series: &Series, buckets: &Series, bound_ms: u32) -> Said {
    let mut bounds: Vec<&str> = Vec::new();
    for sample in page.of(&buckets.name).filter(|s| fits(s, buckets)) {
        let le = sample.label("le");
        if !bounds.contains(&le) && bounds.len() < MOST_SHOWN {
            bounds.push(le);
        }
    }
    if bounds.is_empty() {
        return said!(
            "{series} is no histogram: it has no buckets",
            "{series} 不是直方图：没有桶",
            series = shown(series)
        );
    }
    said!(
        "{series} has no bucket of {bound}; it has {bounds} (seconds)",
        "{series} 没有 {bound} 的桶；已有 {bounds}（秒）",
        series = shown(series),
        bound = show_duration(u64::from(bound_ms)),
        bounds = bounds.join(", ")
    )
}

/// By its labels, what each series of it stands at.
fn values(page: &Page<'_>, series: &Series) -> Result<BTreeMap<String, u64>, Said> {
    if page.type_of(&series.name).is_some_and(|kind| kind == "gauge") {
        return Err(said!(
            "{series} is a gauge; only counters can be compared",
            "{series} 是 gauge；只有 counter 可以比较",
            series = shown(series)
        ));
    }
    numbers(page.of(&series.name).filter(|s| fits(s, series)), series, None)
}

fn numbers<'p>(
    samples: impl Iterator<Item = &'p Sample<'p>>,
    series: &Series,
    apart_from: Option<&str>,
) -> Result<BTreeMap<String, u64>, Said> {
    let mut out = BTreeMap::new();
    for sample in samples {
        let value = sample.value;
        if !(0.0..=MOST).contains(&value) {
            return Err(said!(
                "{series} is {value}, which no counter can be",
                "{series} 的值为 {value}，不可能是计数",
                series = shown(series),
                value = value
            ));
        }
        if out.insert(key(sample, apart_from), value as u64).is_some() {
            return Err(said!(
                "{series} is on the page twice with the same labels",
                "{series} 在页面上以相同标签出现两次",
                series = shown(series)
            ));
        }
        if out.len() > MOST_SERIES {
            return Err(said!(
                "{series} has more than {most} series",
                "{series} 的序列超过 {most} 个",
                series = shown(series),
                most = MOST_SERIES
            ));
        }
    }
    Ok(out)
}

fn fits(sample: &Sample<'_>, series: &Series) -> bool {
    series.labels.iter().all(|(name, value)| sample.label(name) == value)
}

/// Names a series among those of its name.
fn key(sample: &Sample<'_>, apart_from: Option<&str>) -> String {
    let counts = |name: &str, value: &str| !value.is_empty() && Some(name) != apart_from;
    let mut labels: Vec<_> = sample.labels.iter().filter(|(name, value)| counts(name, value)).collect();
    labels.sort();
    labels.iter().map(|(name, value)| format!("\u{1f}{name}\u{1e}{value}")).collect()
}

fn shown(series: &Series) -> String {
    if series.labels.is_empty() {
        return format!("`{}`", series.name);
    }
    let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("`{}{{{}}}`", series.name, labels.join(","))
}

//! How many runs of a schedule the judge will need, before any has ended.
//!
//! Runs are few and their rate of failure is not known beforehand, so there is no ratio to look for. What can be said is how soon a
//! release is found that fails every time, and how many runs without a failure let one go on: the floor's test needs about
//! `ln(1/beta) / floor` of them, however many there are beside it. Both are had from the judge itself.

use crate::{
    Arm, Judge, Kind, MetricSpec, Params, Unchecked, Verdict,
    words::{count, duration},
};
use tradewind_model::{fault::Text, said, said::Said};

/// More runs than anybody waits for.
const MOST: u64 = 1 << 20;
/// Due times at each of which every run of the canary fails.
const MOST_DUE: u32 = 500;
/// Floors that may be suggested, in percent.
const FLOORS: [u32; 9] = [2, 3, 5, 10, 15, 20, 30, 40, 50];
/// No wave may take longer.
const LONGEST_S: f64 = 7.0 * 86_400.0;

/// A schedule whose runs are shared by two releases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Schedule {
    pub per_day: f64,
    /// Runs at each due time, of the new release in its first wave and of the old one.
    pub canary: u32,
    pub baseline: u32,
    pub params: Params,
    /// How long the wave may take at most, in seconds.
    pub max_seconds: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Outlook {
    /// Seconds until a release is found that fails every time. `None`: never.
    pub found_s: Option<f64>,
    /// Runs of the canary without a failure that let it go on, and the seconds they take. `None`: never.
    pub clean: Option<(u64, f64)>,
    /// Whether that is too long for the wave.
    pub hopeless: bool,
    pub text: Said,
}

/// What can be expected of the judge, and what to change where that is hopeless.
pub fn outlook(s: &Schedule) -> Outlook {
    let every_s = 86_400.0 / s.per_day.max(1e-9);
    let found_s = due_until_found(s).map(|due| f64::from(due) * every_s);
    let took = |runs: u64| (runs as f64 / f64::from(s.canary.max(1))).ceil() * every_s;
    let clean = clean_runs(&s.params).map(|runs| (runs, took(runs)));
    let hopeless = clean.is_none_or(|(_, t)| t > s.max_seconds);
    if s.per_day <= 0.0 {
        let text = said!(
            "it does not come due within four weeks, and no data is no evidence",
            "四周之内不会到点，没有数据就没有证据"
        );
        return Outlook { found_s: None, clean: None, hopeless: true, text };
    }
    let fits = |percent: &&u32| {
        let floor = f64::from(**percent) / 100.0;
        let params = Params::checked(Unchecked { floor, ..s.params.into() }).unwrap_or(s.params);
        floor > s.params.floor() && clean_runs(&params).is_some_and(|runs| took(runs) <= s.max_seconds)
    };
    let floor = FLOORS.iter().find(fits).map(|p| said!("write `judge.floor: {p}%`", "写 `judge.floor: {p}%`", p = p));
    let shards = Some(said!("put more shards into the wave", "在这一波放入更多分片"));
    let longer = clean
        .filter(|(_, t)| *t <= LONGEST_S)
        .map(|(_, t)| said!("let it take {t}", "将时限延长到 {t}", t = duration(t)));
    let by_hand =
        floor.is_none().then(|| said!("promote it by hand (`promote: manual`)", "由人放行（`promote: manual`）"));
    let ways: Vec<Said> = [floor, shards, longer, by_hand].into_iter().flatten().collect();
    let ways = Said::join(&ways, &Text { en: ", or ", zh: "，或" });
    let max = duration(s.max_seconds);
    let good = match clean {
        Some((n, t)) if !hopeless => said!(
            "one that never fails goes on after {n} of its runs, in about {t}",
            "若从不失败，{n} 次运行之后放行，约需 {t}",
            n = count(n),
            t = duration(t)
        ),
        Some((n, t)) => said!(
            "one that never fails would go on after {n} of its runs, in about {t}, and the wave takes {max} at most: {ways}",
            "若从不失败，{n} 次运行之后才能放行，约需 {t}，而该批次最长 {max}：请{ways}",
            n = count(n),
            t = duration(t),
            max = max,
            ways = ways
        ),
        None => said!(
            "without a floor, nothing can be shown of runs that never fail: {ways}",
            "没有下限时，从不失败的运行无法证明任何事：请{ways}",
            ways = ways
        ),
    };
    let text = match found_s {
        Some(t) => said!(
            "{rate}: one that fails every time is found in about {t}; {good}",
            "{rate}：若每次都失败，约 {t}可发现；{good}",
            rate = rate(s),
            t = duration(t),
            good = good
        ),
        None => said!("{rate}: {good}", "{rate}：{good}", rate = rate(s), good = good),
    };
    Outlook { found_s, clean, hopeless, text }
}

/// In the unit in which there is at least one due time.
fn rate(s: &Schedule) -> Said {
    let units = [
        (1.0 / 24.0, Text { en: "an hour", zh: "每小时" }),
        (1.0, Text { en: "a day", zh: "每天" }),
        (7.0, Text { en: "a week", zh: "每周" }),
        (28.0, Text { en: "in four weeks", zh: "每四周" }),
    ];
    let often = units.iter().find(|(days, _)| s.per_day * days >= 0.999).unwrap_or(&units[3]);
    let (days, per) = *often;
    let runs = |each: u32| count((s.per_day * days * f64::from(each)).round() as u64);
    said!(
        "{all} runs {per}, {canary} of them on the new release in the first wave",
        "{per} {all} 次运行，第一波中有 {canary} 次由新版本执行",
        all = runs(s.canary + s.baseline),
        per = per,
        canary = runs(s.canary)
    )
}

fn judge(params: &Params) -> Judge {
    let mut judge = Judge::open(*params);
    let _ = judge.add(MetricSpec { bursts: true, ..MetricSpec::new("runs", Kind::Error) });
    judge
}

/// Runs of the canary, none of which failed, that let a wave go on. `None`: never.
pub fn clean_runs(params: &Params) -> Option<u64> {
    let enough = |n: u64| {
        let mut judge = judge(params);
        let _ = judge.observe(0.0, 0, Arm::of(n, 0), Arm::of(n, 0));
        judge.brief().verdict == Verdict::Better
    };
    if !enough(MOST) {
        return None;
    }
    let (mut short, mut enough_at) = (0, MOST);
    while enough_at - short > 1 {
        let middle = short.midpoint(enough_at);
        if enough(middle) { enough_at = middle } else { short = middle }
    }
    Some(enough_at)
}

/// Due times at which all of the canary's runs fail and none of the baseline's, until that is enough to go back.
fn due_until_found(s: &Schedule) -> Option<u32> {
    let mut judge = judge(&s.params);
    let (canary, baseline) = (u64::from(s.canary), u64::from(s.baseline));
    (1..=MOST_DUE).find(|due| {
        let _ = judge.observe(f64::from(*due), 0, Arm::of(canary, canary), Arm::of(baseline, 0));
        judge.brief().verdict == Verdict::Worse
    })
}

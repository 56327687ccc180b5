//! The suite that verifies the judge: every figure it is promised to reach, measured from seeded simulations.
//!
//! A case is a function of a run's number; whoever runs them may spread the runs over threads as they like.

mod arms;
mod clients;
pub mod random;
mod table;
mod whole;

pub use arms::{Errors, Load};
pub use table::{Line, Measured};

use crate::{Params, Unchecked, Verdict, interval::RATE_MISS};
use arms::{Interval, Latencies, Orders};
use clients::{Clients, Unit};
use serde::Serialize;
use tradewind_model::{said, said::Said};
use whole::Against;

/// What a case has to reach.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Bar {
    /// It happens in no more than this part of the runs: a one-sided binomial test at 5 % does not reject it.
    AtMost { chance: f64 },
    /// It happens in at least this part of the runs, and half of them by this time or after so many units.
    By { part: f64, median: f64 },
    /// The same, and not before.
    Between { low: f64, high: f64 },
    /// Shown for comparison.
    None,
}

/// What the numbers of a case are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Seconds,
    Units,
}

type Run = Box<dyn Fn(&mut fastrand::Rng) -> Option<f64> + Send + Sync>;

pub struct Case {
    pub name: &'static str,
    pub what: Said,
    pub bar: Bar,
    pub scale: Scale,
    /// More runs than this tell nothing new.
    pub most_runs: u32,
    run: Run,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Case {
    /// What came of one run: when it happened, if it did. The same for the same seed, case and number.
    pub fn run(&self, seed: u64, number: u32) -> Option<f64> {
        let name = self.name.bytes().fold(0u64, |sum, b| sum.wrapping_mul(131).wrapping_add(u64::from(b)));
        (self.run)(&mut random::seeded(seed, name, u64::from(number)))
    }
}

/// Every case, the promised ones first.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    healthy(&mut all);
    faulty(&mut all);
    promoted(&mut all);
    intervals(&mut all);
    crowds(&mut all);
    all
}

/// A thousand rollouts judged every second, on one core: whoever has a clock runs [`Load::tick`] and gives the seconds it took.
pub fn cost() -> Case {
    let what = said!(
        "1,000 rollouts, errors and five bounds each: a second of judging them",
        "1000 个发布，各含错误与五个界限：判断一秒数据所需"
    );
    case("cost", what, Bar::By { part: 1.0, median: 1.0 }, 1, |_| None)
}

const MANY: u32 = u32::MAX;

fn case(
    name: &'static str,
    what: Said,
    bar: Bar,
    most_runs: u32,
    run: impl Fn(&mut fastrand::Rng) -> Option<f64> + Send + Sync + 'static,
) -> Case {
    Case { name, what, bar, scale: Scale::Seconds, most_runs, run: Box::new(run) }
}

fn alpha() -> Bar {
    Bar::AtMost { chance: Params::default().alpha() }
}

fn healthy(all: &mut Vec<Case>) {
    let look = |until_s, drifts| Errors { look_every_s: 10.0, until_s, drifts, ..Errors::usual(1.0) };
    let usual = Params::default;
    let worse = Verdict::Worse;
    all.push(case(
        "healthy-1h",
        said!("no difference, 60 min, a look every 10 s", "无差异，60 分钟，每 10 秒看一次"),
        alpha(),
        MANY,
        move |rng| look(3_600.0, false).until(rng, usual(), worse),
    ));
    all.push(case(
        "healthy-1h-drift",
        said!("the same with drifting traffic and error rate", "同上，流量与错误率漂移"),
        alpha(),
        MANY,
        move |rng| look(3_600.0, true).until(rng, usual(), worse),
    ));
    all.push(case(
        "healthy-24h",
        said!("no difference, 24 h, a look every 10 s", "无差异，24 小时，每 10 秒看一次"),
        alpha(),
        MANY,
        move |rng| look(86_400.0, true).until(rng, usual(), worse),
    ));
    all.push(case(
        "healthy-latency",
        said!("no difference, five latency bounds, 60 min", "无差异，五个延迟界限，60 分钟"),
        alpha(),
        MANY,
        move |rng| Latencies { look_every_s: 10.0, ..Latencies::usual(1.0) }.until_worse(rng, usual()),
    ));
    all.push(case(
        "healthy-orders",
        said!("no difference in 60 orders a minute, 60 min", "每分钟 60 单，无差异，60 分钟"),
        alpha(),
        MANY,
        move |rng| Orders { per_minute: 60.0, share: 0.1, ratio: 1.0, until_s: 3_600.0 }.until_worse(rng, usual()),
    ));
    all.push(case(
        "healthy-watch",
        said!("no difference, 30 min beside a baseline and 30 min alone", "无差异，与基线并行 30 分钟后独自 30 分钟"),
        alpha(),
        MANY,
        move |rng| arms::watched(rng, usual(), 1.0),
    ));
    let whole = [
        (
            "healthy-whole",
            Against::OtherSites,
            said!(
                "a site that changes over whole, orders beside other sites', a market that wanders, 30 min",
                "站点整体切换，订单与其他站点对照，行情波动，30 分钟"
            ),
        ),
        (
            "healthy-whole-weeks",
            Against::EarlierWeeks,
            said!("the same beside earlier weeks that differ by 10 %", "同上，与往周同时段对照，各周相差 10 %"),
        ),
    ];
    for (name, against, what) in whole {
        all.push(case(name, what, alpha(), MANY, move |rng| whole::until_worse(rng, usual(), against, 1.0)));
    }
}

fn faulty(all: &mut Vec<Case>) {
    let usual = Params::default;
    let errors = |ratio| move |rng: &mut fastrand::Rng| Errors::usual(ratio).until(rng, usual(), Verdict::Worse);
    let by = |part, median| Bar::By { part, median };
    all.push(case("errors-2", said!("doubled errors", "错误翻倍"), by(0.99, 360.0), MANY, errors(2.0)));
    all.push(case("errors-5", said!("five-fold errors", "错误增至五倍"), by(0.99, 50.0), MANY, errors(5.0)));
    all.push(case("errors-1.5", said!("half as many errors again", "错误增加一半"), Bar::None, 1_000, errors(1.5)));
    all.push(case(
        "latency-10",
        said!("latency + 10 %, five bounds", "延迟增加 10 %，五个界限"),
        by(0.99, 150.0),
        MANY,
        move |rng| Latencies::usual(1.1).until_worse(rng, usual()),
    ));
    all.push(case(
        "orders-half",
        said!("orders halved at 10 % of 60 a minute", "每分钟 60 单的 10 % 份额上订单减半"),
        by(0.99, 400.0),
        MANY,
        move |rng| Orders { per_minute: 60.0, share: 0.1, ratio: 0.5, until_s: 3_600.0 }.until_worse(rng, usual()),
    ));
    for (name, against, what) in [
        (
            "whole-half",
            Against::OtherSites,
            said!("60 orders a minute halved, other sites beside it", "每分钟 60 单减半，与其他站点对照"),
        ),
        ("whole-half-weeks", Against::EarlierWeeks, said!("the same beside earlier weeks", "同上，与往周同时段对照")),
    ] {
        all.push(case(name, what, Bar::None, 1_000, move |rng| whole::until_worse(rng, usual(), against, 0.5)));
    }
    let late = Errors { onset_s: 1_800.0, until_s: 9_000.0, ..Errors::usual(2.0) };
    all.push(case(
        "late-onset",
        said!("doubled errors from minute 30 on; seconds after", "第 30 分钟起错误翻倍；此后的秒数"),
        by(0.99, 840.0),
        MANY,
        move |rng| late.until(rng, usual(), Verdict::Worse).map(|t| t - 1_800.0),
    ));
    all.push(case(
        "watch-5",
        said!("five-fold errors when alone", "独自运行时错误增至五倍"),
        Bar::None,
        1_000,
        move |rng| arms::watched(rng, usual(), 5.0).map(|t| t.max(0.0)),
    ));
}

fn promoted(all: &mut Vec<Case>) {
    let usual = Params::default;
    let clean = Errors { base_rate: 0.0, ..Errors::usual(1.0) };
    let tenth = move |t: f64| t * clean.units_per_s * clean.share;
    all.push(Case {
        scale: Scale::Units,
        ..case(
            "clean",
            said!(
                "healthy, no error on either side: canary units until promoted",
                "健康且两侧均无错误：晋级所需金丝雀单位数"
            ),
            Bar::Between { low: 300.0, high: 340.0 },
            10,
            move |rng| clean.until(rng, usual(), Verdict::Better).map(tenth),
        )
    });
    all.push(case(
        "promoted-0.5",
        said!("healthy, base error rate 0.5 %: promoted after", "健康，基础错误率 0.5 %：晋级时间"),
        Bar::None,
        1_000,
        move |rng| Errors::usual(1.0).until(rng, usual(), Verdict::Better),
    ));
    all.push(case(
        "promoted-3",
        said!("healthy, base error rate 3 %: promoted after", "健康，基础错误率 3 %：晋级时间"),
        Bar::None,
        1_000,
        move |rng| Errors { base_rate: 0.03, ..Errors::usual(1.0) }.until(rng, usual(), Verdict::Better),
    ));
    // As bad as `r1` and the floor say; the alarm is put out of the way, so that only the promotion is tested.
    let blind = || Params::checked(Unchecked { alpha: 1e-12, ..Unchecked::default() }).unwrap_or_default();
    for (name, base_rate, ratio) in [("bad-promoted-2", 0.01, 2.0), ("bad-promoted-floor", 0.002, 5.0)] {
        all.push(case(
            name,
            said!(
                "{base} % errors become {bad} %: wrongly promoted",
                "错误率由 {base} % 变为 {bad} %：误晋级",
                base = base_rate * 100.0,
                bad = base_rate * ratio * 100.0
            ),
            Bar::AtMost { chance: Params::default().beta() },
            MANY,
            move |rng| Errors { base_rate, ..Errors::usual(ratio) }.until(rng, blind(), Verdict::Better),
        ));
    }
}

fn intervals(all: &mut Vec<Case>) {
    // Rare errors, and so many that the interval is narrower than the grid it is read from.
    let few = Errors { look_every_s: 10.0, ..Errors::usual(1.7) };
    let many = Errors { base_rate: 0.05, share: 0.5, units_per_s: 200.0, ..few };
    for (name, course) in [("interval-ratio-few", few), ("interval-ratio-many", many)] {
        all.push(case(
            name,
            said!(
                "the ratio's limits ever miss it, {p} % errors, 60 min",
                "倍数的界限曾经落空，错误率 {p} %，60 分钟",
                p = course.base_rate * 100.0
            ),
            Bar::AtMost { chance: 2.0 * Params::default().alpha() },
            500,
            move |rng| course.until_missed(rng, Params::default(), Interval::Ratio),
        ));
    }
    all.push(case(
        "interval-rate",
        said!("a rate's limits ever miss it, 60 min", "比率的界限曾经落空，60 分钟"),
        Bar::AtMost { chance: RATE_MISS },
        500,
        move |rng| few.until_missed(rng, Params::default(), Interval::Rate),
    ));
}

fn crowds(all: &mut Vec<Case>) {
    let usual = Params::default;
    let alike = |unit| move |rng: &mut fastrand::Rng| Clients::alike(unit).until_worse(rng, usual());
    all.push(case(
        "clients",
        said!(
            "2,000 clients who retry, 1 % of them unlucky, shares that change: first failure of a client",
            "2000 个会重试的客户，1 % 运气不好，份额变化：按客户首次失败计"
        ),
        alpha(),
        1_000,
        alike(Unit::FirstFailure),
    ));
    let wrong = [
        ("clients-requests", Unit::StickyRequest, said!("the same, counting sticky requests", "同上，按粘性请求计")),
        ("clients-1s", Unit::ClientPer(1), said!("the same, client and second", "同上，按客户 × 1 秒计")),
        ("clients-60s", Unit::ClientPer(60), said!("the same, client and minute", "同上，按客户 × 60 秒计")),
        ("requests", Unit::Request, said!("the same, each request assigned by itself", "同上，每个请求独立分配")),
    ];
    for (name, unit, what) in wrong {
        all.push(case(name, what, Bar::None, 200, alike(unit)));
    }
    for (name, clients) in [("clients-20000", 20_000), ("clients-2000", 2_000), ("clients-200", 200)] {
        all.push(case(
            name,
            said!("doubled errors among {n} clients", "{n} 个客户中错误翻倍", n = clients),
            Bar::None,
            300,
            move |rng| Clients::doubled(clients).until_worse(rng, usual()),
        ));
    }
}

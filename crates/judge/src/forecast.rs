//! How long the judge will need, before anything has happened.
//!
//! With `lambda` events a second that both arms together would have without a fault (units a second times the base rate), a canary's
//! share `rho` and a true ratio `r`, evidence for exactly `r` grows by
//!
//! ```text
//! lambda (rho r ln(r/D) + (1 − rho) ln(1/D)),   D = rho r + 1 − rho
//! ```
//!
//! a second: a judge who knew the ratio would need `ln(1/alpha)` over that (272 s for doubled errors among 100 units a second, 10 % of
//! them the canary's, 0.5 % failing). The real one does not know it and pays for that: by simulation a tenth more for small
//! faults and a quarter more for large ones, so a fifth is added.

use crate::{
    faults,
    words::{count, duration, percent, times},
};
use serde::Serialize;
use tradewind_model::{fault::Fault, said, said::Said};

/// What not knowing the ratio costs, as measured.
const IGNORANCE: f64 = 1.2;
/// A larger share than half is no longer the smaller risk.
const MOST_SHARE: f64 = 0.5;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Forecast {
    /// Of both arms together.
    pub units_per_s: f64,
    /// The canary's part of them.
    pub share: f64,
    /// Events per unit without a fault.
    pub base_rate: f64,
    /// How many times as many there are with the fault that is looked for; above 1.
    pub ratio: f64,
    pub alpha: f64,
    /// How long the wave may take at most, in seconds.
    pub max_seconds: f64,
    /// How many clients there are in all, where a unit is a client: each fails once at most.
    pub clients: Option<u64>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outlook {
    /// Seconds, for a judge who knew the ratio. `None`: never.
    pub oracle_s: Option<f64>,
    /// Seconds until half of all such faults are found. `None`: never.
    pub expected_s: Option<f64>,
    /// How many canary units will have failed by then.
    pub canary_events: Option<f64>,
    /// Whether that is too long for the wave.
    pub hopeless: bool,
    /// The least share, in whole percent, at which the wave is long enough.
    pub share_that_would_do: Option<f64>,
    /// The least ratio that is found within the wave as it is.
    pub ratio_within_reach: Option<f64>,
    pub advice: Said,
}

impl Forecast {
    /// Refuses what is no rate, no share, no ratio.
    pub fn check(&self) -> Result<(), Fault> {
        let within = |name: &'static str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let fault = Fault::new(&faults::OUT_OF_RANGE);
            Err(fault.with("name", name).with("value", value).with("low", low).with("high", high))
        };
        within("units-per-second", self.units_per_s, 0.0, 1e9)?;
        within("error-rate", self.base_rate, 0.0, 1.0)?;
        within("share", self.share, 0.0001, 0.9999)?;
        within("ratio", self.ratio, 1.01, 1_000.0)?;
        within("max-time", self.max_seconds, 1.0, 1e8)?;
        if !(1e-12..=0.5).contains(&self.alpha) {
            return Err(Fault::new(&faults::BAD_CHANCE).with("name", "alpha").with("value", self.alpha));
        }
        Ok(())
    }

    /// Evidence a second.
    fn growth(&self) -> f64 {
        let Self { share, ratio, .. } = *self;
        let d = share * ratio + 1.0 - share;
        let each = share * ratio * (ratio / d).ln() - (1.0 - share) * d.ln();
        self.units_per_s * self.base_rate * each
    }

    fn oracle_s(&self) -> Option<f64> {
        let growth = self.growth();
        (growth > 0.0).then(|| -self.alpha.ln() / growth).filter(|t| *t < 1e10)
    }

    fn expected_s(&self) -> Option<f64> {
        let t = IGNORANCE * self.oracle_s()?;
        let events = self.units_per_s * self.base_rate * self.share * self.ratio * t;
        // Clients that have failed are not counted again: with hardly more of them than are needed it is never shown.
        let there = self.clients.map_or(f64::INFINITY, |n| n as f64 * self.share);
        (events < 0.8 * there).then_some(t)
    }

    fn fits(&self) -> bool {
        self.expected_s().is_some_and(|t| t <= self.max_seconds)
    }
}

/// How long it will take, and what to change where that is too long. The forecast has passed [`Forecast::check`].
pub fn forecast(f: &Forecast) -> Outlook {
    let expected_s = f.expected_s();
    let hopeless = !f.fits();
    let percents = (1..=(MOST_SHARE * 100.0) as u32).map(|p| f64::from(p) / 100.0).filter(|p| *p > f.share);
    let share_that_would_do =
        if hopeless { percents.into_iter().find(|share| Forecast { share: *share, ..*f }.fits()) } else { None };
    let ratios = (0..=80).map(|i| 1.1 * 1.05f64.powi(i));
    let ratio_within_reach = ratios.into_iter().find(|ratio| Forecast { ratio: *ratio, ..*f }.fits());
    let mut outlook = Outlook {
        oracle_s: f.oracle_s(),
        expected_s,
        canary_events: expected_s.map(|t| t * f.units_per_s * f.base_rate * f.share * f.ratio),
        hopeless,
        share_that_would_do,
        ratio_within_reach,
        advice: Said::default(),
    };
    outlook.advice = advice(f, &outlook);
    outlook
}

fn advice(f: &Forecast, o: &Outlook) -> Said {
    if f.units_per_s == 0.0 {
        return said!("there is no traffic, and no data is no evidence", "没有流量，没有数据就没有证据");
    }
    if f.base_rate == 0.0 {
        return said!(
            "there are no errors to compare with: a handful of failures on the canary will be found",
            "基线没有错误可比：金丝雀上只要出现几次失败就会被发现"
        );
    }
    let found = |t: f64, share: f64| {
        said!(
            "{r} times as many errors are found in about {t} at {share} of the traffic",
            "以 {share} 的流量，错误增至 {r} 倍约需 {t}发现",
            r = times(f.ratio),
            t = duration(t),
            share = percent(share)
        )
    };
    let first = match o.expected_s {
        Some(t) if !o.hopeless => return found(t, f.share),
        Some(t) => said!(
            "{found}, and the wave takes {max} at most",
            "{found}，而该批次最长 {max}",
            found = found(t, f.share),
            max = duration(f.max_seconds)
        ),
        None => match (f.clients, o.oracle_s) {
            (Some(clients), Some(t)) => said!(
                "{r} times as many errors are not found: some {x} clients would have to fail on the canary, and {n} come to it",
                "错误增至 {r} 倍无法发现：金丝雀上需约 {x} 位客户失败，而只有 {n} 位",
                r = times(f.ratio),
                x = count((IGNORANCE * t * f.units_per_s * f.base_rate * f.share * f.ratio).ceil() as u64),
                n = count((clients as f64 * f.share).round() as u64)
            ),
            _ => said!("this traffic is too small to show anything", "流量太小，无法得出任何结论"),
        },
    };
    let share = o.share_that_would_do.map(|s| said!("give it {s} of the traffic", "将份额提高到 {s}", s = percent(s)));
    let longer =
        o.expected_s.filter(|t| *t <= 86_400.0).map(|t| said!("let it take {t}", "延长到 {t}", t = duration(t)));
    let larger = o
        .ratio_within_reach
        .map(|r| said!("count on finding only {r} times as many", "只期望发现增至 {r} 倍的错误", r = times(r)));
    let ways: Vec<Said> = [share, longer, larger].into_iter().flatten().collect();
    if ways.is_empty() {
        let limits = said!("rely on fixed limits and on people", "请依靠固定限值与人工观察");
        return said!("{first}: {limits}", "{first}：{limits}", first = first, limits = limits);
    }
    let ways = Said::join(&ways, &tradewind_model::fault::Text { en: ", or ", zh: "，或" });
    said!("{first}: {ways}", "{first}：{ways}", first = first, ways = ways)
}

//! The evidence over time as a picture: for the terminal and for a page.

mod svg;
mod text;

pub use svg::svg;
pub use text::text;

use crate::{Verdict, words};
use tradewind_model::{fault::Lang, said, said::Said};

/// The evidence against the canary at one time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Seconds since the first sample.
    pub t: f64,
    pub e: f64,
}

/// A wave that began.
#[derive(Clone, PartialEq, Debug)]
pub struct Wave {
    pub t: f64,
    /// Of the traffic, 0 to 1.
    pub share: f64,
    /// Where, if there is more than one place.
    pub site: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Picture<'a> {
    /// What it shows, above it.
    pub title: &'a str,
    /// In the order of time.
    pub points: &'a [Point],
    pub waves: &'a [Wave],
    /// The evidence at which the canary is called worse: `1/alpha`.
    pub needed: f64,
    /// What was decided, and when.
    pub decision: Option<(f64, Verdict)>,
    pub lang: Lang,
}

/// Powers of ten the axis spans; evidence beyond them is drawn at the edge.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Range {
    low: i32,
    high: i32,
    /// Seconds.
    until: f64,
}

impl Picture<'_> {
    fn range(&self) -> Range {
        let bar = log10(self.needed).ceil() as i32;
        let logs = || self.points.iter().map(|p| log10(p.e));
        let low = logs().fold(-0.1, f64::min).floor().clamp(-3.0, -1.0) as i32;
        let high = logs().fold(0.0, f64::max).ceil().clamp(f64::from(bar) + 1.0, f64::from(bar) + 4.0) as i32;
        let last = self.points.last().map_or(0.0, |p| p.t);
        let marks = self.waves.iter().map(|w| w.t).chain(self.decision.map(|d| d.0));
        Range { low, high, until: marks.fold(last, f64::max).max(1.0) }
    }

    fn decided(&self) -> Option<Said> {
        let (t, verdict) = self.decision?;
        let word = match verdict {
            Verdict::Worse => said!("worse", "变差"),
            Verdict::Better => said!("better", "可晋级"),
            Verdict::Continue => said!("continue", "继续"),
            Verdict::Inconclusive => said!("inconclusive", "无法判定"),
        };
        Some(said!("{word} after {t}", "{t}：{word}", word = word, t = words::duration(t)))
    }

    /// `br 10 %`.
    fn wave(&self, wave: &Wave) -> String {
        let share = format!("{}%", (wave.share * 1000.0).round() / 10.0);
        match &wave.site {
            Some(site) => format!("{site} {share}"),
            None => share,
        }
    }
}

impl Range {
    /// 0 at the bottom, 1 at the top.
    fn height(&self, e: f64) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        ((log10(e) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Some four to seven times that are easily named, 0 among them.
    fn ticks(&self) -> Vec<f64> {
        const STEPS: [f64; 15] = [
            1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0,
            86_400.0,
        ];
        let days = (self.until / 86_400.0 / 5.0).ceil() * 86_400.0;
        let step = STEPS.into_iter().find(|s| self.until / s < 6.0).unwrap_or(days);
        (0..).map(|i| f64::from(i) * step).take_while(|t| *t <= self.until).collect()
    }
}

/// Finite for whatever evidence can be.
fn log10(e: f64) -> f64 {
    if e.is_nan() { 0.0 } else { e.clamp(1e-300, f64::MAX).log10() }
}

/// `0.01`, `1`, `100`, `10^6`.
fn power(p: i32) -> String {
    match p {
        -3..=-1 => format!("{:.*}", p.unsigned_abs() as usize, 10f64.powi(p)),
        0..=3 => format!("{}", 10u32.pow(p.unsigned_abs())),
        p => format!("10^{p}"),
    }
}

/// Alike in every language and short, as an axis wants it: `2:30` of minutes, from an hour on `1:15 h`.
fn clock(t: f64, until: f64) -> String {
    let s = t.round() as u64;
    if until < 3_600.0 { format!("{}:{:02}", s / 60, s % 60) } else { format!("{}:{:02} h", s / 3_600, s % 3_600 / 60) }
}

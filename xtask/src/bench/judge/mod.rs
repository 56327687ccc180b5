//! The judge beside what peers do: the same simulated rollouts, an hour each, with traffic and error rate that drift. The peers'
//! rules are written anew from their definitions; nothing of theirs runs here.

mod counting;
mod rank;

use super::Options;
use anyhow::Result;
use counting::Counting;
use rank::RankTest;
use std::time::Instant;
use tradewind_judge::{
    Arm, Judge, Kind, MetricSpec, Params, Verdict,
    simulate::{Errors, Load, random},
};

const RUNS: u32 = 1_000;
const RATIOS: [f64; 4] = [1.0, 1.5, 2.0, 5.0];
/// What a rule may do wrong when it is made comparable: our own alpha.
const MATCHED: f64 = 0.01;

/// Values of canary and baseline that the rank test passes: seven bad samples of ten; errors against none; no canary at all.
#[cfg(test)]
pub const PASSED_BY_RANKS: [(&[f64], &[f64]); 3] = [
    (&[100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 1.0, 1.0, 1.0], &[1.0; 10]),
    (&[0.0, 1.0, 2.0, 1.0, 0.0, 0.0], &[0.0; 6]),
    (&[], &[1.0; 10]),
];

/// Something that ends a rollout when it has seen enough.
trait Rule {
    /// Takes the counts of a batch that ended at `t`; says whether it is over.
    fn sees(&mut self, t: f64, canary: Arm, baseline: Arm) -> bool;
}

impl Rule for Judge {
    fn sees(&mut self, t: f64, canary: Arm, baseline: Arm) -> bool {
        self.observe(t, 0, canary, baseline).is_ok() && self.brief().verdict == Verdict::Worse
    }
}

/// When a rule ended each of the runs.
fn ends<R: Rule>(ratio: f64, runs: u32, rule: impl Fn() -> R) -> Vec<Option<f64>> {
    let course = Errors { drifts: true, look_every_s: 10.0, ..Errors::usual(ratio) };
    let run = |number: u32| {
        let mut rng = random::seeded(1, ratio.to_bits(), u64::from(number));
        let mut rule = rule();
        course.batches(&mut rng).find(|(t, canary, baseline)| rule.sees(*t, *canary, *baseline)).map(|(t, ..)| t)
    };
    (0..runs).map(run).collect()
}

/// `1 / 290 s`: the part of the runs that ended, and when the middle one of them all did.
fn cell(ends: &[Option<f64>]) -> String {
    let mut times: Vec<f64> = ends.iter().copied().flatten().collect();
    times.sort_by(f64::total_cmp);
    let part = times.len() as f64 / ends.len() as f64;
    match times.get((ends.len() - 1) / 2) {
        Some(median) => format!("{part:.3} / {median:.0} s"),
        None => format!("{part:.3}"),
    }
}

fn row<R: Rule>(name: &str, runs: u32, rule: impl Fn() -> R) -> String {
    let cells: Vec<String> = RATIOS.iter().map(|ratio| cell(&ends(*ratio, runs, &rule))).collect();
    eprintln!("{name}");
    format!("| {name} | {} |", cells.join(" | "))
}

/// The first of the settings, in order, with no more false alarms than are allowed.
fn matched<R: Rule>(runs: u32, settings: impl IntoIterator<Item = f64>, rule: impl Fn(f64) -> R) -> Option<f64> {
    settings.into_iter().find(|setting| {
        let ended = ends(1.0, runs, || rule(*setting)).iter().flatten().count();
        ended as f64 <= MATCHED * f64::from(runs)
    })
}

pub fn measure(options: &Options) -> Result<String> {
    let runs = options.rounds.unwrap_or(RUNS);
    let own = Judge::new(Params::default(), vec![MetricSpec::new("errors", Kind::Error)])?;
    let mut rows = vec![
        row("tradewind, `alpha` 1 %", runs, || own.clone()),
        row("rank test as Kayenta's, confidence 0.98", runs, || RankTest::kayenta(RankTest::DOCUMENTED)),
        row("counting as Flagger's example: above 1 % in 10 minutes", runs, || Counting::flagger(0.01)),
        row("counting as Argo Rollouts' example: above 5 % in 4 times 5 minutes", runs, || Counting::argo(0.05)),
        row("pausing as Argo Rollouts' example: once above 10 % in 5 minutes", runs, || {
            Counting::argo_inconclusive(0.1)
        }),
    ];
    // From the most sensitive setting on.
    let quantiles = (0..30).map(|i| 1.0 + 0.05 * f64::from(i));
    let limits = || (2..200).map(|i| f64::from(i) * 0.0005);
    if let Some(q) = matched(runs, quantiles, RankTest::kayenta) {
        rows.push(row(&format!("rank test, matched: {q:.2} standard errors"), runs, || RankTest::kayenta(q)));
    }
    for (name, rule) in [
        ("counting each minute, 10 times", Counting::flagger as fn(f64) -> Counting),
        ("counting every 5 minutes, 4 times", Counting::argo),
        ("pausing every 5 minutes, at once", Counting::argo_inconclusive),
    ] {
        if let Some(limit) = matched(runs, limits(), rule) {
            rows.push(row(&format!("{name}, matched: above {:.2} %", limit * 100.0), runs, || rule(limit)));
        }
    }
    let head = "| ends a rollout with errors × | 1 | 1.5 | 2 | 5 |\n| --- | --- | --- | --- | --- |";
    let note = format!(
        "Part of {runs} runs of an hour that it ended, and the median time until then: 100 requests a second, a tenth of them the \
         canary's, 0.5 % failing, both drifting. Matched: the most sensitive setting with at most 1 % false alarms, which has to be \
         found by knowing the error rate beforehand."
    );
    Ok(format!("{head}\n{}\n\n{note}\n\n{}", rows.join("\n"), cost()))
}

/// A thousand rollouts, each with errors and five latency bounds, an hour old.
fn cost() -> String {
    let mut load = Load::new(1_000);
    let mut seconds: Vec<f64> = (0..20)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(load.tick());
            began.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    format!("Judging a second of 1,000 rollouts on one core: {:.0} ms.", seconds[10] * 1e3)
}

#[test]
fn the_judge_ends_what_a_rank_test_passes() {
    for (canary, baseline) in PASSED_BY_RANKS {
        let mut judge = Judge::new(Params::default(), vec![MetricSpec::new("errors", Kind::Error)]).unwrap();
        let arm = |values: &[f64], i: usize| values.get(i).map_or(Arm::default(), |v| Arm::of(1_000, *v as u64));
        // The second of them has four errors in all: it takes a while.
        let mut samples = (0..60).map(|i| (i, arm(canary, i % 10), arm(baseline, i % baseline.len())));
        let worse = samples.any(|(i, c, b)| judge.sees(i as f64, c, b));
        assert_eq!(worse, !canary.is_empty());
        assert!(worse || judge.brief().verdict == Verdict::Continue);
    }
}

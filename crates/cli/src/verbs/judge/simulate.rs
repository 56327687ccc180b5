//! The judge's verification suite, on all cores, as a table.

use crate::{
    exit::Exit,
    failure::Failure,
    faults, msg,
    session::Session,
    table::{Paint, pad},
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Instant,
};
use tradewind_judge::simulate::{self, Case, Line, Load, cases};
use tradewind_model::{fault::Fault, said::Tell};
use unicode_width::UnicodeWidthStr;

/// Seconds judged to measure what one costs.
const TICKS: u32 = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runs: u32,
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let wanted = |c: &Case| args.only.as_ref().is_none_or(|only| c.name.starts_with(only.as_str()));
    let cases: Vec<Case> = cases().into_iter().chain([simulate::cost()]).filter(wanted).collect();
    if let Some(only) = args.only.as_ref().filter(|_| cases.is_empty()) {
        let all = simulate::cases();
        let names: Vec<&str> = all.iter().map(|c| c.name).chain(["cost"]).collect();
        return Err(Fault::new(&faults::NO_CASE).with("only", only).with("names", names.join(", ")).into());
    }
    let width = |text: &dyn Fn(&Case) -> String| cases.iter().map(|c| text(c).width()).max().unwrap_or(0);
    let (names, whats) = (width(&|c| c.name.to_owned()), width(&|c| c.what.tell(session.lang)));
    let mut lines = Vec::new();
    for case in &cases {
        let outcomes = match case.name {
            "cost" => cost(args.runs.min(TICKS)),
            _ => outcomes(case, args.seed, args.runs.min(case.most_runs)),
        };
        let line = Line::of(case, &outcomes);
        if !session.json {
            let (word, paint) = match line.passed {
                Some(true) => (&msg::SIM_PASS, Paint::Good),
                Some(false) => (&msg::SIM_FAIL, Paint::Bad),
                None => (&msg::SIM_SHOWN, Paint::Faint),
            };
            let told = |said: tradewind_model::said::Said| said.tell(session.lang);
            let row = format!(
                "{}  {}  {}  {}  {}",
                paint.apply(&pad(word.get(session.lang), 4), session.out.terminal),
                pad(line.name, names),
                pad(&told(line.what.clone()), whats),
                pad(&told(line.measured()), 34),
                told(line.bar())
            );
            session.out.line(row.trim_end());
        }
        lines.push(line);
    }
    let failed = lines.iter().any(|l| l.passed == Some(false));
    if session.json {
        session.json_list(lines, None);
    }
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

/// Seconds that one second of a thousand rollouts takes, on one core.
fn cost(ticks: u32) -> Vec<Option<f64>> {
    let mut load = Load::new(1_000);
    let tick = |_| {
        let began = Instant::now();
        (load.tick() > 0).then(|| began.elapsed().as_secs_f64())
    };
    (0..ticks).map(tick).collect()
}

/// Every run's, in order, whoever ran it.
fn outcomes(case: &Case, seed: u64, runs: u32) -> Vec<Option<f64>> {
    let next = AtomicU32::new(0);
    let work = || {
        let mut own = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs {
                return own;
            }
            own.push((number, case.run(seed, number)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(u32, Option<f64>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, outcome)| outcome).collect()
}

//! Evidence from counts on stdin: a line in, a line out.

use super::{
    Settings,
    sample::{self, Sample, Wrong},
};
use crate::{exit::Exit, failure::Failure, faults, session::Session, text, when};
use serde::Serialize;
use serde_json::Number;
use std::{
    collections::HashMap,
    io::{self, BufRead, Read},
    num::ParseFloatError,
};
use tradewind_judge::{Judge, Kind, MetricSpec, Refused, Verdict};
use tradewind_model::{fault::Fault, said};

/// Longer lines are no samples.
const LONGEST: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub settings: Settings,
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub max_seconds: Option<f64>,
}

/// `90`, or `90s`, `15m`, `12h` as elsewhere.
fn seconds(text: &str) -> Result<f64, ParseFloatError> {
    when::parse_span(text).map_or_else(|| text.parse(), |span| Ok(span.as_secs_f64()))
}

#[derive(Debug, Serialize)]
struct Answer {
    t: Number,
    e: f64,
    verdict: Verdict,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    if let Some(limit) = args.max_seconds.filter(|s| !(*s > 0.0 && s.is_finite())) {
        return Err(Fault::new(&faults::BAD_DURATION).with("value", limit).into());
    }
    let mut lines = Evaluator {
        judge: Judge::open(args.settings.params()?),
        metrics: HashMap::new(),
        max_seconds: args.max_seconds,
    };
    let mut input = session.around.input.lock().unwrap_or_else(|e| e.into_inner());
    let mut exit = Exit::Ok;
    for number in 1.. {
        let Some(line) = next(&mut **input).map_err(Failure::machine("stdin"))? else { break };
        match lines.answer(number, line.as_deref()) {
            Ok(Some(answer)) => session.out.json_line(&answer),
            Ok(None) => {}
            Err(fault) => {
                exit = Exit::Usage;
                session.out.note(if session.json {
                    serde_json::to_string(&fault.problem(session.lang)).unwrap_or_default()
                } else {
                    text::fault(&fault, session.lang)
                });
            }
        }
    }
    Ok(exit)
}

/// A line with its end, `None` within for one too long to be kept; `None` at the end.
fn next(input: &mut dyn BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    if input.take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if (line.len() as u64) < LONGEST || line.ends_with(b"\n") {
        return Ok(Some(Some(line)));
    }
    while !line.is_empty() && !line.ends_with(b"\n") {
        line.clear();
        input.take(LONGEST).read_until(b'\n', &mut line)?;
    }
    Ok(Some(None))
}

struct Evaluator {
    judge: Judge,
    metrics: HashMap<String, (usize, Kind)>,
    max_seconds: Option<f64>,
}

impl Evaluator {
    /// `None` for an empty line.
    fn answer(&mut self, number: usize, line: Option<&[u8]>) -> Result<Option<Answer>, Fault> {
        let nowhere = |why| Err(Wrong { byte: 0, why }.fault(number, ""));
        let Some(bytes) = line else { return nowhere(said!("it is too long", "过长")) };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return nowhere(said!("it is not UTF-8", "不是 UTF-8 编码"));
        };
        let text = text.trim_end();
        if text.trim_start().is_empty() {
            return Ok(None);
        }
        let sample = sample::read(text).map_err(|wrong| wrong.fault(number, text))?;
        let wrong = |path: &[&str], why| Wrong { byte: sample::byte_of(text, path), why }.fault(number, text);
        let Sample { t, metric, kind, canary, baseline } = sample;
        let seconds = t.as_f64().unwrap_or(f64::NAN);
        let refused = |refused: Refused| {
            let path: &[&str] = match refused.arm() {
                Some(arm) => &[arm],
                None => &["t"],
            };
            wrong(path, refused.said())
        };
        match self.metrics.get(&metric) {
            Some((place, known)) if *known == kind => {
                self.judge.observe(seconds, *place, canary, baseline).map_err(refused)?;
            }
            Some((_, known)) => {
                let why = said!(
                    "`{metric}` was of kind {known} before",
                    "`{metric}` 此前的类型是 {known}",
                    metric = metric,
                    known = known
                );
                return Err(wrong(&["kind"], why));
            }
            None => {
                // A sample that is refused must not leave a metric behind.
                let mut judge = self.judge.clone();
                let place = judge.add(MetricSpec::new(&metric, kind))?;
                judge.observe(seconds, place, canary, baseline).map_err(refused)?;
                self.judge = judge;
                self.metrics.insert(metric, (place, kind));
            }
        }
        let brief = self.judge.brief();
        let over = self.max_seconds.is_some_and(|most| self.judge.began().is_some_and(|began| seconds - began >= most));
        let verdict = if over { brief.verdict.at_time_limit() } else { brief.verdict };
        Ok(Some(Answer { t, e: brief.e, verdict }))
    }
}

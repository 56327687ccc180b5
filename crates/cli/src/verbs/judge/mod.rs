//! The judge by itself: evidence from counts of one's own, its verification, and how long it will need.

mod eval;
mod explain;
mod forecast;
mod sample;
mod simulate;

use crate::{exit::Exit, failure::Failure, session::Session};
use std::num::ParseFloatError;
use tradewind_judge::{Params, Unchecked};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Eval(eval::Args),
    Explain(explain::Args),
    Forecast(forecast::Args),
    Simulate(simulate::Args),
}

pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    match &args.action {
        Action::Eval(args) => eval::run(args, session),
        Action::Explain(args) => explain::run(args, session).await,
        Action::Forecast(args) => forecast::run(args, session),
        Action::Simulate(args) => simulate::run(args, session),
    }
}

/// The judge's settings as flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    #[arg(long, value_name = "CHANCE", value_parser = part)]
    pub alpha: Option<f64>,
    #[arg(long, value_name = "CHANCE", value_parser = part)]
    pub beta: Option<f64>,
    #[arg(long, value_name = "RATIO")]
    pub r0: Option<f64>,
    #[arg(long, value_name = "RATIO")]
    pub r1: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = part)]
    pub floor: Option<f64>,
}

/// `0.01`, or `1%` as in a spec.
fn part(text: &str) -> Result<f64, ParseFloatError> {
    match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().map(|p| p / 100.0),
        None => text.parse(),
    }
}

impl Settings {
    fn params(&self) -> Result<Params, Failure> {
        let d = Unchecked::default();
        let or = |given: Option<f64>, default: f64| given.unwrap_or(default);
        Ok(Params::checked(Unchecked {
            alpha: or(self.alpha, d.alpha),
            beta: or(self.beta, d.beta),
            r0: or(self.r0, d.r0),
            r1: or(self.r1, d.r1),
            floor: or(self.floor, d.floor),
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_part_may_be_written_as_in_a_spec() {
        assert_eq!(["0.01", "1%", "12.5 %", "0%"].map(|t| part(t).unwrap()), [0.01, 0.01, 0.125, 0.0]);
        assert!(["", "%", "ten", "1%%"].iter().all(|t| part(t).is_err()));
    }
}

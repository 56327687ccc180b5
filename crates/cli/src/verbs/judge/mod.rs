//! The judge by itself: evidence from counts of one's own, its verification, and how long it will need.

mod eval;
mod explain;
mod forecast;
mod sample;
mod simulate;

use crate::{exit::Exit, failure::Failure, session::Session};
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
    #[arg(long, value_name = "CHANCE")]
    pub alpha: Option<f64>,
    #[arg(long, value_name = "CHANCE")]
    pub beta: Option<f64>,
    #[arg(long, value_name = "RATIO")]
    pub r0: Option<f64>,
    #[arg(long, value_name = "RATIO")]
    pub r1: Option<f64>,
    #[arg(long, value_name = "RATE")]
    pub floor: Option<f64>,
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

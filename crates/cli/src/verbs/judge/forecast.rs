//! How long the judge will need at a given traffic, before anything has begun.

use super::part;
use crate::{exit::Exit, failure::Failure, faults, session::Session, when};
use tradewind_judge::{
    Params,
    forecast::{Forecast, forecast},
};
use tradewind_model::{fault::Fault, said::Tell};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "N")]
    pub units_per_second: f64,
    #[arg(long, value_name = "RATE", value_parser = part)]
    pub error_rate: f64,
    #[arg(long, value_name = "SHARE", value_parser = part)]
    pub share: f64,
    #[arg(long, value_name = "RATIO", default_value_t = 2.0)]
    pub ratio: f64,
    #[arg(long, value_name = "CHANCE", value_parser = part)]
    pub alpha: Option<f64>,
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub max_time: String,
    #[arg(long, value_name = "N")]
    pub clients: Option<u64>,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let max = when::parse_span(&args.max_time)
        .ok_or_else(|| Fault::new(&faults::BAD_DURATION).with("value", args.max_time.as_str()))?;
    let wanted = Forecast {
        units_per_s: args.units_per_second,
        share: args.share,
        base_rate: args.error_rate,
        ratio: args.ratio,
        alpha: args.alpha.unwrap_or_else(|| Params::default().alpha()),
        max_seconds: max.as_secs_f64(),
        clients: args.clients,
    };
    wanted.check()?;
    let outlook = forecast(&wanted);
    if session.json {
        session.out.json(&outlook);
    } else {
        session.out.line(outlook.advice.tell(session.lang));
    }
    Ok(Exit::Ok)
}

//! Moves what is live in one environment on to another.

use super::{preview, see_through};
use crate::{
    exit::Exit,
    failure::Failure,
    faults,
    follow::Wait,
    session::{Session, name},
};
use tradewind_api::v1;
use tradewind_model::{fault::Fault, id::EnvName};

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: String,
    #[arg(long, value_name = "ENV")]
    pub from: String,
    #[arg(long, value_name = "ENV")]
    pub to: String,
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[arg(long, value_name = "ID")]
    pub ticket: Option<String>,
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wait: Wait,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let env = |s: &str| s.parse::<EnvName>().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", s));
    let (client, service) = (session.client()?, name(&args.service)?);
    let promote = v1::Promote { from: env(&args.from)?, to: env(&args.to)?, note: args.note, ticket: args.ticket };
    if args.dry_run {
        return preview::run(session, &service, &promote.to, &[("from", promote.from.to_string())]).await;
    }
    let started = client.promote(&service, &promote).await?;
    see_through(session, &client, started, &args.wait).await
}

//! Takes an environment back: traffic first, then the report.

use super::{preview, see_through};
use crate::{
    exit::Exit,
    failure::Failure,
    follow::Wait,
    session::{Session, name},
};
use tradewind_api::v1::RollbackRequest;

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: String,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "RELEASE")]
    pub to: Option<String>,
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wait: Wait,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, service) = (session.client()?, name(&args.service)?);
    let env = session.env(&client, &service, args.env.as_deref()).await?;
    if args.dry_run {
        let mut what = vec![("kind", "rollback".to_owned())];
        what.extend(args.to.map(|to| ("release", to)));
        return preview::run(session, &service, &env, &what).await;
    }
    let request = RollbackRequest { env, to: args.to, reason: args.reason.unwrap_or_default() };
    let started = client.rollback(&service, &request).await?;
    see_through(session, &client, started, &args.wait).await
}

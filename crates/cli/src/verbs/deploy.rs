//! Rolls a release out to an environment.

use super::{preview, see_through};
use crate::{
    exit::Exit,
    failure::Failure,
    follow::Wait,
    session::{Session, name},
};
use tradewind_api::v1::{RolloutKind, StartRollout};

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: String,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "RELEASE")]
    pub release: String,
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[arg(long, value_name = "ID")]
    pub ticket: Option<String>,
    #[arg(long)]
    pub hotfix: bool,
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wait: Wait,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, service) = (session.client()?, name(&args.service)?);
    let env = session.env(&client, &service, args.env.as_deref()).await?;
    if args.dry_run {
        let mut what = vec![("release", args.release)];
        what.extend(args.hotfix.then(|| ("kind", "hotfix".to_owned())));
        return preview::run(session, &service, &env, &what).await;
    }
    let kind = if args.hotfix { RolloutKind::Hotfix } else { RolloutKind::Normal };
    let start = StartRollout { env, release: args.release, note: args.note, ticket: args.ticket, kind };
    let started = client.start_rollout(&service, &start).await?;
    see_through(session, &client, started, &args.wait).await
}

//! Opens a queue again that a failed rollout closed.

use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::{Session, name},
};
use tradewind_api::v1;

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: String,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, service) = (session.client()?, name(&args.service)?);
    let env = session.env(&client, &service, args.env.as_deref()).await?;
    let done = client.acknowledge(&service, &v1::Acknowledge { env, note: args.note }).await?;
    if session.json {
        session.out.json(&done);
        return Ok(Exit::Ok);
    }
    session.out.line(fill!(session.lang, &msg::ACKNOWLEDGED, service = service, env = done.env));
    for id in &done.released {
        session.out.line(fill!(session.lang, &msg::GOES_ON_NOW, id = id));
    }
    Ok(Exit::Ok)
}

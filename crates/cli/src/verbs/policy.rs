//! What environments demand, whatever a pushed spec says.

use super::user::done;
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::{Session, env},
};
use std::{fs, path::PathBuf};
use tradewind_api::v1::SetPolicy;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Show {
        env: String,
    },
    Set {
        env: String,
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    Clear {
        env: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::Show { env: named } => {
            let policy = client.policy(&env(&named)?).await?;
            let text = match policy.text.trim_end() {
                "" => fill!(lang, &msg::NO_POLICY, env = policy.env),
                text => text.to_owned(),
            };
            done(session, &policy, &text);
        }
        Action::Set { env: named, file, reason } => {
            let at = session.around.dir.join(&file);
            let text = fs::read_to_string(&at).map_err(Failure::machine(&file.display().to_string()))?;
            let set = client.set_policy(&env(&named)?, &SetPolicy { text, reason }).await?;
            done(session, &set, &fill!(lang, &msg::POLICY_SET, env = set.env));
        }
        Action::Clear { env: named, reason } => {
            let set = client.set_policy(&env(&named)?, &SetPolicy { text: String::new(), reason }).await?;
            done(session, &set, &fill!(lang, &msg::POLICY_CLEARED, env = set.env));
        }
    }
    Ok(Exit::Ok)
}

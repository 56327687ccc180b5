//! One's own second factor.

use crate::{ask, exit::Exit, failure::Failure, faults, fill, msg, session::Session};
use tradewind_api::v1::SecondFactorCode;
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Setup,
    Remove,
    Reset { handle: String },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    let missing = || Fault::new(&faults::NO_PASSWORD);
    match args.action {
        Action::Setup => {
            let begun = client.begin_second_factor().await?;
            session.out.note(fill!(lang, &msg::SECOND_SECRET, secret = begun.secret, uri = begun.uri));
            let code = ask::hidden(session, msg::ASK_SIX.get(lang), missing())?;
            let password = ask::hidden(session, msg::ASK_CURRENT.get(lang), missing())?;
            let confirm = SecondFactorCode { code, password, ticket: Some(begun.ticket) };
            let made = client.confirm_second_factor(&confirm).await?;
            if session.json {
                session.out.json(&made);
            } else {
                session.out.note(msg::SECOND_SET.get(lang));
                for code in &made.codes {
                    session.out.line(code);
                }
            }
        }
        Action::Remove => {
            let password = ask::hidden(session, msg::ASK_CURRENT.get(lang), missing())?;
            let code = ask::hidden(session, msg::ASK_SECOND.get(lang), missing())?;
            client.remove_second_factor(&SecondFactorCode { code, password, ticket: None }).await?;
            let told = serde_json::json!({ "removed": true });
            super::user::done(session, &told, msg::SECOND_REMOVED.get(lang));
        }
        Action::Reset { handle } => {
            let user = client.reset_second_factor(&handle).await?;
            super::user::done(session, &user, &fill!(lang, &msg::SECOND_RESET, handle = handle));
        }
    }
    Ok(Exit::Ok)
}

//! One's own password.

use super::login::new_password;
use crate::{ask, exit::Exit, failure::Failure, faults, msg, session::Session};
use tradewind_api::v1::Password;
use tradewind_model::fault::Fault;

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    let current = ask::hidden(session, msg::ASK_CURRENT.get(lang), Fault::new(&faults::NO_PASSWORD))?;
    let new = new_password(session)?;
    client.change_password(&Password { current, new }).await?;
    if session.json {
        session.out.json(&serde_json::json!({ "changed": true }));
    } else {
        session.out.line(msg::PASSWORD_CHANGED.get(lang));
    }
    Ok(Exit::Ok)
}

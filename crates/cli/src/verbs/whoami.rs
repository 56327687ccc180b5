//! Who one is, and what one may.

use super::role::granted;
use crate::{exit::Exit, failure::Failure, fill, msg, session::Session};

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let (me, lang) = (session.client()?.me().await?, session.lang);
    if session.json {
        session.out.json(&me);
        return Ok(Exit::Ok);
    }
    session.out.line(fill!(lang, &msg::I_AM, name = me.name, server = session.server()));
    match &me.user {
        None => session.out.line(msg::NO_PERSON.get(lang)),
        Some(user) => {
            if user.roles.is_empty() {
                session.out.line(msg::NO_ROLES.get(lang));
            }
            for g in &user.roles {
                session.out.line(format!("  {}", granted(lang, g)));
            }
        }
    }
    if let Some(t) = &me.token {
        let until = t.expires_at.map_or_else(|| msg::FOREVER.get(lang).to_owned(), |x| session.when().date(x));
        session.out.line(fill!(lang, &msg::MY_TOKEN, name = t.name, scopes = super::token::reach(t), until = until));
    }
    Ok(Exit::Ok)
}

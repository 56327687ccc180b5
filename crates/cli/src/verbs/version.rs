//! Versions of both sides.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session};

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let own = env!("CARGO_PKG_VERSION");
    let server = session.client()?.patience(std::time::Duration::ZERO).version().await;
    if session.json {
        session
            .out
            .json(&serde_json::json!({ "client": own, "server": server.as_ref().ok(), "url": session.server() }));
        return Ok(Exit::Ok);
    }
    session.out.line(format!("tradewind {own}"));
    match server {
        Ok(v) => session.out.line(fill!(
            session.lang,
            &msg::SERVER_VERSION,
            url = session.server(),
            version = v.version,
            api = v.api
        )),
        // One's own version is known without a server.
        Err(_) => session.out.note(fill!(session.lang, &msg::SERVER_SILENT, url = session.server())),
    }
    Ok(Exit::Ok)
}

//! Forgets the login, here and on the server.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session};

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let lang = session.lang;
    let keyring = session.keyring()?;
    let mut all = keyring.read()?;
    let server = session.server();
    let Some(login) = all.servers.remove(server) else {
        session.out.line(fill!(lang, &msg::NOT_LOGGED_IN, server = server));
        return Ok(Exit::Ok);
    };
    let client = session.client()?.with_token(&login.token)?;
    let revoked = client.revoke_token(login.id, "").await;
    if all.current.as_deref() == Some(server) {
        all.current = all.servers.keys().next().cloned();
    }
    keyring.write(&all)?;
    // Git may be gone by now, or never have been taught.
    let _ = session.checkout().configure(&["--remove-section", &format!("credential.{server}")]);
    if login.authorities.is_some() {
        let _ = session.checkout().configure(&["--unset-all", &format!("http.{server}.sslCAInfo")]);
        keyring.write_authorities(server, None)?;
    }
    if session.json {
        session.out.json(&serde_json::json!({ "server": server, "revoked": revoked.is_ok() }));
    } else {
        session.out.line(fill!(lang, &msg::LOGGED_OUT, server = server));
        if revoked.is_err() {
            session.out.note(fill!(lang, &msg::NOT_REVOKED, id = login.id));
        }
    }
    Ok(Exit::Ok)
}

//! The console, signed in: a link that is good once.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session};
use serde::Serialize;
use std::process::{Command, Stdio};
use tradewind_api::v1::{MakeSessionLink, Time};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    #[arg(long)]
    pub open: bool,
}

#[derive(Serialize)]
struct Made {
    url: String,
    handle: String,
    expires_at: Time,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let link = session.client()?.make_session_link(&MakeSessionLink { handle: args.user }).await?;
    let url = format!("{}{}", session.server().trim_end_matches('/'), link.path);
    if session.json {
        session.out.json(&Made { url, handle: link.handle, expires_at: link.expires_at });
        return Ok(Exit::Ok);
    }
    let lang = session.lang;
    session.out.line(fill!(lang, &msg::CONSOLE_AS, name = link.handle));
    session.out.line(&url);
    if args.open && !browse(&url) {
        session.out.line(msg::CONSOLE_NOT_OPENED.get(lang));
    }
    Ok(Exit::Ok)
}

/// Whether a program took it.
fn browse(url: &str) -> bool {
    ["xdg-open", "open"].iter().any(|program| {
        let run =
            Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    })
}

//! The event log.

use super::audit::Chosen;
use crate::{exit::Exit, failure::Failure, follow, msg, session::Session, table::Paint};
use tradewind_api::{
    Paging,
    v1::{Actor, Event},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, short)]
    pub follow: bool,
    #[command(flatten)]
    pub chosen: Chosen,
    #[arg(long, value_name = "SEQ")]
    pub after: Option<i64>,
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let which = args.chosen.query(session)?;
    if args.follow {
        let mut events = client.follow_events(&which, args.after);
        let read = async {
            while let Some(event) = events.next().await {
                show(session, &event?);
            }
            Ok(Exit::Ok)
        };
        return match follow::patiently(None, read).await {
            Err(Failure::Interrupted) => Ok(Exit::Ok),
            other => other,
        };
    }
    let paging = Paging { after: args.after.map(|s| s.to_string()), limit: Some(args.limit) };
    // The last ones, in the order they happened; from a given place, what follows it.
    let page = match args.after {
        Some(_) => client.events(&which, &paging).await?,
        None => {
            let mut page = client.newest_events(&which, &paging).await?;
            page.items.reverse();
            page.next = None;
            page
        }
    };
    if session.json {
        session.out.json(&page);
    } else if page.items.is_empty() {
        session.out.line(msg::NO_EVENTS.get(session.lang));
    } else {
        for event in &page.items {
            show(session, event);
        }
        if let (Some(_), Some(last)) = (&page.next, page.items.last()) {
            session.out.note(crate::fill!(session.lang, &msg::MORE, next = last.seq));
        }
    }
    Ok(Exit::Ok)
}

fn show(session: &Session, e: &Event) {
    if session.json {
        session.out.json_line(e);
        return;
    }
    let terminal = session.out.terminal;
    let who = match &e.actor {
        Actor::User { name } => name.clone(),
        Actor::System { part } => format!("({part})"),
        Actor::Agent { host } => format!("[{host}]"),
    };
    let what = e.after.as_ref().map(brief).unwrap_or_default();
    let seq = Paint::Faint.apply(&format!("{:>6}", e.seq), terminal);
    let kind = Paint::Bold.apply(&e.kind, terminal);
    session.out.line(format!("{seq} {} {kind} {} {who} {what}", session.when().clock(e.at), e.subject).trim_end());
}

/// A value on a line, shortened: the whole stands in `--json`.
fn brief(value: &serde_json::Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

//! Reads the whole chain of the event log and names what does not fit.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Paint, words::Words};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Verify,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let Action::Verify = args.action;
    let report = session.client()?.verify_audit().await?;
    let lang = session.lang;
    if session.json {
        session.out.json(&report);
        return Ok(if report.ok { Exit::Ok } else { Exit::Failed });
    }
    let end = report.head.as_ref().map_or_else(|| "-".to_owned(), |h| format!("{} {}", h.seq, h.hash));
    match &report.finding {
        None => {
            let text = fill!(lang, &msg::CHAIN_WHOLE, intact = report.intact, end = end, unsealed = report.unsealed);
            session.out.line(Paint::Good.apply(&text, session.out.terminal));
        }
        Some(f) => {
            let problem = Paint::Bad.apply(f.problem.say(lang), session.out.terminal);
            session.out.line(fill!(lang, &msg::CHAIN_BROKEN, seq = f.seq, problem = problem, detail = f.detail));
            session.out.line(fill!(lang, &msg::CHAIN_UNTIL, intact = report.intact, end = end));
        }
    }
    Ok(if report.ok { Exit::Ok } else { Exit::Failed })
}

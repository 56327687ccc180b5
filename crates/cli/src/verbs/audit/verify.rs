//! Reads the whole chain of the event log and names what does not fit.
//!
//! Without a checkpoint the server does it, and is believed. With one kept elsewhere, the events come here and are hashed
//! here; a data folder or an export is read without any server.

use super::walk::{Next, Walk};
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::{FolderAudit, Session},
    table::Paint,
    words::Words,
};
use std::{io::BufRead as _, path::PathBuf};
use tradewind_api::v1::AuditReport;
use tradewind_audit::{Note, Verifier, checkpoint::trusted, faults::BAD_KEY, key::BadKey};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "FILE")]
    pub from_checkpoint: Vec<PathBuf>,
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub data: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let keys: Vec<Verifier> = args.key.iter().map(|k| key(k)).collect::<Result<_, _>>()?;
    let mut kept = Vec::new();
    for path in &args.from_checkpoint {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(Failure::machine(name.clone()))?;
        kept.push((name, text));
    }
    let report = match (args.data, args.file) {
        (Some(data), _) => {
            let ask = FolderAudit { data, keys, checkpoints: kept, lang: session.lang };
            (session.around.audit_folder)(ask).await?
        }
        (None, Some(file)) => {
            let name = file.display().to_string();
            let lines = std::fs::File::open(&file).map_err(Failure::machine(name.clone()))?;
            let mut walk = Walk::new(keys, &kept, true)?;
            for line in std::io::BufReader::new(lines).lines() {
                if walk.take(&line.map_err(Failure::machine(name.clone()))?)? == Next::Enough {
                    break;
                }
            }
            walk.report(session.lang)?
        }
        (None, None) if kept.is_empty() && keys.is_empty() => session.client()?.verify_audit().await?,
        (None, None) => by_ourselves(session, keys, &kept).await?,
    };
    show(session, &report);
    Ok(if report.ok { Exit::Ok } else { Exit::Failed })
}

/// Every event comes here, and is hashed here.
async fn by_ourselves(
    session: &Session,
    roots: Vec<Verifier>,
    kept: &[(String, String)],
) -> Result<AuditReport, Failure> {
    let client = session.client()?;
    let listed = client.audit_keys().await?;
    let known = if roots.is_empty() {
        listed.iter().filter_map(|k| k.verifier.parse().ok()).collect()
    } else {
        let introductions: Vec<Note> = listed.iter().filter_map(|k| k.introduction.parse().ok()).collect();
        trusted(&roots, &introductions)
    };
    let mut walk = Walk::new(known, kept, false)?;
    let mut lines = client.audit_chain().await?;
    while let Some(line) = lines.next().await {
        if walk.take(&line?)? == Next::Enough {
            break;
        }
    }
    walk.report(session.lang)
}

/// A line as `tradewind audit key` prints it, PEM, or a file with either.
fn key(given: &str) -> Result<Verifier, Failure> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text,
        Err(_) => given.to_owned(),
    };
    let bad = |e: BadKey| Fault::new(&BAD_KEY).with("what", given).with("reason", e.to_string());
    Ok(text.parse().map_err(bad)?)
}

fn show(session: &Session, report: &AuditReport) {
    let (lang, terminal) = (session.lang, session.out.terminal);
    if session.json {
        session.out.json(report);
        return;
    }
    let end = report.head.as_ref().map_or_else(|| "-".to_owned(), |h| format!("{} {}", h.seq, h.hash));
    match &report.finding {
        None => {
            let text = fill!(lang, &msg::CHAIN_WHOLE, intact = report.intact, end = end, unsealed = report.unsealed);
            session.out.line(Paint::Good.apply(&text, terminal));
        }
        Some(f) => {
            let problem = Paint::Bad.apply(f.problem.say(lang), terminal);
            session.out.line(fill!(lang, &msg::CHAIN_BROKEN, seq = f.seq, problem = problem, detail = f.detail));
            session.out.line(fill!(lang, &msg::CHAIN_UNTIL, intact = report.intact, end = end));
        }
    }
    if report.checkpoints > 0 {
        session.out.line(fill!(lang, &msg::CHECKPOINTS_AGREE, n = report.checkpoints));
    }
    if report.pruned > 0 {
        session.out.line(fill!(lang, &msg::CHAIN_PRUNED, until = report.pruned));
    }
}

//! The newest signed statement of where the chain is, to be kept elsewhere.

use crate::{exit::Exit, failure::Failure, faults, msg, session::Session};
use std::path::PathBuf;
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long)]
    pub now: bool,
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let found = if args.now { client.make_checkpoint().await? } else { client.newest_checkpoint().await? };
    if session.json {
        session.out.json(&found);
        return Ok(Exit::Ok);
    }
    let Some(found) = found else {
        session.out.note(msg::NO_CHECKPOINT.get(session.lang));
        return Ok(Exit::Failed);
    };
    match &args.output {
        Some(file) => std::fs::write(file, &found.note).map_err(|e| cannot(file, &e))?,
        None => session.out.raw(&found.note),
    }
    Ok(Exit::Ok)
}

pub fn cannot(file: &std::path::Path, e: &std::io::Error) -> Failure {
    Fault::new(&faults::CANNOT_WRITE).with("file", file.display()).with("why", e).into()
}

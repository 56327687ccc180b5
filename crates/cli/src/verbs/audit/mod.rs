//! What proves the event log: reading it whole, checkpoints of it, the keys that sign them, and exports.

mod checkpoint;
mod export;
mod key;
mod status;
mod verify;
mod walk;

pub use export::Chosen;

use crate::{exit::Exit, failure::Failure, session::Session};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Verify(verify::Args),
    Checkpoint(checkpoint::Args),
    Key(key::Args),
    Export(export::Args),
    Status,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.action {
        Action::Verify(args) => verify::run(args, session).await,
        Action::Checkpoint(args) => checkpoint::run(args, session).await,
        Action::Key(args) => key::run(&args, session).await,
        Action::Export(args) => export::run(args, session).await,
        Action::Status => status::run(session).await,
    }
}

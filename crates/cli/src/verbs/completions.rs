//! Completions for a shell, to be sourced by it.

use crate::{exit::Exit, session::Session};
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn run(args: &Args, session: &Session) -> Exit {
    let mut text = Vec::new();
    let mut command = (session.around.grammar)(session.lang);
    clap_complete::generate(args.shell, &mut command, "tradewind", &mut text);
    session.out.raw(&String::from_utf8_lossy(&text));
    Exit::Ok
}

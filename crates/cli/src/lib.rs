//! The command line's verbs. They talk to the API through [`tradewind_api::Client`] like any other client, and to
//! nothing else of Tradewind.
//!
//! [`grammar`] gives the verbs for the binary's command line, [`parse`] reads one of them back, [`run`] does it.
//! Results go to stdout, everything on the way there to stderr; `--json` gives the API's own types. Exit codes are
//! [`exit::Exit`]'s.

mod ask;
mod checkout;
pub mod client_settings;
mod credentials;
pub mod exit;
mod failure;
mod faults;
mod follow;
pub mod help;
mod init;
mod msg;
pub mod out;
pub mod quiet;
mod remote;
mod session;
pub mod setting;
pub mod table;
pub mod text;
mod verbs;
pub mod when;
mod words;

pub use faults::ALL as FAULTS;
pub use session::{FolderAudit, FolderReport, Surroundings};
pub use verbs::Verb;

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, Subcommand};
use exit::Exit;
use session::{Flags, Session};
use tradewind_model::fault::Lang;

/// Adds the verbs, in this language, to the binary's command.
pub fn grammar(command: Command, lang: Lang) -> Command {
    let before: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = Verb::augment_subcommands(command);
    let added: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in added.iter().filter(|n| !before.contains(n)) {
        command = command.mut_subcommand(name, |c| {
            c.arg(client_settings::SERVER.arg(lang).global(true))
                .arg(client_settings::TOKEN.arg(lang).global(true))
                .arg(client_settings::CA.arg(lang).global(true))
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).global(true))
        });
    }
    command
}

/// The verb of a command line that [`grammar`] was part of; `None` for a command that is not one of these.
pub fn parse(matches: &ArgMatches) -> Option<Result<Verb, clap::Error>> {
    let name = matches.subcommand_name()?;
    Verb::has_subcommand(name).then(|| Verb::from_arg_matches(matches))
}

/// Does a verb, and tells on stderr why where it could not.
pub async fn run(verb: Verb, matches: &ArgMatches, lang: Lang, around: Surroundings) -> Exit {
    let out = around.out.clone();
    let own = matches.subcommand().map_or(matches, |(_, m)| m);
    let flag = |name: &str| own.get_one::<String>(name).cloned();
    let json = own.get_flag("json");
    let flags = Flags { server: flag("server"), token: flag("token"), ca: flag("ca") };
    let (outcome, from) = match Session::open(around, lang, json, flags) {
        Ok(session) => (verbs::run(verb, &session).await, session.server_from()),
        Err(e) => (Err(e), ""),
    };
    match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            if let Some(problem) = failure.problem(lang, from) {
                if json {
                    out.note(serde_json::to_string(&problem).unwrap_or_default());
                } else {
                    out.note(text::problem(&problem, lang));
                }
            }
            failure.exit()
        }
    }
}

//! The verbs, one a file.

pub mod acknowledge;
mod artifacts;
pub mod audit;
pub mod backup;
pub mod backups;
pub mod certificate;
pub mod check;
pub mod completions;
pub mod console;
pub mod deploy;
pub mod diff;
pub mod events;
pub mod find;
pub mod forge;
pub mod freeze;
pub mod freezes;
pub mod git_credential;
pub mod group;
pub mod health;
pub mod host;
pub mod init;
pub mod judge;
pub mod login;
pub mod logout;
pub mod logs;
pub mod password;
pub mod policy;
pub mod preview;
pub mod promote;
pub mod push;
pub mod release;
pub mod role;
pub mod rollback;
pub mod rollout;
pub mod run;
pub mod second_factor;
pub mod secret;
pub mod service;
pub mod status;
pub mod storage;
pub mod token;
pub mod unfreeze;
pub mod user;
pub mod version;
pub mod whoami;

use crate::{
    exit::Exit,
    failure::Failure,
    fill,
    follow::{self, Wait},
    msg,
    session::Session,
};
use tradewind_api::{Client, Paging, v1::Rollout};

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    Login(login::Args),
    Logout,
    Whoami,
    Console(console::Args),
    Password,
    SecondFactor(second_factor::Args),
    Init(init::Args),
    Check(check::Args),
    Service(service::Args),
    Find(find::Args),
    Push(push::Args),
    Status(status::Args),
    Run(run::Args),
    Release(release::Args),
    Diff(diff::Args),
    Deploy(deploy::Args),
    Promote(promote::Args),
    Rollout(rollout::Args),
    Rollback(rollback::Args),
    Acknowledge(acknowledge::Args),
    Freeze(freeze::Args),
    Unfreeze(unfreeze::Args),
    Freezes,
    Secrets(secret::ListArgs),
    Secret(secret::Args),
    Logs(logs::Args),
    Events(events::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Backups,
    Health,
    Storage(storage::Args),
    Host(host::Args),
    Forge(forge::Args),
    Certificate(certificate::Args),
    Judge(judge::Args),
    Policy(policy::Args),
    User(user::Args),
    Group(group::Args),
    Role(role::Args),
    Token(token::Args),
    Version,
    Completions(completions::Args),
    #[command(hide = true)]
    GitCredential(git_credential::Args),
}

pub async fn run(verb: Verb, session: &Session) -> Result<Exit, Failure> {
    match verb {
        Verb::Login(args) => login::run(args, session).await,
        Verb::Logout => logout::run(session).await,
        Verb::Whoami => whoami::run(session).await,
        Verb::Console(args) => console::run(args, session).await,
        Verb::SecondFactor(args) => second_factor::run(args, session).await,
        Verb::Password => password::run(session).await,
        Verb::Init(args) => init::run(&args, session),
        Verb::Check(args) => check::run(&args, session),
        Verb::Service(args) => service::run(args, session).await,
        Verb::Find(args) => find::run(args, session).await,
        Verb::Push(args) => push::run(args, session).await,
        Verb::Status(args) => status::run(args, session).await,
        Verb::Run(args) => run::run(args, session).await,
        Verb::Release(args) => release::run(args, session).await,
        Verb::Diff(args) => diff::run(args, session).await,
        Verb::Deploy(args) => deploy::run(args, session).await,
        Verb::Promote(args) => promote::run(args, session).await,
        Verb::Rollout(args) => rollout::run(args, session).await,
        Verb::Rollback(args) => rollback::run(args, session).await,
        Verb::Acknowledge(args) => acknowledge::run(args, session).await,
        Verb::Freeze(args) => freeze::run(args, session).await,
        Verb::Unfreeze(args) => unfreeze::run(args, session).await,
        Verb::Freezes => freezes::run(session).await,
        Verb::Secrets(args) => secret::list(args, session).await,
        Verb::Secret(args) => secret::run(args, session).await,
        Verb::Logs(args) => logs::run(args, session).await,
        Verb::Events(args) => events::run(args, session).await,
        Verb::Audit(args) => audit::run(args, session).await,
        Verb::Backup(args) => backup::run(&args, session).await,
        Verb::Backups => backups::run(session).await,
        Verb::Health => health::run(session).await,
        Verb::Storage(args) => storage::run(args, session).await,
        Verb::Host(args) => host::run(args, session).await,
        Verb::Forge(args) => forge::run(args, session).await,
        Verb::Certificate(args) => certificate::run(args, session).await,
        Verb::Judge(args) => judge::run(&args, session).await,
        Verb::Policy(args) => policy::run(args, session).await,
        Verb::User(args) => user::run(args, session).await,
        Verb::Group(args) => group::run(args, session).await,
        Verb::Role(args) => role::run(args, session).await,
        Verb::Token(args) => token::run(args, session).await,
        Verb::Version => version::run(session).await,
        Verb::Completions(args) => Ok(completions::run(&args, session)),
        Verb::GitCredential(args) => git_credential::run(&args, session),
    }
}

/// A part of a list.
#[derive(Clone, Debug, clap::Args)]
pub struct Pages {
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
}

impl Pages {
    fn paging(&self) -> Paging {
        Paging { after: self.after.clone(), limit: Some(self.limit) }
    }

    /// Says how to see the rest, where there is one.
    fn more(session: &Session, next: Option<&String>) {
        if let Some(next) = next {
            session.out.note(fill!(session.lang, &msg::MORE, next = next));
        }
    }
}

/// A rollout just started: watched to its end, unless the caller only wants it begun.
async fn see_through(session: &Session, client: &Client, started: Rollout, wait: &Wait) -> Result<Exit, Failure> {
    if wait.no_wait {
        if session.json {
            session.out.json(&started);
        } else {
            session.out.line(follow::rollout::headline(session, &started));
            if let Some(why) = follow::rollout::waits_for(&started) {
                session.out.line(fill!(session.lang, &msg::WAITS, text = why));
            }
            session.out.line(fill!(session.lang, &msg::FOLLOW_ROLLOUT, id = started.id));
        }
        return Ok(Exit::Ok);
    }
    let id = started.id;
    let ended = follow::patiently(wait.limit()?, follow::rollout::follow(session, client, id)).await;
    if matches!(ended, Err(Failure::TimedOut | Failure::Interrupted)) {
        session.out.note(fill!(session.lang, &msg::GOES_ON, command = format!("tradewind rollout show {id}")));
    }
    let ended = ended?;
    if session.json {
        session.out.json(&ended);
    } else {
        follow::rollout::report(session, &ended);
        follow::rollout::last_words(session, client, &ended).await;
    }
    Ok(follow::rollout::exit(&ended))
}

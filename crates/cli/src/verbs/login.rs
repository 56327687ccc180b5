//! Exchanges a one-time code for a token, and makes `git push` work.

use crate::{
    credentials::{Credentials, Login},
    exit::Exit,
    failure::Failure,
    faults, fill, msg, remote,
    session::Session,
};
use std::io::{BufRead, IsTerminal, Write};
use tradewind_api::{Client, v1};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[arg(long)]
    pub no_git: bool,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let lang = session.lang;
    let keyring = session.keyring()?;
    let mut all: Credentials = keyring.read()?;
    let code = match args.code {
        Some(c) => c,
        None => ask(session)?,
    };
    let name = args.name.unwrap_or_else(|| whoami(session));
    // A token of an earlier login has no say in a new one.
    let client = Client::new(session.server())?.with_lang(lang).patience(session.around.patience);
    let made = client.login(&v1::Login { code, name }).await?;
    let server = session.server().to_owned();
    let v1::NewToken { token, info } = made;
    all.servers
        .insert(server.clone(), Login { token, id: info.id, name: info.name.clone(), expires_at: info.expires_at });
    all.current = Some(server.clone());
    keyring.write(&all)?;
    if session.json {
        session.out.json(&info);
    } else {
        let until = info.expires_at.map_or_else(|| msg::FOREVER.get(lang).to_owned(), |t| session.when().date(t));
        session.out.line(fill!(lang, &msg::LOGGED_IN, server = server, name = info.name, until = until));
    }
    if !args.no_git {
        teach_git(session)?;
        remote::ensure(session, None)?;
    }
    Ok(Exit::Ok)
}

fn ask(session: &Session) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let mut err = std::io::stderr();
        let _ = write!(err, "{}", msg::ASK_CODE.get(session.lang));
        let _ = err.flush();
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(Failure::machine("stdin"))?;
    match line.trim() {
        "" => Err(Fault::new(&faults::NO_CODE).into()),
        code => Ok(code.to_owned()),
    }
}

/// `li.wei@laptop`.
fn whoami(session: &Session) -> String {
    let var = |k: &str| (session.around.var)(k).filter(|v| !v.is_empty());
    let user = var("USER").or_else(|| var("LOGNAME")).unwrap_or_else(|| "someone".into());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    }
}

/// Tells git to ask this program for the server's password, and no other helper.
fn teach_git(session: &Session) -> Result<(), Failure> {
    let here = session.checkout();
    let key = format!("credential.{}.helper", session.server());
    let exe = std::env::current_exe().map_err(Failure::machine("/proc/self/exe"))?;
    let helper = helper_line(&exe.to_string_lossy());
    let set = here.configure(&["--replace-all", &key, ""])? && here.configure(&["--add", &key, &helper])?;
    if !session.json {
        let text = if set { &msg::GIT_TAUGHT } else { &msg::GIT_NOT_TAUGHT };
        session.out.line(fill!(session.lang, text, server = session.server(), key = key, helper = helper));
    }
    Ok(())
}

/// Git hands an absolute path to a shell together with what follows it; other characters need its `!` and quotes.
fn helper_line(exe: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if exe.chars().all(plain) {
        format!("{exe} git-credential")
    } else {
        format!("!'{}' git-credential", exe.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_or_quotes_is_quoted_for_gits_shell() {
        assert_eq!(helper_line("/usr/local/bin/tradewind"), "/usr/local/bin/tradewind git-credential");
        assert_eq!(helper_line("/home/a b/tw"), "!'/home/a b/tw' git-credential");
        assert_eq!(helper_line("/home/o'neil/tw"), r"!'/home/o'\''neil/tw' git-credential");
    }
}

//! Exchanges a one-time code for a token, and makes `git push` work.

use crate::{
    ask,
    credentials::{Credentials, Login},
    exit::Exit,
    failure::Failure,
    faults, fill, msg, remote,
    session::Session,
};
use std::io::{BufRead, IsTerminal, Write};
use tradewind_api::{Client, v1};
use tradewind_model::fault::Fault;

/// The password was right.
const SECOND_FACTOR: &str = "TW-AUTH-014";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Signs in with a password.
    #[arg(long, value_name = "NAME", conflicts_with = "code")]
    pub user: Option<String>,
    /// Becomes a user first.
    #[arg(long, value_name = "CODE", requires = "email", conflicts_with_all = ["code", "user"])]
    pub invite: Option<String>,
    #[arg(long, value_name = "ADDRESS", requires = "invite")]
    pub email: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[arg(long)]
    pub no_git: bool,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let lang = session.lang;
    let keyring = session.keyring()?;
    let mut all: Credentials = keyring.read()?;
    // A token of an earlier login has no say in a new one.
    let client = Client::new(session.server())?.with_lang(lang).patience(session.around.patience);
    let made = token(&args, session, &client).await?;
    let server = session.server().to_owned();
    let v1::NewToken { token, info } = made;
    let name = info.owner.clone().unwrap_or_else(|| info.name.clone());
    all.servers.insert(server.clone(), Login { token, id: info.id, name: name.clone(), expires_at: info.expires_at });
    all.current = Some(server.clone());
    keyring.write(&all)?;
    if session.json {
        session.out.json(&info);
    } else {
        let until = info.expires_at.map_or_else(|| msg::FOREVER.get(lang).to_owned(), |t| session.when().date(t));
        session.out.line(fill!(lang, &msg::LOGGED_IN, server = server, name = name, until = until));
    }
    if !args.no_git {
        teach_git(session)?;
        remote::ensure(session, None)?;
    }
    Ok(Exit::Ok)
}

/// By a one-time code, by an invitation, or by name and password.
async fn token(args: &Args, session: &Session, client: &Client) -> Result<v1::NewToken, Failure> {
    let name = args.name.clone().unwrap_or_else(|| whoami(session));
    let (handle, password) = match (&args.invite, &args.email, &args.user) {
        (Some(code), Some(email), _) => {
            let password = new_password(session)?;
            let accept = v1::AcceptInvitation { code: code.clone(), email: email.clone(), password: password.clone() };
            (client.accept_invitation(&accept).await?.handle, password)
        }
        (_, _, Some(handle)) => {
            let prompt = fill!(session.lang, &msg::ASK_PASSWORD, name = handle);
            (handle.clone(), ask::hidden(session, &prompt, Fault::new(&faults::NO_PASSWORD))?)
        }
        _ => {
            let code = match &args.code {
                Some(code) => code.clone(),
                None => code_of_terminal(session)?,
            };
            return Ok(client.login(&v1::Login { code, name }).await?);
        }
    };
    let mut with = v1::SignIn { handle, password, code: None, name: Some(name) };
    match client.sign_in(&with).await {
        Err(e) if e.problem().is_some_and(|p| p.code == SECOND_FACTOR) => {
            let prompt = msg::ASK_SECOND.get(session.lang);
            with.code = Some(ask::hidden(session, prompt, Fault::new(&faults::NO_PASSWORD))?);
            Ok(client.sign_in(&with).await?)
        }
        answer => Ok(answer?),
    }
}

/// Typed twice where it cannot be seen.
pub(super) fn new_password(session: &Session) -> Result<String, Failure> {
    let lang = session.lang;
    let new = ask::hidden(session, msg::ASK_NEW.get(lang), Fault::new(&faults::NO_PASSWORD))?;
    if session.around.typed.is_some() {
        let again = ask::hidden(session, msg::ASK_AGAIN.get(lang), Fault::new(&faults::NO_PASSWORD))?;
        if again != new {
            return Err(Fault::new(&faults::NOT_THE_SAME).into());
        }
    }
    Ok(new)
}

fn code_of_terminal(session: &Session) -> Result<String, Failure> {
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

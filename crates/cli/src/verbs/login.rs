//! Exchanges a one-time code for a token, and makes `git push` work.

use crate::{
    ask,
    credentials::{Credentials, Keyring, Login},
    exit::Exit,
    failure::Failure,
    faults, fill, msg, remote,
    session::Session,
};
use std::io::{BufRead, IsTerminal, Write};
use tradewind_api::{Client, v1};
use tradewind_model::{fault::Fault, id::Digest};

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
    /// Of the server's authority, compared by a person.
    #[arg(long, value_name = "SHA256", conflicts_with = "ca")]
    pub fingerprint: Option<String>,
    #[arg(long)]
    pub no_git: bool,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let lang = session.lang;
    let keyring = session.keyring()?;
    let mut all: Credentials = keyring.read()?;
    // A token of an earlier login has no say in a new one.
    let authorities = match &args.fingerprint {
        Some(given) => Some(compared(given, session).await?),
        None => session.authorities().map(str::to_owned),
    };
    let client = session.stranger(authorities.as_deref())?;
    let made = token(&args, session, &client).await?;
    let server = session.server().to_owned();
    let v1::NewToken { token, info } = made;
    let name = info.owner.clone().unwrap_or_else(|| info.name.clone());
    let kept = authorities.clone();
    let login = Login { token, id: info.id, name: name.clone(), expires_at: info.expires_at, authorities: kept };
    all.servers.insert(server.clone(), login);
    all.current = Some(server.clone());
    keyring.write(&all)?;
    if session.json {
        session.out.json(&info);
    } else {
        let until = info.expires_at.map_or_else(|| msg::FOREVER.get(lang).to_owned(), |t| session.when().date(t));
        session.out.line(fill!(lang, &msg::LOGGED_IN, server = server, name = name, until = until));
    }
    if !args.no_git {
        teach_git(session, &keyring, authorities.as_deref())?;
        remote::ensure(session, None)?;
    }
    Ok(Exit::Ok)
}

/// The certificate with this fingerprint, of those the server shows.
async fn compared(fingerprint: &str, session: &Session) -> Result<String, Failure> {
    let digits: String = fingerprint.trim().chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    let digits = digits.strip_prefix("sha256").unwrap_or(&digits);
    let bad = |_| Fault::new(&faults::BAD_FINGERPRINT).with("value", fingerprint);
    let wanted: Digest = format!("sha256:{digits}").parse().map_err(bad)?;
    let shown = tradewind_api::shown_by(session.server()).await?;
    let found: Vec<String> = shown.iter().map(|s| s.fingerprint.to_string()).collect();
    let same = shown.into_iter().find(|s| s.fingerprint == wanted);
    let other = || Fault::new(&faults::OTHER_FINGERPRINT).with("url", session.server()).with("found", found.join(", "));
    Ok(same.ok_or_else(other)?.pem)
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

/// Tells git to ask this program for the server's password, and no other helper; and whom to believe about the server.
fn teach_git(session: &Session, keyring: &Keyring, authorities: Option<&str>) -> Result<(), Failure> {
    let here = session.checkout();
    let key = format!("credential.{}.helper", session.server());
    let exe = std::env::current_exe().map_err(Failure::machine("/proc/self/exe"))?;
    let helper = helper_line(&exe.to_string_lossy());
    let set = here.configure(&["--replace-all", &key, ""])? && here.configure(&["--add", &key, &helper])?;
    let trust = format!("http.{}.sslCAInfo", session.server());
    let file = keyring.write_authorities(session.server(), authorities)?;
    match authorities {
        Some(_) => here.configure(&["--replace-all", &trust, &file.to_string_lossy()])?,
        // Where there was none, git says no.
        None => here.configure(&["--unset-all", &trust])?,
    };
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

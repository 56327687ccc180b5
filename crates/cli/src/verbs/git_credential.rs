//! Git's credential helper protocol: `key=value` lines in and out.

use crate::{credentials::normal, exit::Exit, failure::Failure, session::Session};
use std::io::Read;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// get, store or erase; only get does something.
    pub action: String,
}

pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut asked = String::new();
    std::io::stdin().lock().take(1 << 16).read_to_string(&mut asked).map_err(Failure::machine("stdin"))?;
    if args.action == "get"
        && let Some(token) = token(&asked, session)?
    {
        session.out.line(format!("username=tradewind\npassword={token}"));
    }
    Ok(Exit::Ok)
}

/// The token of the server that git asks about; never that of another.
fn token(asked: &str, session: &Session) -> Result<Option<String>, Failure> {
    let value = |key: &str| asked.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
    let (Some(protocol), Some(host)) = (value("protocol"), value("host")) else { return Ok(None) };
    let origin = format!("{protocol}://{host}");
    if let Some(token) = session.token().filter(|_| origin_of(session.server()) == origin) {
        return Ok(Some(token.to_owned()));
    }
    let all = session.keyring()?.read()?;
    Ok(all.servers.into_iter().find(|(server, _)| origin_of(server) == origin).map(|(_, login)| login.token))
}

/// `http://host:port`, without a path.
fn origin_of(server: &str) -> &str {
    let server = normal(server);
    let host = server.find("://").map_or(0, |i| i + 3);
    server[host..].find('/').map_or(server, |i| &server[..host + i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_without_paths() {
        assert_eq!(origin_of("http://a:7070/tw/"), "http://a:7070");
        assert_eq!(origin_of("https://a"), "https://a");
    }
}

//! What runs as a hook: passes git's question to the server and the server's words to the pusher's terminal.
//! Without an async runtime; it starts in a millisecond.

use super::{
    hooks::nearby,
    wire::{Ask, EXE_VAR, Hook, PUSH_VAR, SOCKET_VAR, Tell, Update},
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, thiserror::Error)]
enum HookError {
    #[error("this runs as a git hook of the server only ({0} is not set)")]
    NotAHook(&'static str),
    #[error("git's list of refs cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("the server is not there")]
    NoServer(#[source] std::io::Error),
    #[error("the server stopped in the middle of it")]
    Broken(#[source] std::io::Error),
}

/// `tradewind git-hook pre-receive|post-receive`, with `name` the last word. A pre-receive that cannot ask rejects the
/// push; a post-receive that cannot only says so, because the refs have moved already.
pub fn run(name: &str) -> ExitCode {
    let Some(hook) = Hook::named(name) else {
        eprintln!("`{name}` is not a hook of Tradewind");
        return ExitCode::from(2);
    };
    match ask(hook) {
        Ok(reject) => ExitCode::from(u8::from(reject)),
        Err(error) => {
            say(&format!("Tradewind: {error}."));
            match hook {
                Hook::PreReceive => {
                    say("Nothing was changed; push again in a moment.");
                    ExitCode::FAILURE
                }
                Hook::PostReceive => {
                    say("The push is stored; its run starts by itself when the server is back.");
                    ExitCode::SUCCESS
                }
            }
        }
    }
}

fn ask(hook: Hook) -> Result<bool, HookError> {
    let var = |name| std::env::var_os(name).ok_or(HookError::NotAHook(name));
    let socket = PathBuf::from(var(SOCKET_VAR)?);
    let push = var(PUSH_VAR)?.to_string_lossy().into_owned();
    let updates = updates(std::io::stdin().lock()).map_err(HookError::Unreadable)?;
    let path = |name| std::env::var_os(name).map(PathBuf::from).map(absolute);
    let ask = Ask {
        hook,
        push,
        objects: path("GIT_OBJECT_DIRECTORY"),
        alternates: path("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        updates,
        options: options(),
    };
    let server = nearby(&socket, |p| UnixStream::connect(p)).map_err(HookError::NoServer)?;
    let mut line = serde_json::to_string(&ask).expect("a question serializes");
    line.push('\n');
    (&server).write_all(line.as_bytes()).map_err(HookError::Broken)?;
    for line in BufReader::new(&server).lines() {
        let line = line.map_err(HookError::Broken)?;
        match serde_json::from_str(&line) {
            Ok(Tell::Line(text)) => say(&text),
            Ok(Tell::Done { reject }) => return Ok(reject),
            Err(e) => return Err(HookError::Broken(e.into())),
        }
    }
    Err(HookError::Broken(std::io::ErrorKind::UnexpectedEof.into()))
}

/// What the pusher said with `-o`, as git passes it on.
fn options() -> Vec<String> {
    let var = |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned());
    let count: usize = var("GIT_PUSH_OPTION_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0);
    (0..count.min(64)).filter_map(|n| var(&format!("GIT_PUSH_OPTION_{n}"))).collect()
}

/// Every ref that moves. A name need not be UTF-8; one that is left out would be one that nobody checks.
fn updates(mut from: impl std::io::Read) -> std::io::Result<Vec<Update>> {
    let mut lines = Vec::new();
    from.read_to_end(&mut lines)?;
    let text = String::from_utf8_lossy(&lines);
    let odd = |line: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, line.to_owned());
    text.lines().map(|line| Update::parse(line).ok_or_else(|| odd(line))).collect()
}

/// Hooks run in the repository's folder, and git gives some paths relative to it.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// A pusher who has gone away is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// The hooks folder: for each hook a fixed text that runs the program the environment names.
///
/// # Errors
/// When the folder cannot be written.
pub fn install(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    std::fs::create_dir_all(dir)?;
    for hook in Hook::ALL {
        let text = format!("#!/bin/sh\nexec \"${EXE_VAR}\" git-hook {}\n", hook.name());
        let made = dir.join(format!(".{}", hook.name()));
        let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o755).open(&made)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
        drop(file);
        std::fs::rename(&made, dir.join(hook.name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ref_is_passed_over() {
        let (old, new) = ("0".repeat(40), "1".repeat(40));
        let good = format!("{old} {new} refs/heads/main\n");
        let odd = [format!("{old} {new} refs/heads/").as_bytes(), b"\xff\n", good.as_bytes()].concat();
        let names: Vec<String> = updates(&*odd).unwrap().into_iter().map(|u| u.name).collect();
        assert_eq!(names, ["refs/heads/\u{fffd}", "refs/heads/main"]);
        assert!(updates(format!("{good}what is this\n").as_bytes()).is_err());
        assert!(updates(&b""[..]).unwrap().is_empty());
    }
}

//! What a hook and the server say to each other: one JSON value a line. Both ends are the same program.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tradewind_model::id::Commit;

/// Where the server's socket is; in the environment of the git processes the server starts.
pub const SOCKET_VAR: &str = "TRADEWIND_HOOK_SOCKET";
/// Which push a hook belongs to.
pub const PUSH_VAR: &str = "TRADEWIND_PUSH";
/// The program that hooks run.
pub const EXE_VAR: &str = "TRADEWIND_HOOK_EXE";

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    PreReceive,
    PostReceive,
}

impl Hook {
    pub const ALL: [Self; 2] = [Self::PreReceive, Self::PostReceive];

    /// Git's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreReceive => "pre-receive",
            Self::PostReceive => "post-receive",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|h| h.name() == name)
    }
}

/// A hook's only message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ask {
    pub hook: Hook,
    pub push: String,
    /// Set by git while a push is not accepted.
    pub objects: Option<PathBuf>,
    pub alternates: Option<PathBuf>,
    pub updates: Vec<Update>,
    /// What `git push -o` said.
    #[serde(default)]
    pub options: Vec<String>,
}

/// A ref that moves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Update {
    pub old: Commit,
    pub new: Commit,
    #[serde(rename = "ref")]
    pub name: String,
}

impl Update {
    /// A line of a hook's standard input: `<old> <new> <ref>`.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let (old, new, name) = (words.next()?, words.next()?, words.next()?);
        Some(Self { old: old.parse().ok()?, new: new.parse().ok()?, name: name.to_owned() })
    }

    pub fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }

    pub fn is_tag(&self) -> bool {
        self.name.starts_with("refs/tags/")
    }

    pub fn is_deletion(&self) -> bool {
        self.new.as_str().bytes().all(|b| b == b'0')
    }
}

/// The server's messages. After `Done` nothing comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    /// A line for the pusher's terminal.
    Line(String),
    Done {
        reject: bool,
    },
}

//! The git remote over smart HTTP: git's own http-backend behind our door, and what its hooks ask us.
//!
//! A push goes: [`backend`] pumps it through `git http-backend`; before a ref moves, the pre-receive hook asks [`check`]
//! whether the pushed commits can be deployed at all; after it has moved, the post-receive hook asks [`follow`] to start
//! the runs and to say, live, how they go. The hooks are this program again (`tradewind git-hook …`, [`hook`]) and speak
//! over a Unix socket to [`hooks`]. Whoever dies in between, [`reconcile`] finds refs without a run and starts it.
//!
//! Nothing is read from a repository's own configuration, and nothing a push brings can reach a hook's environment.

pub mod answer;
mod backend;
mod check;
mod commit;
pub mod fetch;
mod follow;
pub mod forge;
pub mod history;
pub mod hook;
pub mod hooks;
pub mod push;
pub mod reconcile;
pub mod repo;
pub mod routes;
mod scan;
pub mod wire;
mod words;

pub use repo::{GitError, Quarantine, Repos};

use std::path::PathBuf;

/// The git remote of a server.
#[derive(Clone, Debug)]
pub struct Remote {
    pub repos: Repos,
    pub pushes: push::Pushes,
    exe: PathBuf,
    socket: PathBuf,
}

impl Remote {
    pub fn new(repositories: PathBuf, hooks: PathBuf, exe: PathBuf, socket: PathBuf) -> Self {
        Self { repos: Repos::new(repositories, hooks), pushes: push::Pushes::default(), exe, socket }
    }
}

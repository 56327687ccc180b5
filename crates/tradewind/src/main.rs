//! The one binary. It plays every role: the supervisor (`up`), the roles it keeps, the shim, and the command line.

mod admin;
mod alloc;
mod audit;
mod backup;
mod cli;
mod config;
mod doctor;
mod down;
mod faults;
mod first;
mod folder;
#[cfg(test)]
mod guide;
mod help;
mod logging;
#[cfg(test)]
mod mentions;
mod msg;
mod process;
mod role;
mod roles;
mod say;
mod supervisor;
mod up;

use std::{path::Path, process::ExitCode};

#[global_allocator]
static ALLOCATOR: alloc::ByRole = alloc::ByRole;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let role = args.next();
    match (role.as_deref().and_then(|r| r.to_str()), args.next()) {
        // As many as instances and jobs: nothing else of the binary is set up for them, and no thread is started.
        (Some("shim"), Some(dir)) => tradewind_targets::shim::main(Path::new(&dir)),
        (Some("git-hook"), Some(hook)) => roles::git_hook(&hook.to_string_lossy()),
        _ => cli::main().into(),
    }
}

//! `tradewind-git-hook git-hook NAME`: the hidden verb of `tradewind`, as a program of its own for this crate's tests.

fn main() -> std::process::ExitCode {
    tradewind_server::git::hook::run(&std::env::args().nth(2).unwrap_or_default())
}

//! The agent and its shim without the rest of the binary: what this crate's tests start, and kill.
//!
//!     tradewind-agent-host shim DIR
//!     tradewind-agent-host agent DATA SERVER KEY EDGE_SOCKET

use std::{env, ffi::OsString, path::PathBuf};
use tradewind_agent::{AgentConfig, RunAs};
use tradewind_targets::users::may_switch_user;

fn main() {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    match args.first().and_then(|a| a.to_str()) {
        // Before any thread is started.
        Some("shim") => tradewind_targets::shim::main(&PathBuf::from(args.last().cloned().unwrap_or_default())),
        Some("agent") => agent(&args[1..]),
        _ => eprintln!("expected `shim` or `agent`"),
    }
}

fn agent(args: &[OsString]) {
    let [data, server, key, edge] = args else {
        return eprintln!("expected DATA SERVER KEY EDGE_SOCKET");
    };
    let text = |s: &OsString| s.to_string_lossy().into_owned();
    let own = env::current_exe().expect("a process knows its program");
    let server = text(server).parse().expect("a server's address");
    let mut config = AgentConfig::new(data, server, text(key), (own, vec!["shim".into()]));
    config.edge_socket = Some(edge.into());
    if may_switch_user().is_err() {
        config.run_as = RunAs::SameUser;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Err(error) = runtime.block_on(tradewind_agent::run(config, std::future::pending())) {
        eprintln!("{error}");
    }
}

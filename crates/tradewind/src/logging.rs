//! The roles' logs: to stderr, which the supervisor turns into `log/ROLE.log`.

use crate::config::{Config, registry as set};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Sets the process's log up; called once, by a role.
///
/// # Errors
/// With a filter that is not one.
pub fn init(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(config.text(&set::LOG).unwrap_or("info"))?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match config.text(&set::LOG_FORMAT) {
        Some("json") => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
    Ok(())
}

//! The roles' logs: to stderr, which the supervisor turns into `log/ROLE.log`.

use crate::config::{Config, registry as set};
use std::io::{self, IsTerminal, Write};
use tracing_subscriber::{EnvFilter, fmt};

/// Sets the process's log up; called once, by a role.
///
/// # Errors
/// With a filter that is not one.
pub fn init(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(config.text(&set::LOG).unwrap_or("info"))?;
    let log = fmt().with_env_filter(filter).with_writer(|| Lossy(io::stderr()));
    let log = log.with_ansi(io::stderr().is_terminal()).log_internal_errors(false);
    match config.text(&set::LOG_FORMAT) {
        Some("json") => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
    Ok(())
}

/// Writes what it can. On a full disk a line of the log is lost; said aloud, the failure would end what was being logged.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }
    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn a_full_disk_costs_lines_and_nothing_else() {
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(full().write_all(b"x").is_err());
        Lossy(full()).write_all(b"x").unwrap();
    }
}

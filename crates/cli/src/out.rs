//! Where words go: results to stdout, everything about getting there to stderr. What a closed pipe no longer takes is
//! dropped.

use crate::table::Table;
use serde::Serialize;
use std::{
    fmt,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex},
};

type Sink = Arc<Mutex<dyn Write + Send>>;

#[derive(Clone)]
pub struct Out {
    out: Sink,
    err: Sink,
    /// Colours and redrawing on stdout.
    pub terminal: bool,
    /// Progress bars on stderr.
    pub bars: bool,
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("terminal", &self.terminal).field("bars", &self.bars).finish_non_exhaustive()
    }
}

impl Out {
    /// The process's own streams.
    pub fn standard() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        Self {
            out: Arc::new(Mutex::new(std::io::stdout())),
            err: Arc::new(Mutex::new(std::io::stderr())),
            terminal: std::io::stdout().is_terminal() && !plain,
            bars: std::io::stderr().is_terminal() && !plain,
        }
    }

    /// Into the given buffers, as into pipes.
    pub fn piped(out: Sink, err: Sink) -> Self {
        Self { out, err, terminal: false, bars: false }
    }

    pub fn line(&self, text: impl AsRef<str>) {
        write(&self.out, &format!("{}\n", text.as_ref()));
    }
    /// As it is, without a line's end: parts of logs.
    pub fn raw(&self, text: &str) {
        write(&self.out, text);
    }
    pub fn note(&self, text: impl AsRef<str>) {
        write(&self.err, &format!("{}\n", text.as_ref()));
    }
    pub fn table(&self, table: &Table) {
        write(&self.out, &table.render(self.terminal));
    }
    /// A value as people and `jq` read it.
    pub fn json<T: Serialize>(&self, value: &T) {
        self.line(serde_json::to_string_pretty(value).unwrap_or_else(|e| format!("\"{e}\"")));
    }
    /// One value of a stream: one line.
    pub fn json_line<T: Serialize>(&self, value: &T) {
        self.line(serde_json::to_string(value).unwrap_or_else(|e| format!("\"{e}\"")));
    }
}

fn write(to: &Sink, text: &str) {
    if let Ok(mut to) = to.lock() {
        let _ = to.write_all(text.as_bytes());
        let _ = to.flush();
    }
}

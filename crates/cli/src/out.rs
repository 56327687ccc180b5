//! Where words go: results to stdout, everything about getting there to stderr. What a closed pipe no longer takes is
//! dropped.

use crate::table::Table;
use serde::Serialize;
use std::{
    borrow::Cow,
    fmt,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex},
};
use tradewind_model::said::steers;

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
        write(&self.out, &format!("{}\n", tame(text.as_ref())));
    }
    /// As it is, without a line's end: parts of logs.
    pub fn raw(&self, text: &str) {
        write(&self.out, text);
    }
    /// What somebody else wrote, to the byte; on a terminal, without what would steer it.
    pub fn verbatim(&self, text: &str) {
        if self.terminal { self.text(text) } else { self.raw(text) }
    }
    /// Several lines, with their own ends.
    pub fn text(&self, text: &str) {
        write(&self.out, &tame(text));
    }
    pub fn note(&self, text: impl AsRef<str>) {
        write(&self.err, &format!("{}\n", tame(text.as_ref())));
    }
    pub fn table(&self, table: &Table) {
        write(&self.out, &tame(&table.render(self.terminal)));
    }
    /// A value as people and `jq` read it.
    pub fn json<T: Serialize>(&self, value: &T) {
        self.raw(&(serde_json::to_string_pretty(value).unwrap_or_else(|e| format!("\"{e}\"")) + "\n"));
    }
    /// One value of a stream: one line.
    pub fn json_line<T: Serialize>(&self, value: &T) {
        self.raw(&(serde_json::to_string(value).unwrap_or_else(|e| format!("\"{e}\"")) + "\n"));
    }
}

/// Colours of ours, and nothing else that a terminal acts on: in every sentence there may be a name, a note or a commit's
/// title that somebody wrote.
pub(crate) fn tame(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = COLOURS.iter().find(|colour| rest.starts_with(**colour));
        let taken = match colour {
            Some(colour) => {
                out.push_str(colour);
                colour.len()
            }
            None => {
                out.push(if steers(c) { char::REPLACEMENT_CHARACTER } else { c });
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out.into()
}

/// What [`Paint`](crate::table::Paint) writes.
const COLOURS: [&str; 6] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];

fn write(to: &Sink, text: &str) {
    if let Ok(mut to) = to.lock() {
        let _ = to.write_all(text.as_bytes());
        let _ = to.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Paint;

    #[test]
    fn nothing_but_our_colours_reaches_a_terminal() {
        for paint in [Paint::Good, Paint::Warn, Paint::Bad, Paint::Faint, Paint::Bold] {
            let painted = paint.apply("健康\tx", true);
            assert_eq!(tame(&painted), painted);
        }
        assert_eq!(tame("two\nlines"), "two\nlines");
        for (evil, shown) in [
            ("\x1b[2J\x1b[H", "\u{fffd}[2J\u{fffd}[H"),
            ("\x1b]0;title\x07", "\u{fffd}]0;title\u{fffd}"),
            ("done\rfail", "done\u{fffd}fail"),
            ("\u{9b}31m\u{7f}\u{8}", "\u{fffd}31m\u{fffd}\u{fffd}"),
            ("abc\u{202e}cba", "abc\u{fffd}cba"),
            ("\x1b[31\x1b[31m", "\u{fffd}[31\x1b[31m"),
        ] {
            assert_eq!(tame(evil), shown);
        }
    }
}

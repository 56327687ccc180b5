//! Events as lines of CSV (RFC 4180), for spreadsheets.
//!
//! Names and texts in events come from people and from what they push. A spreadsheet takes a cell that begins with `=`
//! for a formula, and a terminal takes control characters for commands: the first gets a `'` before it, the others are
//! written as `\u{…}`. So this form is for reading; [`super::line`] is the one that can be verified.

use crate::record::Sealed;
use tradewind_model::time::Timestamp;

const COLUMNS: [&str; 14] = [
    "seq",
    "at",
    "kind",
    "actor_type",
    "actor",
    "subject",
    "service",
    "env",
    "cause",
    "before",
    "after",
    "org",
    "id",
    "hash",
];

/// The first line.
pub fn head() -> String {
    COLUMNS.join(",") + "\r\n"
}

/// With its line break. What is withheld has its number and its hash only.
pub fn write(event: &Sealed) -> String {
    let hash = event.hash.map(|h| h.to_string()).unwrap_or_default();
    let seq = event.seq.to_string();
    let none = String::new;
    let cells = match &event.record {
        None => {
            let mut cells: [String; 14] = std::array::from_fn(|_| String::new());
            cells[0] = seq;
            cells[13] = hash;
            cells
        }
        Some(r) => [
            seq,
            Timestamp(r.at).to_rfc3339(),
            r.kind.clone(),
            r.actor_type.clone(),
            r.actor_name.clone(),
            r.subject.clone(),
            r.service.clone().unwrap_or_else(none),
            r.env.clone().unwrap_or_else(none),
            r.cause.clone().unwrap_or_else(none),
            r.before.clone().unwrap_or_else(none),
            r.after.clone().unwrap_or_else(none),
            r.org.clone(),
            r.id.clone(),
            hash,
        ],
    };
    let cells: Vec<String> = cells.iter().map(|c| cell(c)).collect();
    cells.join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Full-width forms count as well in East Asian settings.
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r'])
    {
        out.push('\'');
    }
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if out.contains([',', '"', '\n']) { format!("\"{}\"", out.replace('"', "\"\"")) } else { out }
}

/// What a reader does not see and a terminal may act on: control characters, and those that turn the reading direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

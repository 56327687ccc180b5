//! Looks for keys in text that people push.
//!
//! A [`Scanner`] looks at lines; what it finds names the format and the place, and shows nothing of the key but its
//! first letters. Values that are plainly no keys (examples, references to variables) are left out. What somebody
//! allowed, by a comment or by a list in the repository, is found all the same and says by whom it was allowed.

mod allow;
mod checks;
pub mod diff;
mod formats;
mod generic;

pub use allow::{ALLOW_COMMENT, ALLOW_FILE, AllowList, Allowance, BadAllow};
pub use formats::{FORMATS, Format};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use std::ops::Range;

/// Bytes of a line that are looked at; a longer one is no line that a person wrote.
pub const LONGEST_LINE: usize = 64 << 10;

/// A key, where none should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub format: &'static Format,
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Its beginning, for people to recognise it by: at most 4 letters and a quarter of it.
    pub hint: String,
    pub allowed: Option<Allowance>,
    /// By which the same key is known again without being kept.
    mark: u64,
}

impl Finding {
    /// Whether it is the same key.
    pub fn same_key(&self, other: &Self) -> bool {
        self.format == other.format && self.mark == other.mark
    }
}

/// All formats, ready to look.
pub struct Scanner {
    set: RegexSet,
    each: Vec<Regex>,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scanner({} formats)", self.each.len())
    }
}

impl Default for Scanner {
    fn default() -> Self {
        // Keys are ASCII; letters of all languages would make the patterns a hundred times as large.
        let patterns = FORMATS.iter().map(|f| f.pattern);
        let sound = "the formats' patterns are sound";
        let one = |p| RegexBuilder::new(p).unicode(false).build().expect(sound);
        let set = RegexSetBuilder::new(patterns.clone()).unicode(false).size_limit(64 << 20).build();
        Self { set: set.expect(sound), each: patterns.map(one).collect() }
    }
}

impl Scanner {
    /// What is in one line, each key once: by the format that is told first in [`FORMATS`].
    pub fn line(&self, text: &str) -> Vec<(&'static Format, Range<usize>)> {
        let text = &text.as_bytes()[..text.floor_char_boundary(LONGEST_LINE)];
        let mut found: Vec<(&Format, Range<usize>)> = Vec::new();
        for index in self.set.matches(text) {
            let format = &FORMATS[index];
            for captures in self.each[index].captures_iter(text) {
                let Some(key) = captures.name("key").or_else(|| captures.get(0)) else { continue };
                let Ok(letters) = str::from_utf8(key.as_bytes()) else { continue };
                let known = found.iter().any(|(_, range)| range.start < key.end() && key.start() < range.end);
                if !known && !checks::is_example(letters) && (format.is_key)(letters) {
                    found.push((format, key.range()));
                }
            }
        }
        found
    }

    /// What is in lines that were added to a file. Of each: its number, its text, and the text above it (`None` at the
    /// top), where a comment may stand that allows it.
    pub fn lines<'a>(
        &self,
        file: &str,
        lines: impl IntoIterator<Item = (usize, &'a str, Option<&'a str>)>,
        list: &AllowList,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (number, text, above) in lines {
            for (format, range) in self.line(text) {
                let allowed = allow::by_comment(text, above).or_else(|| list.allows(file));
                let (hint, mark) = (hint(&text[range.clone()]), mark(&text[range]));
                findings.push(Finding { format, file: file.to_owned(), line: number, hint, allowed, mark });
            }
        }
        findings
    }
}

/// Within this process, and of no use to anybody who has only it.
fn mark(key: &str) -> u64 {
    use std::hash::BuildHasher;
    static STATE: std::sync::OnceLock<std::hash::RandomState> = std::sync::OnceLock::new();
    STATE.get_or_init(std::hash::RandomState::new).hash_one(key)
}

fn hint(key: &str) -> String {
    let shown = (key.len() / 4).min(4);
    format!("{}…", &key[..key.floor_char_boundary(shown)])
}

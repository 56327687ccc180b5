//! What somebody says is no secret: beside the line, or in a list of the repository.

use globset::{GlobBuilder, GlobMatcher};

/// In a comment on the line or on the one above it; what follows is the reason.
pub const ALLOW_COMMENT: &str = "tradewind:allow-secret";
/// At the repository's root: lines `PATTERN REASON`.
pub const ALLOW_FILE: &str = ".tradewind-allow-secrets";

/// Who allowed a finding, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// `None`: a comment beside it. Otherwise the line of [`ALLOW_FILE`].
    pub listed: Option<usize>,
    /// May be empty in a comment.
    pub reason: String,
}

/// A line of [`ALLOW_FILE`] that says nothing usable; it allows nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAllow {
    #[error("line {0}: a reason is missing behind the pattern")]
    NoReason(usize),
    #[error("line {line}: {detail}")]
    Pattern { line: usize, detail: String },
}

/// [`ALLOW_FILE`], read.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<(usize, GlobMatcher, String)>);

impl AllowList {
    /// Patterns as in `.gitignore`'s simple cases: `*` within a folder, `**` over folders.
    pub fn parse(text: &str) -> (Self, Vec<BadAllow>) {
        let (mut list, mut bad) = (Self::default(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((pattern, reason)) = line.split_once(char::is_whitespace) else {
                bad.push(BadAllow::NoReason(number));
                continue;
            };
            match GlobBuilder::new(pattern).literal_separator(true).build() {
                Ok(glob) => list.0.push((number, glob.compile_matcher(), reason.trim().to_owned())),
                Err(e) => bad.push(BadAllow::Pattern { line: number, detail: e.kind().to_string() }),
            }
        }
        (list, bad)
    }

    pub fn allows(&self, file: &str) -> Option<Allowance> {
        let (line, _, reason) = self.0.iter().find(|(_, glob, _)| glob.is_match(file))?;
        Some(Allowance { listed: Some(*line), reason: reason.clone() })
    }
}

pub fn by_comment(text: &str, above: Option<&str>) -> Option<Allowance> {
    let said = |line: &str| {
        let (_, reason) = line.split_once(ALLOW_COMMENT)?;
        let reason = reason.trim().trim_end_matches("*/").trim_end_matches("-->").trim();
        Some(Allowance { listed: None, reason: reason.to_owned() })
    };
    // Above, only a line that is nothing but a comment: the next key is not allowed by the one before it.
    let is_comment = |line: &&str| {
        ["#", "//", "/*", "<!--", "--", ";", "%", "'", "*"].iter().any(|c| line.trim_start().starts_with(c))
    };
    said(text).or_else(|| above.filter(is_comment).and_then(said))
}

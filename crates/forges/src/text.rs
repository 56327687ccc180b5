//! Words of a delivery: somebody else's, so they are names and nothing more before they go any further.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One line of at most `most` characters in which nothing is invisible or turns the text around.
pub fn plain(text: &str, most: usize) -> String {
    let shown: String = text.chars().take(most.saturating_mul(4)).map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(most).collect()
}

/// Controls, and what changes how the characters beside it are shown without being seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// What a forge calls one of its deliveries. It reaches logs and pages, and is compared.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Delivery(String);

impl Delivery {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'{' | b'}');
        ((1..=128).contains(&text.len()) && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A branch without its `refs/heads/`, as git allows them, and without characters nobody sees.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Branch(String);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not a branch's name: {0}")]
pub struct BadBranch(pub String);

const LONGEST_BRANCH: usize = 200;

impl Branch {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `refs/heads/…`.
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for Branch {
    type Err = BadBranch;
    /// The rules of `git check-ref-format --branch`, and ours.
    fn from_str(s: &str) -> Result<Self, BadBranch> {
        let part = |p: &str| !p.is_empty() && !p.starts_with('.') && !p.ends_with(".lock") && !p.ends_with('.');
        let odd = |c: char| is_hidden(c) || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\');
        let good = s.len() <= LONGEST_BRANCH
            && !s.starts_with('-')
            && s != "@"
            && s != "HEAD"
            && s.split('/').all(part)
            && !s.contains("..")
            && !s.contains("@{")
            && !s.chars().any(odd);
        if good { Ok(Self(s.to_owned())) } else { Err(BadBranch(plain(s, 80))) }
    }
}
impl TryFrom<String> for Branch {
    type Error = BadBranch;
    fn try_from(s: String) -> Result<Self, BadBranch> {
        s.parse()
    }
}
impl From<Branch> for String {
    fn from(b: Branch) -> Self {
        b.0
    }
}
impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

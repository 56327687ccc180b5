//! The tree, and small ways to look into it.

use crate::fault::{At, Fault};
use std::sync::Arc;

/// A stretch of a file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    pub file: Arc<str>,
    pub line: usize,
    pub col: usize,
    pub end_line: usize,
    pub end_col: usize,
}

impl Span {
    pub fn at(&self) -> At {
        At { file: self.file.to_string(), line: self.line, col: self.col }
    }
}

/// A value and where it was written: for an alias, where its anchor is.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub value: Value,
    /// As written: `!reference`, `!!str`.
    pub tag: Option<String>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar {
    pub text: Arc<str>,
    /// In quotes, or a block (`|`, `>`): text whatever it looks like.
    pub quoted: bool,
}

/// Keeps the order of the file; keys are unique.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mapping {
    pub entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub key: Key,
    pub value: Node,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    pub text: Arc<str>,
    pub span: Span,
}

impl Key {
    pub fn as_str(&self) -> &str {
        &self.text
    }
    pub fn fault(&self, code: &'static crate::fault::Code) -> Fault {
        Fault::new(code).at(self.span.at())
    }
}

impl Mapping {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key.as_str() == key)
    }
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Node)> {
        self.entries.iter().map(|e| (&e.key, &e.value))
    }
}

impl Node {
    pub fn at(&self) -> At {
        self.span.at()
    }
    pub fn fault(&self, code: &'static crate::fault::Code) -> Fault {
        Fault::new(code).at(self.at())
    }
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(s) => Some(s),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }
    /// The text of any scalar, as written.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|s| &*s.text)
    }
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(m) => Some(m),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }
    /// `key:` with nothing behind it, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|s| s.resolve(self.tag.as_deref()) == super::Resolved::Null)
    }
    /// What stands here, for a sentence in any language: its text in backquotes, `` `[…]` ``, `` `{…}` ``, `` `~` ``.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Sequence(_) => "`[…]`".into(),
            Value::Mapping(_) => "`{…}`".into(),
            Value::Scalar(_) if self.is_null() => "`~`".into(),
            Value::Scalar(s) => format!("`{}`", shorten(&s.text)),
        }
    }
}

/// One line of at most 60 characters.
fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.by_ref().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

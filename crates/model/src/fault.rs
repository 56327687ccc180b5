//! What a person is told when something is refused: a code, what happened, what to do, and where.
//!
//! Each area declares its codes once with [`faults!`](crate::faults), in both languages; texts name their arguments
//! as `{name}`. A test over every area's `ALL` keeps the languages' arguments equal and the codes unique.

use crate::said::{Said, Tell};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The languages messages come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    #[default]
    En,
    Zh,
}

impl Lang {
    /// From `zh_CN.UTF-8`, `zh-CN,zh;q=0.9`, `en`: the first language named that we have; English otherwise.
    pub fn parse(s: &str) -> Self {
        for part in s.split(',') {
            let part = part.trim().to_ascii_lowercase();
            if part.starts_with("zh") {
                return Self::Zh;
            }
            if part.starts_with("en") {
                return Self::En;
            }
        }
        Self::En
    }
}

/// A text in both languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    pub en: &'static str,
    pub zh: &'static str,
}

impl Text {
    pub fn get(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }

    /// Replaces `{name}` by its argument. A name without an argument stays as it is.
    pub fn fill<K: AsRef<str>, V: AsRef<str>>(&self, lang: Lang, args: &[(K, V)]) -> String {
        let mut rest = self.get(lang);
        let mut out = String::with_capacity(rest.len() + 32);
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            out.push_str(before);
            let Some(close) = from.find('}') else {
                rest = from;
                break;
            };
            let name = &from[1..close];
            match args.iter().find(|(k, _)| k.as_ref() == name) {
                Some((_, v)) => out.push_str(v.as_ref()),
                None => out.push_str(&from[..=close]),
            }
            rest = &from[close + 1..];
        }
        out.push_str(rest);
        out
    }
}

/// One kind of refusal.
#[derive(PartialEq, Eq, Debug)]
pub struct Code {
    /// `TW-SPEC-003`. Never reused for another meaning.
    pub id: &'static str,
    /// The HTTP status it becomes.
    pub status: u16,
    pub what: Text,
    pub fix: Text,
}

/// A position in a file a person wrote; line and column count from 1, columns in characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct At {
    pub file: String,
    pub line: usize,
    pub col: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.col)
    }
}

/// A refusal, with what it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub code: &'static Code,
    pub args: Vec<(&'static str, Said)>,
    pub at: Option<At>,
}

impl Fault {
    pub fn new(code: &'static Code) -> Self {
        Self { code, args: Vec::new(), at: None }
    }
    pub fn with(mut self, name: &'static str, value: impl Tell) -> Self {
        self.args.push((name, Said::in_both(|lang| value.tell(lang))));
        self
    }
    pub fn at(mut self, at: At) -> Self {
        self.at = Some(at);
        self
    }
    pub fn what(&self, lang: Lang) -> String {
        self.code.what.fill(lang, &self.args_in(lang))
    }
    /// What happened, to be told within another sentence.
    pub fn said(&self) -> Said {
        Said::in_both(|lang| self.what(lang))
    }
    pub fn fix(&self, lang: Lang) -> String {
        self.code.fix.fill(lang, &self.args_in(lang))
    }
    fn args_in(&self, lang: Lang) -> Vec<(&'static str, &str)> {
        self.args.iter().map(|(name, value)| (*name, value.get(lang))).collect()
    }
    pub fn problem(&self, lang: Lang) -> Problem {
        Problem {
            kind: format!("/help/{}", self.code.id),
            code: self.code.id.to_owned(),
            status: self.code.status,
            title: self.what(lang),
            fix: self.fix(lang),
            at: self.at.clone(),
            more: Vec::new(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        write!(f, "{}: {}", self.code.id, self.what(Lang::En))
    }
}
impl std::error::Error for Fault {}

/// A [`Fault`] on the wire: `application/problem+json` (RFC 9457) with our members.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub code: String,
    pub status: u16,
    /// What happened, in the caller's language.
    pub title: String,
    /// What to do about it.
    pub fix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// A file's other faults: all are reported at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Problem>,
}

/// Declares an area's codes:
/// `faults! { UNKNOWN_KEY = "TW-SPEC-003", 422, "what", "什么", "do", "怎么办"; }`
/// gives `pub static UNKNOWN_KEY: Code` and `pub static ALL: &[&Code]`.
#[macro_export]
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $status:literal, $en:literal, $zh:literal, $fix_en:literal, $fix_zh:literal;)+) => {
        $($(#[$doc])* pub static $name: $crate::fault::Code = $crate::fault::Code {
            id: $id,
            status: $status,
            what: $crate::fault::Text { en: $en, zh: $zh },
            fix: $crate::fault::Text { en: $fix_en, zh: $fix_zh },
        };)+
        /// Every code of this area.
        pub static ALL: &[&$crate::fault::Code] = &[$(&$name),+];
    };
}

/// The names a text has places for.
pub(crate) fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|(n, _)| n).collect()
}

/// What is wrong with an area's texts: arguments that differ between languages, codes used twice. For tests.
pub fn check_catalog(codes: &[&Code]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for c in codes {
        if !seen.insert(c.id) {
            wrong.push(format!("{} is declared twice", c.id));
        }
        for t in [&c.what, &c.fix] {
            if placeholders(t.en) != placeholders(t.zh) {
                wrong.push(format!("{}: arguments differ between `{}` and `{}`", c.id, t.en, t.zh));
            }
            if t.en.trim().is_empty() || t.zh.trim().is_empty() {
                wrong.push(format!("{}: an empty text", c.id));
            }
        }
    }
    wrong
}

/// An error with its sources, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        out.push_str(&format!(": {e}"));
        next = e.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    mod area {
        faults! {
            BROKEN = "TW-TEST-001", 422, "`{key}` is broken", "`{key}` 坏了", "mend `{key}`", "修好 `{key}`";
        }
    }

    #[test]
    fn texts_are_filled_in_both_languages_and_unknown_names_stay() {
        let f = Fault::new(&area::BROKEN).with("key", "run.port");
        assert_eq!(f.what(Lang::En), "`run.port` is broken");
        assert_eq!(f.fix(Lang::Zh), "修好 `run.port`");
        assert_eq!(Text { en: "a {b} {", zh: "" }.fill::<&str, &str>(Lang::En, &[]), "a {b} {");
        assert!(check_catalog(area::ALL).is_empty());
    }

    #[test]
    fn languages_are_read_from_locales_and_headers() {
        assert_eq!(Lang::parse("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(Lang::parse("fr, zh-CN;q=0.9, en"), Lang::Zh);
        assert_eq!(Lang::parse("C"), Lang::En);
    }
}

//! The control plane's own health: what a machine, a folder and a process give and lack ([`machine`], which `tradewind
//! doctor` asks too), how the database, the log and what goes on in the background fare ([`health`]), what is on the disk
//! ([`storage`]), what was backed up ([`backups`]).

pub mod backups;
pub mod health;
pub mod machine;
mod process;
pub mod storage;

use std::time::Duration;
use tradewind_api::v1;
use tradewind_model::{fault::Lang, said, said::Said};

/// What was looked at, and what was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// For scripts: stays what it is.
    pub id: &'static str,
    pub verdict: Verdict,
    pub found: Said,
    /// What follows from it, and what to do.
    pub fix: Option<Said>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Good,
    /// It works, with less than there could be.
    Less,
    /// It does not work, or not safely.
    Bad,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Less => "less",
            Self::Bad => "bad",
        }
    }
}

impl From<Verdict> for v1::FindingVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Good => Self::Good,
            Verdict::Less => Self::Less,
            Verdict::Bad => Self::Bad,
        }
    }
}

impl Finding {
    pub fn good(id: &'static str, found: Said) -> Self {
        Self { id, verdict: Verdict::Good, found, fix: None }
    }
    pub fn less(id: &'static str, found: Said, fix: Said) -> Self {
        Self { id, verdict: Verdict::Less, found, fix: Some(fix) }
    }
    pub fn bad(id: &'static str, found: Said, fix: Said) -> Self {
        Self { id, verdict: Verdict::Bad, found, fix: Some(fix) }
    }

    pub fn view(&self, lang: Lang) -> v1::Finding {
        v1::Finding {
            id: self.id.to_owned(),
            verdict: self.verdict.into(),
            found: self.found.get(lang).to_owned(),
            fix: self.fix.as_ref().map(|fix| fix.get(lang).to_owned()),
        }
    }
}

/// `40 s`, `12 min`, `3 h`, `5 d`.
pub fn spoken(span: Duration) -> Said {
    let s = span.as_secs();
    match s {
        0..60 => said!("{n} s", "{n} 秒", n = s),
        60..3_600 => said!("{n} min", "{n} 分钟", n = s / 60),
        3_600..172_800 => said!("{n} h", "{n} 小时", n = s / 3_600),
        _ => said!("{n} d", "{n} 天", n = s / 86_400),
    }
}

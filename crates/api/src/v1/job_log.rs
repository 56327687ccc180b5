use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the lines of a job's log are: enough to fetch any of them without the rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogIndex {
    /// Bytes.
    pub size: u64,
    /// With the one that has begun and not ended.
    pub lines: u64,
    /// It grows no more.
    pub ended: bool,
    /// In order, every 64 KiB or, where a line is longer, behind it. The first is the beginning of the log.
    pub places: Vec<LogPlace>,
    /// Lines that others are folded under, in order: headings of commands, sections' beginnings and ends.
    pub marks: Vec<LogMark>,
    /// There are more marks than are listed.
    pub marks_left_out: bool,
}

/// The beginning of a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogPlace {
    /// From 1.
    pub line: u64,
    /// Of its first byte.
    pub offset: u64,
    /// The colours it begins with, as parameters of SGR (`1;31`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogMark {
    /// From 1.
    pub line: u64,
    /// Its first 300 characters.
    pub text: String,
}

/// Where a word stands in a log, a page of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogHits {
    pub hits: Vec<LogHit>,
    /// There may be more behind this line: the `after` of the next page.
    pub next: Option<u64>,
}

/// A line that has the word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogHit {
    /// From 1.
    pub line: u64,
    /// How often; 1,000 and more are counted as 1,000.
    pub count: u32,
    /// What stands round the first, where that is far into the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

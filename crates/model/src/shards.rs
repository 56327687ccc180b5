//! What the work of a worker or a cron service is divided into, and who works which part of it.

use crate::id::BadId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Shards a service may have.
pub const MOST_SHARDS: u32 = 1_000;
/// Comma separated: the shards of an instance.
pub const SHARDS_VARIABLE: &str = "TRADEWIND_SHARDS";
/// How many shards there are in all.
pub const COUNT_VARIABLE: &str = "TRADEWIND_SHARD_COUNT";

/// A shop, a marketplace account: 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShardName(String);

impl ShardName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShardName {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=64).contains(&s.len()) && s.bytes().all(fits) {
            return Ok(Self(s.to_owned()));
        }
        Err(BadId::NotAShard(s.to_owned()))
    }
}

impl TryFrom<String> for ShardName {
    type Error = BadId;
    fn try_from(s: String) -> Result<Self, BadId> {
        s.parse()
    }
}

impl From<ShardName> for String {
    fn from(s: ShardName) -> Self {
        s.0
    }
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shards {
    /// At least one, each once.
    Named(Vec<ShardName>),
    /// 0 to one less than this: parts of a hash. Another number is another division.
    Numbered(u32),
}

impl Shards {
    pub fn count(&self) -> u32 {
        match self {
            Self::Named(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
            Self::Numbered(n) => *n,
        }
    }

    fn name(&self, index: u32) -> String {
        match self {
            Self::Named(names) => names.get(index as usize).map(ToString::to_string).unwrap_or_default(),
            Self::Numbered(_) => index.to_string(),
        }
    }
}

/// Shards dealt out to the instances of a site, its carriers: ordinal `i` of `n` has every shard `j` with `j mod n = i`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Layout {
    shards: Shards,
    carriers: u32,
}

impl Layout {
    /// Nobody carries nothing: there are no more carriers than shards.
    pub fn new(shards: Shards, carriers: u32) -> Self {
        let carriers = carriers.clamp(1, shards.count().max(1));
        Self { shards, carriers }
    }

    pub fn shards(&self) -> u32 {
        self.shards.count()
    }

    pub fn carriers(&self) -> u32 {
        self.carriers
    }

    /// The shards of one carrier, as it is told them.
    pub fn carried_by(&self, ordinal: u32) -> Vec<String> {
        if ordinal >= self.carriers {
            return Vec::new();
        }
        (ordinal..self.shards()).step_by(self.carriers as usize).map(|shard| self.shards.name(shard)).collect()
    }

    /// How many shards the first carriers have together.
    pub fn shards_of_first(&self, carriers: u32) -> u32 {
        let carriers = carriers.min(self.carriers);
        let (each, rest) = (self.shards() / self.carriers, self.shards() % self.carriers);
        carriers * each + carriers.min(rest)
    }

    /// How many carriers, from ordinal 0 on, have at least this many shards.
    pub fn carriers_of_first(&self, shards: u32) -> u32 {
        (1..self.carriers).find(|n| self.shards_of_first(*n) >= shards).unwrap_or(self.carriers)
    }

    /// Whether no carrier has a shard that another ordinal of `before` has: then carriers can change over one by one.
    pub fn lines_up_with(&self, before: &Self) -> bool {
        match (&self.shards, &before.shards) {
            (Shards::Named(_), Shards::Named(_)) => {}
            (Shards::Numbered(a), Shards::Numbered(b)) if a == b => {}
            // What a number stands for is not known.
            (Shards::Numbered(_), Shards::Numbered(_) | Shards::Named(_)) | (Shards::Named(_), Shards::Numbered(_)) => {
                return false;
            }
        }
        let mine: BTreeSet<(String, u32)> = self.dealt().collect();
        let all: BTreeSet<&str> = mine.iter().map(|(shard, _)| shard.as_str()).collect();
        before.dealt().all(|dealt| mine.contains(&dealt) || !all.contains(dealt.0.as_str()))
    }

    fn dealt(&self) -> impl Iterator<Item = (String, u32)> + '_ {
        (0..self.shards()).map(|shard| (self.shards.name(shard), shard % self.carriers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &str, carriers: u32) -> Layout {
        Layout::new(Shards::Named(names.split(' ').map(|n| n.parse().unwrap()).collect()), carriers)
    }

    fn numbered(n: u32, carriers: u32) -> Layout {
        Layout::new(Shards::Numbered(n), carriers)
    }

    #[test]
    fn every_shard_has_one_carrier() {
        for (shards, carriers) in [(1, 1), (5, 2), (12, 5), (12, 12), (3, 9)] {
            let layout = numbered(shards, carriers);
            let mut all: Vec<u32> =
                (0..carriers).flat_map(|i| layout.carried_by(i)).map(|s| s.parse().unwrap()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..shards).collect::<Vec<_>>(), "{shards} by {carriers}");
            for first in 0..=layout.carriers() {
                let of_first: usize = (0..first).map(|i| layout.carried_by(i).len()).sum();
                assert_eq!(layout.shards_of_first(first) as usize, of_first, "{shards} by {carriers}");
            }
        }
        assert_eq!(named("br my us", 2).carried_by(0), ["br", "us"]);
        assert_eq!(named("br my us", 2).carried_by(7), Vec::<String>::new());
    }

    #[test]
    fn a_step_takes_the_carriers_it_needs() {
        let layout = numbered(12, 5);
        let of = |shards| layout.carriers_of_first(shards);
        assert_eq!([0, 1, 3, 4, 6, 7, 12, 99].map(of), [1, 1, 1, 2, 2, 3, 5, 5]);
    }

    #[test]
    fn carriers_line_up_where_no_shard_moves() {
        let cases = [
            (named("br my us", 3), named("br my us", 3), true),
            (named("br my us", 2), named("br my us", 2), true),
            (named("br my us sg", 4), named("br my us", 3), true),
            (named("br my", 2), named("br my us", 3), true),
            (named("br my us sg", 2), named("br my us", 2), true),
            (named("br us", 2), named("br my", 2), true),
            (named("br us", 2), named("br my us", 3), false),
            (named("my br us", 3), named("br my us", 3), false),
            (named("br my us", 3), named("br my us", 1), false),
            (numbered(8, 4), numbered(8, 4), true),
            (numbered(8, 4), numbered(8, 2), false),
            (numbered(9, 4), numbered(8, 4), false),
            (numbered(3, 3), named("0 1 2", 3), false),
        ];
        for (new, old, expected) in cases {
            assert_eq!(new.lines_up_with(&old), expected, "{new:?} after {old:?}");
            assert_eq!(old.lines_up_with(&new), expected, "and back");
        }
    }

    #[test]
    fn names_are_checked_where_they_come_in() {
        for name in ["shopee-br", "A_1.2", "7781234"] {
            assert_eq!(name.parse::<ShardName>().unwrap().as_str(), name);
        }
        for name in ["", "a,b", "a b", "店铺", &"x".repeat(65)] {
            assert!(name.parse::<ShardName>().is_err(), "{name}");
        }
        assert!(serde_json::from_str::<Shards>(r#"{"named":["a,b"]}"#).is_err());
    }
}

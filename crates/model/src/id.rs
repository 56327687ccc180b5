//! Identities. Parsed once at the border; inside there are no loose strings.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// What is wrong with an identity that came from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    #[error("`{0}` is not an id: expected a UUID")]
    NotAUuid(String),
    #[error(
        "`{0}` is not a name: 1 to {max} characters of a-z, 0-9 and `-`, starting with a letter and not ending with `-`",
        max = MAX_SLUG
    )]
    NotASlug(String),
    #[error("`{0}` is not a shard: 1 to 64 characters of A-Z, a-z, 0-9, `.`, `_` and `-`")]
    NotAShard(String),
    #[error("`{0}` is not a secret's name: 1 to 64 letters, digits and `_`, not beginning with a digit")]
    NotASecret(String),
    #[error("`{0}` is not a digest: expected `sha256:` and 64 hex digits")]
    NotADigest(String),
    #[error("`{0}` is not a commit: expected 40 or 64 hex digits")]
    NotACommit(String),
}

const MAX_SLUG: usize = 40;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A UUIDv7 for the given time, so that keys sort by age.
            pub fn at(now: crate::time::Timestamp) -> Self {
                let (secs, nanos) = now.to_unix_parts();
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, secs, nanos)))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> {
                Uuid::try_parse(s).map(Self).map_err(|_| BadId::NotAUuid(s.into()))
            }
        }
    )*};
}

uuid_id! {
    /// One execution of a pipeline.
    RunId,
    /// One job of a run.
    JobId,
    /// A release with a configuration version for one (service, environment, site).
    RevisionId,
    /// A move of an environment from revision to revision.
    RolloutId,
    /// One running copy of a revision on a host.
    InstanceId,
    /// A unit of work an agent does once and reports on: a job, a packaging, a verification.
    TaskId,
    /// A machine with an agent.
    HostId,
    /// A fact in the event log.
    EventId,
    /// A scoped, expiring token.
    TokenId,
    /// A freeze a person set.
    FreezeId,
    /// A person, or a service account.
    UserId,
    /// A group of people.
    GroupId,
    /// A role given to somebody, somewhere.
    GrantId,
    /// A word to somebody who is no user yet.
    InvitationId,
    /// A person signed in with a browser.
    SessionId,
    /// A secret of one name and scope, whatever its version.
    SecretId,
    /// A service's link to its repository on a forge.
    LinkId,
    /// A branch's part of what a forge delivered.
    DeliveryId,
}

/// Lower-case names in URLs, paths and headers. `TryFrom<String>` is the only way in, for serde too.
macro_rules! slug {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(s: String) -> Result<Self, BadId> {
                if is_slug(&s) { Ok(Self(s)) } else { Err(BadId::NotASlug(s)) }
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> { Self::try_from(s.to_owned()) }
        }
        impl From<$name> for String {
            fn from(v: $name) -> String { v.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", self.0) }
        }
    )*};
}

slug! {
    /// The tenant. There is one, `default`, until there are more.
    OrgName,
    /// One deployable thing with one `tradewind.yaml`.
    ServiceName,
    /// dev, staging, production: separate hosts, secrets, databases.
    EnvName,
    /// A region or shop within an environment: the unit of region-by-region rollout.
    SiteName,
}

impl OrgName {
    pub fn default_org() -> Self {
        Self("default".into())
    }
}

impl SiteName {
    /// The site every environment has until it declares its own.
    pub fn default_site() -> Self {
        Self("default".into())
    }
}

fn is_slug(s: &str) -> bool {
    let b = s.as_bytes();
    (1..=MAX_SLUG).contains(&b.len())
        && b[0].is_ascii_lowercase()
        && b[b.len() - 1] != b'-'
        && b.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
}

/// `sha256:<64 hex digits>`: the name of immutable content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
    /// The first 12 hex digits: for people, never for look-ups.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl FromStr for Digest {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let bad = || BadId::NotADigest(s.into());
        let digits = s.strip_prefix("sha256:").ok_or_else(bad)?;
        let mut out = [0; 32];
        hex::decode_to_slice(digits, &mut out).map_err(|_| bad())?;
        Ok(Self(out))
    }
}
impl TryFrom<String> for Digest {
    type Error = BadId;
    fn try_from(s: String) -> Result<Self, BadId> {
        s.parse()
    }
}
impl From<Digest> for String {
    fn from(d: Digest) -> String {
        d.to_string()
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A full git commit id (SHA-1 or SHA-256), lower-case hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(String);

impl Commit {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}
impl TryFrom<String> for Commit {
    type Error = BadId;
    fn try_from(s: String) -> Result<Self, BadId> {
        let hex = s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex && (s.len() == 40 || s.len() == 64) { Ok(Self(s)) } else { Err(BadId::NotACommit(s)) }
    }
}
impl FromStr for Commit {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        Self::try_from(s.to_owned())
    }
}
impl From<Commit> for String {
    fn from(c: Commit) -> String {
        c.0
    }
}
impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The three words that name a place: what a revision is for and what a rollout moves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Place {
    pub service: ServiceName,
    pub env: EnvName,
    pub site: SiteName,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.service, self.env, self.site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_would_reach_a_path_or_a_shell() {
        for bad in ["", "-a", "a-", "A", "a/b", "..", "a b", "a;b", "$(x)", "é", &"a".repeat(41)] {
            assert!(bad.parse::<ServiceName>().is_err(), "{bad:?} was accepted");
            assert!(serde_json::from_value::<SiteName>(bad.into()).is_err());
        }
        assert_eq!("shopee-br".parse::<SiteName>().unwrap().as_str(), "shopee-br");
    }

    #[test]
    fn a_digest_round_trips_and_refuses_other_forms() {
        let d = Digest::of(b"x");
        assert_eq!(d.to_string().parse::<Digest>().unwrap(), d);
        assert!(d.hex().parse::<Digest>().is_err());
        assert!("sha256:00".parse::<Digest>().is_err());
    }
}

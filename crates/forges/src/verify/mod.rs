//! Whether a delivery comes from the forge it has to come from: over the bytes as they came, before any is parsed.

mod bitbucket;
mod gitea;
mod gitee;
mod github;
mod gitlab;

use crate::{Delivery, HookSecret, Kind};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tradewind_model::time::Timestamp;

/// How far a delivery's time may be from ours, where the forge says one.
pub const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A delivery's headers that matter: those that occur once. One that occurs twice could be read in two ways, so it is none.
#[derive(Clone, Debug, Default)]
pub struct Head(Vec<(String, Option<String>)>);

impl Head {
    /// Of all headers; what is no text is treated like one that occurs twice.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut known: Vec<(String, Option<String>)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            match known.iter_mut().find(|(n, _)| *n == name) {
                Some((_, kept)) => *kept = None,
                None => known.push((name, std::str::from_utf8(value).ok().map(|v| v.trim().to_owned()))),
            }
        }
        Self(known)
    }

    /// `name` in lower case.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name)?.1.as_deref()
    }

    fn has_any(&self, prefix: &str) -> bool {
        self.0.iter().any(|(n, _)| n.starts_with(prefix))
    }

    fn event(&self, name: &str) -> Result<String, Refused> {
        let event = self.get(name).ok_or(Refused::OtherForge)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.' | b' ');
        let good = (1..=64).contains(&event.len()) && event.bytes().all(fits);
        if good { Ok(event.to_owned()) } else { Err(Refused::Malformed) }
    }

    fn delivery(&self, name: &str) -> Result<Delivery, Refused> {
        self.get(name).and_then(Delivery::parse).ok_or(Refused::Malformed)
    }
}

/// Why a delivery is not let in. The sender is told none of this.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    #[error("it is not signed")]
    Unsigned,
    #[error("its signature, or its token, is not that of the link's secret")]
    Signature,
    #[error("it is signed with SHA-1 only")]
    Weak,
    #[error("its time is more than five minutes from ours")]
    Stale,
    #[error("it does not look like a delivery of this forge")]
    OtherForge,
    #[error("a header of it cannot be read")]
    Malformed,
}

impl Refused {
    /// For rows and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Signature => "signature",
            Self::Weak => "weak",
            Self::Stale => "stale",
            Self::OtherForge => "other_forge",
            Self::Malformed => "malformed",
        }
    }
}

/// A delivery of whoever knows the secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    pub delivery: Delivery,
    /// In the forge's words: `push`, `Push Hook`, `repo:push`.
    pub event: String,
    /// What the signature holds together, as a digest in hex: the same in every copy of the delivery, whatever was written
    /// into headers that are not signed. None where nothing of the body is signed.
    pub essence: Option<String>,
}

/// # Errors
/// Why it is not let in.
pub fn verify(kind: Kind, head: &Head, body: &[u8], secret: &HookSecret, now: Timestamp) -> Result<Verified, Refused> {
    match kind {
        Kind::Github => github::verify(head, body, secret),
        Kind::Gitlab => gitlab::verify(head, body, secret, now),
        Kind::Gitea => gitea::verify(head, body, secret),
        Kind::Gitee => gitee::verify(head, body, secret, now),
        Kind::Bitbucket => bitbucket::verify(head, body, secret),
    }
}

/// 64 hex digits, nothing round them.
fn hex_signature(text: &str) -> Result<[u8; 32], Refused> {
    let mut out = [0; 32];
    hex::decode_to_slice(text, &mut out).map(|()| out).map_err(|_| Refused::Malformed)
}

fn essence(body: &[u8]) -> Option<String> {
    Some(hex::encode(Sha256::digest(body)))
}

fn within(at: Timestamp, now: Timestamp) -> Result<(), Refused> {
    if now.since(at) <= WINDOW && at.since(now) <= WINDOW { Ok(()) } else { Err(Refused::Stale) }
}

//! Entity tags, and `If-Match`: what a caller read before they change it has to be what is there still.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::convert::Infallible;

/// The tag of an answer's bytes.
pub fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..16]))
}

/// Whether a header that lists tags names this one; `*` names any.
pub fn names(listed: &str, tag: &str, weakly: bool) -> bool {
    let plain = |t: &str| match weakly {
        true => t.trim_start_matches("W/").to_owned(),
        false => t.to_owned(),
    };
    listed.split(',').map(str::trim).any(|t| t == "*" || plain(t) == tag)
}

/// What the caller read, if they say so.
#[derive(Clone, Debug, Default)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    fn of(headers: &HeaderMap) -> Self {
        // One that cannot be read names nothing, and so holds for nothing.
        Self(headers.get(header::IF_MATCH).map(|v| v.to_str().unwrap_or_default().to_owned()))
    }

    /// Whether what is there is what the caller read.
    pub fn holds<T: Serialize>(&self, now: &T) -> bool {
        let Some(listed) = &self.0 else { return true };
        serde_json::to_vec(now).is_ok_and(|bytes| names(listed, &tag_of(&bytes), false))
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_of_what_is_there_holds() {
        let tag = tag_of(b"\"a\"");
        let says = |value: &str| IfMatch(Some(value.to_owned())).holds(&"a");
        assert!(says(&tag) && says("*") && says(&format!("\"x\", {tag}")));
        assert!(!says(&format!("W/{tag}")) && !says("\"x\"") && !says(""));
        assert!(IfMatch(None).holds(&"a"));
    }
}

//! `X-Gitee-Token`: the base64 of an HMAC over the time and the secret, or the password itself. Neither says anything about
//! the body, so what it tells is believed only as far as the repository itself bears it out.

use super::{Head, Refused, Verified, within};
use crate::{Delivery, HookSecret};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use tradewind_model::time::Timestamp;

pub fn verify(head: &Head, body: &[u8], secret: &HookSecret, now: Timestamp) -> Result<Verified, Refused> {
    let event = head.event("x-gitee-event")?;
    let token = head.get("x-gitee-token").filter(|t| !t.is_empty()).ok_or(Refused::Unsigned)?;
    let at = head.get("x-gitee-timestamp").ok_or(Refused::Malformed)?;
    let signature = STANDARD.decode(unescaped(token)).unwrap_or_default();
    let signed = secret.signed(&[at.as_bytes(), b"\n", secret.expose().as_bytes()], &signature);
    if !signed && !secret.is(token.as_bytes()) {
        return Err(Refused::Signature);
    }
    within(Timestamp::from_millis(at.parse().map_err(|_| Refused::Malformed)?), now)?;
    // It names no delivery: the time and what it brings do.
    let mut hash = Sha256::new();
    hash.update(at);
    hash.update(b"\n");
    hash.update(body);
    let delivery =
        Delivery::parse(&format!("{at}-{}", hex::encode(&hash.finalize()[..12]))).ok_or(Refused::Malformed)?;
    Ok(Verified { delivery, event, essence: None })
}

/// The signature as it would be in an address.
fn unescaped(token: &str) -> String {
    let mut out = token.to_owned();
    for (escaped, plain) in [("%2B", "+"), ("%2b", "+"), ("%2F", "/"), ("%2f", "/"), ("%3D", "="), ("%3d", "=")] {
        out = out.replace(escaped, plain);
    }
    out
}

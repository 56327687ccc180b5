//! `X-Hub-Signature: sha256=HEX` over the body.

use super::{Head, Refused, Verified, essence, hex_signature};
use crate::HookSecret;

pub fn verify(head: &Head, body: &[u8], secret: &HookSecret) -> Result<Verified, Refused> {
    if head.has_any("x-github-") {
        return Err(Refused::OtherForge);
    }
    let event = head.event("x-event-key")?;
    let signature = head.get("x-hub-signature").ok_or(Refused::Unsigned)?;
    let signature = match signature.split_once('=') {
        Some(("sha256", hex)) => hex_signature(hex)?,
        Some(("sha1", _)) => return Err(Refused::Weak),
        Some(_) | None => return Err(Refused::Malformed),
    };
    if !secret.signed(&[body], &signature) {
        return Err(Refused::Signature);
    }
    Ok(Verified { delivery: head.delivery("x-request-uuid")?, event, essence: essence(body) })
}

//! `X-Hub-Signature-256: sha256=HEX` over the body.

use super::{Head, Refused, Verified, essence, hex_signature};
use crate::HookSecret;

pub fn verify(head: &Head, body: &[u8], secret: &HookSecret) -> Result<Verified, Refused> {
    // Gitea and Gogs send GitHub's headers beside their own.
    if ["x-gitea-", "x-forgejo-", "x-gogs-", "x-gitlab-", "x-gitee-"].iter().any(|p| head.has_any(p)) {
        return Err(Refused::OtherForge);
    }
    let event = head.event("x-github-event")?;
    let Some(signature) = head.get("x-hub-signature-256") else {
        return Err(if head.has_any("x-hub-signature") { Refused::Weak } else { Refused::Unsigned });
    };
    let signature = hex_signature(signature.strip_prefix("sha256=").ok_or(Refused::Malformed)?)?;
    if !secret.signed(&[body], &signature) {
        return Err(Refused::Signature);
    }
    Ok(Verified { delivery: head.delivery("x-github-delivery")?, event, essence: essence(body) })
}

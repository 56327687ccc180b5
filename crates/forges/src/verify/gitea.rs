//! `X-Forgejo-Signature` or `X-Gitea-Signature`: hex over the body, without a prefix.

use super::{Head, Refused, Verified, essence, hex_signature};
use crate::HookSecret;

pub fn verify(head: &Head, body: &[u8], secret: &HookSecret) -> Result<Verified, Refused> {
    // Forgejo sends both; its own counts, and a good one of the other name does not make up for it.
    let own = if head.has_any("x-forgejo-") { "x-forgejo-" } else { "x-gitea-" };
    let event = head.event(&format!("{own}event"))?;
    let signature = head.get(&format!("{own}signature")).filter(|s| !s.is_empty()).ok_or(Refused::Unsigned)?;
    if !secret.signed(&[body], &hex_signature(signature)?) {
        return Err(Refused::Signature);
    }
    Ok(Verified { delivery: head.delivery(&format!("{own}delivery"))?, event, essence: essence(body) })
}

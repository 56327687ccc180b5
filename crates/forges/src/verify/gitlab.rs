//! A signing token, as Standard Webhooks have it, or a secret token that is sent along.

use super::{Head, Refused, Verified, essence, within};
use crate::HookSecret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tradewind_model::time::Timestamp;

pub fn verify(head: &Head, body: &[u8], secret: &HookSecret, now: Timestamp) -> Result<Verified, Refused> {
    let event = head.event("x-gitlab-event")?;
    // Where there is a signature it has to be right; a token beside it does not make up for one that is not.
    if head.has_any("webhook-signature") {
        return signed(head, body, secret, now, event);
    }
    let token = head.get("x-gitlab-token").filter(|t| !t.is_empty()).ok_or(Refused::Unsigned)?;
    if !secret.is(token.as_bytes()) {
        return Err(Refused::Signature);
    }
    // Other than its neighbours, the same in every repetition of one delivery.
    let delivery = head.delivery("idempotency-key").or_else(|_| head.delivery("x-gitlab-event-uuid"))?;
    Ok(Verified { delivery, event, essence: None })
}

fn signed(head: &Head, body: &[u8], secret: &HookSecret, now: Timestamp, event: String) -> Result<Verified, Refused> {
    let delivery = head.delivery("webhook-id")?;
    let at = head.get("webhook-timestamp").ok_or(Refused::Malformed)?;
    let given = head.get("webhook-signature").ok_or(Refused::Malformed)?;
    let signed = format!("{delivery}.{at}.");
    // Several while a token is being exchanged.
    let mut good = given.split(' ').take(8).filter_map(|s| STANDARD.decode(s.strip_prefix("v1,")?).ok());
    if !good.any(|s| secret.signed_as_standard(&[signed.as_bytes(), body], &s)) {
        return Err(Refused::Signature);
    }
    let seconds: i64 = at.parse().map_err(|_| Refused::Malformed)?;
    within(Timestamp::from_millis(seconds.saturating_mul(1_000)), now)?;
    Ok(Verified { delivery, event, essence: essence(body) })
}

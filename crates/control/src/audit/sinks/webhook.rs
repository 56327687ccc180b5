//! A POST with the note, signed as Standard Webhooks does it (<https://www.standardwebhooks.com>).

use super::{SinkError, brief};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use ring::hmac;
use tradewind_model::time::Timestamp;
use tradewind_outbound::{Outbound, Request};
use tradewind_store::rows::audit::Kept;

pub async fn send(
    outbound: &Outbound,
    url: &str,
    secret: Option<&str>,
    kept: &Kept,
    now: Timestamp,
) -> Result<(), SinkError> {
    // The same for the same checkpoint, however often it is sent.
    let id = format!("checkpoint-{}-{}", kept.mark.seq, kept.mark.hash.short());
    let at = (now.as_millis() / 1_000).to_string();
    let mut request = Request::new(Method::POST, url)?
        .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
        .header(HeaderName::from_static("webhook-id"), plain(&id))
        .header(HeaderName::from_static("idempotency-key"), plain(&id))
        .header(HeaderName::from_static("webhook-timestamp"), plain(&at));
    if let Some(secret) = secret {
        let signature = plain(&signature(secret, &id, &at, &kept.note));
        request = request.header(HeaderName::from_static("webhook-signature"), signature);
    }
    let reply = outbound.send(request.body(kept.note.clone())).await?;
    if reply.status.is_success() {
        return Ok(());
    }
    let said = brief(&String::from_utf8_lossy(&reply.body));
    Err(SinkError::Answer { status: reply.status.as_u16(), said })
}

fn plain(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits, letters and punctuation")
}

/// `whsec_` and base64, or any text.
fn signature(secret: &str, id: &str, at: &str, body: &str) -> String {
    let key = secret.strip_prefix("whsec_").and_then(|s| STANDARD.decode(s).ok());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap_or_else(|| secret.as_bytes().to_vec()));
    let signed = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed.as_ref()))
}

#[cfg(test)]
mod tests {
    /// The example of the Standard Webhooks libraries.
    #[test]
    fn the_signature_is_the_standards() {
        let signed = super::signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}

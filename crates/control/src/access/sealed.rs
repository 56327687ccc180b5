//! What of an account is sealed with the vault's keys, as text: `KEY.HEX`.

use crate::Result;
use tradewind_model::id::UserId;
use tradewind_secrets::ring::{Context, KeyId, Ring, RingError, Sealed};
use tradewind_store::{Tx, rows};

/// The secret an authenticator shares with us.
pub const SECOND_FACTOR: &str = "second factor";
/// The same while it is being set up: in the hands of whoever does that.
pub const SETUP: &str = "second factor setup";

/// # Errors
/// Without randomness.
pub fn seal(ring: &Ring, purpose: &str, user: UserId, plain: &[u8]) -> Result<String, RingError> {
    let sealed = ring.seal(Context(&[purpose, &user.to_string()]), plain)?;
    Ok(format!("{}.{}", sealed.key, hex::encode(sealed.bytes)))
}

/// `None` where it is no such text, was sealed with a key that is gone, or for another purpose or account.
pub fn open(ring: &Ring, purpose: &str, user: UserId, text: &str) -> Option<Vec<u8>> {
    let (key, bytes) = text.split_once('.')?;
    let sealed = Sealed { key: key.parse().ok()?, bytes: hex::decode(bytes).ok()? };
    Some(ring.open(Context(&[purpose, &user.to_string()]), &sealed).ok()?.to_vec())
}

/// Seals anew with the newest key what an earlier one sealed: how many, and how many do not open.
pub(crate) async fn reseal(tx: &mut Tx, ring: &Ring, key: &KeyId) -> Result<(u64, u64)> {
    let (mut done, mut damaged) = (0, 0);
    for user in rows::users::list(tx).await? {
        let Some(text) = user.totp.as_deref().filter(|t| !t.starts_with(&format!("{key}."))) else { continue };
        let fresh = open(ring, SECOND_FACTOR, user.id, text).and_then(|p| seal(ring, SECOND_FACTOR, user.id, &p).ok());
        match fresh {
            Some(totp) => {
                rows::users::update(tx, rows::users::User { totp: Some(totp), ..user }).await?;
                done += 1;
            }
            None => damaged += 1,
        }
    }
    Ok((done, damaged))
}

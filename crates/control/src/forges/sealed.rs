//! What a link keeps secret, sealed with the vault's keys as text: `KEY.HEX`.

use crate::{Result, secrets};
use tradewind_model::{fault::Fault, id::LinkId};
use tradewind_secrets::ring::{Context, KeyId, Ring, Sealed};
use tradewind_store::{
    Tx,
    rows::forges::{Link, links},
};
use zeroize::Zeroizing;

/// What deliveries prove themselves with.
pub const HOOK: &str = "forge hook";
/// What the forge knows us by.
pub const TOKEN: &str = "forge token";

pub fn seal(ring: &Ring, purpose: &str, link: LinkId, plain: &str) -> Result<String> {
    let sealed = ring.seal(Context(&[purpose, &link.to_string()]), plain.as_bytes());
    let sealed = sealed.map_err(|e| Fault::new(&secrets::faults::VAULT_CLOSED).with("why", e))?;
    Ok(format!("{}.{}", sealed.key, hex::encode(sealed.bytes)))
}

pub fn open(ring: &Ring, purpose: &str, link: &Link, text: &str) -> Result<Zeroizing<String>> {
    let opened = || {
        let (key, bytes) = text.split_once('.')?;
        let sealed = Sealed { key: key.parse().ok()?, bytes: hex::decode(bytes).ok()? };
        let plain = ring.open(Context(&[purpose, &link.id.to_string()]), &sealed).ok()?;
        String::from_utf8(plain.to_vec()).ok().map(Zeroizing::new)
    };
    let damaged = || {
        Fault::new(&secrets::faults::VAULT_CLOSED)
            .with("why", format!("the {purpose} of {} does not open", link.service))
    };
    Ok(opened().ok_or_else(damaged)?)
}

/// Seals anew with the newest key what an earlier one sealed: how many, and how many do not open.
///
/// # Errors
/// Those of the store.
pub async fn reseal(tx: &mut Tx, ring: &Ring, key: &KeyId) -> Result<(u64, u64)> {
    let (mut done, mut damaged) = (0, 0);
    let is_old = |text: &str| !text.starts_with(&format!("{key}."));
    for link in links::list(tx).await? {
        if !is_old(&link.secret) && !link.token.as_deref().is_some_and(is_old) {
            continue;
        }
        let again = |purpose, text: &str| seal(ring, purpose, link.id, &open(ring, purpose, &link, text)?);
        let fresh = again(HOOK, &link.secret)
            .and_then(|secret| Ok((secret, link.token.as_deref().map(|t| again(TOKEN, t)).transpose()?)));
        match fresh {
            Ok((secret, token)) => {
                links::update(tx, Link { secret, token, ..link }).await?;
                done += 1;
            }
            Err(error) => {
                tracing::error!(service = %link.service, %error, "what a forge's link keeps cannot be sealed anew");
                damaged += 1;
            }
        }
    }
    Ok((done, damaged))
}

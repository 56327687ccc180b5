//! Other keys: a new one seals from now on, and what earlier ones sealed is sealed anew, piece by piece.
//!
//! The store remembers which key seals. Whoever seals looks there in the same transaction, so that a server which read
//! its keys before the change cannot seal with an old key what nobody would find afterwards.

use super::{faults, open, seat};
use crate::{Ctx, Error, Result, access::sealed, ctx::Asker, forges};
use serde_json::json;
use tradewind_model::{event::NewEvent, fault::Fault, said};
use tradewind_secrets::ring::{KeyId, Ring};
use tradewind_store::{Json, Tx, rows, transact};

/// `settings.key`: the key that seals.
const SEALS: &str = "vault.key";
/// Versions sealed anew in one transaction.
const BATCH: u32 = 100;

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// The key that seals now.
    pub key: KeyId,
    pub resealed: u64,
    /// Keys that nothing is sealed with any more, and that are out of the file.
    pub dropped: Vec<KeyId>,
    /// Versions that did not open with any key; they stay as they are, and so do the keys.
    pub damaged: u64,
}

/// Refuses a ring that does not hold the key which seals, or would seal with an earlier one.
pub(crate) async fn admit(tx: &mut Tx, ring: &Ring) -> Result<()> {
    let newest = Json::of(ring.newest());
    let seals = rows::settings::get(tx, SEALS).await?;
    match seals {
        Some(seals) if seals == newest => Ok(()),
        Some(seals) => {
            let id: KeyId = seals.read()?;
            if ring.ids().any(|known| *known == id) {
                // Newer keys came in by the environment: they seal from now on.
                return rows::settings::put(tx, SEALS, &newest).await.map_err(Error::from);
            }
            let why = said!(
                "it holds key {have}, and key {want} seals here",
                "现有主密钥 {have}，而此处使用的是 {want}",
                have = ring.newest(),
                want = id
            );
            Err(Fault::new(&faults::VAULT_CLOSED).with("why", why).into())
        }
        None => rows::settings::put(tx, SEALS, &newest).await.map_err(Error::from),
    }
}

/// Makes a new key where the keys are in a file, and seals everything with the newest. May be broken off at any point and
/// begun again: with `again` no further key is made.
///
/// # Errors
/// [`faults::VAULT_CLOSED`].
pub async fn rotate(ctx: &Ctx, again: bool, by: &Asker) -> Result<Rotated> {
    let closed = |why: String| Fault::new(&faults::VAULT_CLOSED).with("why", why);
    let mut ring = ctx.vault.ring()?;
    if ctx.vault.file().is_some() && !again {
        ring = ring.with_new_key().map_err(|e| closed(e.to_string()))?;
        // The old keys are in it, so whatever happens next, what they sealed opens.
        ctx.vault.write(&ring).map_err(|e| closed(e.to_string()))?;
    }
    let key = ring.newest().clone();
    let begun: Result<()> = transact!(ctx.store, tx => {
        admit(tx, &ring).await?;
        tx.event(about("vault.key_changed", by, json!({ "key": key }))).await?;
        Ok(())
    });
    begun?;
    let (mut resealed, mut damaged) = (0, 0);
    loop {
        let (done, failed): (u64, u64) = transact!(ctx.store, tx => batch(tx, &ring, &key, damaged, by).await)?;
        resealed += done;
        damaged = failed;
        if done == 0 {
            break;
        }
    }
    let (others, unopened): (u64, u64) = transact!(ctx.store, tx => {
        let (factors, failed) = sealed::reseal(tx, &ring, &key).await?;
        let (links, unopened) = forges::reseal(tx, &ring, &key).await?;
        if factors + links > 0 {
            let after = json!({ "key": key, "second_factors": factors, "forges": links });
            tx.event(about("vault.resealed", by, after)).await?;
        }
        Ok::<_, Error>((factors + links, failed + unopened))
    })?;
    (resealed, damaged) = (resealed + others, damaged + unopened);
    let mut dropped = Vec::new();
    if damaged == 0 && ctx.vault.file().is_some() {
        let in_use: Vec<String> = {
            let keys = rows::secrets::keys(&mut ctx.store.read().await?).await?;
            keys.into_iter().map(|(key, _)| key).collect()
        };
        dropped = ring.ids().filter(|id| **id != key && !in_use.iter().any(|k| k == id.as_str())).cloned().collect();
        ctx.vault.write(&ring.without(&dropped)).map_err(|e| closed(e.to_string()))?;
    }
    Ok(Rotated { key, resealed, dropped, damaged })
}

/// Seals some anew; how many, and how many cannot be opened. Those come first in the order of the rows, and are passed over.
async fn batch(tx: &mut Tx, ring: &Ring, key: &KeyId, known_damaged: u64, by: &Asker) -> Result<(u64, u64)> {
    let limit = BATCH + u32::try_from(known_damaged).unwrap_or(u32::MAX - BATCH);
    let old = rows::secrets::not_under(tx, key.as_str(), limit).await?;
    let (mut done, mut damaged) = (0, 0);
    for version in &old {
        let secret = rows::secrets::get(tx, version.secret).await?;
        let value = match open(tx, ring, &secret, version.version).await {
            Ok(value) => value,
            Err(Error::Refused(fault)) => {
                tracing::error!(%fault, "a secret cannot be sealed anew");
                damaged += 1;
                continue;
            }
            Err(e @ Error::Store(_)) => return Err(e),
        };
        let org = tradewind_store::Reader::org(tx).clone();
        let seal = seat(&org, &secret, version.version).seal(ring, value.expose())?;
        if rows::secrets::reseal(tx, version, &seal).await? {
            done += 1;
        }
    }
    if done > 0 {
        tx.event(about("vault.resealed", by, json!({ "key": key, "versions": done }))).await?;
    } else {
        tx.without_event("nothing was left to seal");
    }
    Ok((done, damaged))
}

fn about(kind: &str, by: &Asker, after: serde_json::Value) -> NewEvent {
    NewEvent { after: Some(after), ..by.event(kind, "vault") }
}

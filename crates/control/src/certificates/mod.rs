//! Certificates that the edges of all hosts show: uploaded by people, or had from an authority. Keys are sealed before they
//! are stored and opened for an agent only.

pub mod acme;
pub mod faults;
mod keeper;

pub use keeper::Keeper;

use crate::{Ctx, Error, Result, ctx::Asker, hosts, rounds::Loop, services};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Subject},
    event::NewEvent,
    fault::Fault,
    id::Digest,
    protocol::{agent::Observed, edge::KeyedChain},
    said,
    time::Timestamp,
};
use tradewind_store::{
    Json, Reader, StoreError, Tx, rows,
    rows::certificates::{CertificateRow, NewCertificate},
    transact,
};
use tradewind_tls::{Certificate, CertificateError};

const DAY: Duration = Duration::from_secs(86_400);
/// How long before its end it is said that one ends, days.
const WARN_RENEWED: u32 = 21;
const WARN_UPLOADED: u32 = 14;
/// Between two looks at when certificates end.
const EVERY: Duration = Duration::from_secs(3_600);
const ACME: &str = "acme";
const UPLOADED: &str = "uploaded";

/// # Errors
/// [`faults::BAD_CERTIFICATE`], [`faults::CERTIFICATE_OVER`], [`faults::CERTIFICATE_THERE`].
pub async fn add(ctx: &Ctx, keeper: &Keeper, add: &v1::AddCertificate, by: &Asker) -> Result<v1::Certificate> {
    by.allow(Action::System, &Subject::ORGANISATION)?;
    let keyed = KeyedChain { chain: add.chain.clone(), key: add.key.clone() };
    let row = put(ctx, keeper, &keyed, UPLOADED, by).await?;
    Ok(view(&row, ctx.now(), 0))
}

async fn put(ctx: &Ctx, keeper: &Keeper, keyed: &KeyedChain, origin: &str, by: &Asker) -> Result<CertificateRow> {
    let read = Certificate::from_pem(keyed.chain.as_bytes(), keyed.key.as_bytes()).map_err(bad)?;
    if read.not_after <= ctx.now() {
        return Err(Fault::new(&faults::CERTIFICATE_OVER).with("until", read.not_after.to_minute()).into());
    }
    let digest = keyed.digest();
    transact!(ctx.store, tx => {
        match rows::certificates::get(tx, &digest).await {
            Err(StoreError::NotFound { .. }) => {}
            Ok(_) => return Err(Fault::new(&faults::CERTIFICATE_THERE).into()),
            Err(e) => return Err(e.into()),
        }
        let sealed = keeper.seal(tx.org(), &digest.to_string(), &keyed.key)?;
        let names: Vec<&str> = read.names.iter().map(|n| n.as_str()).collect();
        let new = NewCertificate {
            digest,
            origin: origin.to_owned(),
            names: Json::of(&names),
            chain: keyed.chain.clone(),
            key_id: sealed.key.to_string(),
            sealed: sealed.bytes,
            not_before: read.not_before,
            not_after: read.not_after,
            by: by.actor.clone(),
        };
        // What Tradewind renewed takes the place of what it had.
        for old in rows::certificates::list(tx).await? {
            if origin == ACME && old.origin == ACME && names_of(&old)? == names {
                rows::certificates::remove(tx, &old.digest).await?;
            }
        }
        rows::certificates::insert(tx, &new).await?;
        let row = rows::certificates::get(tx, &digest).await?;
        tx.event(about(&row, "certificate.added", by)?).await?;
        touch_all(tx).await?;
        Ok(row)
    })
}

/// # Errors
/// [`faults::NO_CERTIFICATE`].
pub async fn remove(ctx: &Ctx, digest: &Digest, by: &Asker) -> Result<()> {
    by.allow(Action::System, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let row = get(tx, digest).await?;
        rows::certificates::remove(tx, digest).await?;
        tx.event(about(&row, "certificate.removed", by)?).await?;
        touch_all(tx).await?;
        Ok(())
    })
}

/// The first to end first.
pub async fn list(ctx: &Ctx, by: &Asker) -> Result<Vec<v1::Certificate>> {
    by.allow(Action::System, &Subject::ORGANISATION)?;
    let mut r = ctx.store.read().await?;
    let mut shown: Vec<BTreeSet<Digest>> = Vec::new();
    for row in rows::observed::list(&mut r).await? {
        shown.push(row.body.read::<Observed>()?.certificates.into_iter().collect());
    }
    let on = |digest: &Digest| shown.iter().filter(|s| s.contains(digest)).count() as u64;
    let rows = rows::certificates::list(&mut r).await?;
    Ok(rows.iter().map(|row| view(row, ctx.now(), on(&row.digest))).collect())
}

/// With its key, for an agent.
///
/// # Errors
/// [`faults::NO_CERTIFICATE`], [`faults::KEEPER_CLOSED`].
pub async fn keyed(ctx: &Ctx, keeper: &Keeper, digest: &Digest) -> Result<KeyedChain> {
    let mut r = ctx.store.read().await?;
    let row = get(&mut r, digest).await?;
    let key = keeper.open_key(r.org(), digest, &row.key_id, row.sealed)?;
    Ok(KeyedChain { chain: row.chain, key })
}

async fn get(r: &mut impl Reader, digest: &Digest) -> Result<CertificateRow> {
    rows::certificates::get(r, digest).await.map_err(|e| match e {
        StoreError::NotFound { .. } => Error::from(Fault::new(&faults::NO_CERTIFICATE).with("certificate", digest)),
        other => other.into(),
    })
}

/// Runs until it is dropped.
pub async fn watchman(ctx: Ctx) {
    loop {
        let done = watch(&ctx).await;
        ctx.rounds.note(Loop::Certificates, ctx.now(), EVERY, &done);
        if let Err(e) = done {
            tracing::error!(error = &e as &dyn std::error::Error, "certificates could not be looked through");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Says once of each certificate that it ends soon.
pub async fn watch(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    let rows = rows::certificates::list(&mut ctx.store.read().await?).await?;
    for row in rows.into_iter().filter(|r| is_expiring(r, now) && r.warned_at.is_none()) {
        let warned: Result<()> = transact!(ctx.store, tx => {
            rows::certificates::warn(tx, &row.digest).await?;
            tx.event(about(&row, "certificate.expiring", &Asker::system("certificates"))?).await?;
            Ok(())
        });
        warned?;
    }
    Ok(())
}

/// Names and whole days left of those that end soon or have ended, the first to end first.
pub async fn ending(ctx: &Ctx) -> Result<Vec<(Vec<String>, i64)>> {
    let now = ctx.now();
    let rows = rows::certificates::list(&mut ctx.store.read().await?).await?;
    let soon = rows.into_iter().filter(|row| is_expiring(row, now));
    soon.map(|row| Ok((names_of(&row)?, days_left(&row, now)))).collect()
}

fn days_left(row: &CertificateRow, now: Timestamp) -> i64 {
    (row.not_after.0 - now.0).div_euclid(DAY.as_micros() as i64)
}

fn is_expiring(row: &CertificateRow, now: Timestamp) -> bool {
    let days = if row.origin == ACME { WARN_RENEWED } else { WARN_UPLOADED };
    row.not_after <= now.plus(DAY * days)
}

/// The desired state of every host has changed.
async fn touch_all(tx: &mut Tx) -> Result<()> {
    for host in rows::hosts::list(tx).await? {
        hosts::touch(tx, host.id).await?;
    }
    Ok(())
}

fn names_of(row: &CertificateRow) -> Result<Vec<String>> {
    Ok(row.names.read()?)
}

fn about(row: &CertificateRow, kind: &str, by: &Asker) -> Result<NewEvent> {
    let until = v1::Time::from(row.not_after);
    Ok(NewEvent {
        after: Some(json!({ "names": names_of(row)?, "origin": row.origin, "until": until })),
        ..by.event(kind, format!("certificate/{}", row.digest))
    })
}

fn view(row: &CertificateRow, now: Timestamp, shown_on: u64) -> v1::Certificate {
    v1::Certificate {
        id: row.digest,
        names: names_of(row).unwrap_or_default(),
        origin: row.origin.clone(),
        valid_from: row.not_before.into(),
        valid_until: row.not_after.into(),
        days_left: days_left(row, now),
        expiring: is_expiring(row, now),
        by: services::who(&row.by),
        added_at: row.added_at.into(),
        shown_on,
    }
}

fn bad(why: CertificateError) -> Fault {
    let why = match why {
        CertificateError::Pem(_) => said!("it is not PEM", "不是 PEM 格式"),
        CertificateError::NoCertificate => said!("there is none in what was given", "内容中没有证书"),
        CertificateError::NoKey(_) => said!("there is no private key without a password", "没有无密码的私钥"),
        CertificateError::OtherKey => said!("the private key is another one's", "私钥与证书不匹配"),
        CertificateError::Key(_) => said!("the private key is of a kind that is not used", "不支持该类型的私钥"),
        CertificateError::Unreadable(_) | CertificateError::NoTime => said!("it cannot be read", "无法解析"),
        CertificateError::NoNames => said!("it names no host", "没有包含主机名"),
    };
    Fault::new(&faults::BAD_CERTIFICATE).with("why", why)
}

//! Certificates with their sealed keys, and what is asked of an authority.

use tradewind_model::{event::Actor, id::Digest, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "digest, origin, names, chain, key_id, sealed, not_before, not_after, added_at, added_by, warned_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM certificates WHERE org_id = $1 AND digest = $2");
    LIST = concat!("SELECT ", columns!(), " FROM certificates WHERE org_id = $1 ORDER BY not_after, digest");
    INSERT = "INSERT INTO certificates (org_id, digest, origin, names, chain, key_id, sealed, not_before, not_after, added_at, added_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    REMOVE = "DELETE FROM certificates WHERE org_id = $1 AND digest = $2";
    WARN = "UPDATE certificates SET warned_at = $1 WHERE org_id = $2 AND digest = $3";
    ORDERS = "SELECT host, token, answer, failures, next_at, wrong FROM certificate_orders WHERE org_id = $1 ORDER BY host";
    PUT_ORDER quiet "how far the authority is; what comes of it is told of" =
        "INSERT INTO certificate_orders (org_id, host, token, answer, failures, next_at, wrong)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (org_id, host) DO UPDATE SET token = $3, answer = $4, failures = $5, next_at = $6, wrong = $7";
    END_ORDER quiet "how far the authority is; what comes of it is told of" =
        "DELETE FROM certificate_orders WHERE org_id = $1 AND host = $2";
}

#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// Of the chain.
    pub digest: Digest,
    /// `uploaded` or `acme`.
    pub origin: String,
    /// A list.
    pub names: Json,
    /// PEM.
    pub chain: String,
    pub key_id: String,
    pub sealed: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub by: Actor,
}

#[derive(Clone, Debug)]
pub struct CertificateRow {
    pub digest: Digest,
    pub origin: String,
    pub names: Json,
    pub chain: String,
    pub key_id: String,
    pub sealed: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub added_at: Timestamp,
    pub by: Actor,
    /// When it was said that it ends soon.
    pub warned_at: Option<Timestamp>,
}

impl CertificateRow {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            digest: r.parse("digest")?,
            origin: r.text("origin")?,
            names: r.json("names")?,
            chain: r.text("chain")?,
            key_id: r.text("key_id")?,
            sealed: r.blob("sealed")?,
            not_before: r.time("not_before")?,
            not_after: r.time("not_after")?,
            added_at: r.time("added_at")?,
            by: r.actor("added_by")?,
            warned_at: r.opt_time("warned_at")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, digest: &Digest) -> Result<CertificateRow> {
    let args = args![r.org(), digest];
    let found = r.fetch_opt(&GET, args).await?.as_ref().map(CertificateRow::from_row).transpose()?;
    found.ok_or_else(|| StoreError::not_found("certificate", digest))
}

/// The first to end first.
pub async fn list(r: &mut impl Reader) -> Result<Vec<CertificateRow>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(CertificateRow::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: &NewCertificate) -> Result<()> {
    let args = args![
        tx.org(),
        &new.digest,
        &new.origin,
        &new.names,
        &new.chain,
        &new.key_id,
        new.sealed.as_slice(),
        new.not_before,
        new.not_after,
        tx.now(),
        &new.by
    ];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// False where there is none.
pub async fn remove(tx: &mut Tx, digest: &Digest) -> Result<bool> {
    let args = args![tx.org(), digest];
    Ok(tx.execute(&REMOVE, args).await? == 1)
}

pub async fn warn(tx: &mut Tx, digest: &Digest) -> Result<()> {
    let args = args![tx.now(), tx.org(), digest];
    tx.execute(&WARN, args).await?;
    Ok(())
}

/// What is asked of an authority for one host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub host: String,
    /// The challenge under way: its token, and what is answered.
    pub challenge: Option<(String, String)>,
    /// In a row.
    pub failures: u32,
    pub next_at: Timestamp,
    pub wrong: Option<String>,
}

impl Order {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            host: r.text("host")?,
            challenge: r.opt_text("token")?.zip(r.opt_text("answer")?),
            failures: u32::try_from(r.i64("failures")?).unwrap_or(u32::MAX),
            next_at: r.time("next_at")?,
            wrong: r.opt_text("wrong")?,
        })
    }
}

pub async fn orders(r: &mut impl Reader) -> Result<Vec<Order>> {
    let args = args![r.org()];
    r.fetch_all(&ORDERS, args).await?.iter().map(Order::from_row).collect()
}

pub async fn put_order(tx: &mut Tx, order: &Order) -> Result<()> {
    let (token, answer) = order.challenge.clone().unzip();
    let args = args![tx.org(), &order.host, token, answer, order.failures, order.next_at, order.wrong.clone()];
    tx.execute(&PUT_ORDER, args).await?;
    Ok(())
}

pub async fn end_order(tx: &mut Tx, host: &str) -> Result<()> {
    let args = args![tx.org(), host];
    tx.execute(&END_ORDER, args).await?;
    Ok(())
}

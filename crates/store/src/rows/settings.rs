//! Settings of a tenant, by key.

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, args},
};

statements! {
    GET = "SELECT value FROM settings WHERE org_id = $1 AND key = $2";
    LIST = "SELECT key, value FROM settings WHERE org_id = $1 ORDER BY key";
    PUT = "INSERT INTO settings (org_id, key, value, changed_at, version) VALUES ($1, $2, $3, $4, 1)
        ON CONFLICT (org_id, key) DO UPDATE SET value = $3, changed_at = $4, version = settings.version + 1";
    ENSURE = "INSERT INTO settings (org_id, key, value, changed_at, version) VALUES ($1, $2, $3, $4, 1)
        ON CONFLICT (org_id, key) DO NOTHING";
}

pub async fn get(r: &mut impl Reader, key: &str) -> Result<Option<Json>> {
    let args = args![r.org(), key];
    r.fetch_opt(&GET, args).await?.map(|row| row.json("value")).transpose()
}

pub async fn list(r: &mut impl Reader) -> Result<Vec<(String, Json)>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(|row| Ok((row.text("key")?, row.json("value")?))).collect()
}

pub async fn put(tx: &mut Tx, key: &str, value: &Json) -> Result<()> {
    let args = args![tx.org(), key, value, tx.now()];
    tx.execute(&PUT, args).await?;
    Ok(())
}

/// Sets it where it is not set; true where it was not, and then an event has to say so.
pub async fn ensure(tx: &mut Tx, key: &str, value: &Json) -> Result<bool> {
    let args = args![tx.org(), key, value, tx.now()];
    Ok(tx.execute(&ENSURE, args).await? == 1)
}

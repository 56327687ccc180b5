//! How long the archives that jobs leave are kept.

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::args,
};
use std::collections::HashMap;
use tradewind_model::{id::Digest, time::Timestamp};

statements! {
    PUT quiet "the end of its job tells of it" = "INSERT INTO artifact_terms (org_id, digest, kept_until) VALUES ($1, $2, $3) \
           ON CONFLICT (org_id, digest) DO UPDATE SET kept_until = CASE \
           WHEN artifact_terms.kept_until IS NULL OR excluded.kept_until IS NULL THEN NULL \
           WHEN artifact_terms.kept_until > excluded.kept_until THEN artifact_terms.kept_until \
           ELSE excluded.kept_until END";
    ALL = "SELECT digest, kept_until FROM artifact_terms";
    ONE = "SELECT kept_until FROM artifact_terms WHERE org_id = $1 AND digest = $2";
    FORGET quiet "what it was about is gone, and that was told" = "DELETE FROM artifact_terms WHERE digest = $1 AND kept_until < $2";
}

/// A term that was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    Until(Timestamp),
    ForGood,
}

impl Kept {
    fn of(until: Option<Timestamp>) -> Self {
        until.map_or(Self::ForGood, Self::Until)
    }

    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Until(at) => Some(at),
            Self::ForGood => None,
        }
    }

    fn longer(self, other: Self) -> Self {
        match (self, other) {
            (Self::Until(a), Self::Until(b)) => Self::Until(a.max(b)),
            (Self::ForGood, _) | (_, Self::ForGood) => Self::ForGood,
        }
    }
}

/// At least so long; a longer term stays.
pub async fn keep(tx: &mut Tx, digest: &Digest, kept: Kept) -> Result<()> {
    let args = args![tx.org(), digest, kept.until()];
    tx.execute(&PUT, args).await?;
    Ok(())
}

pub async fn of(r: &mut impl Reader, digest: &Digest) -> Result<Option<Kept>> {
    let args = args![r.org(), digest];
    r.fetch_opt(&ONE, args).await?.map(|row| Ok(Kept::of(row.opt_time("kept_until")?))).transpose()
}

/// Of every tenant's: content is stored once.
pub async fn all(r: &mut impl Reader) -> Result<HashMap<Digest, Kept>> {
    let mut all = HashMap::new();
    for row in r.fetch_all(&ALL, args![]).await? {
        let kept = Kept::of(row.opt_time("kept_until")?);
        all.entry(row.parse("digest")?).and_modify(|known: &mut Kept| *known = known.longer(kept)).or_insert(kept);
    }
    Ok(all)
}

/// Terms that were over by then: of what was left again since, there is another.
pub async fn forget(tx: &mut Tx, digest: &Digest, by: Timestamp) -> Result<()> {
    tx.execute(&FORGET, args![digest, by]).await?;
    Ok(())
}

//! What a forge shows beside the commit of a run.

use tradewind_model::{
    id::{Commit, LinkId, RunId},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "run, link, commit_id, lines, is_open, created_at, next_at"
    };
}

statements! {
    OPEN = concat!("SELECT ", columns!(), " FROM forge_statuses WHERE org_id = $1 AND is_open = 1 ORDER BY created_at, run");
    GET = concat!("SELECT ", columns!(), " FROM forge_statuses WHERE org_id = $1 AND run = $2");
    OF_LINK = concat!(
        "SELECT ", columns!(), " FROM forge_statuses WHERE org_id = $1 AND link = $2 ORDER BY created_at DESC, run DESC LIMIT $3"
    );
    INSERT quiet "what is still to be told elsewhere" =
        "INSERT INTO forge_statuses (org_id, run, link, commit_id, lines, is_open, created_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT DO NOTHING";
    PUT quiet "what was told elsewhere" =
        "UPDATE forge_statuses SET lines = $1, is_open = $2, next_at = $3 WHERE org_id = $4 AND run = $5";
    PURGE quiet "long over" = "DELETE FROM forge_statuses WHERE org_id = $1 AND created_at < $2 AND is_open = 0";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub run: RunId,
    pub link: LinkId,
    pub commit: Commit,
    /// The owner's.
    pub lines: Json,
    /// There may be more to tell.
    pub is_open: bool,
    pub created_at: Timestamp,
    /// When to try again.
    pub next_at: Option<Timestamp>,
}

impl Told {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            run: r.parse("run")?,
            link: r.parse("link")?,
            commit: r.parse("commit_id")?,
            lines: r.json("lines")?,
            is_open: r.bool("is_open")?,
            created_at: r.time("created_at")?,
            next_at: r.opt_time("next_at")?,
        })
    }
}

/// Oldest first.
pub async fn open(r: &mut impl Reader) -> Result<Vec<Told>> {
    let args = args![r.org()];
    r.fetch_all(&OPEN, args).await?.iter().map(Told::from_row).collect()
}

pub async fn find(r: &mut impl Reader, run: RunId) -> Result<Option<Told>> {
    let args = args![r.org(), run];
    r.fetch_opt(&GET, args).await?.as_ref().map(Told::from_row).transpose()
}

/// Newest first.
pub async fn of_link(r: &mut impl Reader, link: LinkId, limit: u32) -> Result<Vec<Told>> {
    let args = args![r.org(), link, limit];
    r.fetch_all(&OF_LINK, args).await?.iter().map(Told::from_row).collect()
}

/// Nothing where it is told of already.
pub async fn begin(tx: &mut Tx, run: RunId, link: LinkId, commit: &Commit, lines: &Json) -> Result<()> {
    let args = args![tx.org(), run, link, commit, lines, tx.now()];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

pub async fn put(tx: &mut Tx, told: &Told) -> Result<()> {
    let args = args![&told.lines, told.is_open, told.next_at, tx.org(), told.run];
    tx.execute(&PUT, args).await?;
    Ok(())
}

pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let args = args![tx.org(), before];
    tx.execute(&PURGE, args).await?;
    Ok(())
}

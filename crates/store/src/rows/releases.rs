//! Releases: immutable, numbered 1, 2, 3 per service; the same content again is the same release.

use tradewind_model::{
    id::{Commit, Digest, RunId, ServiceName},
    release::ReleaseManifest,
    time::Timestamp,
};

use super::{
    Page,
    counters::{self, Counter},
};
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "service, digest, number, commit_id, run_id, bundle, size, created_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM releases WHERE org_id = $1 AND service = $2 AND digest = $3");
    BY_NUMBER = concat!("SELECT ", columns!(), " FROM releases WHERE org_id = $1 AND service = $2 AND number = $3");
    MANIFEST = "SELECT manifest FROM releases WHERE org_id = $1 AND service = $2 AND digest = $3";
    OF_RUN = concat!("SELECT ", columns!(), " FROM releases WHERE org_id = $1 AND service = $2 AND run_id = $3");
    OF_COMMIT = concat!(
        "SELECT ", columns!(), " FROM releases WHERE org_id = $1 AND service = $2 AND commit_id = $3
         ORDER BY number DESC LIMIT 1"
    );
    LIST = concat!(
        "SELECT ", columns!(), " FROM releases WHERE org_id = $1 AND service = $2 AND (CAST($3 AS BIGINT) IS NULL OR number < $3)
         ORDER BY number DESC LIMIT $4"
    );
    BUNDLES = "SELECT DISTINCT bundle FROM releases";
    INSERT = "INSERT INTO releases (org_id, service, digest, number, commit_id, run_id, manifest, bundle, size, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    pub service: ServiceName,
    pub digest: Digest,
    pub number: i64,
    pub commit: Commit,
    /// The run that packaged it; none for a release that came otherwise.
    pub run: Option<RunId>,
    pub bundle: Digest,
    /// Bytes of the bundle.
    pub size: u64,
    pub created_at: Timestamp,
}

impl Release {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            service: r.parse("service")?,
            digest: r.parse("digest")?,
            number: r.i64("number")?,
            commit: r.parse("commit_id")?,
            run: r.opt_parse("run_id")?,
            bundle: r.parse("bundle")?,
            size: r.u64("size")?,
            created_at: r.time("created_at")?,
        })
    }

    /// `v3`.
    pub fn label(&self) -> String {
        format!("v{}", self.number)
    }
}

pub async fn find(r: &mut impl Reader, service: &ServiceName, digest: &Digest) -> Result<Option<Release>> {
    let args = args![r.org(), service, digest];
    r.fetch_opt(&GET, args).await?.as_ref().map(Release::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, service: &ServiceName, digest: &Digest) -> Result<Release> {
    find(r, service, digest).await?.ok_or_else(|| StoreError::not_found("release", digest))
}

/// By what a person calls it: `v3` or `sha256:…`.
pub async fn named(r: &mut impl Reader, service: &ServiceName, name: &str) -> Result<Release> {
    let found = match name.strip_prefix('v').and_then(|n| n.parse::<i64>().ok()) {
        Some(number) => {
            let args = args![r.org(), service, number];
            r.fetch_opt(&BY_NUMBER, args).await?.as_ref().map(Release::from_row).transpose()?
        }
        None => match name.parse() {
            Ok(digest) => find(r, service, &digest).await?,
            Err(_) => None,
        },
    };
    found.ok_or_else(|| StoreError::not_found("release", format!("{service} {name}")))
}

/// With every file it is made of; large.
pub async fn manifest(r: &mut impl Reader, service: &ServiceName, digest: &Digest) -> Result<ReleaseManifest> {
    let args = args![r.org(), service, digest];
    let row = r.fetch_opt(&MANIFEST, args).await?;
    row.ok_or_else(|| StoreError::not_found("release", digest))?.json("manifest")?.read()
}

/// What a run packaged first; a run whose content was known before has none of its own.
pub async fn of_run(r: &mut impl Reader, service: &ServiceName, run: RunId) -> Result<Option<Release>> {
    let args = args![r.org(), service, run];
    r.fetch_opt(&OF_RUN, args).await?.as_ref().map(Release::from_row).transpose()
}

/// The newest of a commit.
pub async fn of_commit(r: &mut impl Reader, service: &ServiceName, commit: &Commit) -> Result<Option<Release>> {
    let args = args![r.org(), service, commit];
    r.fetch_opt(&OF_COMMIT, args).await?.as_ref().map(Release::from_row).transpose()
}

/// Newest first; the cursor is a number.
pub async fn list(r: &mut impl Reader, service: &ServiceName, page: Page<i64>) -> Result<Vec<Release>> {
    let args = args![r.org(), service, page.after, page.limit];
    r.fetch_all(&LIST, args).await?.iter().map(Release::from_row).collect()
}

/// Every bundle that a release of any tenant is made of: what collection must never touch.
pub async fn bundles(r: &mut impl Reader) -> Result<Vec<Digest>> {
    r.fetch_all(&BUNDLES, args![]).await?.iter().map(|row| row.parse("bundle")).collect()
}

/// The release with this content and whether it is new; one that is known already keeps its number and run.
pub async fn insert(tx: &mut Tx, manifest: &ReleaseManifest, run: Option<RunId>) -> Result<(Release, bool)> {
    let digest = manifest.digest();
    if let Some(known) = find(tx, &manifest.service, &digest).await? {
        return Ok((known, false));
    }
    let number = counters::next(tx, &manifest.service, Counter::Releases).await?;
    let now = tx.now();
    let size = i64::try_from(manifest.bundle.size).map_err(|e| StoreError::unreadable("a bundle's size", e))?;
    let args = args![
        tx.org(),
        &manifest.service,
        digest,
        number,
        &manifest.commit,
        run,
        Json::of(manifest),
        manifest.bundle.digest,
        size,
        now
    ];
    tx.execute(&INSERT, args).await?;
    let release = Release {
        service: manifest.service.clone(),
        digest,
        number,
        commit: manifest.commit.clone(),
        run,
        bundle: manifest.bundle.digest,
        size: manifest.bundle.size,
        created_at: now,
    };
    Ok((release, true))
}

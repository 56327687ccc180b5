//! Releases: listed, shown, compared, and where each can be gone back to.

pub mod stands;

use crate::{Ctx, Result, faults, rollouts::preview::live_in, runs::RunPlan, services};
use stands::Ledger;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_api::v1::{self, FileChange, FileChangeKind, ReleaseFile, ReleaseRef, SpecChange};
use tradewind_model::{
    fault::{Fault, Lang},
    id::{EnvName, ServiceName},
    release::{EntryContent, ManifestEntry, ReleaseManifest},
    spec::flatten,
};
use tradewind_store::{
    Reader, StoreError,
    rows::{self, Page, releases::Release},
};

/// By label or digest.
pub async fn named(r: &mut impl Reader, service: &ServiceName, name: &str) -> Result<Release> {
    rows::releases::named(r, service, name).await.map_err(|e| match e {
        StoreError::NotFound { .. } => {
            Fault::new(&faults::NO_RELEASE).with("service", service).with("release", name).into()
        }
        other => other.into(),
    })
}

pub fn name_of(release: &Release) -> ReleaseRef {
    ReleaseRef { label: release.label(), digest: release.digest }
}

/// Newest first; `after` is the number of the last one of the page before.
pub async fn list(
    ctx: &Ctx,
    service: &ServiceName,
    after: Option<i64>,
    limit: u32,
    lang: Lang,
) -> Result<v1::Page<v1::Release>> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut rows = rows::releases::list(&mut r, service, Page { after, limit: limit + 1 }).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|x| x.number.to_string())).flatten();
    let ledger = Ledger::of(ctx, &mut r, service).await?;
    let mut items = Vec::new();
    for row in rows {
        items.push(view(&mut r, &ledger, row, lang).await?.0);
    }
    Ok(v1::Page { items, next })
}

pub async fn show(ctx: &Ctx, service: &ServiceName, name: &str, lang: Lang) -> Result<v1::ReleaseDetail> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let row = named(&mut r, service, name).await?;
    let ledger = Ledger::of(ctx, &mut r, service).await?;
    let (release, manifest) = view(&mut r, &ledger, row, lang).await?;
    let files = manifest.files.iter().map(file).collect();
    Ok(v1::ReleaseDetail { release, spec: manifest.spec, manifest: files })
}

async fn view(
    r: &mut impl Reader,
    ledger: &Ledger,
    row: Release,
    lang: Lang,
) -> Result<(v1::Release, ReleaseManifest)> {
    let manifest = rows::releases::manifest(r, &row.service, &row.digest).await?;
    let (created_by, title) = match row.run {
        Some(run) => {
            let run = rows::runs::get(r, run).await?;
            (services::who(&run.actor), run.plan.read::<RunPlan>()?.trigger.title().map(str::to_owned))
        }
        None => (String::new(), None),
    };
    let view = v1::Release {
        name: name_of(&row),
        stands: ledger.stands(r, &row, &manifest.spec, lang).await?,
        live_in: ledger.live_in(&row.digest),
        service: row.service,
        commit: row.commit,
        title,
        run: row.run,
        created_at: row.created_at.into(),
        created_by,
        bundle: row.bundle,
        bundle_bytes: row.size,
        files: manifest.files.len() as u64,
    };
    Ok((view, manifest))
}

fn file(e: &ManifestEntry) -> ReleaseFile {
    match &e.content {
        EntryContent::File { digest, size, executable } => ReleaseFile {
            path: e.path.clone(),
            digest: Some(*digest),
            bytes: Some(*size),
            executable: *executable,
            link: None,
        },
        EntryContent::Symlink { target } => ReleaseFile {
            path: e.path.clone(),
            digest: None,
            bytes: None,
            executable: false,
            link: Some(target.clone()),
        },
    }
}

/// What stands for the release that is live in the environment that is meant.
const LIVE: &str = "live";

async fn named_or_live(
    r: &mut impl Reader,
    service: &ServiceName,
    name: &str,
    env: Option<&EnvName>,
) -> Result<Release> {
    match (name, env) {
        (LIVE, Some(env)) => {
            let digest = live_in(r, service, env).await?;
            Ok(rows::releases::get(r, service, &digest).await?)
        }
        (LIVE, None) => Err(Fault::new(&faults::LIVE_WHERE).into()),
        (name, _) => named(r, service, name).await,
    }
}

/// What changes between two releases: files, and values of the spec. `live` is what is live in `env`. The commits between them
/// are for the caller to add, who has the repository.
pub async fn diff(
    ctx: &Ctx,
    service: &ServiceName,
    from: &str,
    to: &str,
    env: Option<&EnvName>,
) -> Result<v1::ReleaseDiff> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let a = named_or_live(&mut r, service, from, env).await?;
    let b = named_or_live(&mut r, service, to, env).await?;
    let before = rows::releases::manifest(&mut r, service, &a.digest).await?;
    let after = rows::releases::manifest(&mut r, service, &b.digest).await?;
    Ok(v1::ReleaseDiff {
        from: name_of(&a),
        to: name_of(&b),
        from_commit: a.commit,
        to_commit: b.commit,
        files: file_changes(&before, &after),
        spec: spec_changes(&before.spec, &after.spec),
        history: None,
        sources: None,
    })
}

fn file_changes(before: &ReleaseManifest, after: &ReleaseManifest) -> Vec<FileChange> {
    fn by_path(m: &ReleaseManifest) -> BTreeMap<&str, &EntryContent> {
        m.files.iter().map(|e| (e.path.as_str(), &e.content)).collect()
    }
    fn bytes(c: Option<&&EntryContent>) -> Option<u64> {
        match c? {
            EntryContent::File { size, .. } => Some(*size),
            EntryContent::Symlink { .. } => None,
        }
    }
    let (old, new) = (by_path(before), by_path(after));
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut changes = Vec::new();
    for path in paths {
        let (a, b) = (old.get(path), new.get(path));
        let change = match (a, b) {
            (None, _) => FileChangeKind::Added,
            (_, None) => FileChangeKind::Removed,
            (Some(a), Some(b)) if a == b => continue,
            (Some(EntryContent::File { digest: x, .. }), Some(EntryContent::File { digest: y, .. })) if x == y => {
                FileChangeKind::ModeChanged
            }
            (Some(_), Some(_)) => FileChangeKind::Changed,
        };
        changes.push(FileChange { path: path.into(), change, before_bytes: bytes(a), after_bytes: bytes(b) });
    }
    changes
}

fn spec_changes(before: &str, after: &str) -> Vec<SpecChange> {
    let (old, new) = (flatten(before), flatten(after));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|k| old.get(*k) != new.get(*k))
        .map(|k| SpecChange { key: k.clone(), before: old.get(k).cloned(), after: new.get(k).cloned() })
        .collect()
}

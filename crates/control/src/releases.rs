//! Releases: listed, shown, compared.

use crate::{Ctx, Result, faults, runs::RunPlan, services};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_api::v1::{self, FileChange, FileChangeKind, ReleaseFile, ReleaseRef, SpecChange};
use tradewind_model::{
    fault::Fault,
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
pub async fn list(ctx: &Ctx, service: &ServiceName, after: Option<i64>, limit: u32) -> Result<v1::Page<v1::Release>> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut rows = rows::releases::list(&mut r, service, Page { after, limit: limit + 1 }).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|x| x.number.to_string())).flatten();
    let mut items = Vec::new();
    for row in rows {
        items.push(view(&mut r, row).await?.0);
    }
    Ok(v1::Page { items, next })
}

pub async fn show(ctx: &Ctx, service: &ServiceName, name: &str) -> Result<v1::ReleaseDetail> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let row = named(&mut r, service, name).await?;
    let (release, manifest) = view(&mut r, row).await?;
    let files = manifest.files.iter().map(file).collect();
    Ok(v1::ReleaseDetail { release, spec: manifest.spec, manifest: files })
}

async fn view(r: &mut impl Reader, row: Release) -> Result<(v1::Release, ReleaseManifest)> {
    let manifest = rows::releases::manifest(r, &row.service, &row.digest).await?;
    let (created_by, title) = match row.run {
        Some(run) => {
            let run = rows::runs::get(r, run).await?;
            (services::who(&run.actor), run.plan.read::<RunPlan>()?.trigger.title().map(str::to_owned))
        }
        None => (String::new(), None),
    };
    let mut live_in: BTreeSet<EnvName> = BTreeSet::new();
    for place in rows::places::list(r, Some(&row.service)).await? {
        if let Some(current) = place.history.current()
            && rows::revisions::get(r, current).await?.release == row.digest
        {
            live_in.insert(place.place.env);
        }
    }
    let view = v1::Release {
        name: name_of(&row),
        service: row.service,
        commit: row.commit,
        title,
        run: row.run,
        created_at: row.created_at.into(),
        created_by,
        bundle: row.bundle,
        bundle_bytes: row.size,
        files: manifest.files.len() as u64,
        live_in: live_in.into_iter().collect(),
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

/// What changes between two releases: files, and values of the spec.
pub async fn diff(ctx: &Ctx, service: &ServiceName, from: &str, to: &str) -> Result<v1::ReleaseDiff> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let (a, b) = (named(&mut r, service, from).await?, named(&mut r, service, to).await?);
    let before = rows::releases::manifest(&mut r, service, &a.digest).await?;
    let after = rows::releases::manifest(&mut r, service, &b.digest).await?;
    Ok(v1::ReleaseDiff {
        from: name_of(&a),
        to: name_of(&b),
        from_commit: a.commit,
        to_commit: b.commit,
        files: file_changes(&before, &after),
        spec: spec_changes(&before.spec, &after.spec),
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

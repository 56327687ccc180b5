//! Makes a release: the tree a build left, what of it belongs into the bundle, and its manifest.

use super::{
    Order, Shop,
    journal::TaskFolder,
    log::TaskLog,
    ordered,
    workspace::{self, again},
};
use crate::{
    disk::blocking,
    faults,
    tree::pack::{Patterns, choose, pack},
};
use tradewind_model::{
    fault::Fault,
    id::{BadId, ServiceName},
    protocol::agent::{LONGEST_MANIFEST, PackageWork, TaskResult},
    release::{BundleRef, ManifestEntry, ReleaseManifest},
    said,
};

/// Begun again from nothing by a new agent: the same tree gives the same bundle.
pub async fn package(
    shop: &Shop,
    folder: &TaskFolder,
    work: &PackageWork,
    log: &mut TaskLog,
    order: &mut tokio::sync::watch::Receiver<Order>,
) -> TaskResult {
    let made = {
        let make = make(shop, folder, work, log);
        tokio::select! {
            made = make => Some(made),
            () = ordered(order, |o| *o != Order::Go) => None,
        }
    };
    match made {
        None => super::canceled(),
        Some(Ok(manifest)) => TaskResult::Package { result: Ok(manifest) },
        Some(Err(fault)) if *fault.code == faults::UNREACHABLE || *fault.code == faults::DISK => super::failed(&fault),
        Some(Err(fault)) => {
            log.say(&format!("ERROR: {fault}"));
            TaskResult::Package { result: Err(fault.into()) }
        }
    }
}

async fn make(
    shop: &Shop,
    folder: &TaskFolder,
    work: &PackageWork,
    log: &mut TaskLog,
) -> Result<ReleaseManifest, Fault> {
    let service: ServiceName = work.source.service.parse().map_err(|e: BadId| {
        Fault::new(&faults::UNREACHABLE).with("what", said!("the name of a service", "服务名")).with("why", e)
    })?;
    let patterns = Patterns::new(&work.paths, &work.exclude)?;
    let (tree, archive) = (folder.work(), folder.packed());
    workspace::fill(shop, &work.source, &tree, &folder.download()).await?;
    let packed = {
        let (archive, paths) = (archive.clone(), work.paths.join(", "));
        blocking(move || {
            let chosen = choose(&tree, &patterns, None)?;
            if chosen.is_empty() {
                return Err(Fault::new(&faults::NOTHING_PACKAGED).with("paths", paths));
            }
            let packed = pack(&tree, &chosen, &archive)?;
            reportable(&packed.files, LONGEST_MANIFEST)?;
            Ok(packed)
        })
        .await?
    };
    log.say(&format!("Packaged {} files into {} bytes", packed.files.len(), packed.size));
    again(&said!("a place for the bundle", "发布包的存放位置"), || {
        shop.server.put_blob(&packed.digest, &archive)
    })
    .await?;
    let manifest = ReleaseManifest {
        version: 1,
        service,
        commit: work.source.commit.clone(),
        bundle: BundleRef { digest: packed.digest, size: packed.size },
        spec: work.spec.clone(),
        files: packed.files,
    };
    log.say(&format!("Release {}", manifest.digest()));
    Ok(manifest)
}

/// Whether the list of files can be told to the server.
fn reportable(files: &[ManifestEntry], limit: usize) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(files).map_or(usize::MAX, |json| json.len());
    if bytes <= limit {
        return Ok(());
    }
    Err(Fault::new(&faults::TOO_MANY_FILES).with("count", files.len()).with("bytes", bytes).with("limit", limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::release::EntryContent;

    #[test]
    fn a_list_of_files_that_is_too_long_to_report_is_refused() {
        let file = |n: u32| ManifestEntry {
            path: format!("node_modules/{n}"),
            content: EntryContent::Symlink { target: "x".into() },
        };
        let files: Vec<_> = (0..100).map(file).collect();
        let bytes = serde_json::to_vec(&files).unwrap().len();
        reportable(&files, bytes).unwrap();
        let refused = reportable(&files, bytes - 1).unwrap_err();
        assert_eq!(*refused.code, faults::TOO_MANY_FILES);
    }
}

//! A task's files: the commit's tree, and the artifacts of earlier jobs over it.

use super::Shop;
use crate::{
    disk::{self, At, blocking},
    faults,
    server::RequestError,
    tree::{self, Bounds, Existing},
};
use std::{fs::File, path::Path, time::Duration};
use tradewind_model::{fault::Fault, protocol::agent::Source, said, said::Said};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A blob that arrives damaged is fetched again so often before it is given up.
const DAMAGED: u32 = 3;

/// Fills `into`, which is emptied first. `download` is where archives are kept meanwhile.
pub async fn fill(shop: &Shop, source: &Source, into: &Path, download: &Path) -> Result<(), Fault> {
    {
        let into = into.to_owned();
        blocking(move || {
            disk::remove_folder(&into)?;
            Ok(disk::folder(&into, 0o755)?)
        })
        .await?;
    }
    let (service, commit) = (&source.service, source.commit.short());
    let what = said!(
        "the source of {service} at {commit}",
        "{service} 在提交 {commit} 的源码",
        service = service,
        commit = commit
    );
    again(&what, || shop.server.source(&source.service, &source.commit, download)).await?;
    lay_over(download, into, false).await?;
    for artifacts in &source.artifacts {
        let what = said!("the artifacts {digest}", "制品 {digest}", digest = artifacts.short());
        again(&what, || shop.server.blob(artifacts, download)).await?;
        lay_over(download, into, true).await?;
    }
    disk::remove_file(download)?;
    Ok(())
}

/// Until it works or never will.
pub async fn again<F>(what: &Said, mut request: impl FnMut() -> F) -> Result<(), Fault>
where
    F: Future<Output = Result<(), RequestError>>,
{
    let mut pause = FIRST_PAUSE;
    let mut damaged = 0;
    loop {
        let error = match request().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        damaged += u32::from(matches!(error, RequestError::Differs(_)));
        let may_work = error.passes() || matches!(error, RequestError::Differs(_));
        if !may_work || damaged == DAMAGED {
            return Err(Fault::new(&faults::UNREACHABLE).with("what", what).with("why", error.said()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn lay_over(archive: &Path, into: &Path, compressed: bool) -> Result<(), Fault> {
    let (archive, into) = (archive.to_owned(), into.to_owned());
    blocking(move || {
        let file = File::open(&archive).at("open", &archive)?;
        let bounds = Bounds::default();
        if compressed {
            let tar = zstd::Decoder::new(file).at("read", &archive)?;
            tree::unpack(tar, &into, Existing::Replace, bounds)
        } else {
            tree::unpack(std::io::BufReader::new(file), &into, Existing::Replace, bounds)
        }
    })
    .await
}

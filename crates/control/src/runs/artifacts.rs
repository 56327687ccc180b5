//! What jobs leave behind: one archive each, kept for a while after the run.

use super::{Runs, error::Result, faults, live::Live};
use crate::housekeeping::ARTIFACTS;
use tradewind_api::v1;
use tradewind_model::{
    fault::Fault,
    id::{Digest, JobId, RunId},
};
use tradewind_store::{
    Blobs,
    rows::{self, artifact_terms::Kept},
};

/// An archive that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What a download is called: nothing but letters, digits, `.`, `_` and `-`.
    pub file: String,
}

impl Runs {
    /// In the order of the jobs; those that were collected too.
    pub async fn artifacts(&self, run: RunId, blobs: &Blobs) -> Result<Vec<v1::Artifact>> {
        let live = self.load(run).await?;
        let mut r = self.ctx.store.read().await?;
        let mut all = Vec::new();
        for (job, body) in live.jobs.iter().zip(&live.bodies) {
            let Some(digest) = body.artifacts else { continue };
            let info = blobs.info(&digest).await?;
            let expires_at = match (info, live.run.finished_at) {
                (Some(info), Some(_)) => rows::artifact_terms::of(&mut r, &digest)
                    .await?
                    .map_or_else(|| Some(info.stored_at.plus(ARTIFACTS)), Kept::until),
                (Some(_), None) | (None, _) => None,
            };
            all.push(v1::Artifact {
                job: job.id,
                name: job.name.clone(),
                file: file_of(&live, &job.name),
                digest,
                size: info.map(|i| i.size),
                expires_at: expires_at.map(Into::into),
            });
        }
        Ok(all)
    }

    /// What a job left.
    ///
    /// # Errors
    /// [`faults::NO_ARTIFACTS`]; [`faults::ARTIFACTS_GONE`].
    pub async fn artifact(&self, run: RunId, job: JobId, blobs: &Blobs) -> Result<Stored> {
        let live = self.load(run).await?;
        let at = self.job_in(&live, job)?;
        let name = &live.jobs[at].name;
        let none = || Fault::new(&faults::NO_ARTIFACTS).with("job", name);
        let digest = live.bodies[at].artifacts.ok_or_else(none)?;
        let gone = || Fault::new(&faults::ARTIFACTS_GONE).with("job", name);
        let info = blobs.info(&digest).await?.ok_or_else(gone)?;
        Ok(Stored { digest, size: info.size, file: file_of(&live, name) })
    }
}

fn file_of(live: &Live, job: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = job.chars().map(plain).take(80).collect();
    format!("{}-{}-{}.tar.zst", live.run.service, live.run.number, name.trim_matches(['-', '.']))
}

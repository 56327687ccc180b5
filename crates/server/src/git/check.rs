//! What a push must bring before its refs move: a spec and a pipeline that can be read.

use super::{Quarantine, Remote, push::Push, repo::Blob, repo::GitError, wire::Update};
use crate::faults;
use tradewind_model::{
    fault::{Fault, Lang},
    id::Commit,
    pipeline,
    spec::{Pipeline, Spec, defaults, render_faults},
};

/// The spec's place in a repository.
pub const SPEC_FILE: &str = "tradewind.yaml";
const SPEC_LIMIT: u64 = 256 << 10;
const PIPELINE_LIMIT: u64 = 1 << 20;

/// What is wrong with a push, as its pusher reads it; empty when nothing is.
pub async fn complaints(
    remote: &Remote,
    push: &Push,
    updates: &[Update],
    quarantine: Option<&Quarantine>,
) -> Result<Vec<String>, GitError> {
    let mut told = Vec::new();
    for update in updates.iter().filter(|u| !u.is_deletion()) {
        if let Some(branch) = update.branch() {
            let look = Look { remote, push, commit: &update.new, branch, quarantine };
            told.extend(look.spec().await?);
        } else if !update.is_tag() {
            told.push(one(Fault::new(&faults::ODD_REF).with("ref", &update.name), push.lang));
        }
    }
    Ok(told)
}

/// A commit that a branch is to point to.
struct Look<'a> {
    remote: &'a Remote,
    push: &'a Push,
    commit: &'a Commit,
    branch: &'a str,
    quarantine: Option<&'a Quarantine>,
}

/// A file of the commit, or why it cannot be read.
enum Found {
    Text(String),
    Missing,
    Refused(String),
}

impl Look<'_> {
    async fn spec(&self) -> Result<Option<String>, GitError> {
        let lang = self.push.lang;
        let source = match self.file(SPEC_FILE, SPEC_LIMIT).await? {
            Found::Text(text) => text,
            Found::Refused(why) => return Ok(Some(why)),
            Found::Missing => return Ok(Some(one(self.about(&faults::NO_SPEC), lang))),
        };
        let spec = match Spec::parse(SPEC_FILE, &source) {
            Ok(spec) => spec,
            Err(faults) => return Ok(Some(render_faults(&faults, &source, lang))),
        };
        if let Err(fault) = spec.check_service(&self.push.service) {
            return Ok(Some(render_faults(&[fault], &source, lang)));
        }
        self.pipeline(&spec).await
    }

    async fn pipeline(&self, spec: &Spec) -> Result<Option<String>, GitError> {
        let lang = self.push.lang;
        let (file, required) = match &spec.pipeline {
            Pipeline::None => return Ok(None),
            Pipeline::IfPresent => (defaults::PIPELINE_FILE, false),
            Pipeline::File(file) => (file.as_str(), true),
        };
        match self.file(file, PIPELINE_LIMIT).await? {
            Found::Text(source) => match pipeline::file::read(file, &source) {
                Ok(_) => Ok(None),
                Err(faults) => Ok(Some(render_faults(&faults, &source, lang))),
            },
            Found::Refused(why) => Ok(Some(why)),
            Found::Missing if required => Ok(Some(one(self.about(&faults::NO_PIPELINE).with("file", file), lang))),
            Found::Missing => Ok(None),
        }
    }

    async fn file(&self, path: &str, limit: u64) -> Result<Found, GitError> {
        let lang = self.push.lang;
        Ok(match self.remote.repos.file(&self.push.service, self.commit, path, limit, self.quarantine).await? {
            Blob::Missing => Found::Missing,
            Blob::TooLarge(_) => {
                Found::Refused(one(Fault::new(&faults::FILE_TOO_LARGE).with("file", path).with("limit", limit), lang))
            }
            Blob::Content(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Found::Text(text),
                Err(_) => Found::Refused(one(Fault::new(&faults::NOT_TEXT).with("file", path), lang)),
            },
        })
    }

    fn about(&self, code: &'static tradewind_model::fault::Code) -> Fault {
        Fault::new(code).with("commit", self.commit.short()).with("branch", self.branch)
    }
}

fn one(fault: Fault, lang: Lang) -> String {
    render_faults(&[fault], "", lang)
}

//! From a ref that moved to what the control plane is told of it.

use super::{
    Quarantine, Repos,
    repo::{Blob, GitError},
    wire::Update,
};
use crate::faults;
use tradewind_control::{
    ctx::Asker,
    runs::{PipelineFile, Push, pipeline_file},
};
use tradewind_model::{
    fault::{Fault, Lang},
    id::ServiceName,
    spec::{Pipeline, Spec, defaults, render_faults},
};

/// What [`Spec::parse`] takes at most.
const SPEC_LIMIT: u64 = 256 << 10;
const PIPELINE_LIMIT: u64 = 1 << 20;
/// Branches count from here until a service names another.
const DEFAULT_BRANCH: &str = "main";

/// What is wrong with the files of a commit, with the files themselves for the person who has to read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    faults: Vec<Fault>,
    sources: Vec<(String, String)>,
}

impl Complaint {
    pub fn one(fault: Fault) -> Self {
        Self { faults: vec![fault], sources: Vec::new() }
    }

    pub fn of_push(faults: Vec<Fault>, push: &Push) -> Self {
        let pipeline = push.pipeline.iter().map(|p| (p.name.clone(), p.text.clone()));
        let sources = [(defaults::FILE.to_owned(), push.spec.clone())].into_iter().chain(pipeline).collect();
        Self { faults, sources }
    }

    /// For a terminal: each place with its line.
    pub fn text(&self, lang: Lang) -> String {
        let blocks = self.faults.iter().map(|fault| {
            let file = fault.at.as_ref().map(|at| at.file.as_str());
            let source = self.sources.iter().find(|(name, _)| Some(name.as_str()) == file);
            render_faults(std::slice::from_ref(fault), source.map_or("", |(_, text)| text), lang)
        });
        blocks.collect::<Vec<_>>().join("\n")
    }
}

/// Who moved a ref, and what names this move among all others of the ref.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    pub id: String,
    pub by: Asker,
}

/// Reads a commit's files and message; `Ok(Err(…))` where they are not what they have to be.
pub async fn read(
    repos: &Repos,
    service: &ServiceName,
    update: &Update,
    moved: Moved,
    quarantine: Option<&Quarantine>,
) -> Result<Result<Push, Complaint>, GitError> {
    let commit = &update.new;
    let about = |code| Fault::new(code).with("commit", commit.short());
    let file = async |path: &str, limit| match repos.file(service, commit, path, limit, quarantine).await? {
        Blob::Missing => Ok(Ok(None)),
        Blob::TooLarge(_) => Ok(Err(Fault::new(&faults::FILE_TOO_LARGE).with("file", path).with("limit", limit))),
        Blob::Content(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Ok(Some(text))),
            Err(_) => Ok(Err(Fault::new(&faults::NOT_TEXT).with("file", path))),
        },
    };
    let spec_text = match file(defaults::FILE, SPEC_LIMIT).await? {
        Ok(Some(text)) => text,
        Ok(None) => {
            let branch = update.branch().unwrap_or(&update.name);
            return Ok(Err(Complaint::one(about(&faults::NO_SPEC).with("branch", branch))));
        }
        Err(fault) => return Ok(Err(Complaint::one(fault))),
    };
    // Read here only for the pipeline's name; `runs::check` says what is wrong with it.
    let spec = Spec::parse(defaults::FILE, &spec_text).ok();
    let mut pipeline = None;
    if let Some((spec, name)) = spec.as_ref().and_then(|s| Some((s, pipeline_file(s)?))) {
        pipeline = match file(name, PIPELINE_LIMIT).await? {
            Ok(Some(text)) => Some(PipelineFile { name: name.to_owned(), text }),
            Ok(None) if matches!(spec.pipeline, Pipeline::IfPresent) => None,
            Ok(None) => return Ok(Err(Complaint::one(about(&faults::NO_PIPELINE).with("file", name)))),
            Err(fault) => return Ok(Err(Complaint::one(fault))),
        };
    }
    Ok(Ok(Push {
        id: moved.id,
        service: service.clone(),
        commit: commit.clone(),
        before: Some(update.old.clone()).filter(|c| !is_zero(c.as_str())),
        git_ref: update.name.clone(),
        default_branch: DEFAULT_BRANCH.into(),
        message: repos.message(service, commit, quarantine).await?,
        actor: moved.by.actor,
        cause: moved.by.cause,
        spec: spec_text,
        pipeline,
    }))
}

pub(super) fn is_zero(commit: &str) -> bool {
    commit.bytes().all(|b| b == b'0')
}

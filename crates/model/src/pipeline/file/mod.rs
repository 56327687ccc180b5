//! A pipeline file, understood: [`read`] knows nothing but the text, [`File::plan`] makes the plan for one push.
//!
//! All faults of a file are told at once, each with its place. A keyword that would do something elsewhere and does
//! nothing here is refused by name, never ignored.

mod check;
mod compose;
mod duration;
mod job;
mod keys;
mod plan;
mod read;
mod rules;

use super::{
    faults,
    plan::{OnJobFailure, OnNewCommit},
    variables::{Variables, circular},
};
use crate::{
    fault::Fault,
    spec,
    yaml::{self, Entry, Mapping, MergeOrder, Node, Options, Value},
};
use job::JobFile;
use read::Faults;
use rules::Rule;

const STAGES: [&str; 3] = ["build", "test", "deploy"];

/// What a pipeline file says.
#[derive(Clone, Debug)]
pub struct File {
    /// `.pre` first and `.post` last.
    stages: Vec<String>,
    variables: Variables,
    workflow_rules: Option<Vec<Rule>>,
    on_job_failure: OnJobFailure,
    on_new_commit: OnNewCommit,
    /// In the file's order; hidden ones are not here.
    jobs: Vec<JobFile>,
}

/// Reads `source`; `file` is its name for people. An empty file is a pipeline without jobs.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(file: &str, source: &str) -> Result<File, Vec<Fault>> {
    let options = Options { merge: MergeOrder::LaterWins, ..Options::default() };
    let root = yaml::parse(file, source, &options).map_err(|f| vec![f])?;
    let mut faults = Faults::default();
    let read = match &root.value {
        Value::Mapping(map) => Some(top(&compose::compose(map, &mut faults), &mut faults)),
        Value::Scalar(_) if root.is_null() => Some(top(&Mapping::default(), &mut faults)),
        Value::Scalar(_) | Value::Sequence(_) => {
            faults.push(root.fault(&faults::NOT_A_MAPPING).with("found", root.shown()));
            None
        }
    };
    match read {
        Some(file) if faults.is_empty() => Ok(file),
        _ => Err(faults.into_sorted()),
    }
}

fn top(root: &Mapping, faults: &mut Faults) -> File {
    let default = default(root, faults);
    let variables = root.get("variables").map(|n| faults.variables(n)).unwrap_or_default();
    let mut file = File {
        stages: stages(root, faults),
        variables,
        workflow_rules: None,
        on_job_failure: OnJobFailure::None,
        on_new_commit: OnNewCommit::Conservative,
        jobs: Vec::new(),
    };
    if let Some(map) = root.get("workflow").and_then(|n| faults.mapping("workflow", n)) {
        workflow(map, &mut file, faults);
    }
    for Entry { key, value } in &root.entries {
        let word = key.as_str();
        if keys::GLOBAL.contains(&word) || word.starts_with('.') {
            continue;
        }
        if let Some((_, code)) = keys::GLOBAL_REFUSED.iter().find(|(k, _)| *k == word) {
            faults.push(key.fault(code).with("key", word));
        } else if is_job(value) {
            file.jobs.extend(job::read(key, value, &default, faults));
        } else {
            let near =
                spec::near(word, keys::GLOBAL.iter().chain(keys::GLOBAL_REFUSED.iter().map(|(k, _)| k)).copied());
            faults.push(match near {
                Some(near) => key.fault(&faults::NOT_A_JOB_NEAR).with("key", word).with("near", near),
                None => key.fault(&faults::NOT_A_JOB).with("key", word),
            });
        }
    }
    check::check(&file, faults);
    check_circles(root, &file, faults);
    file
}

/// A mapping that has at least one keyword of a job.
fn is_job(node: &Node) -> bool {
    node.as_mapping().is_some_and(|map| {
        map.iter().any(|(k, _)| {
            keys::JOB.contains(&k.as_str()) || keys::JOB_REFUSED.iter().any(|(refused, _)| *refused == k.as_str())
        })
    })
}

fn stages(root: &Mapping, faults: &mut Faults) -> Vec<String> {
    let own = root.get("stages").and_then(|n| faults.texts("stages", n));
    let own = own.map_or_else(|| STAGES.map(String::from).to_vec(), |own| own.into_iter().map(|(t, _)| t).collect());
    let mut all = vec![".pre".to_owned()];
    for stage in own {
        if stage != ".post" && !all.contains(&stage) {
            all.push(stage);
        }
    }
    all.push(".post".into());
    all
}

/// `default`, with what older files write at the top instead.
fn default(root: &Mapping, faults: &mut Faults) -> Mapping {
    let mut out = Mapping::default();
    if let Some(map) = root.get("default").and_then(|n| faults.mapping("default", n)) {
        faults.keys("`default`", map, keys::DEFAULT, keys::DEFAULT_REFUSED);
        out = map.clone();
    }
    for word in ["before_script", "after_script"] {
        let Some(entry) = root.entry(word) else { continue };
        if out.get(word).is_some() {
            faults.push(entry.key.fault(&faults::TWICE).with("key", word));
        } else {
            out.entries.push(entry.clone());
        }
    }
    out
}

fn workflow(map: &Mapping, file: &mut File, faults: &mut Faults) {
    faults.keys("`workflow`", map, keys::WORKFLOW, keys::WORKFLOW_REFUSED);
    file.workflow_rules = map.get("rules").map(|n| rules::read_workflow(n, faults));
    let Some(cancel) = map.get("auto_cancel").and_then(|n| faults.mapping("auto_cancel", n)) else { return };
    faults.keys("`auto_cancel`", cancel, keys::AUTO_CANCEL, &[]);
    if let Some(node) = cancel.get("on_job_failure") {
        let allowed = [("none", OnJobFailure::None), ("all", OnJobFailure::All)];
        file.on_job_failure = faults.one_of("on_job_failure", node, &allowed).unwrap_or_default();
    }
    if let Some(node) = cancel.get("on_new_commit") {
        let allowed = [
            ("conservative", OnNewCommit::Conservative),
            ("interruptible", OnNewCommit::Interruptible),
            ("none", OnNewCommit::None),
        ];
        file.on_new_commit = faults.one_of("on_new_commit", node, &allowed).unwrap_or_default();
    }
}

/// Each job sees its own variables over the file's, so circles are looked for in what each job sees.
fn check_circles(root: &Mapping, file: &File, faults: &mut Faults) {
    let at = |owner: &Mapping, name: &str| {
        owner.get("variables").and_then(Node::as_mapping).and_then(|m| m.entry(name)).map(|e| e.key.clone())
    };
    let own = |job: &JobFile| root.get(&job.name).and_then(Node::as_mapping).cloned().unwrap_or_default();
    let scopes = std::iter::once((Mapping::default(), file.variables.clone()))
        .chain(file.jobs.iter().map(|job| (own(job), file.declared(job, &Variables::new()))));
    for (owner, declared) in scopes {
        let Some(name) = circular(&declared) else { continue };
        if let Some(key) = at(&owner, name).or_else(|| at(root, name)) {
            faults.push(key.fault(&faults::VARIABLE_CIRCLE).with("key", name));
        }
    }
}

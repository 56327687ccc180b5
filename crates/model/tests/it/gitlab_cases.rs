//! GitLab's own cases of pipeline processing, where the folder that holds them is beside the workspace.

use crate::pipeline_file::trigger;
use serde_json::{Map, Value};
use std::path::Path;
use tradewind_model::{
    pipeline::{Pipeline, State, file},
    yaml::{self, Node, Resolved},
};

pub struct Case {
    pub name: String,
    pub pipeline: Pipeline,
    pub init: Expectation,
    pub transitions: Vec<Transition>,
}

pub struct Transition {
    pub event: String,
    pub jobs: Vec<String>,
    pub expect: Expectation,
}

/// Statuses by name, as the case writes them.
pub struct Expectation(Value);

impl Expectation {
    pub fn check(&self, what: &str, plan: &Pipeline, state: &State) {
        let mut stages = Map::new();
        for (n, name) in plan.stages.iter().enumerate() {
            let status = state.stage_status(plan, n).expect("a stage of a plan has jobs");
            stages.insert(name.clone(), status.as_str().into());
        }
        let jobs: Map<_, Value> =
            plan.jobs.iter().zip(&state.jobs).map(|(p, s)| (p.name.clone(), s.status.as_str().into())).collect();
        let seen = serde_json::json!({"pipeline": state.status.as_str(), "stages": stages, "jobs": jobs});
        assert_eq!(seen, self.0, "{what}");
    }
}

/// `None`, with a word about it, where the folder is absent.
pub fn load() -> Option<Vec<Case>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/gitlab-pipelines");
    let Ok(entries) = std::fs::read_dir(&dir) else {
        eprintln!("SKIPPED: {} is not there, so GitLab's own cases were not run", dir.display());
        return None;
    };
    let mut files: Vec<_> = entries.map(|e| e.expect("a readable folder").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "yml"));
    files.sort();
    assert!(!files.is_empty(), "{} holds no case", dir.display());
    Some(files.iter().map(|f| case(f)).collect())
}

fn case(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).expect("a readable case");
    let root = json(&yaml::parse("case", &text, &yaml::Options::default()).expect("YAML"));
    let transitions = root["transitions"].as_array().into_iter().flatten().map(|t| Transition {
        event: t["event"].as_str().expect("an event").into(),
        jobs: words(&t["jobs"]),
        expect: Expectation(t["expect"].clone()),
    });
    Case {
        name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
        pipeline: plan(&root["config"]),
        init: Expectation(root["init"]["expect"].clone()),
        transitions: transitions.collect(),
    }
}

fn words(v: &Value) -> Vec<String> {
    v.as_array().into_iter().flatten().map(|w| w.as_str().expect("a word").to_owned()).collect()
}

/// The case's file as JSON, which is YAML, through the reader that reads everyone's.
fn plan(config: &Value) -> Pipeline {
    let file = file::read(".gitlab-ci.yml", &config.to_string()).expect("a file GitLab accepts");
    file.plan(&trigger()).expect("a plan").expect("jobs for a push")
}

fn json(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Sequence(items) => items.iter().map(json).collect(),
        yaml::Value::Mapping(map) => Value::Object(map.iter().map(|(k, v)| (k.as_str().into(), json(v))).collect()),
        yaml::Value::Scalar(scalar) => match scalar.resolve(node.tag.as_deref()) {
            Resolved::Bool(b) => b.into(),
            Resolved::Int(i) => i.into(),
            other => other.to_string().into(),
        },
    }
}

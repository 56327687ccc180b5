//! GitLab's own cases of pipeline processing, where the folder that holds them is beside the workspace.

use crate::pipeline_engine::job;
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};
use std::{iter::Peekable, path::Path};
use tradewind_model::pipeline::{AllowFailure, Need, OnJobFailure, Pipeline, State, When};

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
    let root = yaml(&text);
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

fn plan(config: &Value) -> Pipeline {
    let config = config.as_object().expect("a mapping");
    let named = config.get("stages").map_or_else(|| ["build", "test", "deploy"].map(String::from).to_vec(), words);
    let jobs: Vec<_> = config.iter().filter(|(k, _)| !["stages", "workflow"].contains(&k.as_str())).collect();
    let stage_of = |v: &Value| v["stage"].as_str().unwrap_or("test").to_owned();
    let stages: Vec<String> = named.into_iter().filter(|s| jobs.iter().any(|(_, v)| stage_of(v) == *s)).collect();
    let names: Vec<&String> = jobs.iter().map(|(k, _)| *k).collect();
    let on_failure = config.get("workflow").map(|w| w["auto_cancel"]["on_job_failure"].clone());
    let jobs = jobs.iter().map(|(name, v)| {
        let stage = stages.iter().position(|s| *s == stage_of(v)).expect("a stage of the list");
        let mut job = job(name, stage);
        job.when = if v["when"] == "manual" { When::Manual } else { When::OnSuccess };
        let allowed = v["allow_failure"].as_str().map_or(job.when == When::Manual, |a| a == "true");
        job.allow_failure = if allowed { AllowFailure::Yes } else { AllowFailure::No };
        job.needs = v.get("needs").map(|needs| {
            let at = |n: &String| names.iter().position(|m| *m == n).expect("a job of the file");
            words(needs).iter().map(|n| Need { job: at(n), artifacts: true }).collect()
        });
        job
    });
    Pipeline {
        jobs: jobs.collect(),
        stages,
        on_job_failure: if on_failure == Some("all".into()) { OnJobFailure::All } else { OnJobFailure::None },
    }
}

/// Mappings, lists and words, which is all that the cases use.
fn yaml(text: &str) -> Value {
    let mut events = Parser::new_from_str(text).map(|e| e.expect("YAML").0).peekable();
    while !matches!(events.peek(), Some(Event::MappingStart(..))) {
        events.next().expect("a mapping");
    }
    value(&mut events)
}

fn value<'a>(events: &mut Peekable<impl Iterator<Item = Event<'a>>>) -> Value {
    match events.next().expect("a value") {
        Event::Scalar(word, ..) => Value::String(word.into_owned()),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            while events.next_if(|e| *e == Event::SequenceEnd).is_none() {
                list.push(value(events));
            }
            Value::Array(list)
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            while events.next_if(|e| *e == Event::MappingEnd).is_none() {
                let Value::String(key) = value(events) else { panic!("a key that is not a word") };
                map.insert(key, value(events));
            }
            Value::Object(map)
        }
        other => panic!("{other:?} is not known here"),
    }
}

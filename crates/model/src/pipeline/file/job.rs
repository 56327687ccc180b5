//! One job as its file describes it.

use super::{
    keys,
    read::Faults,
    rules::{self, Rule},
};
use crate::{
    fault::At,
    pipeline::{
        faults,
        plan::{AllowFailure, Artifacts, FailureReason, Keep, Retry, RetryWhen, When},
        variables::Variables,
    },
    protocol::agent::{ArtifactRule, ArtifactWhen},
    secret::SecretUse,
    spec::values::is_variable,
    yaml::{Key, Mapping, Node, Value},
};
use globset::GlobBuilder;

pub const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const MONTH: (&str, u64) = ("30d", 30 * DAY_MS);
const WEEK: (&str, u64) = ("7d", 7 * DAY_MS);
const CENTURY: (&str, u64) = ("36500d", 36_500 * DAY_MS);

#[derive(Clone, Debug)]
pub struct JobFile {
    pub name: String,
    pub stage: String,
    pub stage_at: At,
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    pub variables: Variables,
    pub inherit_variables: Inherit,
    pub artifacts: Option<Artifacts>,
    pub needs: Option<Vec<NeedFile>>,
    pub dependencies: Option<Vec<(String, At)>>,
    pub timeout_ms: u64,
    pub allow_failure: Option<AllowFailure>,
    pub when: Option<When>,
    pub rules: Option<Vec<Rule>>,
    pub retry: Retry,
    pub interruptible: bool,
    pub secrets: Vec<SecretUse>,
}

#[derive(Clone, Debug)]
pub struct NeedFile {
    pub job: String,
    pub at: At,
    pub artifacts: bool,
    pub optional: bool,
}

/// What a job takes over from the file's top.
#[derive(Clone, Debug)]
pub enum Inherit {
    All,
    None,
    Only(Vec<String>),
}

impl Inherit {
    pub fn takes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(names) => names.iter().any(|n| n == name),
        }
    }
}

/// A job's keywords, with the file's defaults behind them.
struct Keywords<'a> {
    own: &'a Mapping,
    default: &'a Mapping,
    inherit: Inherit,
}

impl<'a> Keywords<'a> {
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.own.get(key).or_else(|| self.default.get(key).filter(|_| self.inherit.takes(key)))
    }
}

/// `None` where the job is so broken that nothing can be said of it; its faults are told in any case.
pub fn read(key: &Key, node: &Node, default: &Mapping, faults: &mut Faults) -> Option<JobFile> {
    let name = key.as_str();
    if name.chars().count() > 255 || ["true", "false", "nil", "null"].contains(&name) {
        faults.push(key.fault(&faults::BAD_JOB_NAME).with("key", name));
    }
    let own = faults.mapping(name, node)?;
    faults.keys(&format!("`{name}`"), own, keys::JOB, keys::JOB_REFUSED);
    let (inherit_default, inherit_variables) = inherit(own, faults);
    let words = Keywords { own, default, inherit: inherit_default };

    let before = words.get("before_script").map(|n| faults.script("before_script", n)).unwrap_or_default();
    let script = own.get("script").filter(|n| !n.is_null() && n.as_sequence() != Some(&[]));
    // What stands in a script's place elsewhere is refused already, and so is an `extends` that led nowhere.
    if script.is_none() && ["trigger", "run", "extends"].iter().all(|k| own.get(k).is_none()) {
        faults.push(key.fault(&faults::NO_SCRIPT).with("job", name));
    }
    if own.get("rules").is_some() {
        for refused in ["only", "except"] {
            if let Some(entry) = own.entry(refused) {
                faults.push(entry.key.fault(&faults::RULES_AND_ONLY).with("key", refused));
            }
        }
    }
    let stage_node = own.get("stage");
    Some(JobFile {
        name: name.to_owned(),
        stage: stage_node.and_then(|n| faults.text("stage", n)).unwrap_or_else(|| "test".into()),
        stage_at: stage_node.map_or(key.span.at(), Node::at),
        script: [before, script.map(|n| faults.script("script", n)).unwrap_or_default()].concat(),
        after_script: words.get("after_script").map(|n| faults.script("after_script", n)).unwrap_or_default(),
        variables: own.get("variables").map(|n| faults.variables(n)).unwrap_or_default(),
        inherit_variables,
        artifacts: words.get("artifacts").and_then(|n| artifacts(n, faults)),
        needs: own.get("needs").map(|n| needs(n, faults)),
        dependencies: own.get("dependencies").map(|n| {
            faults.texts("dependencies", n).unwrap_or_default().into_iter().map(|(t, n)| (t, n.at())).collect()
        }),
        timeout_ms: words.get("timeout").and_then(|n| faults.duration("timeout", n, MONTH)).unwrap_or(HOUR_MS),
        allow_failure: own.get("allow_failure").and_then(|n| allow_failure(n, faults)),
        when: when(own, faults),
        rules: own.get("rules").map(|n| rules::read(n, faults)),
        retry: words.get("retry").map(|n| retry(n, faults)).unwrap_or_default(),
        interruptible: words.get("interruptible").and_then(|n| faults.bool("interruptible", n)).unwrap_or(false),
        secrets: own.get("secrets").map(|n| secrets(n, faults)).unwrap_or_default(),
    })
}

/// `VARIABLE: { gitlab_secrets_manager: { name: NAME }, file: false }`: the keyword for the forge's own secrets, which are ours.
fn secrets(node: &Node, faults: &mut Faults) -> Vec<SecretUse> {
    let mut out = Vec::new();
    let Some(map) = faults.mapping("secrets", node) else { return out };
    for (key, node) in map.iter() {
        let variable = key.as_str();
        if !is_variable(variable) || variable.starts_with("TRADEWIND_") || variable.starts_with("CI_") {
            faults.push(key.fault(&faults::BAD_SECRET).with("found", variable));
            continue;
        }
        let Some(one) = faults.mapping(variable, node) else { continue };
        faults.keys("`secrets`", one, keys::SECRET, keys::SECRET_REFUSED);
        // As GitLab has it: a file unless it is said otherwise.
        let file = one.get("file").map_or(Some(true), |n| faults.bool("file", n));
        let of = one.get("gitlab_secrets_manager").and_then(|n| faults.mapping("gitlab_secrets_manager", n));
        let Some(of) = of else {
            if keys::SECRET_REFUSED.iter().all(|(k, _)| one.get(k).is_none()) {
                faults.push(node.fault(&faults::NO_SECRET_NAME).with("key", variable));
            }
            continue;
        };
        faults.keys("`gitlab_secrets_manager`", of, keys::SECRET_OF, &[]);
        let name = of.get("name").and_then(|n| faults.text("name", n).map(|text| (text, n)));
        match name {
            None => faults.push(node.fault(&faults::NO_SECRET_NAME).with("key", variable)),
            Some((text, at)) => match (text.parse(), file) {
                (Ok(name), Some(file)) => {
                    let file = file.then(|| variable.to_owned());
                    out.push(SecretUse { name, variable: variable.to_owned(), file });
                }
                (Err(_), _) => faults.push(at.fault(&faults::BAD_SECRET).with("found", text)),
                (Ok(_), None) => {}
            },
        }
    }
    out
}

fn inherit(own: &Mapping, faults: &mut Faults) -> (Inherit, Inherit) {
    let Some(map) = own.get("inherit").and_then(|n| faults.mapping("inherit", n)) else {
        return (Inherit::All, Inherit::All);
    };
    faults.keys("`inherit`", map, keys::INHERIT, &[]);
    let mut one = |key: &str| match map.get(key) {
        None => Inherit::All,
        Some(node) if node.as_sequence().is_some() => {
            Inherit::Only(faults.texts(key, node).unwrap_or_default().into_iter().map(|(t, _)| t).collect())
        }
        Some(node) => match faults.bool(key, node) {
            Some(false) => Inherit::None,
            Some(true) | None => Inherit::All,
        },
    };
    (one("default"), one("variables"))
}

/// `when` with `start_in`, of a job or of one of its rules; `never` is the caller's to allow.
pub fn when(own: &Mapping, faults: &mut Faults) -> Option<When> {
    let start_in = own.get("start_in");
    let delayed = own.get("when").and_then(Node::as_text) == Some("delayed");
    if let Some(misplaced) = own.get("when").filter(|_| delayed).xor(start_in) {
        faults.push(misplaced.fault(&faults::START_IN));
        return None;
    }
    let start_in_ms = start_in.and_then(|n| faults.duration("start_in", n, WEEK));
    let node = own.get("when")?;
    match node.as_text() {
        Some("never") => {
            faults.push(node.fault(&faults::WHEN_NEVER));
            None
        }
        Some("delayed") => start_in_ms.map(|start_in_ms| When::Delayed { start_in_ms }),
        Some(_) | None => faults.one_of(
            "when",
            node,
            &[
                ("on_success", When::OnSuccess),
                ("on_failure", When::OnFailure),
                ("always", When::Always),
                ("manual", When::Manual),
                ("delayed", When::OnSuccess),
            ],
        ),
    }
}

fn allow_failure(node: &Node, faults: &mut Faults) -> Option<AllowFailure> {
    match node.as_mapping() {
        None => faults.bool("allow_failure", node).map(|b| if b { AllowFailure::Yes } else { AllowFailure::No }),
        Some(map) => {
            faults.keys("`allow_failure`", map, keys::ALLOW_FAILURE, &[]);
            map.get("exit_codes").and_then(|n| faults.exit_codes("exit_codes", n)).map(AllowFailure::ExitCodes)
        }
    }
}

fn retry(node: &Node, faults: &mut Faults) -> Retry {
    let number = |n: &Node, faults: &mut Faults| faults.number("retry", n, 0, 2).unwrap_or(0) as u32;
    let Some(map) = node.as_mapping() else {
        return Retry { max: number(node, faults), ..Retry::default() };
    };
    faults.keys("`retry`", map, keys::RETRY, &[]);
    let failed = RetryWhen::Failed;
    let causes = [
        ("always", RetryWhen::Always),
        ("script_failure", failed(FailureReason::ScriptFailure)),
        ("job_execution_timeout", failed(FailureReason::JobExecutionTimeout)),
        ("runner_system_failure", failed(FailureReason::RunnerSystemFailure)),
    ];
    let when = map.get("when").map(|n| {
        let items = n.as_sequence().unwrap_or(std::slice::from_ref(n));
        items.iter().filter_map(|n| faults.one_of("when", n, &causes)).collect()
    });
    Retry {
        max: map.get("max").map_or(0, |n| number(n, faults)),
        when: when.unwrap_or_default(),
        exit_codes: map.get("exit_codes").and_then(|n| faults.exit_codes("exit_codes", n)).unwrap_or_default(),
    }
}

fn artifacts(node: &Node, faults: &mut Faults) -> Option<Artifacts> {
    let map = faults.mapping("artifacts", node)?;
    faults.keys("`artifacts`", map, keys::ARTIFACTS, keys::ARTIFACTS_REFUSED);
    let mut globs = |key: &str| match map.get(key) {
        None => Vec::new(),
        Some(node) => {
            let written = faults.texts(key, node).unwrap_or_default();
            for (pattern, node) in &written {
                if !is_inside(pattern) {
                    faults.push(node.fault(&faults::BAD_GLOB).with("key", key).with("found", node.shown()));
                }
            }
            written.iter().flat_map(|(p, _)| with_content(p)).collect()
        }
    };
    let (paths, exclude) = (globs("paths"), globs("exclude"));
    let whens = [
        ("on_success", ArtifactWhen::OnSuccess),
        ("on_failure", ArtifactWhen::OnFailure),
        ("always", ArtifactWhen::Always),
    ];
    let when = map.get("when").map_or(Some(ArtifactWhen::OnSuccess), |n| faults.one_of("when", n, &whens))?;
    let keep = match map.get("expire_in") {
        Some(n) if n.as_text() == Some("never") => Keep::ForGood,
        Some(n) => faults.duration("expire_in", n, CENTURY).map_or(Keep::AsUsual, Keep::For),
        None => Keep::AsUsual,
    };
    (!paths.is_empty()).then_some(Artifacts { rule: ArtifactRule { paths, exclude, when }, keep })
}

/// A pattern that cannot leave the folder. Variables in it are only known later; the agent checks again.
fn is_inside(pattern: &str) -> bool {
    let plain = pattern.strip_prefix("$CI_PROJECT_DIR/").unwrap_or(pattern);
    !plain.is_empty()
        && !plain.starts_with('/')
        && plain.split('/').all(|part| part != "..")
        && GlobBuilder::new(plain).literal_separator(true).build().is_ok()
}

/// A pattern that names a folder names what is in it too.
fn with_content(pattern: &str) -> Vec<String> {
    let plain = pattern.strip_prefix("$CI_PROJECT_DIR/").unwrap_or(pattern);
    let plain = plain.strip_prefix("./").unwrap_or(plain).trim_end_matches('/');
    match plain {
        "" | "." => vec!["**".into()],
        _ if plain.ends_with("**") => vec![plain.into()],
        _ => vec![plain.into(), format!("{plain}/**")],
    }
}

fn needs(node: &Node, faults: &mut Faults) -> Vec<NeedFile> {
    let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
    let mut out = Vec::new();
    for item in items {
        let Value::Mapping(map) = &item.value else {
            if let Some(job) = faults.text("needs", item) {
                out.push(NeedFile { job, at: item.at(), artifacts: true, optional: false });
            }
            continue;
        };
        faults.keys("`needs`", map, keys::NEED, keys::NEED_REFUSED);
        let mut flag = |key: &str, otherwise| map.get(key).map_or(Some(otherwise), |n| faults.bool(key, n));
        let (artifacts, optional) = (flag("artifacts", true), flag("optional", false));
        let elsewhere = keys::NEED_REFUSED.iter().any(|(k, _)| map.get(k).is_some());
        let job = match map.get("job") {
            _ if elsewhere => None,
            Some(n) => faults.text("job", n),
            None => faults.text("needs", item),
        };
        if let (Some(job), Some(artifacts), Some(optional)) = (job, artifacts, optional) {
            out.push(NeedFile { job, at: item.at(), artifacts, optional });
        }
    }
    out
}

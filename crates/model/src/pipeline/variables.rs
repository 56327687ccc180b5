//! Variables: what a pipeline file declares, what is predefined, and how values refer to one another.

use crate::{
    id::{Commit, RunId, ServiceName},
    protocol::agent::PROJECT_DIR,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Variable {
    pub value: String,
    /// With `expand: false`, `$` is nothing special in the value.
    pub expand: bool,
}

pub type Variables = BTreeMap<String, Variable>;

/// What started a run: the facts that predefined variables and `rules` speak of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trigger {
    pub service: ServiceName,
    pub commit: Commit,
    /// In full: `refs/heads/main`, `refs/tags/v1`.
    pub git_ref: String,
    pub default_branch: String,
    /// The commit's message; its first line is the title.
    pub message: String,
    /// What the branch pointed to before the push.
    pub before: Option<Commit>,
    pub run: RunId,
    /// The run's number within its service.
    pub number: u64,
}

impl Trigger {
    /// `main` for `refs/heads/main`.
    pub fn ref_name(&self) -> &str {
        let r = self.git_ref.as_str();
        r.strip_prefix("refs/heads/").or_else(|| r.strip_prefix("refs/tags/")).unwrap_or(r)
    }

    /// The first line of the commit's message, if it has one.
    pub fn title(&self) -> Option<&str> {
        self.message.lines().next().filter(|l| !l.is_empty())
    }

    /// The names teams' scripts already use. The job's own (`CI_JOB_NAME` …) are added by [`of_job`].
    pub fn predefined(&self) -> BTreeMap<String, String> {
        let name = self.ref_name();
        let title = self.title().unwrap_or_default();
        let zero = "0".repeat(self.commit.as_str().len());
        let mut all: BTreeMap<String, String> = [
            ("CI", "true"),
            ("TRADEWIND_CI", "true"),
            ("CI_COMMIT_SHA", self.commit.as_str()),
            ("CI_COMMIT_SHORT_SHA", &self.commit.as_str()[..8]),
            ("CI_COMMIT_BEFORE_SHA", self.before.as_ref().map_or(zero.as_str(), Commit::as_str)),
            ("CI_COMMIT_REF_NAME", name),
            ("CI_COMMIT_REF_SLUG", &slug(name)),
            ("CI_COMMIT_TITLE", title),
            ("CI_COMMIT_MESSAGE", &self.message),
            ("CI_DEFAULT_BRANCH", &self.default_branch),
            ("CI_PIPELINE_ID", &self.run.to_string()),
            ("CI_PIPELINE_IID", &self.number.to_string()),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_PROJECT_DIR", PROJECT_DIR),
            ("CI_PROJECT_NAME", self.service.as_str()),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let kind = if self.git_ref.starts_with("refs/tags/") { "CI_COMMIT_TAG" } else { "CI_COMMIT_BRANCH" };
        all.insert(kind.into(), name.into());
        all
    }
}

/// Adds what is known of one job: its name and stage, and, once there is one, its id.
pub fn of_job(all: &mut BTreeMap<String, String>, name: &str, stage: &str, id: Option<String>) {
    all.insert("CI_JOB_NAME".into(), name.into());
    all.insert("CI_JOB_NAME_SLUG".into(), slug(name));
    all.insert("CI_JOB_STAGE".into(), stage.into());
    if let Some(id) = id {
        all.insert("CI_JOB_ID".into(), id);
    }
}

/// Lower case, at most 63 characters, everything but a-z and 0-9 replaced by `-`, none of it at the ends.
fn slug(name: &str) -> String {
    let mapped: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
    mapped.trim_matches('-').to_owned()
}

/// The environment of a job: predefined variables, the file's over them, references resolved. A reference to nothing is
/// empty; one that leads back to itself ([`circular`] names them beforehand) is empty too.
pub fn environment(predefined: &BTreeMap<String, String>, declared: &Variables) -> BTreeMap<String, String> {
    let mut out = predefined.clone();
    for name in declared.keys() {
        let value = Scope { predefined, declared }.value(name, &mut Vec::new());
        out.insert(name.clone(), value);
    }
    out
}

/// `text` with its references resolved in that environment.
pub fn expand(text: &str, environment: &BTreeMap<String, String>) -> String {
    replace(text, |name| environment.get(name).cloned().unwrap_or_default())
}

/// The first variable whose value leads back to itself.
pub fn circular(declared: &Variables) -> Option<&str> {
    fn reaches<'a>(declared: &'a Variables, from: &'a str, path: &mut Vec<&'a str>) -> bool {
        if path.contains(&from) {
            return true;
        }
        let Some((name, variable)) = declared.get_key_value(from).filter(|(_, v)| v.expand) else { return false };
        path.push(name);
        let mut names = Vec::new();
        replace(&variable.value, |n| {
            names.push(n.to_owned());
            String::new()
        });
        let found = names.iter().filter_map(|n| declared.get_key_value(n)).any(|(n, _)| reaches(declared, n, path));
        path.pop();
        found
    }
    declared.keys().map(String::as_str).find(|n| reaches(declared, n, &mut Vec::new()))
}

struct Scope<'a> {
    predefined: &'a BTreeMap<String, String>,
    declared: &'a Variables,
}

impl Scope<'_> {
    fn value(&self, name: &str, path: &mut Vec<String>) -> String {
        let Some(variable) = self.declared.get(name) else {
            return self.predefined.get(name).cloned().unwrap_or_default();
        };
        if !variable.expand {
            return variable.value.clone();
        }
        if path.iter().any(|p| p == name) {
            return String::new();
        }
        path.push(name.to_owned());
        let value = replace(&variable.value, |n| self.value(n, path));
        path.pop();
        value
    }
}

/// Replaces `$NAME`, `${NAME}` and `%NAME%`; `$$` stands for `$`.
fn replace(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '%']) {
        out.push_str(&rest[..at]);
        let from = &rest[at..];
        let (name, used) = reference(from);
        match name {
            Some(name) => out.push_str(&value(name)),
            None => out.push_str(&from[..1]),
        }
        rest = &from[used..];
    }
    out.push_str(rest);
    out
}

/// At a `$` or `%`: the name it refers to, and how many bytes that takes.
fn reference(from: &str) -> (Option<&str>, usize) {
    let name_len = |s: &str| {
        let starts = s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts { s.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(s.len()) } else { 0 }
    };
    let after = &from[1..];
    if from.starts_with("$$") {
        return (None, 2);
    }
    if from.starts_with('%') {
        let n = name_len(after);
        return if n > 0 && after[n..].starts_with('%') { (Some(&after[..n]), n + 2) } else { (None, 1) };
    }
    if let Some(braced) = after.strip_prefix('{') {
        let n = name_len(braced);
        return if n > 0 && braced[n..].starts_with('}') { (Some(&braced[..n]), n + 3) } else { (None, 1) };
    }
    match name_len(after) {
        0 => (None, 1),
        n => (Some(&after[..n]), n + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(k, v)| ((*k).into(), Variable { value: (*v).into(), expand: true })).collect()
    }

    #[test]
    fn references_are_resolved_through_one_another_and_escapes_stay() {
        let predefined = BTreeMap::from([("CI_COMMIT_SHA".to_owned(), "abc".to_owned())]);
        let mut all = declared(&[
            ("TAG", "v-$CI_COMMIT_SHA"),
            ("IMAGE", "shop:${TAG}/%TAG%"),
            ("PRICE", "$$5 and $ 100% of ${not closed"),
            ("NOTHING", "<$MISSING>"),
        ]);
        all.insert("RAW".into(), Variable { value: "$TAG".into(), expand: false });
        let env = environment(&predefined, &all);
        assert_eq!(env["IMAGE"], "shop:v-abc/v-abc");
        assert_eq!(env["PRICE"], "$5 and $ 100% of ${not closed");
        assert_eq!(env["NOTHING"], "<>");
        assert_eq!(env["RAW"], "$TAG");
        assert_eq!(env["CI_COMMIT_SHA"], "abc");
        assert_eq!(expand("a/$RAW", &env), "a/$TAG");
    }

    #[test]
    fn a_circle_is_named_and_still_ends() {
        let all = declared(&[("A", "$B"), ("B", "x$C"), ("C", "$A"), ("D", "$A")]);
        assert_eq!(circular(&all), Some("A"));
        assert_eq!(environment(&BTreeMap::new(), &all)["D"], "x");
        assert_eq!(circular(&declared(&[("A", "$B"), ("B", "1")])), None);
    }

    #[test]
    fn slugs_are_safe_for_host_names() {
        assert_eq!(slug("feature/Übergrößen_1"), "feature--bergr--en-1");
        assert_eq!(slug(&format!("{}-x", "a".repeat(62))), "a".repeat(62));
    }
}

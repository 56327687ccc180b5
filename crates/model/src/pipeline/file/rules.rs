//! `rules` of a job and of `workflow`: the first that matches decides.

use super::{job, keys, read::Faults};
use crate::{
    pipeline::{condition::Condition, faults, plan::When, variables::Variables},
    yaml::{Mapping, Node},
};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Rule {
    condition: Option<Condition>,
    /// `None`: as the job itself says.
    pub then: Option<Then>,
    pub allow_failure: Option<bool>,
    pub variables: Variables,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    Never,
    Start(When),
}

/// The first rule that matches, `if` read over `environment`.
pub fn first<'r>(rules: &'r [Rule], environment: &BTreeMap<String, String>) -> Option<&'r Rule> {
    rules.iter().find(|r| r.condition.as_ref().is_none_or(|c| c.holds(environment)))
}

/// A job's rules. Lists within the list come from references and are flattened.
pub fn read(node: &Node, faults: &mut Faults) -> Vec<Rule> {
    let mut out = Vec::new();
    each(node, faults, &mut |map, faults| {
        faults.keys("`rules`", map, keys::RULE, keys::RULE_REFUSED);
        let never = map.get("when").and_then(Node::as_text) == Some("never");
        let then = if never { Some(Then::Never) } else { job::when(map, faults).map(Then::Start) };
        out.push(Rule {
            condition: condition(map, faults),
            then,
            allow_failure: map.get("allow_failure").and_then(|n| faults.bool("allow_failure", n)),
            variables: map.get("variables").map(|n| faults.variables(n)).unwrap_or_default(),
        });
    });
    out
}

/// `workflow:rules`, whose `when` is `always` or `never`.
pub fn read_workflow(node: &Node, faults: &mut Faults) -> Vec<Rule> {
    let mut out = Vec::new();
    each(node, faults, &mut |map, faults| {
        faults.keys("`workflow:rules`", map, keys::WORKFLOW_RULE, keys::RULE_REFUSED);
        let whens = [("always", Then::Start(When::Always)), ("never", Then::Never)];
        out.push(Rule {
            condition: condition(map, faults),
            then: map.get("when").and_then(|n| faults.one_of("when", n, &whens)),
            allow_failure: None,
            variables: map.get("variables").map(|n| faults.variables(n)).unwrap_or_default(),
        });
    });
    out
}

fn each(node: &Node, faults: &mut Faults, read: &mut impl FnMut(&Mapping, &mut Faults)) {
    match node.as_sequence() {
        Some(items) => items.iter().for_each(|n| each(n, faults, read)),
        None => {
            if let Some(map) = faults.mapping("rules", node) {
                read(map, faults);
            }
        }
    }
}

fn condition(map: &Mapping, faults: &mut Faults) -> Option<Condition> {
    let node = map.get("if")?;
    let text = faults.text("if", node)?;
    Condition::parse(&text).map_err(|detail| faults.push(node.fault(&faults::CONDITION).with("detail", detail))).ok()
}

//! Reading typed values from a tree, collecting every fault on the way.

use super::{duration, keys};
use crate::{
    fault::{Code, Fault},
    pipeline::{
        faults,
        variables::{Variable, Variables},
    },
    spec::{self, listed},
    yaml::{Mapping, Node, Resolved, Value},
};

const SCRIPT_DEPTH: usize = 10;

/// What was refused so far. A template's fault is told once, however many jobs extend it.
#[derive(Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn push(&mut self, fault: Fault) {
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the file.
    pub fn into_sorted(mut self) -> Vec<Fault> {
        self.0.sort_by_key(|f| f.at.as_ref().map(|at| (at.line, at.col)));
        self.0
    }

    fn wrong<T>(&mut self, code: &'static Code, key: &str, node: &Node) -> Option<T> {
        self.push(node.fault(code).with("key", key).with("found", node.shown()));
        None
    }

    /// Names every key that is not `known`; `place` is what the keys stand in, in backquotes.
    pub fn keys(
        &mut self,
        place: &str,
        map: &Mapping,
        known: &[&'static str],
        refused: &[(&'static str, &'static Code)],
    ) {
        for (key, _) in map.iter().filter(|(k, _)| !known.contains(&k.as_str())) {
            let word = key.as_str();
            if let Some((_, code)) = refused.iter().find(|(k, _)| *k == word) {
                self.push(key.fault(code).with("key", word));
                continue;
            }
            let near = spec::near(word, known.iter().chain(refused.iter().map(|(k, _)| k)).copied());
            let fault = key.fault(if near.is_some() { &faults::UNKNOWN_KEY_NEAR } else { &faults::UNKNOWN_KEY });
            let fault = fault.with("key", word).with("place", place);
            self.push(match near {
                Some(near) => fault.with("near", near),
                None => fault,
            });
        }
    }

    pub fn mapping<'n>(&mut self, key: &str, node: &'n Node) -> Option<&'n Mapping> {
        match &node.value {
            Value::Mapping(m) => Some(m),
            Value::Scalar(_) | Value::Sequence(_) => self.wrong(&faults::WANT_MAPPING, key, node),
        }
    }

    /// Text that is nothing else: not a number, a truth value or nothing.
    pub fn text(&mut self, key: &str, node: &Node) -> Option<String> {
        plain_text(node).or_else(|| self.wrong(&faults::WANT_TEXT, key, node))
    }

    /// A list of texts, or one text alone.
    pub fn texts(&mut self, key: &str, node: &Node) -> Option<Vec<(String, Node)>> {
        match &node.value {
            Value::Sequence(items) => items
                .iter()
                .map(|n| self.text(key, n).map(|t| (t, n.clone())))
                .collect::<Vec<_>>()
                .into_iter()
                .collect(),
            Value::Scalar(_) if plain_text(node).is_some() => Some(vec![(plain_text(node)?, node.clone())]),
            Value::Scalar(_) | Value::Mapping(_) => self.wrong(&faults::WANT_LIST, key, node),
        }
    }

    pub fn bool(&mut self, key: &str, node: &Node) -> Option<bool> {
        match node.as_scalar().map(|s| s.resolve(node.tag.as_deref())) {
            Some(Resolved::Bool(b)) => Some(b),
            _ => self.wrong(&faults::WANT_BOOL, key, node),
        }
    }

    pub fn number(&mut self, key: &str, node: &Node, min: i64, max: i64) -> Option<i64> {
        match node.as_scalar().map(|s| s.resolve(node.tag.as_deref())) {
            Some(Resolved::Int(n)) if (min..=max).contains(&n) => Some(n),
            _ => {
                let fault = node.fault(&faults::WANT_NUMBER).with("key", key).with("found", node.shown());
                self.push(fault.with("min", min).with("max", max));
                None
            }
        }
    }

    /// One number or a list of them.
    pub fn exit_codes(&mut self, key: &str, node: &Node) -> Option<Vec<i32>> {
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        let codes: Vec<_> = items.iter().map(|n| self.number(key, n, 0, 255)).collect();
        codes.into_iter().map(|c| c.and_then(|c| i32::try_from(c).ok())).collect()
    }

    pub fn one_of<T: Copy>(&mut self, key: &str, node: &Node, allowed: &[(&str, T)]) -> Option<T> {
        let found = plain_text(node).and_then(|t| allowed.iter().find(|(name, _)| *name == t));
        if found.is_none() {
            let fault = node.fault(&faults::WANT_ONE_OF).with("key", key).with("found", node.shown());
            self.push(fault.with("allowed", listed(allowed.iter().map(|(name, _)| *name))));
        }
        found.map(|(_, value)| *value)
    }

    /// Milliseconds: more than none, at most `max`.
    pub fn duration(&mut self, key: &str, node: &Node, max: (&str, u64)) -> Option<u64> {
        let ms = node.as_text().and_then(duration::parse).filter(|ms| (1..=max.1).contains(ms));
        if ms.is_none() {
            let fault = node.fault(&faults::BAD_DURATION).with("key", key).with("found", node.shown());
            self.push(fault.with("max", max.0));
        }
        ms
    }

    /// Commands: one, or lists within lists of them.
    pub fn script(&mut self, key: &str, node: &Node) -> Vec<String> {
        let mut lines = Vec::new();
        self.script_lines(key, node, 0, &mut lines);
        lines
    }

    fn script_lines(&mut self, key: &str, node: &Node, depth: usize, out: &mut Vec<String>) {
        match &node.value {
            Value::Sequence(_) if depth > SCRIPT_DEPTH => {
                self.push(node.fault(&faults::SCRIPT_DEPTH).with("key", key).with("max", SCRIPT_DEPTH));
            }
            Value::Sequence(items) => items.iter().for_each(|n| self.script_lines(key, n, depth + 1, out)),
            Value::Scalar(_) | Value::Mapping(_) => match plain_text(node) {
                Some(line) => out.push(line),
                None => self.push(node.fault(&faults::SCRIPT_LINE).with("key", key).with("found", node.shown())),
            },
        }
    }

    pub fn variables(&mut self, node: &Node) -> Variables {
        let Some(map) = self.mapping("variables", node) else { return Variables::new() };
        let mut out = Variables::new();
        for (key, node) in map.iter() {
            let name = key.as_str();
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.push(key.fault(&faults::VARIABLE_NAME).with("key", name));
            } else if let Some(variable) = self.variable(name, node) {
                out.insert(name.to_owned(), variable);
            }
        }
        out
    }

    fn variable(&mut self, name: &str, node: &Node) -> Option<Variable> {
        let Some(map) = node.as_mapping() else {
            return Some(Variable { value: self.variable_value(name, node)?, expand: true });
        };
        self.keys(&format!("`{name}`"), map, keys::VARIABLE, keys::VARIABLE_REFUSED);
        let expand = map.get("expand").map_or(Some(true), |n| self.bool("expand", n));
        let value = map.get("value").map_or(Some(String::new()), |n| self.variable_value(name, n));
        Some(Variable { value: value?, expand: expand? })
    }

    fn variable_value(&mut self, name: &str, node: &Node) -> Option<String> {
        match node.as_scalar().map(|s| s.resolve(node.tag.as_deref())) {
            Some(value @ (Resolved::Text(_) | Resolved::Int(_) | Resolved::Float(_))) => Some(value.to_string()),
            Some(Resolved::Null | Resolved::Bool(_)) | None => self.wrong(&faults::VARIABLE_VALUE, name, node),
        }
    }
}

pub fn plain_text(node: &Node) -> Option<String> {
    match node.as_scalar()?.resolve(node.tag.as_deref()) {
        Resolved::Text(s) => Some(s.to_owned()),
        Resolved::Null | Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float(_) => None,
    }
}

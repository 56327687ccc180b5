//! What a job is made of: `extends` merged, `!reference` replaced.

use super::read::{Faults, plain_text};
use crate::{
    pipeline::faults,
    yaml::{self, Entry, Key, Mapping, Node, Value},
};
use std::collections::HashMap;

const EXTENDS_DEPTH: usize = 11;
const REFERENCE_DEPTH: usize = 10;
/// Nodes that references may bring in, over the whole file.
const REFERENCE_NODES: usize = 100_000;

/// The file's top level with every mapping's `extends` merged and every `!reference` replaced. Keys and positions stay.
pub fn compose(root: &Mapping, faults: &mut Faults) -> Mapping {
    let mut extends = Extends { root, done: HashMap::new(), faults };
    let merged: Vec<Entry> = root.entries.iter().map(|e| extends.entry(e)).collect();
    let merged = Mapping { entries: merged };
    let mut references = References { root: &merged, budget: REFERENCE_NODES, faults };
    let entries = merged.entries.iter().map(|e| Entry {
        key: e.key.clone(),
        value: references.resolve(&e.value, &mut Vec::new()).unwrap_or_else(|| e.value.clone()),
    });
    Mapping { entries: entries.collect() }
}

struct Extends<'a> {
    root: &'a Mapping,
    done: HashMap<String, Option<Mapping>>,
    faults: &'a mut Faults,
}

impl Extends<'_> {
    fn entry(&mut self, entry: &Entry) -> Entry {
        let has_parents = entry.value.as_mapping().is_some_and(|m| m.get("extends").is_some());
        let merged = if has_parents { self.mapping(entry.key.as_str(), &mut Vec::new()) } else { None };
        match merged {
            Some(map) => {
                Entry { key: entry.key.clone(), value: Node { value: Value::Mapping(map), ..entry.value.clone() } }
            }
            None => entry.clone(),
        }
    }

    /// `name` with its parents merged in. `None` where that failed; the fault is told.
    fn mapping(&mut self, name: &str, path: &mut Vec<String>) -> Option<Mapping> {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        let own = self.root.get(name)?.as_mapping()?;
        let key = &self.root.entry(name)?.key;
        if path.iter().any(|p| p == name) || path.len() > EXTENDS_DEPTH {
            self.faults.push(key.fault(&faults::EXTENDS_CIRCLE).with("key", name).with("max", EXTENDS_DEPTH));
            return None;
        }
        path.push(name.to_owned());
        let merged = self.with_parents(key, own, path);
        path.pop();
        self.done.insert(name.to_owned(), merged.clone());
        merged
    }

    fn with_parents(&mut self, key: &Key, own: &Mapping, path: &mut Vec<String>) -> Option<Mapping> {
        let parents = match own.get("extends") {
            Some(node) => self.faults.texts("extends", node)?,
            None => Vec::new(),
        };
        let mut merged = Mapping::default();
        for (parent, node) in parents {
            if self.root.get(&parent).and_then(Node::as_mapping).is_none() {
                let fault = node.fault(&faults::EXTENDS_UNKNOWN);
                self.faults.push(fault.with("key", key.as_str()).with("parent", &parent));
                return None;
            }
            merged = over(merged, &self.mapping(&parent, path)?);
        }
        let own = Mapping { entries: own.entries.iter().filter(|e| e.key.as_str() != "extends").cloned().collect() };
        Some(over(merged, &own))
    }
}

/// `upper` laid over `base`: mappings merge, everything else replaces.
fn over(mut base: Mapping, upper: &Mapping) -> Mapping {
    for entry in &upper.entries {
        match base.entries.iter_mut().find(|e| e.key.text == entry.key.text) {
            None => base.entries.push(entry.clone()),
            Some(below) => match (&mut below.value.value, &entry.value.value) {
                (Value::Mapping(lower), Value::Mapping(higher)) => *lower = over(std::mem::take(lower), higher),
                _ => *below = entry.clone(),
            },
        }
    }
    base
}

struct References<'a> {
    root: &'a Mapping,
    budget: usize,
    faults: &'a mut Faults,
}

impl References<'_> {
    /// `None` where it failed; the fault is told.
    fn resolve(&mut self, node: &Node, path: &mut Vec<String>) -> Option<Node> {
        if !path.is_empty() {
            self.budget = self.budget.checked_sub(1).or_else(|| {
                self.faults.push(node.fault(&yaml::faults::TOO_MANY).with("max", REFERENCE_NODES));
                None
            })?;
        }
        match node.tag.as_deref() {
            Some("!reference") => return self.follow(node, path),
            Some(tag) if !tag.starts_with("!!") => {
                self.faults.push(node.fault(&faults::UNKNOWN_TAG).with("tag", tag));
                return None;
            }
            Some(_) | None => {}
        }
        let value = match &node.value {
            Value::Scalar(_) => return Some(node.clone()),
            Value::Sequence(items) => {
                Value::Sequence(items.iter().map(|n| self.resolve(n, path)).collect::<Option<_>>()?)
            }
            Value::Mapping(map) => {
                let entry = |e: &Entry| Some(Entry { key: e.key.clone(), value: self.resolve(&e.value, path)? });
                Value::Mapping(Mapping { entries: map.entries.iter().map(entry).collect::<Option<_>>()? })
            }
        };
        Some(Node { value, tag: node.tag.clone(), span: node.span.clone() })
    }

    fn follow(&mut self, node: &Node, path: &mut Vec<String>) -> Option<Node> {
        let words: Option<Vec<String>> = node.as_sequence().and_then(|items| items.iter().map(plain_text).collect());
        let shown = words.as_ref().map_or_else(|| node.shown(), |w| w.join(", "));
        let target = words.as_ref().filter(|w| !w.is_empty()).and_then(|words| {
            let mut at = self.root.get(&words[0])?;
            for word in &words[1..] {
                at = at.as_mapping()?.get(word)?;
            }
            Some(at)
        });
        let Some(target) = target else {
            self.faults.push(node.fault(&faults::REFERENCE).with("path", shown));
            return None;
        };
        if path.contains(&shown) || path.len() >= REFERENCE_DEPTH {
            self.faults.push(node.fault(&faults::REFERENCE_CIRCLE).with("path", shown).with("max", REFERENCE_DEPTH));
            return None;
        }
        path.push(shown);
        let resolved = self.resolve(target, path);
        path.pop();
        resolved
    }
}

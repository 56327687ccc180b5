//! From text to tree. Nothing here recurses, and what an alias may grow to is bounded before it is copied.

use super::{Entry, Key, Mapping, Node, Scalar, Span, Value, faults};
use crate::fault::{At, Fault};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as RawSpan, StrInput, Tag};
use std::{collections::HashMap, sync::Arc};

/// What is accepted. The defaults suit files written by hand.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub max_bytes: usize,
    pub max_depth: usize,
    /// Nodes after aliases are expanded; long text counts one more for every 64 bytes.
    pub max_nodes: usize,
    pub merge: MergeOrder,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_depth: 64, max_nodes: 200_000, merge: MergeOrder::OwnKeysWin }
    }
}

/// Who wins when a mapping has a key itself and through `<<`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MergeOrder {
    /// The mapping's own key, as the YAML type repository says.
    OwnKeysWin,
    /// What stands later, as Ruby (and so GitLab) reads it: `<<` replaces keys above it.
    LaterWins,
}

/// The text of a file that was read as bytes.
pub fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|e| {
        let good = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let col = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Fault::new(&faults::NOT_UTF8).at(At { file: file.to_owned(), line, col })
    })
}

/// Reads one document. An empty file is a null scalar at 1:1.
pub fn parse(file: &str, source: &str, options: &Options) -> Result<Node, Fault> {
    let file: Arc<str> = file.into();
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut builder = Builder::new(file.clone(), *options);
    if source.len() > options.max_bytes {
        let start = builder.span(&RawSpan::default());
        return Err(Fault::new(&faults::TOO_LARGE)
            .with("size", source.len())
            .with("max", options.max_bytes)
            .at(start.at()));
    }
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(source);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|e| builder.syntax(&e))?;
        builder.take(event, &span)?;
    }
    Ok(builder.root.take().unwrap_or_else(|| builder.null()))
}

/// A finished node with what it costs to copy it.
#[derive(Clone)]
struct Built {
    node: Node,
    weight: usize,
    height: usize,
}

enum Open {
    Sequence {
        head: Head,
        items: Vec<Node>,
    },
    Mapping {
        head: Head,
        mapping: Mapping,
        seen: HashMap<Arc<str>, usize>,
        merges: Vec<Merge>,
        pending: Option<PendingKey>,
    },
}

struct Head {
    anchor: usize,
    tag: Option<String>,
    span: Span,
    weight: usize,
    height: usize,
}

enum PendingKey {
    Plain(Key),
    Merge,
}

/// `<<`: the mappings it names, and before which of the mapping's own entries it stood.
struct Merge {
    position: usize,
    sources: Vec<Mapping>,
}

struct Builder {
    file: Arc<str>,
    options: Options,
    stack: Vec<Open>,
    anchors: HashMap<usize, Built>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

impl Builder {
    fn new(file: Arc<str>, options: Options) -> Self {
        Self { file, options, stack: Vec::new(), anchors: HashMap::new(), nodes: 0, documents: 0, root: None }
    }

    fn take(&mut self, event: Event<'_>, raw: &RawSpan) -> Result<(), Fault> {
        let span = self.span(raw);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Fault::new(&faults::SEVERAL_DOCUMENTS).at(span.at()));
                }
                Ok(())
            }
            Event::Alias(id) => {
                let Some(built) = self.anchors.get(&id).cloned() else {
                    return Err(Fault::new(&faults::RECURSIVE_ALIAS).at(span.at()));
                };
                self.count(built.weight, &span)?;
                self.check_depth(built.height, &span)?;
                self.place(built, &span, true)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let weight = 1 + text.len() / 64;
                self.count(weight, &span)?;
                let scalar = Scalar { text: text.as_ref().into(), quoted: style != ScalarStyle::Plain };
                let node = Node { value: Value::Scalar(scalar), tag: tag.as_deref().map(tag_text), span: span.clone() };
                let built = Built { node, weight, height: 1 };
                self.remember(anchor, &built)?;
                self.place(built, &span, false)
            }
            Event::SequenceStart(anchor, tag) => {
                let head = self.open(anchor, tag.as_deref(), span)?;
                self.stack.push(Open::Sequence { head, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                let head = self.open(anchor, tag.as_deref(), span)?;
                self.stack.push(Open::Mapping {
                    head,
                    mapping: Mapping::default(),
                    seen: HashMap::new(),
                    merges: Vec::new(),
                    pending: None,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<Head, Fault> {
        self.count(1, &span)?;
        self.check_depth(1, &span)?;
        if let Some(Open::Mapping { pending: None, .. }) = self.stack.last() {
            return Err(Fault::new(&faults::KEY_NOT_TEXT).at(span.at()));
        }
        Ok(Head { anchor, tag: tag.map(tag_text), span, weight: 1, height: 1 })
    }

    fn close(&mut self, end: &Span) -> Result<(), Fault> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let (mut head, value) = match open {
            Open::Sequence { head, items } => (head, Value::Sequence(items)),
            Open::Mapping { head, mapping, merges, seen: _, pending: _ } => {
                let merged = merge(mapping, merges, self.options.merge);
                (head, Value::Mapping(merged))
            }
        };
        (head.span.end_line, head.span.end_col) = (end.end_line, end.end_col);
        let span = head.span.clone();
        let node = Node { value, tag: head.tag, span: head.span };
        let built = Built { node, weight: head.weight, height: head.height };
        self.remember(head.anchor, &built)?;
        self.place(built, &span, false)
    }

    /// Puts a finished node where the innermost open collection wants it.
    fn place(&mut self, built: Built, at: &Span, alias: bool) -> Result<(), Fault> {
        let Built { node, weight, height } = built;
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let head = match open {
            Open::Sequence { head, items } => {
                items.push(node);
                head
            }
            Open::Mapping { head, mapping, seen, merges, pending } => {
                match pending.take() {
                    None => *pending = Some(key(seen, node, at, alias)?),
                    Some(PendingKey::Plain(key)) => mapping.entries.push(Entry { key, value: node }),
                    Some(PendingKey::Merge) => {
                        merges.push(Merge { position: mapping.entries.len(), sources: merge_sources(node, at)? });
                    }
                }
                head
            }
        };
        head.weight += weight;
        head.height = head.height.max(height + 1);
        Ok(())
    }

    /// Keeps a copy, which counts like any other: anchors within anchors would else grow with their depth.
    fn remember(&mut self, anchor: usize, built: &Built) -> Result<(), Fault> {
        if anchor > 0 {
            self.count(built.weight, &built.node.span)?;
            self.anchors.insert(anchor, built.clone());
        }
        Ok(())
    }

    fn count(&mut self, weight: usize, span: &Span) -> Result<(), Fault> {
        self.nodes += weight;
        if self.nodes > self.options.max_nodes {
            return Err(Fault::new(&faults::TOO_MANY).with("max", self.options.max_nodes).at(span.at()));
        }
        Ok(())
    }

    fn check_depth(&self, height: usize, span: &Span) -> Result<(), Fault> {
        if self.stack.len() + height > self.options.max_depth {
            return Err(Fault::new(&faults::TOO_DEEP).with("max", self.options.max_depth).at(span.at()));
        }
        Ok(())
    }

    fn span(&self, raw: &RawSpan) -> Span {
        Span {
            file: self.file.clone(),
            line: raw.start.line().max(1),
            col: raw.start.col() + 1,
            end_line: raw.end.line().max(1),
            end_col: raw.end.col() + 1,
        }
    }

    fn syntax(&self, e: &ScanError) -> Fault {
        let at = At { file: self.file.to_string(), line: e.marker().line().max(1), col: e.marker().col() + 1 };
        if e.info().contains("recursion limit") {
            return Fault::new(&faults::TOO_DEEP).with("max", self.options.max_depth).at(at);
        }
        Fault::new(&faults::SYNTAX).with("detail", e.info()).at(at)
    }

    fn null(&self) -> Node {
        let scalar = Scalar { text: "".into(), quoted: false };
        Node { value: Value::Scalar(scalar), tag: None, span: self.span(&RawSpan::default()) }
    }
}

fn tag_text(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() }
}

/// A key is a scalar that is not empty; `<<` without quotes asks for a merge.
fn key(seen: &mut HashMap<Arc<str>, usize>, node: Node, at: &Span, alias: bool) -> Result<PendingKey, Fault> {
    let Value::Scalar(scalar) = &node.value else {
        return Err(Fault::new(&faults::KEY_NOT_TEXT).at(at.at()));
    };
    if scalar.text.is_empty() {
        return Err(Fault::new(&faults::KEY_NOT_TEXT).at(at.at()));
    }
    if &*scalar.text == "<<" && !scalar.quoted && node.tag.is_none() {
        return Ok(PendingKey::Merge);
    }
    if let Some(line) = seen.insert(scalar.text.clone(), at.line) {
        return Err(Fault::new(&faults::DUPLICATE_KEY).with("key", &scalar.text).with("line", line).at(at.at()));
    }
    let span = if alias { at.clone() } else { node.span };
    Ok(PendingKey::Plain(Key { text: scalar.text.clone(), span }))
}

/// The mappings `<<` names, the one that wins first.
fn merge_sources(node: Node, at: &Span) -> Result<Vec<Mapping>, Fault> {
    let bad = |node: &Node| Fault::new(&faults::BAD_MERGE).with("found", node.shown()).at(at.at());
    match node.value {
        Value::Mapping(m) => Ok(vec![m]),
        Value::Sequence(items) => items
            .into_iter()
            .map(|item| match item.value {
                Value::Mapping(m) => Ok(m),
                Value::Scalar(_) | Value::Sequence(_) => Err(bad(&item)),
            })
            .collect(),
        Value::Scalar(_) => Err(bad(&node)),
    }
}

/// Own entries first in the file's order where they win, each merge where it stood otherwise.
fn merge(own: Mapping, merges: Vec<Merge>, order: MergeOrder) -> Mapping {
    if merges.is_empty() {
        return own;
    }
    let mut out = Mapping::default();
    let mut index: HashMap<Arc<str>, usize> = HashMap::new();
    let mut put = |entry: Entry, replace: bool| match index.get(&entry.key.text) {
        Some(&i) if replace => out.entries[i] = entry,
        Some(_) => {}
        None => {
            index.insert(entry.key.text.clone(), out.entries.len());
            out.entries.push(entry);
        }
    };
    match order {
        MergeOrder::OwnKeysWin => {
            own.entries.into_iter().for_each(|e| put(e, false));
            let merged = merges.into_iter().flat_map(|m| m.sources).flat_map(|m| m.entries);
            merged.for_each(|e| put(e, false));
        }
        MergeOrder::LaterWins => {
            let mut merges = merges.into_iter().peekable();
            for (i, entry) in own.entries.into_iter().enumerate() {
                while let Some(m) = merges.next_if(|m| m.position <= i) {
                    m.sources.into_iter().rev().flat_map(|m| m.entries).for_each(|e| put(e, true));
                }
                put(entry, true);
            }
            merges.flat_map(|m| m.sources.into_iter().rev()).flat_map(|m| m.entries).for_each(|e| put(e, true));
        }
    }
    out
}

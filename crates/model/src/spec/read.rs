//! Reading a spec's tree field by field. A wrong field is noted and reading goes on, so that one look at the file
//! finds everything that is wrong with it.

use super::{faults, keys, values};
use crate::{
    fault::{Code, Fault},
    yaml::{Key, Mapping, Node, Resolved},
};
use std::ops::RangeInclusive;

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Notes(pub Vec<Fault>);

impl Notes {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }
}

/// A value with the dotted path that names it to a person.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub path: String,
    schema: String,
    table: &'static [keys::Key],
    pub node: &'a Node,
}

/// A mapping whose keys are known.
pub(super) struct Section<'a> {
    pub path: String,
    schema: String,
    table: &'static [keys::Key],
    map: &'a Mapping,
    node: &'a Node,
}

/// How the file is called whose keys these are.
fn whole(table: &'static [keys::Key]) -> &'static str {
    if std::ptr::eq(table, keys::POLICY_KEYS) { "policy.yaml" } else { "tradewind.yaml" }
}

/// `app.server`, `run`: how a section is called in a sentence.
fn named(path: &str, table: &'static [keys::Key]) -> String {
    if path.is_empty() { format!("`{}`", whole(table)) } else { format!("`{path}`") }
}

pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// The candidate a typing slip away, if there is one.
pub(crate) fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let score = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let slips = strsim::osa_distance(&word, &candidate);
        let alike = strsim::jaro_winkler(&word, &candidate);
        let allowed = if word.chars().count() < 3 { 0 } else { 1 };
        (slips <= allowed || alike > 0.84).then_some(alike - slips as f64)
    };
    let scored = candidates.into_iter().filter_map(|c| score(c).map(|s| (s, c)));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, c)| c)
}

impl<'a> Section<'a> {
    /// The whole file.
    pub fn root(node: &'a Node, notes: &mut Notes) -> Option<Self> {
        Self::root_of(node, keys::KEYS, notes)
    }

    /// Of a file whose keys are these.
    pub fn root_of(node: &'a Node, table: &'static [keys::Key], notes: &mut Notes) -> Option<Self> {
        Field { path: String::new(), schema: String::new(), table, node }.section(notes)
    }

    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        let node = self.map.get(name)?;
        Some(Field { path: join(&self.path, name), schema: join(&self.schema, name), table: self.table, node })
    }

    /// Notes it when the key is missing.
    pub fn require(&self, name: &str, example: &str, notes: &mut Notes) -> Option<Field<'a>> {
        let field = self.get(name);
        let misspelt = |(key, _): (&Key, &Node)| {
            let known = keys::children(self.table, &self.schema);
            !known.clone().any(|k| k == key.as_str()) && near(key.as_str(), known) == Some(name)
        };
        if field.is_none() && !self.map.iter().any(misspelt) {
            let fault = self.node.fault(&faults::MISSING_KEY);
            notes.add(fault.with("key", join(&self.path, name)).with("example", example));
        }
        field
    }

    /// What `read` makes of the key, `default` where there is none; `None` only with something noted.
    pub fn read<T>(
        &self,
        name: &str,
        default: T,
        notes: &mut Notes,
        read: impl FnOnce(&Field<'a>, &mut Notes) -> Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            Some(field) => read(&field, notes),
            None => Some(default),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<'a> Field<'a> {
    /// A fault about this value, with its path as `{key}` and what stands there as `{found}`.
    pub fn wrong(&self, code: &'static Code) -> Fault {
        let key = if self.path.is_empty() { whole(self.table) } else { &self.path };
        self.node.fault(code).with("key", key).with("found", self.node.shown())
    }

    /// Its keys; those that are not known are noted.
    pub fn section(&self, notes: &mut Notes) -> Option<Section<'a>> {
        let map = self.mapping(notes)?;
        for (key, _) in map.iter() {
            if !keys::children(self.table, &self.schema).any(|k| k == key.as_str()) {
                notes.add(self.unknown(key));
            }
        }
        Some(Section { path: self.path.clone(), schema: self.schema.clone(), table: self.table, map, node: self.node })
    }

    /// Its entries, where the user chose the names.
    pub fn named_entries(&self, notes: &mut Notes) -> Vec<(&'a Key, Field<'a>)> {
        let Some(map) = self.mapping(notes) else { return Vec::new() };
        let field = |k: &Key, node| Field {
            path: join(&self.path, k.as_str()),
            schema: join(&self.schema, "*"),
            table: self.table,
            node,
        };
        map.iter().map(|(k, node)| (k, field(k, node))).collect()
    }

    fn mapping(&self, notes: &mut Notes) -> Option<&'a Mapping> {
        self.untagged(notes)?;
        let map = self.node.as_mapping();
        if map.is_none() {
            let known = listed(keys::children(self.table, &self.schema));
            let known = if known.is_empty() { "`NAME: value`".into() } else { known };
            notes.add(self.wrong(&faults::NOT_A_MAPPING).with("known", known));
        }
        map
    }

    fn unknown(&self, key: &Key) -> Fault {
        let name = key.as_str();
        let with = |code| key.fault(code).with("key", name).with("section", named(&self.path, self.table));
        if let Some(close) = near(name, keys::children(self.table, &self.schema)) {
            return with(&faults::UNKNOWN_KEY_NEAR).with("near", close);
        }
        let last = |k: &keys::Key| k.path.rsplit('.').next().unwrap_or_default();
        if let Some(close) = near(name, self.table.iter().map(last))
            && let Some(place) = self.table.iter().find(|k| last(k) == close)
        {
            return with(&faults::MISPLACED_KEY).with("place", place.path.replace('*', "NAME"));
        }
        with(&faults::UNKNOWN_KEY).with("known", listed(keys::children(self.table, &self.schema)))
    }

    fn untagged(&self, notes: &mut Notes) -> Option<()> {
        match &self.node.tag {
            Some(tag) if !tag.starts_with("!!") => {
                notes.add(self.node.fault(&faults::TAG).with("tag", tag));
                None
            }
            Some(_) | None => Some(()),
        }
    }

    /// A scalar's text as written.
    pub fn text(&self, notes: &mut Notes) -> Option<&'a str> {
        self.untagged(notes)?;
        let Some(scalar) = self.node.as_scalar() else {
            notes.add(self.wrong(&faults::NOT_TEXT));
            return None;
        };
        if self.node.is_null() {
            notes.add(self.wrong(&faults::NULL_VALUE));
            return None;
        }
        if scalar.text.contains('\0') {
            notes.add(self.wrong(&faults::BAD_TEXT));
            return None;
        }
        Some(&scalar.text)
    }

    /// Text that `read` understands; otherwise `code` is noted.
    pub fn parsed<T>(&self, code: &'static Code, read: impl Fn(&str) -> Option<T>, notes: &mut Notes) -> Option<T> {
        let text = self.text(notes)?;
        let value = read(text);
        if value.is_none() {
            notes.add(self.wrong(code));
        }
        value
    }

    /// Milliseconds.
    pub fn duration(&self, range: RangeInclusive<u64>, notes: &mut Notes) -> Option<u64> {
        let ms = self.parsed(&faults::BAD_DURATION, values::duration_ms, notes)?;
        self.within(ms, range, &faults::DURATION_RANGE, values::show_duration, notes)
    }

    /// Bytes.
    pub fn size(&self, range: RangeInclusive<u64>, notes: &mut Notes) -> Option<u64> {
        let bytes = self.parsed(&faults::BAD_SIZE, values::size_bytes, notes)?;
        self.within(bytes, range, &faults::SIZE_RANGE, values::show_size, notes)
    }

    fn within(
        &self,
        value: u64,
        range: RangeInclusive<u64>,
        code: &'static Code,
        show: impl Fn(u64) -> String,
        notes: &mut Notes,
    ) -> Option<u64> {
        if range.contains(&value) {
            return Some(value);
        }
        notes.add(self.wrong(code).with("min", show(*range.start())).with("max", show(*range.end())));
        None
    }

    pub fn count(&self, range: RangeInclusive<u64>, notes: &mut Notes) -> Option<u64> {
        let text = self.text(notes)?;
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse::<u64>() {
            Ok(n) if plain && range.contains(&n) => Some(n),
            Ok(_) | Err(_) => {
                notes.add(self.wrong(&faults::BAD_NUMBER).with("min", range.start()).with("max", range.end()));
                None
            }
        }
    }

    pub fn count32(&self, range: RangeInclusive<u32>, notes: &mut Notes) -> Option<u32> {
        let wide = u64::from(*range.start())..=u64::from(*range.end());
        self.count(wide, notes).and_then(|n| u32::try_from(n).ok())
    }

    pub fn flag(&self, notes: &mut Notes) -> Option<bool> {
        self.untagged(notes)?;
        let value = self.node.as_scalar().map(|s| s.resolve(self.node.tag.as_deref()));
        if let Some(Resolved::Bool(b)) = value {
            return Some(b);
        }
        notes.add(self.wrong(&faults::BAD_FLAG));
        None
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, choices: &[(&'static str, T)], notes: &mut Notes) -> Option<T> {
        let text = self.text(notes)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            notes.add(self.not_a_choice(text, choices.iter().map(|(word, _)| *word)));
        }
        found
    }

    pub fn not_a_choice(&self, text: &str, choices: impl Iterator<Item = &'static str> + Clone) -> Fault {
        let all = listed(choices.clone());
        match near(text, choices) {
            Some(close) => self.wrong(&faults::BAD_CHOICE_NEAR).with("near", close).with("choices", all),
            None => self.wrong(&faults::BAD_CHOICE).with("choices", all),
        }
    }

    pub fn list(&self, notes: &mut Notes) -> Option<Vec<Field<'a>>> {
        self.untagged(notes)?;
        let Some(items) = self.node.as_sequence() else {
            notes.add(self.wrong(&faults::NOT_A_LIST));
            return None;
        };
        Some(
            items
                .iter()
                .map(|node| Field { path: self.path.clone(), schema: self.schema.clone(), table: self.table, node })
                .collect(),
        )
    }

    /// A list of texts that `read` understands, each once.
    pub fn list_of<T: PartialEq>(
        &self,
        code: &'static Code,
        read: impl Fn(&str) -> Option<T>,
        notes: &mut Notes,
    ) -> Option<Vec<T>> {
        let mut out = Vec::new();
        for item in self.list(notes)? {
            let Some(value) = item.parsed(code, &read, notes) else { continue };
            if out.contains(&value) {
                notes.add(item.wrong(&faults::TWICE));
            } else {
                out.push(value);
            }
        }
        Some(out)
    }

    /// An argument vector with a program in front.
    pub fn command(&self, notes: &mut Notes) -> Option<Vec<String>> {
        if let Some(scalar) = self.node.as_scalar().filter(|_| !self.node.is_null()) {
            notes.add(self.wrong(&faults::COMMAND_IS_TEXT).with("list", as_list(&scalar.text)));
            return None;
        }
        let mut words = Vec::new();
        for item in self.list(notes)? {
            words.push(item.text(notes)?.to_owned());
        }
        if words.first().is_none_or(|program| program.trim().is_empty()) {
            notes.add(self.wrong(&faults::COMMAND_IS_EMPTY));
            return None;
        }
        Some(words)
    }
}

/// The list that does what the text would have done.
fn as_list(text: &str) -> String {
    let text = text.trim();
    if text.contains(['&', '|', ';', '<', '>', '*', '$', '`', '\n']) {
        return format!("[sh, -c, '{}']", text.replace('\'', "''").replace('\n', "; "));
    }
    let words: Vec<String> = text.split_whitespace().map(as_list_entry).collect();
    format!("[{}]", words.join(", "))
}

/// A word as it can stand in a flow list.
fn as_list_entry(word: &str) -> String {
    let bare = word.trim_matches(['"', '\'']);
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '=' | '+' | '@' | '$' | ':');
    let starts_plain = bare.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '$' | '-'));
    if starts_plain && bare.chars().all(safe) && !bare.ends_with(':') {
        bare.to_owned()
    } else {
        format!("\"{}\"", bare.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

//! Why something happened, kept in state and events so that it can be told in any language later.

use crate::fault::{Code, Lang};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A code of [`super::faults`] and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    pub code: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Reason {
    pub fn new(code: &'static Code) -> Self {
        Self { code: code.id.to_owned(), args: BTreeMap::new() }
    }
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
    fn lookup(&self) -> Option<&'static Code> {
        super::faults::ALL.iter().copied().find(|c| c.id == self.code)
    }
    /// What happened. A code from a newer version is shown as it is.
    pub fn what(&self, lang: Lang) -> String {
        let args: Vec<_> = self.args.iter().collect();
        self.lookup().map_or_else(|| self.code.clone(), |c| c.what.fill(lang, &args))
    }
    /// What to do about it.
    pub fn fix(&self, lang: Lang) -> String {
        let args: Vec<_> = self.args.iter().collect();
        self.lookup().map_or_else(String::new, |c| c.fix.fill(lang, &args))
    }
}

//! Why something happened, kept in state and events so that it can be told in any language later.

use crate::{
    fault::{Code, Lang, Text},
    said::{Said, Tell},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A code of [`super::faults`] and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    pub code: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Said>,
}

impl Reason {
    pub fn new(code: &'static Code) -> Self {
        Self { code: code.id.to_owned(), args: BTreeMap::new() }
    }
    pub fn with(mut self, name: &str, value: impl Tell) -> Self {
        self.args.insert(name.to_owned(), Said::in_both(|lang| value.tell(lang)));
        self
    }
    fn lookup(&self) -> Option<&'static Code> {
        super::faults::ALL.iter().copied().find(|c| c.id == self.code)
    }
    /// What happened. A code from a newer version is shown as it is.
    pub fn what(&self, lang: Lang) -> String {
        self.lookup().map_or_else(|| self.code.clone(), |c| self.fill(&c.what, lang))
    }
    /// The same in both languages, to be told within another sentence.
    pub fn said(&self) -> Said {
        Said::in_both(|lang| self.what(lang))
    }
    /// What to do about it.
    pub fn fix(&self, lang: Lang) -> String {
        self.lookup().map_or_else(String::new, |c| self.fill(&c.fix, lang))
    }
    fn fill(&self, text: &Text, lang: Lang) -> String {
        let args: Vec<_> = self.args.iter().map(|(name, value)| (name, value.get(lang))).collect();
        text.fill(lang, &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::faults;

    #[test]
    fn a_reason_within_a_reason_is_told_in_the_same_language() {
        let why = crate::said!("ended with exit code {code}", "以退出码 {code} 结束", code = 3);
        let failed = Reason::new(&faults::INSTANCE_FAILED).with("release", "v2").with("site", "a").with("detail", why);
        let stays = Reason::new(&faults::ROLLBACK_STAYS).with("release", "v1").with("site", "a");
        let told = stays.with("detail", failed.said()).what(Lang::Zh);
        assert!(told.contains("之后：v2 在 a 上无法运行：以退出码 3 结束。"), "{told}");
    }

    #[test]
    fn arguments_that_were_kept_as_plain_text_are_read() {
        let kept = r#"{"code":"TW-ROLL-002","args":{"detail":"no such program","release":"v2","site":"a"}}"#;
        let reason: Reason = serde_json::from_str(kept).unwrap();
        assert_eq!(reason.what(Lang::Zh), "v2 在 a 上无法运行：no such program");
        assert_eq!(serde_json::to_string(&reason).unwrap(), kept);
    }
}

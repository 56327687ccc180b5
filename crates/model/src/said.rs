//! A sentence in both languages, made where what it says is known.
//!
//! What a machine says and somebody keeps or sends on (why an instance is not ready, what a check found, how a job ended)
//! is told later to people who read one language or the other. So it travels as a [`Said`] and becomes a plain string only
//! where the reader is known, by [`Said::get`].

use crate::fault::{Fault, Lang, Text, placeholders};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// One sentence in both languages. It has no `Display`: whoever shows it has to say in which language.
///
/// As JSON a string where both are equal, `{ "en": …, "zh": … }` otherwise; both are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    en: String,
    /// `None`: as in English.
    zh: Option<String>,
}

impl Said {
    /// What is the same in every language: a program's own last words, an error of the operating system.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { en: text.into(), zh: None }
    }

    /// Fills a text in each language; sentences among the arguments are told in that language. See [`said!`](crate::said).
    pub fn of(text: &Text, args: &[(&str, &dyn Tell)]) -> Self {
        debug_assert_eq!(placeholders(text.en), placeholders(text.zh), "the languages' arguments differ");
        let told = |lang| {
            let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.tell(lang))).collect();
            text.fill(lang, &args)
        };
        Self::in_both(told)
    }

    /// What `told` says in each language.
    pub fn in_both(told: impl Fn(Lang) -> String) -> Self {
        let (en, zh) = (told(Lang::En), told(Lang::Zh));
        Self { zh: (zh != en).then_some(zh), en }
    }

    /// Several sentences as one.
    pub fn join(sentences: &[Self], between: &Text) -> Self {
        Self::in_both(|lang| sentences.iter().map(|s| s.get(lang)).collect::<Vec<_>>().join(between.get(lang)))
    }

    pub fn get(&self, lang: Lang) -> &str {
        match (lang, &self.zh) {
            (Lang::Zh, Some(zh)) => zh,
            (Lang::Zh, None) | (Lang::En, _) => &self.en,
        }
    }

    pub fn en(&self) -> &str {
        &self.en
    }
}

/// Code and what happened, as the fault itself is displayed.
impl From<&Fault> for Said {
    fn from(fault: &Fault) -> Self {
        Self::in_both(|lang| {
            let at = fault.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
            let colon = match lang {
                Lang::En => ": ",
                Lang::Zh => "：",
            };
            format!("{at}{}{colon}{}", fault.code.id, fault.what(lang))
        })
    }
}

impl From<Fault> for Said {
    fn from(fault: Fault) -> Self {
        Self::from(&fault)
    }
}

/// Whether a terminal acts on it, or it turns round what stands beside it.
pub fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Text from outside must not steer what it is shown in.
pub fn visible(text: impl Into<String>) -> String {
    let text = text.into();
    if !text.contains(steers) {
        return text;
    }
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// What may stand in a sentence: whatever is displayed alike in every language, and other sentences.
pub trait Tell {
    fn tell(&self, lang: Lang) -> String;
}

impl<T: fmt::Display + ?Sized> Tell for T {
    fn tell(&self, _: Lang) -> String {
        visible(self.to_string())
    }
}

impl Tell for Said {
    fn tell(&self, lang: Lang) -> String {
        self.get(lang).to_owned()
    }
}

impl Tell for &Said {
    fn tell(&self, lang: Lang) -> String {
        self.get(lang).to_owned()
    }
}

/// A word that needs no arguments.
impl Tell for Text {
    fn tell(&self, lang: Lang) -> String {
        self.get(lang).to_owned()
    }
}

/// A sentence in English and Chinese: `said!("GET {path} answered {status}", "GET {path} 返回 {status}", path = path,
/// status = status)`. What stands in it is anything that implements [`Tell`](crate::said::Tell).
#[macro_export]
macro_rules! said {
    ($en:literal, $zh:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::said::Said::of(
            &$crate::fault::Text { en: $en, zh: $zh },
            &[$((stringify!($name), &$value as &dyn $crate::said::Tell)),*],
        )
    };
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(zh) = &self.zh else { return serializer.serialize_str(&self.en) };
        let mut both = serializer.serialize_struct("Said", 2)?;
        both.serialize_field("en", &self.en)?;
        both.serialize_field("zh", zh)?;
        both.end()
    }
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Plain(String),
            Both { en: String, zh: String },
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Plain(en) => Self { en, zh: None },
            Form::Both { en, zh } => Self { zh: (zh != en).then_some(zh), en },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod area {
        crate::faults! {
            BROKEN = "TW-TEST-002", 422, "`{key}` is broken: {why}", "`{key}` 坏了：{why}", "mend `{key}`", "修好 `{key}`";
        }
    }

    fn both(said: &Said) -> [&str; 2] {
        [said.get(Lang::En), said.get(Lang::Zh)]
    }

    #[test]
    fn what_is_quoted_steers_nothing() {
        let quoted = said!("`{what}` is no name", "`{what}` 不是名称", what = "a\u{1b}[2Jb\u{202e}c\td\ne\r\u{7}");
        assert_eq!(quoted.en(), "`a\u{fffd}[2Jb\u{fffd}c\td\ne\u{fffd}\u{fffd}` is no name");
        let outer = said!("{inner}", "{inner}", inner = quoted);
        assert!(!outer.get(Lang::Zh).contains(steers));
    }

    #[test]
    fn a_sentence_in_a_sentence_is_told_in_the_same_language() {
        let inner = said!("exit code {code}", "退出码 {code}", code = 3);
        let outer = said!("it failed: {why} ({who})", "失败：{why}（{who}）", why = inner, who = "a {why}");
        assert_eq!(both(&outer), ["it failed: exit code 3 (a {why})", "失败：退出码 3（a {why}）"]);
        let by_reference = said!("{a}, {b}", "{a}、{b}", a = &inner, b = Text { en: "word", zh: "词" });
        assert_eq!(both(&by_reference), ["exit code 3, word", "退出码 3、词"]);
        let joined = Said::join(&[inner, Said::plain("x")], &Text { en: "; ", zh: "；" });
        assert_eq!(both(&joined), ["exit code 3; x", "退出码 3；x"]);
    }

    #[test]
    fn a_fault_says_its_code_and_what_happened_and_its_arguments_are_told_alike() {
        assert!(crate::fault::check_catalog(area::ALL).is_empty());
        let why = said!("no answer", "没有应答");
        let fault = Fault::new(&area::BROKEN).with("key", "run.port").with("why", why);
        assert_eq!(Said::from(&fault).en(), fault.to_string());
        assert_eq!(Said::from(&fault).get(Lang::Zh), "TW-TEST-002：`run.port` 坏了：没有应答");
        let at = crate::fault::At { file: "f.yaml".into(), line: 2, col: 3 };
        assert_eq!(Said::from(&fault.at(at)).get(Lang::Zh), "f.yaml:2:3: TW-TEST-002：`run.port` 坏了：没有应答");
    }

    #[test]
    fn json_is_a_string_where_the_languages_agree_and_either_form_is_read() {
        let json = |said: &Said| serde_json::to_string(said).unwrap();
        let read = |json: &str| serde_json::from_str::<Said>(json).unwrap();
        let differs = said!("ready", "就绪");
        assert_eq!(json(&differs), r#"{"en":"ready","zh":"就绪"}"#);
        assert_eq!(read(&json(&differs)), differs);
        for alike in [Said::plain("sh: not found"), said!("{e}", "{e}", e = "sh: not found")] {
            assert_eq!(json(&alike), r#""sh: not found""#);
            assert_eq!(read(&json(&alike)), alike);
        }
        assert_eq!(read(r#"{"en":"x","zh":"x"}"#), Said::plain("x"));
        assert!(serde_json::from_str::<Said>(r#"{"en":"x"}"#).is_err());
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "arguments differ")]
    fn languages_that_take_other_arguments_are_a_mistake() {
        let _ = said!("exit code {code}", "退出码 {kode}", code = 1);
    }
}

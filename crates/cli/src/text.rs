//! The message table's machinery: every sentence a person reads stands in a table with English and Chinese side by side.

pub use tradewind_model::fault::Text;
use tradewind_model::{
    fault::{Fault, Lang, Problem},
    said::visible,
};

/// Declares an area's sentences: `messages! { STORED = "Logged in to {server}.", "已登录 {server}。"; }` gives
/// `pub static STORED: Text` and, in tests, `pub static ALL: &[(&str, &Text)]`.
#[macro_export]
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $en:literal, $zh:literal;)+) => {
        $($(#[$doc])* pub static $name: $crate::text::Text = $crate::text::Text { en: $en, zh: $zh };)+
        /// Every sentence of this table with its name, for [`check`]($crate::text::check).
        #[cfg(test)]
        pub static ALL: &[(&str, &$crate::text::Text)] = &[$((stringify!($name), &$name)),+];
    };
}

/// Fills a sentence: `fill!(lang, &msg::STORED, server = url)`.
#[macro_export]
macro_rules! fill {
    ($lang:expr, $text:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $text.fill::<&str, String>($lang, &[$((stringify!($name), ($value).to_string())),*])
    };
}

/// What is wrong with a table: arguments that differ between the languages, empty sentences. For tests.
pub fn check(table: &[(&str, &Text)]) -> Vec<String> {
    fn names(s: &str) -> std::collections::BTreeSet<&str> {
        s.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|(n, _)| n).collect()
    }
    let mut wrong = Vec::new();
    for (name, t) in table {
        if names(t.en) != names(t.zh) {
            wrong.push(format!("{name}: arguments differ between `{}` and `{}`", t.en, t.zh));
        }
        if t.en.trim().is_empty() || t.zh.trim().is_empty() {
            wrong.push(format!("{name}: an empty text"));
        }
    }
    wrong
}

/// The language to speak: `--lang` wherever it stands on the command line, then `TRADEWIND_LANG`, then the locale.
/// Read before the command line is parsed, because its own refusals are sentences too.
pub fn choose_lang(args: &[String], var: impl Fn(&str) -> Option<String>) -> Lang {
    let mut flag = None;
    for (i, arg) in args.iter().enumerate() {
        if arg == "--" {
            break;
        }
        if arg == "--lang" {
            flag = args.get(i + 1).cloned();
        } else if let Some(v) = arg.strip_prefix("--lang=") {
            flag = Some(v.to_owned());
        }
    }
    let named =
        || ["TRADEWIND_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|k| var(k).filter(|v| !v.is_empty()));
    flag.or_else(named).map_or(Lang::En, |s| Lang::parse(&s))
}

/// `: text`, behind what it explains.
pub fn because(text: impl std::fmt::Display, lang: Lang) -> String {
    match lang {
        Lang::En => format!(": {text}"),
        Lang::Zh => format!("：{text}"),
    }
}

/// ` (text)`, behind what it belongs to.
pub fn aside(text: impl std::fmt::Display, lang: Lang) -> String {
    match lang {
        Lang::En => format!(" ({text})"),
        Lang::Zh => format!("（{text}）"),
    }
}

/// The language's name as `--lang` and `TRADEWIND_LANG` take it.
pub fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    }
}

/// A fault as people read it: where it stands, its code and what happened, then what to do.
pub fn fault(fault: &Fault, lang: Lang) -> String {
    problem(&fault.problem(lang), lang)
}

/// The same for one that came from the server, with a file's other faults below it.
pub fn problem(p: &Problem, lang: Lang) -> String {
    let (error, fix) = match lang {
        Lang::En => ("error", "  fix: "),
        Lang::Zh => ("错误", "  处理："),
    };
    let at = p.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
    let mut out = visible(format!("{at}{error} {}: {}\n{fix}{}", p.code, p.title, p.fix));
    for more in &p.more {
        out.push('\n');
        out += &problem(more, lang);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(args: &[&str], vars: &[(&str, &str)]) -> Lang {
        let args: Vec<String> = args.iter().map(|s| (*s).to_owned()).collect();
        choose_lang(&args, |k| vars.iter().find(|(n, _)| *n == k).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_flag_beats_the_variable_and_the_variable_beats_the_locale() {
        assert_eq!(lang(&["status"], &[]), Lang::En);
        assert_eq!(lang(&["status"], &[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&["status"], &[("TRADEWIND_LANG", "en"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
        assert_eq!(lang(&["status"], &[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&["status", "--lang", "zh-CN"], &[("TRADEWIND_LANG", "en")]), Lang::Zh);
        assert_eq!(lang(&["--lang=zh-CN", "status"], &[]), Lang::Zh);
        assert_eq!(lang(&["run", "--", "--lang=zh-CN"], &[]), Lang::En);
    }
}

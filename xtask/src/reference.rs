//! Pages made from the code: the references of `tradewind.yaml` and of environments' policies, in both languages.

use anyhow::Result;
use std::{fs, path::Path};
use tradewind_model::{
    fault::Lang,
    spec::keys::{KEYS, Key, POLICY_KEYS, WhenMissing},
};

type Page = (&'static str, fn() -> String);

const PAGES: [Page; 4] = [
    ("docs/guide/spec-keys.md", || page(Lang::En)),
    ("docs/guide.zh-CN/spec-keys.md", || page(Lang::Zh)),
    ("docs/guide/policy-keys.md", || policy_page(Lang::En)),
    ("docs/guide.zh-CN/policy-keys.md", || policy_page(Lang::Zh)),
];

pub fn write(root: &Path) -> Result<()> {
    for (file, text) in PAGES {
        let path = root.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text())?;
        println!("wrote {file}");
    }
    Ok(())
}

/// A sentence for each page that is not what [`write`] would write.
pub fn stale(root: &Path) -> Result<Vec<String>> {
    let differs = |file: &str, text: String| fs::read_to_string(root.join(file)).ok() != Some(text);
    let stale = PAGES.iter().filter(|(file, text)| differs(file, text()));
    Ok(stale.map(|(file, _)| format!("{file} is out of date: run `cargo xtask reference`")).collect())
}

fn page(lang: Lang) -> String {
    let (title, intro) = match lang {
        Lang::En => (
            "# Keys of `tradewind.yaml`",
            "Made from the program by `cargo xtask reference`. `NAME` stands for a name you choose. How the parts go together is in [the spec](spec.md).",
        ),
        Lang::Zh => (
            "# `tradewind.yaml` 的键",
            "本页由 `cargo xtask reference` 从程序生成。`NAME` 代表由你取的名字。各部分如何配合，见[配置文件](spec.md)。",
        ),
    };
    table(title, intro, KEYS, lang)
}

fn policy_page(lang: Lang) -> String {
    let (title, intro) = match lang {
        Lang::En => (
            "# Keys of an environment's policy",
            "Made from the program by `cargo xtask reference`. What a policy is for is in [policies](policy.md).",
        ),
        Lang::Zh => {
            ("# 环境策略的键", "本页由 `cargo xtask reference` 从程序生成。策略的用途见[环境策略](policy.md)。")
        }
    };
    table(title, intro, POLICY_KEYS, lang)
}

fn table(title: &str, intro: &str, keys: &[Key], lang: Lang) -> String {
    let (head, required) = match lang {
        Lang::En => ("| key | takes | left out | meaning |", "required"),
        Lang::Zh => ("| 键 | 取值 | 不写时 | 含义 |", "必填"),
    };
    let mut out = format!("{title}\n\n{intro}\n\n{head}\n| --- | --- | --- | --- |\n");
    for key in keys {
        let missing = match key.default {
            WhenMissing::Required => required.to_owned(),
            WhenMissing::Is(value) => format!("`{value}`"),
            WhenMissing::None => String::new(),
        };
        let path = key.path.replace('*', "NAME");
        let takes = key.takes.replace('|', "\\|");
        out.push_str(&format!("| `{path}` | {takes} | {missing} | {} |\n", key.about.get(lang)));
    }
    out
}

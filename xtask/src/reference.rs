//! Pages made from the code: the reference of `tradewind.yaml`, in both languages.

use anyhow::Result;
use std::{fs, path::Path};
use tradewind_model::{
    fault::Lang,
    spec::keys::{KEYS, WhenMissing},
};

const PAGES: [(&str, Lang); 2] = [("docs/guide/spec-keys.md", Lang::En), ("docs/guide.zh-CN/spec-keys.md", Lang::Zh)];

pub fn write(root: &Path) -> Result<()> {
    for (file, lang) in PAGES {
        let path = root.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, page(lang))?;
        println!("wrote {file}");
    }
    Ok(())
}

/// A sentence for each page that is not what [`write`] would write.
pub fn stale(root: &Path) -> Result<Vec<String>> {
    let differs = |(file, lang): &(&str, Lang)| fs::read_to_string(root.join(file)).ok() != Some(page(*lang));
    let stale = PAGES.iter().filter(|p| differs(p));
    Ok(stale.map(|(file, _)| format!("{file} is out of date: run `cargo xtask reference`")).collect())
}

fn page(lang: Lang) -> String {
    let (title, intro, head, required) = match lang {
        Lang::En => (
            "# Keys of `tradewind.yaml`",
            "Made from the program by `cargo xtask reference`. `NAME` stands for a name you choose. How the parts go together is in [the spec](spec.md).",
            "| key | takes | left out | meaning |",
            "required",
        ),
        Lang::Zh => (
            "# `tradewind.yaml` 的键",
            "本页由 `cargo xtask reference` 从程序生成。`NAME` 代表由你取的名字。各部分如何配合，见[配置文件](spec.md)。",
            "| 键 | 取值 | 不写时 | 含义 |",
            "必填",
        ),
    };
    let mut out = format!("{title}\n\n{intro}\n\n{head}\n| --- | --- | --- | --- |\n");
    for key in KEYS {
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

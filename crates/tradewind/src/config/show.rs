//! `tradewind config show`: every setting, its value, where it came from, and what it means.

use super::{Config, Source, file, registry};
use crate::{msg, say::Say};
use serde_json::json;
use tradewind_cli::{
    exit::Exit,
    fill,
    table::{Paint, Table, painted},
};

pub fn run(config: &Config, as_json: bool, say: Say) -> Exit {
    let lang = say.lang;
    let shown = |s: &'static tradewind_cli::setting::Setting| {
        config.get(s).map(|v| if s.secret { "…".to_owned() } else { v.text.clone() })
    };
    let source = |s| match config.get(s).map(|v| &v.source) {
        None => String::new(),
        Some(Source::Default) => "default".to_owned(),
        Some(Source::File(at)) => at.to_string(),
        Some(Source::Variable) => s.var(),
        Some(Source::Flag) => format!("--{}", s.flag()),
    };
    if as_json {
        let all: Vec<_> = registry::ALL
            .iter()
            .map(|s| json!({ "key": s.key, "value": shown(s), "source": source(s), "flag": format!("--{}", s.flag()), "variable": s.var(), "help": s.help.get(lang) }))
            .collect();
        say.out(serde_json::to_string_pretty(&json!({ "items": all, "next": null })).unwrap_or_default());
        return Exit::Ok;
    }
    let mut table = Table::new(&msg::CONFIG_COLUMNS.map(|t| t.get(lang)));
    for s in registry::ALL {
        table.row(vec![
            s.key.into(),
            shown(s).unwrap_or_default().into(),
            painted(Paint::Faint, source(s)),
            s.var().into(),
            painted(Paint::Faint, s.help.get(lang)),
        ]);
    }
    say.out(table.render(false).trim_end());
    say.out("");
    let path = config.data().join(file::NAME);
    say.out(fill!(lang, &msg::CONFIG_ORDER, file = path.display()));
    Exit::Ok
}

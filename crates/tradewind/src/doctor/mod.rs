//! `tradewind doctor`: what this machine gives and what it lacks, before the first start and after. It changes nothing.

mod backup;
mod folder;
mod isolation;
mod machine;
mod network;

use crate::{config::Config, msg, say::Say};
use serde_json::json;
use std::io::IsTerminal;
use tradewind_cli::{
    exit::Exit,
    fill,
    table::{Paint, Table, painted},
};
use tradewind_server::plane::{Finding, Verdict};

pub fn run(config: &Config, as_json: bool, say: Say) -> Exit {
    let found: Vec<Finding> = [
        machine::look(config),
        isolation::look(config),
        folder::look(config),
        backup::look(config),
        network::look(config),
    ]
    .into_iter()
    .flatten()
    .collect();
    let lang = say.lang;
    if as_json {
        let items: Vec<_> = found
            .iter()
            .map(|f| {
                let fix = f.fix.as_ref().map(|f| f.get(lang));
                json!({ "id": f.id, "verdict": f.verdict.as_str(), "found": f.found.get(lang), "fix": fix })
            })
            .collect();
        say.out(serde_json::to_string_pretty(&json!({ "items": items, "next": null })).unwrap_or_default());
    } else {
        say.out(page(&found, say, std::io::stdout().is_terminal()));
    }
    if found.iter().any(|f| f.verdict == Verdict::Bad) { Exit::Failed } else { Exit::Ok }
}

fn page(found: &[Finding], say: Say, terminal: bool) -> String {
    let lang = say.lang;
    let mut table = Table::new(&msg::DOCTOR_COLUMNS.map(|t| t.get(lang)));
    for f in found {
        let (paint, word) = match f.verdict {
            Verdict::Good => (Paint::Good, &msg::DOCTOR_GOOD),
            Verdict::Less => (Paint::Warn, &msg::DOCTOR_LESS),
            Verdict::Bad => (Paint::Bad, &msg::DOCTOR_BAD),
        };
        table.row(vec![painted(paint, word.get(lang)), f.id.into(), f.found.get(lang).into()]);
        if let Some(fix) = &f.fix {
            table.row(vec![" ".into(), " ".into(), painted(Paint::Faint, format!("→ {}", fix.get(lang)))]);
        }
    }
    let count = |v: Verdict| found.iter().filter(|f| f.verdict == v).count();
    let sum = fill!(
        lang,
        &msg::DOCTOR_SUM,
        good = count(Verdict::Good),
        less = count(Verdict::Less),
        bad = count(Verdict::Bad)
    );
    format!("{}\n{sum}", table.render(terminal))
}

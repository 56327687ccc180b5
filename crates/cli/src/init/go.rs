//! Go: one program out of one module.

use super::{Kind, Recipe, built, files::Files, port_unseen, scan};
use tradewind_model::said;

/// Folders that programs read at run time.
const ASSETS: [&str; 7] = ["templates", "static", "public", "assets", "web", "views", "configs"];

pub fn signs(files: &dyn Files) -> Vec<String> {
    files.which(&["go.mod"])
}

/// Packages that are programs: the module's own folder, then those below `cmd/`.
fn programs(files: &dyn Files) -> Vec<String> {
    let is_program = |folder: &str| {
        files.ending(folder, ".go").iter().any(|name| {
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            files.text(&path).is_some_and(|t| t.lines().any(|l| l.trim() == "package main"))
        })
    };
    let below = files.folders("cmd").into_iter().map(|n| format!("cmd/{n}"));
    std::iter::once(String::new()).chain(below).filter(|f| is_program(f)).collect()
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let text = files.text("go.mod").unwrap_or_default();
    let module = text.lines().find_map(|l| l.trim().strip_prefix("module ")).map(|m| m.trim().to_owned());
    let name = module.as_deref().and_then(scan::slug);
    let programs = programs(files);
    let usual = |p: &&String| {
        let last = p.rsplit('/').next().unwrap_or_default();
        p.is_empty() || Some(last) == name.as_deref() || ["server", "api", "web", "app"].contains(&last)
    };
    let program = programs.iter().find(usual).or(programs.first()).cloned().unwrap_or_default();
    let mut notes = Vec::new();
    if programs.len() > 1 {
        let others: Vec<_> = programs.iter().filter(|p| **p != program).map(|p| format!("./{p}")).collect();
        notes.push(said!(
            "`./{program}` is built; there are other programs too: {others}",
            "构建的是 `./{program}`；另有其他程序：{others}",
            program = program,
            others = others.join(", ")
        ));
    }
    let path = |name: &String| if program.is_empty() { name.clone() } else { format!("{program}/{name}") };
    let sources: Vec<_> = files.ending(&program, ".go").iter().map(path).filter_map(|p| files.text(&p)).collect();
    let source = sources.join("\n");
    if !source.contains("PORT") {
        notes.push(port_unseen(if program.is_empty() { "main.go" } else { &program }));
    }
    let script =
        vec!["go test ./...".into(), format!("go build -trimpath -o app ./{program}").trim_end_matches('/').into()];
    built(Kind::Go, name, &source, files.which(&ASSETS), "go", script, notes)
}

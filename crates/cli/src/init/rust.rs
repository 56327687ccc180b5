//! Rust: one binary out of one package.

use super::{Kind, Recipe, built, files::Files, port_unseen, scan};
use tradewind_model::said;

const MANIFEST: &str = "Cargo.toml";
const ASSETS: [&str; 5] = ["templates", "static", "public", "assets", "config"];

/// A library is no service, and neither is a workspace's root.
pub fn signs(files: &dyn Files) -> Vec<String> {
    let text = files.text(MANIFEST).unwrap_or_default();
    let is_binary = files.has("src/main.rs") || text.contains("[[bin]]") || files.has("src/bin");
    if is_binary { vec![MANIFEST.into()] } else { Vec::new() }
}

pub fn recipe(files: &dyn Files) -> Recipe {
    let text = files.text(MANIFEST).unwrap_or_default();
    let name = scan::toml(&text, "package", "name");
    let other = || files.ending("src/bin", ".rs").first().map(|n| n.trim_end_matches(".rs").to_owned());
    let binary = match &name {
        _ if scan::toml(&text, "bin", "name").is_some() => scan::toml(&text, "bin", "name"),
        Some(name) if files.has("src/main.rs") => Some(name.clone()),
        _ => other().or_else(|| name.clone()),
    };
    let binary = binary.unwrap_or_else(|| "app".into());
    let main = ["src/main.rs".to_owned(), format!("src/bin/{binary}.rs")];
    let source = main.iter().filter_map(|f| files.text(f)).collect::<String>();
    let mut notes = Vec::new();
    if !source.contains("PORT") {
        notes.push(port_unseen("src/main.rs"));
    }
    let locked = if files.has("Cargo.lock") {
        " --locked"
    } else {
        notes.push(said!(
            "there is no Cargo.lock: commit it, so that every build gets the same crates",
            "没有 Cargo.lock：请提交它，使每次构建得到相同的依赖"
        ));
        ""
    };
    let script = vec![
        format!("cargo test{locked}"),
        format!("cargo build --release{locked} --bin {binary}"),
        format!("cp target/release/{binary} app"),
    ];
    built(Kind::Rust, name, &source, files.which(&ASSETS), "cargo", script, notes)
}

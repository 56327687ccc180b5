//! Who may use whom, as the table in `docs/architecture.md` says it, and what some crates must do without.

use super::Findings;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

/// Third-party crates, and the only crates of ours that may use them.
const KEPT_TO: [(&str, &[&str]); 2] = [("sqlx", &["store"]), ("axum", &["server"])];
/// Crates without sockets, SQL, threads and an own clock, and what they have no use for.
const PURE: [&str; 5] = ["model", "judge", "audit", "secrets", "forges"];
const NOT_IN_PURE: [&str; 7] = ["tokio", "hyper", "reqwest", "axum", "sqlx", "futures-util", "rustix"];

/// The third column.
#[derive(Debug, PartialEq, Eq)]
enum MayUse {
    Any,
    These(BTreeSet<String>),
}

pub fn check(root: &Path, findings: &mut Findings) -> Result<()> {
    let table = rules(&std::fs::read_to_string(root.join("docs/architecture.md"))?);
    ensure!(!table.is_empty(), "docs/architecture.md has no table of crates");
    for package in packages(root)? {
        let manifest = Path::new(package["manifest_path"].as_str().context("a package without manifest")?).to_owned();
        let name = short(package["name"].as_str().unwrap_or_default()).to_owned();
        let text = std::fs::read_to_string(&manifest)?;
        if !text.contains("[lints]\nworkspace = true") {
            findings.wrong.push(format!("{name}: Cargo.toml lacks `[lints] workspace = true`"));
        }
        one_test_binary(&name, &manifest, findings)?;
        let used = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let normal = used.iter().filter(|d| d["kind"] != "dev");
        direction(&name, normal.clone().filter(|d| d["path"].is_string()), &table, findings);
        for dependency in normal.filter_map(|d| d["name"].as_str()) {
            outside(&name, dependency, findings);
        }
    }
    Ok(())
}

fn packages(root: &Path) -> Result<Vec<Value>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    Ok(metadata["packages"].as_array().cloned().unwrap_or_default())
}

fn short(name: &str) -> &str {
    name.strip_prefix("tradewind-").unwrap_or(name)
}

fn direction<'a>(
    name: &str,
    ours: impl Iterator<Item = &'a Value>,
    table: &BTreeMap<String, MayUse>,
    findings: &mut Findings,
) {
    let Some(may) = table.get(name) else {
        if name != "e2e" {
            findings.wrong.push(format!("{name}: not in the table of crates in docs/architecture.md"));
        }
        return;
    };
    for used in ours.filter_map(|d| d["name"].as_str()).map(short) {
        let allowed = match may {
            MayUse::Any => used != "testkit" || ["xtask", "testkit"].contains(&name),
            MayUse::These(these) => these.contains(used),
        };
        if !allowed {
            findings.wrong.push(format!("{name} uses {used}, which docs/architecture.md does not allow"));
        }
    }
}

fn outside(name: &str, dependency: &str, findings: &mut Findings) {
    if PURE.contains(&name) && NOT_IN_PURE.contains(&dependency) {
        findings.wrong.push(format!("{name} uses {dependency}: it has no sockets, SQL, threads or clock"));
    }
    for (kept, to) in KEPT_TO {
        if dependency == kept && !to.contains(&name) && name != "testkit" {
            findings.wrong.push(format!("{name} uses {kept}, which is kept to {}", to.join(", ")));
        }
    }
}

fn one_test_binary(name: &str, manifest: &Path, findings: &mut Findings) -> Result<()> {
    let Some(tests) = manifest.parent().map(|p| p.join("tests")).filter(|p| p.is_dir()) else { return Ok(()) };
    for entry in std::fs::read_dir(tests)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "rs") {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            findings.wrong.push(format!("{name}: tests/{file} makes a test binary of its own; move it into tests/it/"));
        }
    }
    Ok(())
}

/// Rows of the form `` | `name` | … | model, api | ``.
fn rules(page: &str) -> BTreeMap<String, MayUse> {
    let mut table = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", name, _, uses, ""] = cells[..] else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|n| n.strip_suffix('`')) else { continue };
        let may = match uses {
            "all" | "any" => MayUse::Any,
            "nothing of ours" => MayUse::These(BTreeSet::new()),
            list => MayUse::These(list.split(',').map(|w| w.trim().to_owned()).collect()),
        };
        table.insert(name.to_owned(), may);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_kept() {
        let page = "| crate | what | may use |\n| --- | --- | --- |\n| `edge` | the proxy | model |\n| `model` | words | nothing of ours |\n| `xtask` | chores | any |\n";
        let table = rules(page);
        assert_eq!(table["edge"], MayUse::These(["model".to_owned()].into()));
        assert_eq!(table["xtask"], MayUse::Any);
        let uses = |name: &str, used: &str| {
            let mut findings = Findings::default();
            direction(name, [serde_json::json!({"name": format!("tradewind-{used}")})].iter(), &table, &mut findings);
            findings.wrong.len()
        };
        assert_eq!(
            (uses("edge", "model"), uses("edge", "store"), uses("model", "edge"), uses("nobody", "edge")),
            (0, 1, 1, 1)
        );
        let mut findings = Findings::default();
        outside("model", "tokio", &mut findings);
        outside("judge", "rustix", &mut findings);
        outside("cli", "sqlx", &mut findings);
        outside("store", "sqlx", &mut findings);
        assert_eq!(findings.wrong.len(), 3);
    }
}

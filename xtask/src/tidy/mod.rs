//! What is agreed and can be checked. Each rule returns sentences; none is a matter of taste.

mod crates;
mod faults;
mod files;
mod lock;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// What a rule found. Warnings are shown and do not fail.
#[derive(Default)]
pub struct Findings {
    pub wrong: Vec<String>,
    pub warnings: Vec<String>,
}

pub fn run(root: &Path) -> Result<()> {
    let findings = check(root)?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for wrong in &findings.wrong {
        println!("error: {wrong}");
    }
    if !findings.wrong.is_empty() {
        bail!("{} things to put right", findings.wrong.len());
    }
    println!("tidy: {} files, nothing to put right", source_files(root)?.len());
    Ok(())
}

fn check(root: &Path) -> Result<Findings> {
    let mut findings = Findings::default();
    let files = source_files(root)?;
    crates::check(root, &mut findings)?;
    lock::check(root, &mut findings)?;
    files::check(root, &files, &mut findings)?;
    faults::check(&files, &mut findings)?;
    findings.wrong.extend(crate::reference::stale(root)?);
    Ok(findings)
}

/// Every file of ours that holds code, built and fetched folders left out.
fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "node_modules", "dist", "snapshots"].contains(&name) {
                    folders.push(path);
                }
            } else if path.ends_with("web/src/api/schema.ts") {
                // Made of openapi.json by the build.
            } else if [".rs", ".py", ".ts", ".tsx", ".sql"].iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::check(&crate::root()).unwrap();
        assert!(findings.wrong.is_empty(), "{}", findings.wrong.join("\n"));
    }
}

//! A fault's code means one thing in the whole program, for ever.

use super::Findings;
use anyhow::Result;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub fn check(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let mut first: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
        for code in declared(&std::fs::read_to_string(path)?) {
            if let Some(other) = first.insert(code.clone(), path.clone()) {
                let (a, b) = (name(&other), name(path));
                findings.wrong.push(format!("{code} is declared twice: in {a} and {b}"));
            }
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// `NAME = "TW-AREA-001", 422,`
fn declared(text: &str) -> Vec<String> {
    let code = |line: &str| {
        let (name, rest) = line.trim().split_once(" = \"TW-")?;
        let (code, rest) = rest.split_once('"')?;
        let constant = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        (constant && rest.starts_with(',') && !code.starts_with("TEST-")).then(|| format!("TW-{code}"))
    };
    text.lines().filter_map(code).collect()
}

#[test]
fn declarations_are_found() {
    let text = "  BROKEN = \"TW-SPEC-001\", 422,\n  let x = \"TW-SPEC-002\";\n  A = \"TW-TEST-001\", 422,\n";
    assert_eq!(declared(text), ["TW-SPEC-001"]);
}

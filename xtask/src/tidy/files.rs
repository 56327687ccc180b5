//! Files hold one idea: their length says when they hold two. And nothing unfinished is landed.

use super::Findings;
use anyhow::Result;
use std::path::{Path, PathBuf};

const LONG: usize = 500;
const TOO_LONG: usize = 1_000;

pub fn check(root: &Path, files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    for path in files {
        let text = std::fs::read_to_string(path)?;
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        file(&name, &text, findings);
    }
    Ok(())
}

fn file(name: &str, text: &str, findings: &mut Findings) {
    let lines = text.lines().count();
    if lines > TOO_LONG {
        findings.wrong.push(format!("{name} has {lines} lines, more than {TOO_LONG}: it holds two ideas"));
    } else if lines > LONG {
        findings.warnings.push(format!("{name} has {lines} lines"));
    }
    for unfinished in [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")] {
        if text.contains(unfinished) {
            findings.wrong.push(format!("{name} contains {unfinished}…)"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unfinished_files_are_found() {
        let mut findings = Findings::default();
        file("a.rs", &"x\n".repeat(501), &mut findings);
        assert_eq!((findings.wrong.len(), findings.warnings.len()), (0, 1));
        file("b.rs", &"x\n".repeat(1_001), &mut findings);
        file("c.rs", concat!("fn f() { todo", "!() }"), &mut findings);
        assert_eq!((findings.wrong.len(), findings.warnings.len()), (2, 1));
    }
}

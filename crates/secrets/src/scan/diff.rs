//! Added lines out of what `git log --patch` prints.

use super::{AllowList, Finding, Scanner};

/// A key in a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InCommit {
    /// As git prints it.
    pub commit: String,
    pub finding: Finding,
}

/// What marks a commit's beginning in the text; no line of a patch begins so.
pub const COMMIT_MARK: char = '\0';

/// Looks at the added lines of all commits: text made with `--format=%x00%H --patch --unified=1 --no-color`. Each key is
/// told once, where it came in last in the text.
pub fn added(scanner: &Scanner, patches: &str, list: &AllowList) -> Vec<InCommit> {
    let mut found: Vec<InCommit> = Vec::new();
    let (mut commit, mut file) = (String::new(), String::new());
    let mut hunk = Hunk::default();
    let mut above: Option<&str> = None;
    for line in patches.split('\n') {
        if hunk.is_over() {
            above = None;
            if let Some(id) = line.strip_prefix(COMMIT_MARK) {
                commit = id.trim().to_owned();
            } else if let Some(name) = line.strip_prefix("+++ ") {
                file = path(name);
            } else if let Some(begun) = Hunk::begin(line) {
                hunk = begun;
            }
            continue;
        }
        let (kind, text) = line.split_at_checked(1).unwrap_or((" ", ""));
        match kind {
            "+" => {
                let lines = [(hunk.line, text, above)];
                for finding in scanner.lines(&file, lines, list) {
                    let known = |f: &InCommit| f.finding.file == finding.file && f.finding.same_key(&finding);
                    if !found.iter().any(known) {
                        found.push(InCommit { commit: commit.clone(), finding });
                    }
                }
                above = Some(text);
                hunk.line += 1;
                hunk.new -= 1;
            }
            "-" => hunk.old -= 1,
            // `\ No newline at end of file`.
            "\\" => {}
            _ => {
                above = Some(text);
                hunk.line += 1;
                hunk.old = hunk.old.saturating_sub(1);
                hunk.new = hunk.new.saturating_sub(1);
            }
        }
    }
    found
}

/// What is left of a part of a file, so that no line of it is taken for a heading.
#[derive(Default)]
struct Hunk {
    old: usize,
    new: usize,
    line: usize,
}

impl Hunk {
    /// `@@ -7,2 +9,3 @@ …`.
    fn begin(line: &str) -> Option<Self> {
        let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
        let new = rest.split_once(" @@")?.0;
        let count = |part: &str| part.split_once(',').map_or(Some(1), |(_, n)| n.parse().ok());
        let first = new.split(',').next()?.parse().ok()?;
        Some(Self { old: count(old)?, new: count(new)?, line: first })
    }

    fn is_over(&self) -> bool {
        self.old == 0 && self.new == 0
    }
}

/// `b/app/settings.py`, in quotes where it holds what is not plain.
fn path(name: &str) -> String {
    let name = name.trim_end_matches(['\t', '\r']);
    let bare = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name);
    bare.strip_prefix("b/").unwrap_or(bare).to_owned()
}

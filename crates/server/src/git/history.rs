//! What lies between two commits: the commits themselves, and what they change as text.

use super::repo::{GitError, Repos, output};
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tradewind_model::{
    id::{Commit, ServiceName},
    time::Timestamp,
};

/// Of subjects and names, which anybody can push.
const LONGEST: usize = 300;
/// Bytes of changes that are read.
const MOST_BYTES: usize = 512 << 10;
/// Of one file.
const MOST_OF_FILE: usize = 64 << 10;
const MOST_FILES: usize = 300;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    pub commit: Commit,
    pub author: String,
    pub at: Timestamp,
    pub subject: String,
}

/// A file of the sources that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    pub path: String,
    pub change: Change,
    /// Unified, from the first `@@` on; none of a binary file, and of what was not read any more.
    pub text: Option<String>,
    pub binary: bool,
    /// There is more of it than is shown.
    pub cut: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Added,
    Removed,
    Changed,
}

impl Repos {
    /// Commits that are in `to` and not in `from`, newest first, and whether there are more than `limit`.
    ///
    /// # Errors
    /// [`GitError::Failed`] where the repository lacks one of the two.
    pub async fn between(
        &self,
        service: &ServiceName,
        from: &Commit,
        to: &Commit,
        limit: usize,
    ) -> Result<(Vec<Logged>, bool), GitError> {
        const VERB: &str = "log";
        let mut git = self.git_in(service);
        git.args([
            VERB,
            "-z",
            "--no-color",
            "--no-show-signature",
            "--encoding=UTF-8",
            "--format=%H%x1f%an%x1f%at%x1f%s",
        ]);
        git.arg(format!("--max-count={}", limit + 1)).arg(to.as_str()).arg(format!("^{from}")).arg("--");
        let out = output(VERB, git).await?;
        let text = String::from_utf8_lossy(&out);
        let mut all = Vec::new();
        for record in text.split('\0').map(str::trim).filter(|r| !r.is_empty()) {
            all.push(logged(record).ok_or_else(|| GitError::Odd { verb: VERB, said: record.to_owned() })?);
        }
        let more = all.len() > limit;
        all.truncate(limit);
        Ok((all, more))
    }

    /// What differs between the sources of two commits, by path, and whether there is more than is told.
    ///
    /// # Errors
    /// [`GitError::Failed`] where the repository lacks one of the two.
    pub async fn changes(
        &self,
        service: &ServiceName,
        from: &Commit,
        to: &Commit,
    ) -> Result<(Vec<Changed>, bool), GitError> {
        const VERB: &str = "diff";
        let pipe = |source| GitError::Pipe { verb: VERB, source };
        let mut git = self.git_in(service);
        git.args(["-c", "core.quotePath=false", VERB, "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]);
        git.args(["--unified=3", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"]);
        git.arg(from.as_str()).arg(to.as_str()).arg("--");
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(|source| GitError::Start { verb: VERB, source })?;
        let mut bytes = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).await.map_err(pipe)?;
        }
        let cut = bytes.len() > MOST_BYTES;
        if cut {
            bytes.truncate(MOST_BYTES);
        } else {
            let status = child.wait().await.map_err(pipe)?;
            if !status.success() {
                return Err(GitError::Failed { verb: VERB, status, stderr: String::new() });
            }
        }
        let mut files = parse(&String::from_utf8_lossy(&bytes));
        if let (true, Some(last)) = (cut, files.last_mut()) {
            last.cut = true;
        }
        let more = cut || files.len() > MOST_FILES;
        files.truncate(MOST_FILES);
        Ok((files, more))
    }
}

fn logged(record: &str) -> Option<Logged> {
    let mut fields = record.splitn(4, '\u{1f}');
    let (commit, author, at, subject) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let short = |s: &str| s.chars().take(LONGEST).collect::<String>();
    let seconds: i64 = at.parse().ok()?;
    Some(Logged {
        commit: commit.parse().ok()?,
        author: short(author),
        at: Timestamp(seconds.saturating_mul(1_000_000)),
        subject: short(subject),
    })
}

/// Of git's own patch format. A line of content begins with ` `, `+`, `-` or `\`, so none is taken for a head.
fn parse(patch: &str) -> Vec<Changed> {
    let mut files: Vec<Changed> = Vec::new();
    let mut in_text = false;
    for line in patch.split_inclusive('\n') {
        let plain = line.trim_end_matches('\n');
        if let Some(names) = plain.strip_prefix("diff --git ") {
            files.push(Changed {
                path: path_of(names),
                change: Change::Changed,
                text: None,
                binary: false,
                cut: false,
            });
            in_text = false;
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        if in_text || plain.starts_with("@@ ") {
            in_text = true;
            let text = file.text.get_or_insert_default();
            if text.len() + line.len() > MOST_OF_FILE {
                file.cut = true;
            } else if !file.cut {
                text.push_str(line);
            }
        } else if plain.starts_with("new file mode") {
            file.change = Change::Added;
        } else if plain.starts_with("deleted file mode") {
            file.change = Change::Removed;
        } else if plain.starts_with("Binary files ") {
            file.binary = true;
        }
    }
    files
}

/// `a/PATH b/PATH`, both the same: nothing is renamed. Quoted where it holds what would break a line.
fn path_of(names: &str) -> String {
    let half = names.len() / 2;
    let halves = names.get(..half).zip(names.get(half + 1..));
    let paths = halves.and_then(|(a, b)| a.strip_prefix("a/").zip(b.strip_prefix("b/")));
    match paths.filter(|(a, b)| a == b) {
        Some((path, _)) => path.to_owned(),
        None => {
            names.split_once("\" \"").map_or(names, |(a, _)| a).trim_matches('"').trim_start_matches("a/").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_told_file_by_file() {
        let patch = "diff --git a/app/new one.py b/app/new one.py\nnew file mode 100644\nindex 0000000..1\n--- /dev/null\n\
                     +++ b/app/new one.py\n@@ -0,0 +1,2 @@\n+diff --git a/x b/x\n+print(1)\n\
                     diff --git a/logo.png b/logo.png\nindex 1..2 100644\nBinary files a/logo.png and b/logo.png differ\n\
                     diff --git a/old.py b/old.py\ndeleted file mode 100644\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\
                     diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n";
        let told: Vec<_> = parse(patch).into_iter().map(|f| (f.path, f.change, f.text, f.binary)).collect();
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(
            told,
            [
                (
                    "app/new one.py".into(),
                    Change::Added,
                    text("@@ -0,0 +1,2 @@\n+diff --git a/x b/x\n+print(1)\n"),
                    false
                ),
                ("logo.png".into(), Change::Changed, None, true),
                ("old.py".into(), Change::Removed, text("@@ -1 +0,0 @@\n-gone\n"), false),
                ("run.sh".into(), Change::Changed, None, false),
            ]
        );
    }

    #[test]
    fn a_file_that_changes_much_is_cut() {
        let line = format!("+{}\n", "x".repeat(1_000));
        let patch = format!("diff --git a/big b/big\n@@ -1 +1,100 @@\n{}", line.repeat(100));
        let [file] = parse(&patch).try_into().unwrap();
        assert!(file.cut);
        assert!(file.text.is_some_and(|t| t.len() <= MOST_OF_FILE && t.ends_with('\n')));
    }
}

//! A git repository to push from.

use super::tradewind::{HANG, Tradewind};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

pub struct Repository {
    pub folder: PathBuf,
}

/// What a push took, and what git showed.
pub struct Pushed {
    pub began: Instant,
    pub took: Duration,
}

impl Repository {
    /// Makes the folder where needed, and what is in it ready for its first commit.
    pub async fn create(folder: PathBuf, tradewind: &Tradewind) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let it = Self { folder };
        it.git(tradewind, &["init", "--quiet", "--initial-branch", "main"]).await?;
        it.git(tradewind, &["config", "user.name", "Ada"]).await?;
        it.git(tradewind, &["config", "user.email", "ada@example.com"]).await?;
        Ok(it)
    }

    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(file), text).with_context(|| file.to_owned())
    }

    pub async fn commit(&self, tradewind: &Tradewind, title: &str) -> Result<()> {
        self.git(tradewind, &["add", "--all"]).await?;
        self.git(tradewind, &["commit", "--quiet", "--message", title]).await
    }

    /// `git push tradewind main`; each line git shows goes to `show`.
    pub async fn push(&self, tradewind: &Tradewind, show: impl Fn(&str)) -> Result<Pushed> {
        let began = Instant::now();
        let mut command = self.command(tradewind, &["push", "tradewind", "main"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("no output of git")?).lines();
        let mut said = Vec::new();
        let status = tokio::time::timeout(HANG, async {
            while let Some(line) = lines.next_line().await? {
                // Progress redraws its line; the last state counts.
                let line = line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or_default().trim_end();
                if !line.is_empty() {
                    show(line);
                    said.push(line.to_owned());
                }
            }
            child.wait().await
        })
        .await
        .context("git push does not end")??;
        ensure!(status.success(), "git push: {status}\n{}", said.join("\n"));
        Ok(Pushed { began, took: began.elapsed() })
    }

    async fn git(&self, tradewind: &Tradewind, args: &[&str]) -> Result<()> {
        let out = self.command(tradewind, args).output().await.context("git")?;
        ensure!(out.status.success(), "git {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    fn command(&self, tradewind: &Tradewind, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.folder).stdin(Stdio::null());
        tradewind.surround(&mut command);
        command
    }
}

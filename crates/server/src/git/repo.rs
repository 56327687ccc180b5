//! Bare repositories, one a service, read and made through the git program.

use super::wire::Update;
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{self, Stream},
};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};
use tokio_util::io::ReaderStream;
use tradewind_control::forges::CAUSE;
use tradewind_model::{
    access::Principal,
    id::{Commit, ServiceName},
};

#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Mostly: git is not installed.
    #[error("cannot run git {verb}")]
    Start { verb: &'static str, source: std::io::Error },
    #[error("git {verb} broke off")]
    Pipe { verb: &'static str, source: std::io::Error },
    #[error("git {verb} ended with {status}: {stderr}")]
    Failed { verb: &'static str, status: std::process::ExitStatus, stderr: String },
    #[error("git {verb} said something unexpected: {said}")]
    Odd { verb: &'static str, said: String },
    #[error("cannot prepare the repository {}", path.display())]
    Prepare { path: PathBuf, source: std::io::Error },
}

/// A file of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Blob {
    Content(Vec<u8>),
    Missing,
    /// It has more bytes than were asked for.
    TooLarge(u64),
}

/// Where the objects of a push are until it is accepted, as git tells its pre-receive hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantine {
    pub objects: PathBuf,
    pub alternates: PathBuf,
}

impl Quarantine {
    fn show_to(&self, git: &mut Command) {
        git.env("GIT_OBJECT_DIRECTORY", &self.objects).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.alternates);
    }
}

/// Of the addresses in a ref's log, which are none.
pub const MAIL_HOST: &str = "tradewind.invalid";

/// A line of a ref's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    pub old: Commit,
    pub new: Commit,
    pub who: String,
    /// Whose rights it was pushed with.
    pub principal: Option<Principal>,
    /// What led to it, where that was noted.
    pub cause: Option<String>,
    /// All of it: with its time it is like no other of the ref.
    line: String,
}

impl Move {
    /// `<old> <new> <name> <<mail>> <time> <zone>\t<message>`.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let (old, new, rest) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?);
        let (who, rest) = rest.split_once(" <")?;
        let principal =
            rest.split_once('>').and_then(|(mail, _)| mail.strip_suffix(MAIL_HOST)?.strip_suffix('@')?.parse().ok());
        let message = rest.split_once('\t').map(|(_, message)| message);
        let cause = message.filter(|m| m.starts_with(CAUSE)).map(str::to_owned);
        Some(Self { old, new, who: who.to_owned(), principal, cause, line: line.to_owned() })
    }
}

/// Characters of a commit's message that are kept.
const MESSAGE_LIMIT: usize = 16 << 10;

/// Settings for every git process. From here only: system, user and repository say nothing that matters.
const SETTINGS: &[(&str, &str)] = &[
    ("safe.directory", "*"),
    ("core.fsyncMethod", "fsync"),
    ("core.fsync", "committed"),
    // A ref's log names each of its moves, for who finds one without a run.
    ("core.logAllRefUpdates", "always"),
    ("http.receivepack", "true"),
    ("receive.fsckObjects", "true"),
    // Flaws of old histories, which do no harm; refusing them would refuse repositories that live everywhere else.
    ("receive.fsck.badTimezone", "warn"),
    ("receive.fsck.missingSpaceBeforeDate", "warn"),
    ("receive.fsck.zeroPaddedFilemode", "warn"),
    ("receive.autogc", "false"),
    ("receive.denyDeleteCurrent", "ignore"),
    ("receive.denyCurrentBranch", "ignore"),
    ("receive.advertisePushOptions", "true"),
    ("receive.keepAlive", "5"),
    ("transfer.hideRefs", "refs/tradewind"),
    ("uploadpack.allowAnySHA1InWant", "true"),
];

/// How a repository is called before it is whole.
pub(super) const UNFINISHED: &str = ".new-";

/// What no commit may switch off in its archive: files left out of it, and contents rewritten.
const ATTRIBUTES: &str = "* -export-ignore -export-subst\n";

/// The folder of all repositories.
#[derive(Clone, Debug)]
pub struct Repos {
    root: PathBuf,
    hooks: PathBuf,
}

impl Repos {
    pub fn new(root: PathBuf, hooks: PathBuf) -> Self {
        Self { root, hooks }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, service: &ServiceName) -> PathBuf {
        self.root.join(format!("{service}.git"))
    }

    pub fn exists(&self, service: &ServiceName) -> bool {
        self.path(service).join("HEAD").is_file()
    }

    /// A git process with nothing inherited but `PATH`.
    pub fn git(&self) -> Command {
        self.git_with(&[])
    }

    /// The same with further settings. They are in its environment, where other users cannot read them.
    pub(super) fn git_with(&self, more: &[(&str, &str)]) -> Command {
        let mut git = Command::new("git");
        git.env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("HOME", &self.root)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_COUNT", (SETTINGS.len() + more.len() + 1).to_string())
            .env("GIT_CONFIG_KEY_0", "core.hooksPath")
            .env("GIT_CONFIG_VALUE_0", &self.hooks)
            .kill_on_drop(true);
        for (n, (key, value)) in SETTINGS.iter().chain(more).enumerate() {
            git.env(format!("GIT_CONFIG_KEY_{}", n + 1), key).env(format!("GIT_CONFIG_VALUE_{}", n + 1), value);
        }
        git
    }

    pub(super) fn git_in(&self, service: &ServiceName) -> Command {
        let mut git = self.git();
        git.env("GIT_DIR", self.path(service)).current_dir(&self.root);
        git
    }

    /// Makes the repository unless it is there. It appears whole or not at all.
    pub async fn ensure(&self, service: &ServiceName) -> Result<PathBuf, GitError> {
        let path = self.path(service);
        if self.exists(service) {
            return Ok(path);
        }
        let prepare = |source| GitError::Prepare { path: path.clone(), source };
        let made = self.root.join(format!("{UNFINISHED}{}", uuid::Uuid::now_v7().simple()));
        let mut init = self.git();
        init.args(["init", "--quiet", "--bare", "--initial-branch=main", "--template="]).arg(&made);
        output("init", init).await?;
        std::fs::create_dir_all(made.join("info")).map_err(prepare)?;
        std::fs::write(made.join("info/attributes"), ATTRIBUTES).map_err(prepare)?;
        match std::fs::rename(&made, &path) {
            Ok(()) => Ok(path),
            // Another push was first.
            Err(_) if self.exists(service) => {
                let _ = std::fs::remove_dir_all(&made);
                Ok(path)
            }
            Err(e) => Err(prepare(e)),
        }
    }

    /// A file of a commit, at most `limit` bytes of it; with a quarantine, also of one that is not accepted yet.
    pub async fn file(
        &self,
        service: &ServiceName,
        commit: &Commit,
        path: &str,
        limit: u64,
        quarantine: Option<&Quarantine>,
    ) -> Result<Blob, GitError> {
        const VERB: &str = "cat-file";
        // The question is a line, so no such file can be asked for; and no spec names one.
        if path.contains('\n') {
            return Ok(Blob::Missing);
        }
        let pipe = |source| GitError::Pipe { verb: VERB, source };
        let mut git = self.git_in(service);
        if let Some(q) = quarantine {
            q.show_to(&mut git);
        }
        git.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(|source| GitError::Start { verb: VERB, source })?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GitError::Odd { verb: VERB, said: "no pipes".into() });
        };
        stdin.write_all(format!("{commit}:{path}\n").as_bytes()).await.map_err(pipe)?;
        let mut stdout = BufReader::new(stdout);
        let mut head = Vec::new();
        stdout.read_until(b'\n', &mut head).await.map_err(pipe)?;
        let head = String::from_utf8_lossy(head.strip_suffix(b"\n").unwrap_or(&head)).into_owned();
        // `<object> blob <size>`, or `<what was asked> missing`.
        let mut words = head.rsplit(' ');
        let (last, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (kind, last.parse::<u64>()) {
            ("blob", Ok(size)) if size > limit => Ok(Blob::TooLarge(size)),
            ("blob", Ok(size)) => {
                let mut content = Vec::new();
                stdout.take(size).read_to_end(&mut content).await.map_err(pipe)?;
                if content.len() as u64 != size {
                    return Err(GitError::Odd { verb: VERB, said: format!("{} of {size} bytes", content.len()) });
                }
                Ok(Blob::Content(content))
            }
            ("tree" | "commit" | "tag", Ok(_)) => Ok(Blob::Missing),
            _ if last == "missing" => Ok(Blob::Missing),
            _ => Err(GitError::Odd { verb: VERB, said: head }),
        }
    }

    /// Whether the repository has this commit.
    pub async fn has(&self, service: &ServiceName, commit: &Commit) -> Result<bool, GitError> {
        let mut git = self.git_in(service);
        git.args(["cat-file", "-e"]).arg(format!("{commit}^{{commit}}"));
        match output("cat-file", git).await {
            Ok(_) => Ok(true),
            Err(GitError::Failed { .. }) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// A commit's message, at most 16 KiB of it.
    pub async fn message(
        &self,
        service: &ServiceName,
        commit: &Commit,
        quarantine: Option<&Quarantine>,
    ) -> Result<String, GitError> {
        const VERB: &str = "show";
        const BYTES: usize = 4 * MESSAGE_LIMIT;
        let pipe = |source| GitError::Pipe { verb: VERB, source };
        let mut git = self.git_in(service);
        if let Some(q) = quarantine {
            q.show_to(&mut git);
        }
        git.args([VERB, "--no-patch", "--no-show-signature", "--format=%B", "--encoding=UTF-8", commit.as_str()]);
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(|source| GitError::Start { verb: VERB, source })?;
        let mut said = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            // A message may be as long as a push; what is over the limit is not even read.
            stdout.take(BYTES as u64).read_to_end(&mut said).await.map_err(pipe)?;
        }
        if said.len() < BYTES {
            let status = child.wait().await.map_err(pipe)?;
            if !status.success() {
                return Err(GitError::Failed { verb: VERB, status, stderr: String::new() });
            }
        }
        Ok(String::from_utf8_lossy(&said).trim().chars().take(MESSAGE_LIMIT).collect())
    }

    /// What commits that are new here change, as text, and whether it was cut off behind `limit` bytes. A merge is compared with
    /// what it was merged into.
    pub async fn patches(
        &self,
        service: &ServiceName,
        new: &[Commit],
        limit: usize,
        quarantine: Option<&Quarantine>,
    ) -> Result<(Vec<u8>, bool), GitError> {
        const VERB: &str = "log";
        let pipe = |source| GitError::Pipe { verb: VERB, source };
        let mut git = self.git_in(service);
        if let Some(q) = quarantine {
            q.show_to(&mut git);
        }
        git.args([
            VERB,
            "--patch",
            "--unified=1",
            "--format=%x00%H",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-show-signature",
            "--diff-merges=first-parent",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ]);
        git.args(new.iter().map(Commit::as_str)).args(["--not", "--all", "--"]);
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(|source| GitError::Start { verb: VERB, source })?;
        let mut text = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(limit as u64 + 1).read_to_end(&mut text).await.map_err(pipe)?;
        }
        if text.len() > limit {
            text.truncate(limit);
            return Ok((text, true));
        }
        let status = child.wait().await.map_err(pipe)?;
        if status.success() {
            Ok((text, false))
        } else {
            Err(GitError::Failed { verb: VERB, status, stderr: String::new() })
        }
    }

    /// The last line of a ref's log: who moved it, from where to where.
    pub fn last_move(&self, service: &ServiceName, name: &str) -> Option<Move> {
        self.moves(service, name).pop()
    }

    /// Names one move of a ref among all others, the same for whoever asks.
    pub fn name_of_move(&self, service: &ServiceName, update: &Update) -> String {
        let all = self.moves(service, &update.name);
        let found = all.iter().rev().find(|m| m.old == update.old && m.new == update.new);
        found.map_or_else(|| format!("{}..{}", update.old, update.new), |m| m.line.clone())
    }

    fn moves(&self, service: &ServiceName, name: &str) -> Vec<Move> {
        // Git has refused names that would lead out of here.
        let log = std::fs::read(self.path(service).join("logs").join(name)).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().filter_map(Move::parse).collect()
    }

    /// Every branch with the commit it points to.
    pub async fn branches(&self, service: &ServiceName) -> Result<Vec<(String, Commit)>, GitError> {
        const VERB: &str = "for-each-ref";
        let mut git = self.git_in(service);
        git.args([VERB, "--format=%(objectname) %(refname)", "refs/heads/"]);
        let out = output(VERB, git).await?;
        let odd = |line: &str| GitError::Odd { verb: VERB, said: line.to_owned() };
        String::from_utf8_lossy(&out)
            .lines()
            .map(|line| {
                let (commit, name) = line.split_once(" refs/heads/").ok_or_else(|| odd(line))?;
                Ok((name.to_owned(), commit.parse().map_err(|_| odd(line))?))
            })
            .collect()
    }

    /// The commit's tree as a tar archive on the child's standard output.
    pub fn archive(&self, service: &ServiceName, commit: &Commit) -> Result<Child, GitError> {
        let mut git = self.git_in(service);
        git.args(["archive", "--format=tar", commit.as_str()]);
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        git.spawn().map_err(|source| GitError::Start { verb: "archive", source })
    }

    /// Packs what many pushes have scattered, where there is enough of it. Unreachable commits stay for two weeks.
    pub async fn pack(&self, service: &ServiceName) -> Result<(), GitError> {
        let mut git = self.git_in(service);
        git.args(["-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"]);
        output("gc", git).await.map(drop)
    }

    /// Whether everything is there that a ref leads to.
    pub async fn examine(&self, service: &ServiceName) -> Result<(), GitError> {
        let mut git = self.git_in(service);
        git.args(["fsck", "--connectivity-only", "--no-dangling", "--no-progress"]);
        output("fsck", git).await.map(drop)
    }

    /// Removes what a server that was killed while it made a repository has left.
    pub fn clear_unfinished(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Services that have a repository.
    pub fn services(&self) -> std::io::Result<Vec<ServiceName>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let service = name.to_str().and_then(|n| n.strip_suffix(".git")).and_then(|n| n.parse().ok());
            found.extend(service.filter(|s| self.exists(s)));
        }
        found.sort();
        Ok(found)
    }
}

/// Runs to the end and returns the standard output.
pub(super) async fn output(verb: &'static str, mut git: Command) -> Result<Vec<u8>, GitError> {
    git.stdin(Stdio::null());
    let done = git.output().await.map_err(|source| GitError::Start { verb, source })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let stderr = String::from_utf8_lossy(&done.stderr).trim().chars().take(2000).collect();
    Err(GitError::Failed { verb, status: done.status, stderr })
}

/// Whether git is there and new enough, as `2.47.3`.
pub async fn program_version() -> Result<String, GitError> {
    let mut git = Command::new("git");
    git.arg("--version").env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        git.env("PATH", OsStr::new(&path));
    }
    let said = output("--version", git).await?;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    said.strip_prefix("git version ").map(str::to_owned).ok_or(GitError::Odd { verb: "--version", said })
}

/// A child's standard output, piece by piece. A child that fails ends the stream with an error, so that what it made by
/// then is not taken for the whole.
pub fn stream(mut child: Child, verb: &'static str) -> impl Stream<Item = Result<Bytes, GitError>> + Send + 'static {
    let output = child.stdout.take().map(ReaderStream::new);
    stream::unfold(Some((child, output)), move |state| async move {
        let (mut child, mut output) = state?;
        match output.as_mut()?.next().await {
            Some(Ok(bytes)) => Some((Ok(bytes), Some((child, output)))),
            Some(Err(source)) => Some((Err(GitError::Pipe { verb, source }), None)),
            None => match child.wait().await {
                Ok(status) if status.success() => None,
                Ok(status) => Some((Err(GitError::Failed { verb, status, stderr: String::new() }), None)),
                Err(source) => Some((Err(GitError::Pipe { verb, source }), None)),
            },
        }
    })
}

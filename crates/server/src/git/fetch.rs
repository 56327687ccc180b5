//! Bringing a branch here from another repository: into a folder of its own first, so that what it brings is looked at before
//! anything of ours points to it, as with a push.
//!
//! The program is told where to connect to: to the addresses that were looked at. It follows no redirect, asks nobody for a
//! password, speaks the one protocol that the address names, takes nothing from a second place the server may name, checks every
//! object, and ends when it takes too long or too much. The credential is in its environment, never among its arguments.

use super::{
    GitError, Quarantine, Repos,
    repo::{UNFINISHED, output},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, process::Command};
use tradewind_forges::Branch;
use tradewind_model::id::{Commit, ServiceName};
use url::Url;
use zeroize::Zeroizing;

/// How far one fetch may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub time: Duration,
    /// Bytes of what it brings, packed.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_secs(10 * 60), bytes: 2 << 30 }
    }
}

/// Where the branch is in the folder of its own.
const INCOMING: &str = "refs/incoming/tip";
/// What git says of a branch that is not there.
const NO_SUCH_BRANCH: &str = "couldn't find remote ref";
/// And of objects that do harm.
const HARMFUL: &str = "fsck error";

const SETTINGS: &[(&str, &str)] = &[
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("credential.helper", ""),
    ("transfer.bundleURI", "false"),
    ("fetch.uriProtocols", ""),
    ("transfer.credentialsInUrl", "die"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.fsckObjects", "true"),
    ("fetch.fsck.badTimezone", "warn"),
    ("fetch.fsck.missingSpaceBeforeDate", "warn"),
    ("fetch.fsck.zeroPaddedFilemode", "warn"),
    // One file, whose size has an end, instead of one for each object.
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
];

/// Another repository.
pub struct Source {
    pub url: Url,
    /// Where its host is, as it was looked at.
    pub addresses: Vec<IpAddr>,
    /// A user, and a token as their password.
    pub credential: Option<(&'static str, Zeroizing<String>)>,
    pub bounds: Bounds,
}

/// What was brought; gone when it is dropped.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    pub tip: Commit,
}

impl Staged {
    fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::warn!(path = %path.display(), %error, "what was fetched could not be removed");
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nothing was brought, because there is no such branch.
    #[error("the branch is not there")]
    Gone,
    /// What it holds is not taken from anybody, next time either.
    #[error("it holds what no push may bring: {0}")]
    Harmful(String),
    #[error("it took longer than {} s", .0.as_secs())]
    Late(Duration),
}

/// Who moves a ref, for its log.
pub struct Mover<'a> {
    pub name: &'a str,
    pub mail: &'a str,
    /// One line.
    pub why: &'a str,
}

impl Repos {
    /// Brings a branch from elsewhere into a folder of its own.
    ///
    /// # Errors
    /// Where nothing whole was brought.
    pub async fn fetch(&self, service: &ServiceName, from: &Source, branch: &Branch) -> Result<Staged, FetchError> {
        let ours = self.ensure(service).await?;
        let path = self.root().join(format!("{UNFINISHED}{}", uuid::Uuid::now_v7().simple()));
        let mut init = self.git();
        init.args(["init", "--quiet", "--bare", "--template="]).arg(&path);
        output("init", init).await?;
        // What is here already is not brought again.
        let staged = Unnamed(path);
        let alternates = staged.0.join("objects/info/alternates");
        let line = format!("{}\n", ours.join("objects").display());
        let prepare = |source| GitError::Prepare { path: staged.0.clone(), source };
        std::fs::create_dir_all(staged.0.join("objects/info")).map_err(prepare)?;
        std::fs::write(alternates, line).map_err(prepare)?;

        let mut git = self.git_from(from);
        git.env("GIT_DIR", &staged.0).current_dir(self.root());
        git.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--refmap="]);
        git.arg("--").arg(from.url.as_str()).arg(format!("+{}:{INCOMING}", branch.full()));
        bounded(git, from.bounds).await?;

        let mut look = self.git();
        look.env("GIT_DIR", &staged.0).current_dir(self.root());
        look.args(["rev-parse", "--verify", "--quiet"]).arg(format!("{INCOMING}^{{commit}}"));
        let said = String::from_utf8_lossy(&output("rev-parse", look).await?).trim().to_owned();
        let tip = said.parse().map_err(|_| GitError::Odd { verb: "rev-parse", said })?;
        Ok(Staged { path: staged.keep(), tip })
    }

    fn git_from(&self, from: &Source) -> Command {
        let host = from.url.host_str().unwrap_or_default();
        let port = from.url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<String> = from.addresses.iter().map(|a| bracketed(*a)).collect();
        // For a host that is an address there is nothing to say.
        let pinned = format!("{host}:{port}:{}", addresses.join(","));
        let header = from.credential.as_ref().map(|(user, token)| {
            let pair = Zeroizing::new(format!("{user}:{}", token.as_str()));
            Zeroizing::new(format!("Authorization: Basic {}", STANDARD.encode(pair.as_bytes())))
        });
        let mut settings = SETTINGS.to_vec();
        if matches!(from.url.host(), Some(url::Host::Domain(_))) {
            settings.push(("http.curloptResolve", &pinned));
        }
        if let Some(header) = &header {
            settings.push(("http.extraHeader", header.as_str()));
        }
        let mut git = self.git_with(&settings);
        git.env("GIT_ALLOW_PROTOCOL", from.url.scheme()).env("GIT_PROTOCOL_FROM_USER", "0");
        git
    }

    /// For whoever looks at what was brought as at what is pushed.
    pub fn quarantine_of(&self, service: &ServiceName, staged: &Staged) -> Quarantine {
        Quarantine { objects: staged.objects(), alternates: self.path(service).join("objects") }
    }

    /// Where a branch is here.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub async fn tip(&self, service: &ServiceName, branch: &Branch) -> Result<Option<Commit>, GitError> {
        if !self.exists(service) {
            return Ok(None);
        }
        let all = self.branches(service).await?;
        Ok(all.into_iter().find_map(|(name, tip)| (name == branch.as_str()).then_some(tip)))
    }

    /// Takes over what was brought, and lets the branch point to it if it is still where it was (`old`).
    ///
    /// # Errors
    /// Where it is elsewhere by now.
    pub async fn adopt(
        &self,
        service: &ServiceName,
        staged: &Staged,
        branch: &Branch,
        old: &Commit,
        by: &Mover<'_>,
    ) -> Result<(), GitError> {
        let mut git = self.git_in(service);
        git.env("GIT_ALLOW_PROTOCOL", "file");
        git.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--no-auto-gc"]);
        git.arg("--").arg(&staged.path).arg(INCOMING);
        output("fetch", git).await?;
        let mut git = self.git_in(service);
        git.env("GIT_COMMITTER_NAME", by.name).env("GIT_COMMITTER_EMAIL", by.mail);
        git.args(["update-ref", "--create-reflog", "-m", by.why, &branch.full()]);
        git.args([staged.tip.as_str(), old.as_str()]);
        output("update-ref", git).await.map(drop)
    }
}

/// A folder that is removed unless it is kept.
struct Unnamed(PathBuf);

impl Unnamed {
    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            remove(&self.0);
        }
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(a) => a.to_string(),
        IpAddr::V6(a) => format!("[{a}]"),
    }
}

/// Runs a fetch to its end, or to ours.
async fn bounded(mut git: Command, bounds: Bounds) -> Result<(), FetchError> {
    const VERB: &str = "fetch";
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let pipe = |source| GitError::Pipe { verb: VERB, source };
    let mut child = git.spawn().map_err(|source| GitError::Start { verb: VERB, source })?;
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        let most = rustix::process::Rlimit { current: Some(bounds.bytes), maximum: Some(bounds.bytes) };
        // What it starts to unpack, it starts later, with this limit.
        let limited = rustix::process::prlimit(Some(pid), rustix::process::Resource::Fsize, most);
        limited.map_err(|e| pipe(io::Error::from(e)))?;
    }
    let group = Group(pid);
    let mut said = Vec::new();
    let ended = tokio::time::timeout(bounds.time, async {
        if let Some(stderr) = child.stderr.take() {
            stderr.take(16 << 10).read_to_end(&mut said).await?;
        }
        child.wait().await
    });
    let status = ended.await.map_err(|_| FetchError::Late(bounds.time))?.map_err(pipe)?;
    group.spare();
    if status.success() {
        return Ok(());
    }
    let stderr = tradewind_forges::plain(&String::from_utf8_lossy(&said), 600);
    if stderr.contains(NO_SUCH_BRANCH) {
        return Err(FetchError::Gone);
    }
    if stderr.contains(HARMFUL) {
        return Err(FetchError::Harmful(stderr));
    }
    Err(GitError::Failed { verb: VERB, status, stderr }.into())
}

/// Git with what it started. They end with it unless it came to an end by itself.
struct Group(Option<rustix::process::Pid>);

impl Group {
    fn spare(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

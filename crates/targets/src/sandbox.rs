//! What a job sees of the host, where bubblewrap is there to say so: the system, read only, and its own files. Of the
//! data folder, of people's homes and of other jobs there is nothing.

use crate::shim::memory;
use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tradewind_model::protocol::shim::User;

const PROGRAM: &str = "bwrap";
/// For the one attempt at the agent's start.
const LIMIT: Duration = Duration::from_secs(20);
/// Other people's: nothing of these is a job's, and a job gets empty ones. `/run` has the sockets of what else serves here.
const HIDDEN: [&str; 9] =
    ["/home", "/root", "/tmp", "/var/tmp", "/run", "/srv", "/mnt", "/media", "/var/lib/containers"];
/// What `/etc/resolv.conf` may lead to.
const RESOLVERS: [&str; 3] = ["/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf"];

/// Whether jobs reach others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    Shared,
    /// Not even this host.
    None,
}

/// Why there is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Lack {
    #[error("{PROGRAM} is not installed")]
    Absent,
    #[error("{PROGRAM} does not work here: {0}")]
    Refused(String),
}

/// How jobs are held in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sandbox {
    program: PathBuf,
    /// As it calls itself.
    pub version: String,
    hidden: Vec<PathBuf>,
    readable: Vec<PathBuf>,
    network: Network,
}

/// The files of one job.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Own {
    pub written: Vec<PathBuf>,
    pub read: Vec<PathBuf>,
    /// What it has in place of `/tmp` and `/var/tmp`.
    pub tmp: PathBuf,
}

impl Sandbox {
    /// Looks for bubblewrap in `path`, and tries it once as `user`. `hidden` beside what is always; `readable` are folders
    /// within what is hidden that jobs may read all the same.
    ///
    /// # Errors
    /// When it is not there, or the host does not let that user have one.
    pub fn find(
        path: &str,
        user: Option<User>,
        hidden: Vec<PathBuf>,
        readable: Vec<PathBuf>,
        network: Network,
    ) -> Result<Self, Lack> {
        let program =
            path.split(':').map(|dir| Path::new(dir).join(PROGRAM)).find(|p| p.is_file()).ok_or(Lack::Absent)?;
        let refused = |e: io::Error| Lack::Refused(e.to_string());
        let said = Command::new(&program).arg("--version").stdin(Stdio::null()).output().map_err(refused)?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let hidden = HIDDEN.iter().map(PathBuf::from).chain(hidden).filter_map(|p| p.canonicalize().ok());
        // Nothing that the system stands on.
        let hidden = hidden.filter(|p| p.is_dir() && p.components().count() > 1 && !program.starts_with(p)).collect();
        let readable = readable.into_iter().filter_map(|p| p.canonicalize().ok()).collect();
        let sandbox = Self { program: program.clone(), version, hidden, readable, network };
        sandbox.attempt(user)?;
        Ok(sandbox)
    }

    fn attempt(&self, user: Option<User>) -> Result<(), Lack> {
        let refused = |e: io::Error| Lack::Refused(e.to_string());
        let own = Own { tmp: PathBuf::from("/tmp"), ..Own::default() };
        let words = self.arguments(&own, Path::new("/"), &["true".into()]);
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(User { uid, gid }) = user {
            command.uid(uid).gid(gid);
        }
        let mut child = command.spawn().map_err(refused)?;
        let begun = Instant::now();
        while child.try_wait().map_err(refused)?.is_none() {
            if begun.elapsed() > LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Lack::Refused(format!("no answer within {} s", LIMIT.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let ended = child.wait_with_output().map_err(refused)?;
        let why = String::from_utf8_lossy(&ended.stderr);
        if ended.status.success() { Ok(()) } else { Err(Lack::Refused(why.trim().chars().take(300).collect())) }
    }

    /// The command line that runs `command` in it.
    pub fn wrap(&self, own: &Own, cwd: &Path, command: &[String]) -> Vec<String> {
        let command: Vec<OsString> = command.iter().map(Into::into).collect();
        let words = self.arguments(own, cwd, &command);
        let text = |word: OsString| word.to_string_lossy().into_owned();
        [self.program.clone().into_os_string()].into_iter().chain(words).map(text).collect()
    }

    /// Later mounts cover earlier ones: first the system, then what is not to be seen of it, then what is the job's.
    fn arguments(&self, own: &Own, cwd: &Path, command: &[OsString]) -> Vec<OsString> {
        let mut words = Words::default();
        words.flags(&["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]);
        if self.network == Network::None {
            words.flags(&["--unshare-net"]);
        }
        words.mount("--ro-bind", Path::new("/"), Path::new("/"));
        words.flags(&["--dev", "/dev", "--proc", "/proc"]);
        for hidden in &self.hidden {
            words.flags(&["--tmpfs"]);
            words.0.push(hidden.into());
        }
        if !own.tmp.as_os_str().is_empty() && own.tmp != Path::new("/tmp") {
            words.mount("--bind", &own.tmp, Path::new("/tmp"));
            words.mount("--bind", &own.tmp, Path::new("/var/tmp"));
        }
        let memory = memory::IN_MEMORY.map(|base| memory::of_user(Path::new(base)));
        for path in RESOLVERS.iter().map(PathBuf::from).chain(memory).chain(self.readable.iter().cloned()) {
            words.mount("--ro-bind-try", &path, &path);
        }
        // Where they really are: a link on the way there leads to them inside as well.
        for (how, path) in own.written.iter().map(|p| ("--bind", p)).chain(own.read.iter().map(|p| ("--ro-bind", p))) {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            words.mount(how, &real, &real);
        }
        words.flags(&["--chdir"]);
        words.0.push(cwd.into());
        words.flags(&["--"]);
        words.0.extend(command.iter().cloned());
        words.0
    }
}

#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn flags(&mut self, flags: &[&str]) {
        self.0.extend(flags.iter().map(Into::into));
    }

    fn mount(&mut self, how: &str, from: &Path, to: &Path) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }
}

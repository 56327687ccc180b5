//! The roles a supervisor keeps: what they are called, which settings make them, and how one is started.

use crate::{
    config::{Config, audit, backup, registry as set},
    faults,
    folder::{Folder, Registration},
    process::Identity,
};
use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tradewind_cli::setting::Setting;
use tradewind_model::fault::Fault;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Put-aside logs kept besides the current one.
const OLD_LOGS: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    Server,
    Agent,
    Edge,
}

static SERVER: [&Setting; 28] = [
    &backup::EVERY,
    &backup::TO,
    &backup::KEEP,
    &backup::PASSPHRASE,
    &set::LISTEN,
    &set::LISTEN_TLS,
    &set::LISTEN_CERTIFICATE,
    &set::LISTEN_KEY,
    &set::PUBLIC_URL,
    &set::DATABASE,
    &set::INSECURE_SAME_USER,
    &set::LOG,
    &set::LOG_FORMAT,
    &audit::EVENTS,
    &audit::INTERVAL,
    &audit::FILE,
    &audit::WEBHOOK,
    &audit::WEBHOOK_SECRET,
    &audit::S3,
    &audit::S3_REGION,
    &audit::S3_ACCESS_KEY,
    &audit::S3_SECRET_KEY,
    &audit::KEEP,
    &audit::ARCHIVE,
    &audit::OUTBOUND_ALLOW,
    &set::ACME_EMAIL,
    &set::ACME_DIRECTORY,
    &set::ACME_ROOT,
];
static AGENT: [&Setting; 7] = [
    &set::LISTEN,
    &set::INSECURE_SAME_USER,
    &set::ISOLATION,
    &set::JOB_NETWORK,
    &set::JOB_FOLDERS,
    &set::LOG,
    &set::LOG_FORMAT,
];
/// The edge's others can wait until it is started anew: what it serves is not interrupted for them.
static EDGE: [&Setting; 2] = [&set::EDGE, &set::EDGE_TLS];

impl Role {
    pub const ALL: [Self; 3] = [Self::Server, Self::Edge, Self::Agent];

    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
            Self::Edge => "edge",
        }
    }

    /// Its settings: a running role is adopted only while they are the same.
    pub fn settings(self) -> &'static [&'static Setting] {
        match self {
            Self::Server => &SERVER,
            Self::Agent => &AGENT,
            Self::Edge => &EDGE,
        }
    }

    /// The settings that say where it listens; the first always has a value.
    pub fn addresses(self) -> &'static [&'static Setting] {
        static SERVER: [&Setting; 2] = [&set::LISTEN, &set::LISTEN_TLS];
        match self {
            Self::Server => &SERVER,
            Self::Agent => &[],
            Self::Edge => &EDGE,
        }
    }

    /// Apart from the files that the roles themselves keep in `run/`.
    fn registration(self) -> String {
        format!("roles/{}.json", self.name())
    }

    /// The living process of this role on the folder, by its own word.
    pub fn running(self, folder: &Folder) -> Option<Registration> {
        folder.read_run::<Registration>(&self.registration()).filter(|r| r.identity.is_alive())
    }

    /// Whether a running role is the one that would be started.
    pub fn is_same(self, running: &Registration, config: &Config) -> bool {
        running.version == VERSION && running.settings == config.fingerprint(self.settings())
    }

    /// Whether nothing but the program is another one.
    pub fn is_other_version(self, running: &Registration, config: &Config) -> bool {
        running.version != VERSION && running.settings == config.fingerprint(self.settings())
    }

    /// Called by the role itself before it does anything: one process per role and folder. The lock is held as long
    /// as the returned file lives.
    pub fn register(self, folder: &Folder, config: &Config) -> anyhow::Result<File> {
        let Some(lock) = folder.lock(&format!("roles/{}", self.name()))? else {
            let pid = self.running(folder).map_or_else(|| "?".to_owned(), |r| r.identity.pid.to_string());
            return Err(Fault::new(&faults::ROLE_RUNS)
                .with("role", self.name())
                .with("data", folder.root().display())
                .with("pid", pid)
                .into());
        };
        folder.write_run(
            &self.registration(),
            &Registration {
                identity: Identity::of_self()?,
                version: VERSION.to_owned(),
                settings: config.fingerprint(self.settings()),
                listen: self.addresses().first().and_then(|s| config.text(s)).map(str::to_owned),
            },
        )?;
        Ok(lock)
    }

    pub fn forget(self, folder: &Folder) {
        folder.remove_run(&self.registration());
    }

    /// The command that starts it: this very binary (also after the file was replaced), a session of its own so that
    /// neither a terminal nor its parent's end reaches it, and its log as output.
    pub fn command(self, folder: &Folder, config: &Config) -> io::Result<Command> {
        let log = open_log(folder, self.name(), config.size(&set::LOG_MAX_SIZE))?;
        let mut command = this_binary();
        command.arg(self.name()).arg("--data").arg(folder.root());
        command.envs(config.as_variables());
        command.current_dir("/");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        in_own_session(&mut command);
        Ok(command)
    }
}

/// This process's binary, by its inode: an upgrade of the file does not mix versions within one run.
pub fn this_binary() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("tradewind");
    command
}

/// This program's file: where it was, and after an upgrade the new one is.
pub fn on_disk() -> io::Result<PathBuf> {
    on_disk_of(std::process::id())
}

/// The same of another process.
pub fn on_disk_of(pid: u32) -> io::Result<PathBuf> {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe"))?;
    let bytes = exe.as_os_str().as_bytes();
    Ok(match bytes.strip_suffix(b" (deleted)") {
        Some(path) => PathBuf::from(OsStr::from_bytes(path)),
        None => exe,
    })
}

pub fn in_own_session(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe and touches no memory of ours.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// Opens `log/NAME.log` for appending; a file beyond `max` bytes is put aside first.
pub fn open_log(folder: &Folder, name: &str, max: u64) -> io::Result<File> {
    let path = folder.log(name);
    if is_beyond(&path, max) {
        make_room(&path);
        std::fs::rename(&path, old_log(&path, 1))?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path)
}

/// Puts a log aside while its writer goes on: what is written between the copy and the cut is lost, which a log can
/// bear and a full disk cannot.
pub fn trim_log(folder: &Folder, name: &str, max: u64) -> io::Result<()> {
    let path = folder.log(name);
    if is_beyond(&path, max) {
        make_room(&path);
        std::fs::copy(&path, old_log(&path, 1))?;
        OpenOptions::new().write(true).open(&path)?.set_len(0)?;
    }
    Ok(())
}

fn is_beyond(path: &Path, max: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.len() > max)
}

fn old_log(path: &Path, n: u32) -> PathBuf {
    path.with_extension(format!("log.{n}"))
}

fn make_room(path: &Path) {
    for n in (1..OLD_LOGS).rev() {
        let _ = std::fs::rename(old_log(path, n), old_log(path, n + 1));
    }
}

/// The last lines of a role's log, for a person who asks why it did not start.
pub fn last_lines(folder: &Folder, name: &str, lines: usize) -> Vec<String> {
    let text = std::fs::read(folder.log(name)).unwrap_or_default();
    let tail = &text[text.len().saturating_sub(8192)..];
    let tail = String::from_utf8_lossy(tail);
    let all: Vec<&str> = tail.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|s| (*s).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_large_log_is_put_aside_and_three_old_ones_are_kept() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = Folder::create(&tmp.path().join("d")).unwrap();
        for n in 0..6 {
            let mut f = open_log(&folder, "edge", 4).unwrap();
            writeln!(f, "round {n}").unwrap();
        }
        let mut names: Vec<String> = std::fs::read_dir(folder.root().join("log"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["edge.log", "edge.log.1", "edge.log.2", "edge.log.3"]);
        assert_eq!(last_lines(&folder, "edge", 5), ["round 5"]);
        assert_eq!(std::fs::read_to_string(folder.root().join("log/edge.log.3")).unwrap(), "round 2\n");
    }

    #[test]
    fn a_log_that_grows_large_is_cut_under_its_writer() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = Folder::create(&tmp.path().join("d")).unwrap();
        let mut writer = open_log(&folder, "server", 100).unwrap();
        writeln!(writer, "{}", "x".repeat(120)).unwrap();
        trim_log(&folder, "server", 100).unwrap();
        writeln!(writer, "on it goes").unwrap();
        trim_log(&folder, "server", 100).unwrap();
        assert_eq!(std::fs::read_to_string(folder.log("server")).unwrap(), "on it goes\n");
        assert_eq!(std::fs::metadata(folder.root().join("log/server.log.1")).unwrap().len(), 121);
    }
}

//! From a spec to a running process: fork, put on the user, the limits and the pipes, exec.
//!
//! Between fork and exec the child waits for a byte. It is sent when the record of the start is on disk; if the shim
//! dies before, the child ends without having done anything. So there is never a process that nobody knows.

use super::log::Log;
use crate::{cgroups::Group, folder, procfs};
use rustix::{
    fs::{Mode, OFlags, mkfifoat, open},
    io::{read, write},
    pipe::{PipeFlags, pipe_with},
};
use std::{
    ffi::CString,
    fs, io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{
            ffi::OsStrExt,
            fs::{PermissionsExt, chown},
        },
    },
    path::Path,
    ptr,
};
use tradewind_model::{
    protocol::shim::{ShimSpec, Started, User},
    time::{Clock, SystemClock},
};

/// Where a start can fail in the child. The numbers travel over a pipe within one build.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Step {
    Session,
    Pipes,
    OpenFiles,
    Groups,
    Gid,
    Uid,
    NoNewPrivileges,
    Folder,
    Exec,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Session,
        Self::Pipes,
        Self::OpenFiles,
        Self::Groups,
        Self::Gid,
        Self::Uid,
        Self::NoNewPrivileges,
        Self::Folder,
        Self::Exec,
    ];

    fn reason(self, spec: &ShimSpec, why: &io::Error) -> String {
        let command = spec.command.first().map_or("", String::as_str);
        match self {
            Self::Session => format!("cannot open a session: {why}"),
            Self::Pipes => format!("cannot connect its output: {why}"),
            Self::OpenFiles => format!("cannot set the limit of open files: {why}"),
            Self::Groups => format!("cannot drop the caller's groups: {why}"),
            Self::Gid | Self::Uid => match spec.user {
                Some(User { uid, gid }) => format!("cannot become user {uid} and group {gid}: {why}"),
                None => format!("cannot switch users: {why}"),
            },
            Self::NoNewPrivileges => format!("cannot give up privileges: {why}"),
            Self::Folder => format!("cannot enter the folder `{}`: {why}", spec.cwd),
            Self::Exec if command.contains('/') => format!("cannot run `{command}`: {why}"),
            Self::Exec => {
                let path = spec.env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
                format!("cannot run `{command}`: {why} (looked in {path})")
            }
        }
    }
}

const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A child that waits for its byte.
pub struct Ready {
    pub started: Started,
    go: OwnedFd,
    verdict: OwnedFd,
}

/// Forks. `Err` says in words for a person why it could not. A group it cannot be moved into is given up.
pub fn prepare(dir: &Path, spec: &ShimSpec, group: &mut Option<Group>, log: &mut Log) -> Result<Ready, String> {
    let image = Image::of(spec)?;
    if let (Some(wanted), Some(got)) = (spec.limits.open_files, image.open_files)
        && got.rlim_max < wanted
    {
        log.say(&format!("the limit of open files is {}: only root may raise it to {wanted}", got.rlim_max));
    }
    let io = |what: &'static str| move |e: io::Error| format!("{what}: {e}");
    let writers = make_pipes(dir, spec).map_err(io("cannot make the pipes for its output"))?;
    let (hold, go) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| format!("cannot make a pipe: {e}"))?;
    let (verdict, tell) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| format!("cannot make a pipe: {e}"))?;

    // SAFETY: this process has one thread, so the child may go on as any program does.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(io("cannot fork")(io::Error::last_os_error()));
    }
    if pid == 0 {
        drop((go, verdict));
        let (step, errno) = become_the_process(&image, &writers, &hold);
        let mut message = [step as u8, 0, 0, 0, 0];
        message[1..].copy_from_slice(&errno.to_ne_bytes());
        let _ = write(&tell, &message);
        // SAFETY: ends the child without running what the parent registered for its own end.
        unsafe { libc::_exit(127) };
    }
    drop((hold, tell));
    // Dropping `go` ends the child, whatever fails from here on.
    if let Some(made) = group {
        made.add(pid).iter().for_each(|note| log.say(note));
        if made.is_void() {
            *group = None;
        }
    }
    let stat = procfs::stat(pid).ok_or("cannot read its entry in /proc")?;
    let started = Started {
        pid: pid.unsigned_abs(),
        start_ticks: stat.start_ticks,
        boot_id: procfs::boot_id().map_err(io("cannot read the boot id"))?,
        at: SystemClock.now(),
        shim_pid: std::process::id(),
        cgroup: group.as_ref().map(|g| g.name().to_owned()),
    };
    Ok(Ready { started, go, verdict })
}

impl Ready {
    /// Lets it run. Returns when the command has begun, or why it did not.
    pub fn go(self, spec: &ShimSpec) -> Result<(), String> {
        let _ = write(&self.go, b"g");
        let mut message = [0; 5];
        let mut got = 0;
        while got < message.len() {
            match read(&self.verdict, &mut message[got..]) {
                // Closed by exec.
                Ok(0) => return Ok(()),
                Ok(n) => got += n,
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(format!("cannot learn whether it runs: {e}")),
            }
        }
        let [step, errno @ ..] = message;
        let why = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
        Err(Step::ALL[usize::from(step).min(Step::ALL.len() - 1)].reason(spec, &why))
    }
}

/// New FIFOs, and for each an end that reads and writes: the process is then its own reader, and no death of ours can
/// break its pipe. They belong to its user, so that it may open `/dev/stdout` again.
fn make_pipes(dir: &Path, spec: &ShimSpec) -> io::Result<Vec<OwnedFd>> {
    folder::PIPES
        .iter()
        .map(|name| {
            let path = dir.join(name);
            folder::remove(&path)?;
            mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600))?;
            let end = open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
            if let Some(user) = spec.user {
                chown(&path, Some(user.uid), Some(user.gid))?;
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok(end)
        })
        .collect()
}

/// Everything exec needs, made before the fork.
struct Image {
    candidates: Vec<CString>,
    argv: Vec<CString>,
    envp: Vec<CString>,
    cwd: CString,
    user: Option<User>,
    open_files: Option<libc::rlimit>,
}

impl Image {
    fn of(spec: &ShimSpec) -> Result<Self, String> {
        let text = |s: &str| CString::new(s).map_err(|_| format!("`{}` holds a NUL byte", s.escape_debug()));
        let command = spec.command.first().filter(|c| !c.is_empty()).ok_or("the command is empty")?;
        let candidates = if command.contains('/') {
            vec![text(command)?]
        } else {
            let path = spec.env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
            path.split(':')
                .map(|dir| CString::new(Path::new(dir).join(command).as_os_str().as_bytes()))
                .collect::<Result<_, _>>()
                .map_err(|_| "the command holds a NUL byte")?
        };
        Ok(Self {
            candidates,
            argv: spec.command.iter().map(|a| text(a)).collect::<Result<_, _>>()?,
            envp: spec.env.iter().map(|(k, v)| text(&format!("{k}={v}"))).collect::<Result<_, _>>()?,
            cwd: text(&spec.cwd)?,
            user: spec.user,
            open_files: spec.limits.open_files.map(open_files),
        })
    }
}

/// The wanted limit, or the highest that may be had by those who cannot raise it.
fn open_files(wanted: u64) -> libc::rlimit {
    let mut have = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `have` is a valid place to write to.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut have) } == 0;
    let root = rustix::process::geteuid().is_root();
    let limit = if known && !root { wanted.min(have.rlim_max) } else { wanted };
    libc::rlimit { rlim_cur: limit, rlim_max: limit }
}

/// In the child. Returns only when something failed.
fn become_the_process(image: &Image, writers: &[OwnedFd], hold: &OwnedFd) -> (Step, i32) {
    let failed = |step: Step| (step, io::Error::last_os_error().raw_os_error().unwrap_or(0));
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(&image.argv), pointers(&image.envp));
    // The shim shields itself from the kernel's choice of victims; that is not for the process.
    let _ = fs::write("/proc/self/oom_score_adj", "0");
    // SAFETY: plain system calls on values that live until exec; one thread.
    unsafe {
        if libc::setsid() < 0 {
            return failed(Step::Session);
        }
        for (fd, end) in [1, 2].into_iter().zip(writers) {
            if libc::dup2(end.as_raw_fd(), fd) < 0 {
                return failed(Step::Pipes);
            }
        }
        // What the shim ignores or blocks would be inherited. Signal 0 and the two that cannot be caught just fail.
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        if let Some(limit) = &image.open_files
            && libc::setrlimit(libc::RLIMIT_NOFILE, limit) < 0
        {
            return failed(Step::OpenFiles);
        }
        if let Some(User { uid, gid }) = image.user {
            if libc::setgroups(0, ptr::null()) < 0 {
                return failed(Step::Groups);
            }
            if libc::setresgid(gid, gid, gid) < 0 {
                return failed(Step::Gid);
            }
            if libc::setresuid(uid, uid, uid) < 0 {
                return failed(Step::Uid);
            }
        }
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 {
            return failed(Step::NoNewPrivileges);
        }
        libc::umask(0o022);
        if libc::chdir(image.cwd.as_ptr()) < 0 {
            return failed(Step::Folder);
        }
        let mut byte = 0u8;
        loop {
            match libc::read(hold.as_raw_fd(), (&raw mut byte).cast(), 1) {
                1 => break,
                -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                _ => libc::_exit(127),
            }
        }
        // As execvp does, except that a file that is no program is not handed to a shell.
        let mut refused = None;
        for candidate in &image.candidates {
            libc::execve(candidate.as_ptr(), argv.as_ptr(), envp.as_ptr());
            match io::Error::last_os_error().raw_os_error().unwrap_or(0) {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => refused = Some(libc::EACCES),
                other => return (Step::Exec, other),
            }
        }
        (Step::Exec, refused.unwrap_or(libc::ENOENT))
    }
}

//! The shim: `tradewind shim DIR`. Parent of one process, keeper of its log and of how it ended.
//!
//! It has one thread, no runtime and no file of configuration; see [`tradewind_model::protocol::shim`] for what it
//! reads and writes. Whoever starts it waits for a small launcher that returns when the process runs (or could not
//! be started, which `exit.json` then says); the shim itself is nobody's child and survives its starter.
//!
//! Killed, it leaves the process alone: that goes on writing into its FIFOs, and a new shim in the same folder takes
//! it over. Nothing is ever started twice in one folder: a folder that has a `started.json` is adopted or closed.

mod ctl;
mod family;
mod log;
pub(crate) mod memory;
mod output;
mod run;
mod spawn;

pub use memory::in_memory;

use crate::{folder, handed::Handed};
use rustix::{
    io::{Errno, read, write},
    pipe::{PipeFlags, pipe_with},
};
use std::{
    env,
    fs::{self, OpenOptions},
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::exit,
};

/// Exit code of the launcher when another shim serves the folder.
pub const BUSY: i32 = 75;
/// Exit code of the launcher when the shim could not do its work; it says why on stderr.
pub const BROKEN: i32 = 70;

/// The role. Must be called while the process has one thread: before a runtime or a logger is set up.
pub fn main(dir: &Path) -> ! {
    close_inherited();
    if let Err(e) = env::set_current_dir(dir) {
        eprintln!("{}: {e}", dir.display());
        exit(BROKEN);
    }
    let handed = match given() {
        Ok(handed) => handed,
        Err(e) => {
            eprintln!("the secrets it was to be given cannot be read: {e}");
            exit(BROKEN);
        }
    };
    let (verdict, tell) = match pipe_with(PipeFlags::CLOEXEC) {
        Ok(ends) => ends,
        Err(e) => {
            eprintln!("cannot make a pipe: {e}");
            exit(BROKEN);
        }
    };
    // SAFETY: one thread, so the child may go on as any program does.
    match unsafe { libc::fork() } {
        -1 => {
            eprintln!("cannot fork: {}", io::Error::last_os_error());
            exit(BROKEN);
        }
        0 => {
            drop(verdict);
            let mut starter = Starter(Some(tell));
            serve(&mut starter, handed);
            exit(0)
        }
        _ => {
            drop(tell);
            exit(hear(&verdict))
        }
    }
}

fn serve(starter: &mut Starter, handed: Option<Handed>) {
    // Before we let go of the starter's files: one of them may be the lock.
    let _lock = match folder::lock_handed(here(), io::stdout()) {
        Ok(Some(lock)) => lock,
        Ok(None) => return starter.tell(Verdict::Busy, ""),
        Err(e) => return starter.tell(Verdict::Broken, &format!("{}: {e}", folder::LOCK)),
    };
    match detach() {
        Ok(()) => run::run(starter, handed),
        Err(e) => starter.tell(Verdict::Broken, &e.to_string()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The process runs, or its end is recorded.
    Settled,
    Busy,
    Broken,
}

/// The launcher, which waits for one word.
struct Starter(Option<OwnedFd>);

impl Starter {
    fn tell(&mut self, verdict: Verdict, why: &str) {
        if let Some(pipe) = self.0.take() {
            let letter = match verdict {
                Verdict::Settled => "s",
                Verdict::Busy => "b",
                Verdict::Broken => "x",
            };
            let _ = write(&pipe, letter.as_bytes());
            let _ = write(&pipe, why.as_bytes());
        }
    }
}

fn hear(verdict: &OwnedFd) -> i32 {
    let mut text = Vec::new();
    let mut bytes = [0; 512];
    loop {
        match read(verdict, &mut bytes) {
            Ok(0) => break,
            Ok(n) => text.extend_from_slice(&bytes[..n]),
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    let Some((letter, why)) = text.split_first() else {
        eprintln!("the shim ended before it had started anything");
        return BROKEN;
    };
    match letter {
        b's' => 0,
        b'b' => BUSY,
        _ => {
            eprintln!("{}", String::from_utf8_lossy(why));
            BROKEN
        }
    }
}

/// What the starter writes into a pipe that is our standard input; `None` without a pipe.
fn given() -> io::Result<Option<Handed>> {
    let stdin = io::stdin();
    let found = rustix::fs::fstat(&stdin)?;
    if !rustix::fs::FileType::from_raw_mode(found.st_mode).is_fifo() {
        return Ok(None);
    }
    let mut text = zeroize::Zeroizing::new(Vec::new());
    io::Read::read_to_end(&mut stdin.lock(), &mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

/// From the starter's session, terminal and files; and from its end.
fn detach() -> io::Result<()> {
    rustix::process::setsid()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    rustix::stdio::dup2_stderr(null.as_fd())?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Ignored, as some starters leave it, it would take the exit codes of our children away.
    // SAFETY: a plain system call.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    // Whoever the process leaves behind becomes our child, so that it can be found.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    // Better one instance than the one who is to report its end; allowed to root only.
    let _ = fs::write("/proc/self/oom_score_adj", "-900");
    Ok(())
}

/// Nothing that the starter left open stays open.
fn close_inherited() {
    // SAFETY: nothing above stderr is ours yet.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } == 0 {
        return;
    }
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        // SAFETY: as above; closing a number that is not open only fails.
        unsafe { libc::close(fd) };
    }
}

/// The folder the shim serves is its own working folder, so that its socket's address is short.
fn here() -> &'static Path {
    Path::new(".")
}

fn log_dir() -> &'static Path {
    Path::new(folder::LOG)
}

//! A worker's process, a child or not: watched through a descriptor that names just this process.

use crate::{
    sockets::{SOCKETS_VAR, Sockets},
    worker::{READY_VAR, SUCCEED_VAR},
};
use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid},
};
use std::{
    ffi::OsString,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    net::unix::pipe,
};

#[derive(Debug)]
pub struct Process {
    pid: Pid,
    fd: AsyncFd<OwnedFd>,
    began: Instant,
}

impl Process {
    /// `None` when there is no such process (any more).
    pub fn adopt(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(pid.try_into().ok()?)?;
        let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // SAFETY: an `OwnedFd` names the same open descriptor for as long as it lives, and `AsyncFd` owns it.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.ok()?;
        Some(Self { pid, fd, began: Instant::now() })
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn signal(&self, signal: Signal) {
        // It may have ended on its own.
        let _ = pidfd_send_signal(self.fd.get_ref(), signal);
    }

    /// Resolves when it has ended; a child is reaped.
    pub async fn ended(&self) {
        // The descriptor becomes readable once, at the end. It cannot fail to be polled.
        let _ = self.fd.readable().await;
        let _ = waitpid(Some(self.pid), WaitOptions::NOHANG);
    }
}

pub struct Start;

impl Start {
    pub fn fresh(program: &Path, args: &[OsString], sockets: &Sockets) -> io::Result<(Process, pipe::Receiver)> {
        start(program, args, sockets, false)
    }

    /// One that takes over from the worker that serves.
    pub fn successor(program: &Path, args: &[OsString], sockets: &Sockets) -> io::Result<(Process, pipe::Receiver)> {
        start(program, args, sockets, true)
    }
}

fn start(program: &Path, args: &[OsString], sockets: &Sockets, succeed: bool) -> io::Result<(Process, pipe::Receiver)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .env(SOCKETS_VAR, sockets.names())
        .env(READY_VAR, writer.as_raw_fd().to_string())
        .env_remove("LISTEN_FDS")
        .env_remove("LISTEN_PID")
        .env_remove(SUCCEED_VAR)
        // What is sent to the holder's group (Ctrl-C, a hang-up) is the holder's to pass on.
        .process_group(0);
    if succeed {
        command.env(SUCCEED_VAR, "1");
    }
    // This process has one thread and starts nothing else: what is open to be inherited now goes to this child alone.
    fcntl_setfd(&writer, FdFlags::empty())?;
    sockets.set_inherited(true)?;
    let spawned = command.spawn();
    sockets.set_inherited(false)?;
    let pid = spawned?.id();
    drop(writer);
    let process = Process::adopt(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok((process, pipe::Receiver::from_owned_fd(reader)?))
}

/// Whether a worker says that it serves; false when it ends without.
pub async fn ready(pipe: &mut pipe::Receiver) -> bool {
    use tokio::io::AsyncReadExt;
    pipe.read_u8().await.is_ok()
}

/// When a process began, in clock ticks since boot: with its number it names the process within one boot.
pub fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets, and may hold anything.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_a_beginning() {
        assert!(super::start_ticks(std::process::id()).is_some_and(|t| t > 0));
        assert_eq!(super::start_ticks(u32::MAX), None);
    }
}

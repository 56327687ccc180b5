//! The shim's life: start or adopt, copy and answer until the process ends, end what it leaves, record it.

use super::{
    Starter, Verdict,
    ctl::{Control, empty},
    family::{self, Family, Gone},
    here,
    log::Log,
    log_dir, memory,
    output::{Masking, Output, Scratch},
    spawn,
};
use crate::{cgroups::Group, folder, handed::Handed, procfs};
use rustix::event::{Timespec, epoll};
use std::{io, os::fd::OwnedFd, path::Path, thread::sleep, time::Duration};
use tradewind_model::{
    protocol::{
        agent::Exit,
        shim::{Exited, FromShim, ShimSpec, Started, ToShim},
    },
    time::{Clock, SystemClock},
};

const PIPES: [u64; 2] = [0, 1];
const MAIN: u64 = 2;
const CHILDREN: u64 = 3;
const CLIENTS: u64 = 4;
const FIRST_CLIENT: u64 = 5;

/// How often the remaining members of a stopping group are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs until the process has ended and everything about it is written.
pub fn run(starter: &mut Starter, handed: Option<Handed>) {
    match settle(handed) {
        Ok(Some(mut shim)) => {
            starter.tell(Verdict::Settled, "");
            let exited = shim.serve();
            shim.finish(exited);
        }
        Ok(None) => starter.tell(Verdict::Settled, ""),
        Err(why) => starter.tell(Verdict::Broken, &why),
    }
}

/// Brings the folder to where a process runs in it (`Some`) or its end is recorded (`None`).
fn settle(handed: Option<Handed>) -> Result<Option<Shim>, String> {
    let read_error = |e: io::Error| format!("cannot read the folder: {e}");
    if folder::read::<Exited>(&here().join(folder::EXIT)).map_err(read_error)?.is_some() {
        return Ok(None);
    }
    let spec: ShimSpec = folder::read(&here().join(folder::SPEC))
        .map_err(|e| format!("{}: {e}", folder::SPEC))?
        .ok_or_else(|| format!("{} is missing", folder::SPEC))?;
    let log = Log::open(log_dir(), spec.log).map_err(|e| format!("cannot open its log: {e}"))?;
    match folder::read::<Started>(&here().join(folder::STARTED)).map_err(read_error)? {
        Some(started) => adopt(spec, started, log, handed),
        None => start(spec, log, handed),
    }
}

fn start(spec: ShimSpec, mut log: Log, handed: Option<Handed>) -> Result<Option<Shim>, String> {
    let masking = Masking::of(&spec, handed.as_ref());
    let begin = |log: &mut Log| -> Result<Shim, String> {
        folder::reserve_exit(here()).map_err(|e| format!("cannot write into its folder: {e}"))?;
        let image = in_memory(&spec, handed)?;
        let mut group = make_group(&spec, log);
        let ready = spawn::prepare(here(), &image, &mut group, log)?;
        drop(image);
        folder::write(here(), folder::STARTED, &ready.started).map_err(|e| format!("cannot record the start: {e}"))?;
        let started = ready.started.clone();
        let family = Family::of_child(&started, spec.wrapped, group).map_err(|e| format!("cannot watch it: {e}"))?;
        let shim = Shim::new(spec.clone(), started, family, masking)?;
        ready.go(&spec).map(|()| shim)
    };
    match begin(&mut log) {
        Ok(mut shim) => {
            let user = spec.user.map(|u| format!(" as user {}", u.uid)).unwrap_or_default();
            log.say(&format!("started: process {}{user}", shim.started.pid));
            shim.log = Some(log);
            Ok(Some(shim))
        }
        Err(reason) => {
            let exit = Exit::NotStarted { reason: reason.clone() };
            let exited = Exited { exit, at: SystemClock.now(), timed_out: false, stopped: false };
            log.close(&epitaph(&exited));
            folder::write_exit(here(), &exited).map_err(|e| format!("{reason}; and cannot record that: {e}"))?;
            if let Some(name) = &spec.cgroup {
                Group::open(name).remove();
            }
            clean_up();
            Ok(None)
        }
    }
}

/// The spec with what the process is given in memory: never written anywhere.
fn in_memory(spec: &ShimSpec, handed: Option<Handed>) -> Result<ShimSpec, String> {
    let mut spec = spec.clone();
    match handed {
        Some(handed) => {
            let folder = std::env::current_dir().map_err(|e| format!("cannot tell its own folder: {e}"))?;
            let files = memory::fill(&folder, &handed, spec.user);
            let files = files.map_err(|e| format!("cannot keep secrets as files in memory: {e}"))?;
            spec.env.extend(handed.environment(files.as_deref()));
        }
        None if spec.secrets => return Err("it was to be given secrets, and they did not come".into()),
        None => {}
    }
    Ok(spec)
}

fn make_group(spec: &ShimSpec, log: &mut Log) -> Option<Group> {
    let (group, notes) = Group::create(spec.cgroup.as_deref()?, &spec.limits);
    notes.iter().for_each(|note| log.say(note));
    group
}

fn adopt(spec: ShimSpec, started: Started, mut log: Log, handed: Option<Handed>) -> Result<Option<Shim>, String> {
    let mut masking = Masking::of(&spec, handed.as_ref());
    let started = Started { shim_pid: std::process::id(), ..started };
    let group = started.cgroup.as_deref().map(Group::open);
    let exit = match Family::adopt(&started, spec.wrapped, group) {
        Ok(family) => {
            folder::write(here(), folder::STARTED, &started).map_err(|e| format!("cannot record the start: {e}"))?;
            log.say("taken over by a new shim");
            let mut shim = Shim::new(spec, started, family, masking)?;
            shim.log = Some(log);
            if let Ok(Some(stop)) = folder::read::<ToShim>(&here().join(folder::STOP)) {
                shim.obey(stop);
            }
            return Ok(Some(shim));
        }
        Err(Gone::Exited(exit)) => exit,
        Err(Gone::Vanished) => Exit::Unknown,
    };
    // Someone else may have held its pipes open; then its last lines are still there.
    if let Ok(mut scratch) = Scratch::new() {
        for mut output in open_pipes().into_iter().flatten() {
            let _ = output.drain(&mut scratch, &mut log, &mut masking);
        }
    }
    let stopped = here().join(folder::STOP).exists();
    let exited = Exited { exit, at: SystemClock.now(), timed_out: false, stopped };
    if spec.kill_group_at_exit {
        family::end_orphans(&started, spec.user);
    }
    log.close(&epitaph(&exited));
    folder::write_exit(here(), &exited).map_err(|e| format!("cannot record its end: {e}"))?;
    clean_up();
    Ok(None)
}

struct Shim {
    spec: ShimSpec,
    started: Started,
    family: Family,
    log: Option<Log>,
    control: Control,
    epoll: OwnedFd,
    children: OwnedFd,
    outputs: [Option<Output>; 2],
    scratch: Scratch,
    masking: Masking,
    /// When it is killed because it takes too long.
    timeout: Option<Duration>,
    /// A stop is under way; when it turns into a kill.
    stop: Option<Duration>,
    timed_out: bool,
    killed: bool,
}

impl Shim {
    fn new(spec: ShimSpec, started: Started, family: Family, masking: Masking) -> Result<Self, String> {
        let failed = |e: io::Error| format!("cannot set up its shim: {e}");
        let control = Control::listen(here()).map_err(failed)?;
        let children = watch_children().map_err(failed)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
        let outputs = open_pipes();
        let watch = |fd: std::os::fd::BorrowedFd<'_>, id: u64, flags: epoll::EventFlags| {
            epoll::add(&epoll, fd, epoll::EventData::new_u64(id), flags).map_err(|e| failed(e.into()))
        };
        use std::os::fd::AsFd;
        watch(family.pidfd().as_fd(), MAIN, epoll::EventFlags::IN)?;
        watch(children.as_fd(), CHILDREN, epoll::EventFlags::IN)?;
        watch(control.fd(), CLIENTS, epoll::EventFlags::IN)?;
        for (output, id) in outputs.iter().zip(PIPES) {
            if let Some(output) = output {
                // Once per change: an unfinished line that waits in the pipe must not wake us again and again.
                watch(output.fd().as_fd(), id, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
            }
        }
        let timeout = spec.timeout_ms.map(|ms| procfs::start_time(&started) + Duration::from_millis(ms));
        Ok(Self {
            spec,
            started,
            family,
            log: None,
            control,
            epoll,
            children,
            outputs,
            scratch: Scratch::new().map_err(failed)?,
            masking,
            timeout,
            stop: None,
            timed_out: false,
            killed: false,
        })
    }

    /// Until the process, and what a stop has to wait for, has ended.
    fn serve(&mut self) -> Exited {
        let mut exited: Option<Exited> = None;
        loop {
            let now = procfs::uptime();
            if exited.is_none() && self.timeout.is_some_and(|t| now >= t) {
                (self.timeout, self.timed_out) = (None, true);
                self.say(&format!("timed out after {} ms", self.spec.timeout_ms.unwrap_or(0)));
                self.kill();
            }
            if self.stop.is_some_and(|t| now >= t) && !self.killed {
                self.say("did not end in time: killed");
                self.kill();
            }
            if let Some(exited) = &exited
                && !self.waits_for_members()
            {
                return exited.clone();
            }
            let events = self.wait(now, exited.is_some());
            self.copy();
            for id in events {
                match id {
                    MAIN => {
                        let _ = epoll::delete(&self.epoll, self.family.pidfd());
                        exited = Some(Exited {
                            exit: self.family.exit(),
                            at: SystemClock.now(),
                            timed_out: self.timed_out,
                            stopped: self.stop.is_some(),
                        });
                    }
                    CHILDREN => {
                        empty(&self.children);
                        self.family.reap_orphans();
                    }
                    CLIENTS => self.greet(),
                    0 | 1 => {}
                    client => {
                        for request in self.control.requests(client - FIRST_CLIENT) {
                            self.obey(request);
                        }
                    }
                }
            }
        }
    }

    /// After a stop, the rest of the group has its time too, unless nothing is to be left anyway.
    fn waits_for_members(&self) -> bool {
        self.stop.is_some() && !self.killed && !self.spec.kill_group_at_exit && self.family.has_members()
    }

    /// Marks pipes that have something; returns what else happened.
    fn wait(&mut self, now: Duration, main_ended: bool) -> Vec<u64> {
        let mut until = self.stop.filter(|_| !self.killed);
        if !main_ended {
            until = earliest(until, self.timeout);
        } else if self.stop.is_some() {
            until = earliest(until, Some(now + LOOK));
        }
        for output in self.outputs.iter().flatten() {
            until = earliest(until, output.deadline());
            if output.ready {
                until = Some(now);
            }
        }
        let timeout = until.map(|t| {
            let left = t.saturating_sub(now);
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        let mut events = Vec::with_capacity(8);
        if epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()).is_err() {
            return Vec::new();
        }
        let now = procfs::uptime();
        for (output, id) in self.outputs.iter_mut().zip(PIPES) {
            let Some(output) = output else { continue };
            output.ready |= events.iter().any(|e| e.data.u64() == id) || output.deadline().is_some_and(|t| now >= t);
        }
        events.iter().map(|e| e.data.u64()).collect()
    }

    /// One batch from each pipe, so that neither has to wait for the other, nor a request for both.
    fn copy(&mut self) {
        let Some(log) = &mut self.log else { return };
        for slot in &mut self.outputs {
            if let Some(output) = slot.as_mut().filter(|o| o.ready) {
                let failed = output.pump(&mut self.scratch, log, &mut self.masking, procfs::uptime()).is_err();
                if failed || output.closed {
                    *slot = None;
                }
            }
        }
    }

    fn greet(&mut self) {
        let greeting = FromShim::Started(self.started.clone());
        if let Some((id, socket)) = self.control.accept(&greeting) {
            let data = epoll::EventData::new_u64(FIRST_CLIENT + id);
            let _ = epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN);
        }
    }

    fn obey(&mut self, request: ToShim) {
        match request {
            ToShim::Signal { signal } => self.family.signal_main(signal),
            ToShim::Stop { signal, grace_ms } => {
                let kill_at = procfs::uptime() + Duration::from_millis(grace_ms);
                if self.stop.is_none() {
                    // Should we be killed, our successor goes on with it; without the note it merely has to be told.
                    let _ = folder::write(here(), folder::STOP, &request);
                    self.say(&format!("stopping: signal {signal}, killed after {grace_ms} ms"));
                }
                self.stop = earliest(self.stop, Some(kill_at));
                self.family.signal_group(signal);
            }
        }
    }

    fn kill(&mut self) {
        self.killed = true;
        let left = self.family.kill();
        if left > 0 {
            self.say(&format!("{left} processes do not end"));
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.say(text);
        }
    }

    fn finish(mut self, exited: Exited) {
        if self.spec.kill_group_at_exit || self.killed {
            self.kill();
        }
        if let Some(mut log) = self.log.take() {
            for output in self.outputs.iter_mut().flatten() {
                let _ = output.drain(&mut self.scratch, &mut log, &mut self.masking);
            }
            if self.family.group().is_some_and(Group::ran_out_of_memory) {
                log.say("the kernel ended a process of it: out of the memory it may have");
            }
            log.close(&epitaph(&exited));
        }
        // Told before it is written: a disk that fails must not hide it from those who listen.
        let mut tries = 0;
        while let Err(_e) = folder::write_exit(here(), &exited) {
            tries += 1;
            self.control.tell_all(&FromShim::Exited(exited.clone()));
            if tries == 20 {
                break;
            }
            sleep(Duration::from_millis(500));
        }
        self.control.tell_all(&FromShim::Exited(exited));
        self.family.reap();
        clean_up();
    }
}

fn earliest(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}

fn open_pipes() -> [Option<Output>; 2] {
    let open = |i: usize, stream| Output::open(&here().join(folder::PIPES[i]), stream).ok();
    [open(0, b'o'), open(1, b'e')]
}

/// What nobody needs once the end is recorded.
fn clean_up() {
    if let Ok(folder) = std::env::current_dir() {
        memory::clear(&folder);
    }
    for name in folder::PIPES.iter().chain([&folder::SOCKET, &folder::STOP]) {
        let _ = folder::remove(Path::new(name));
    }
}

fn epitaph(exited: &Exited) -> String {
    match &exited.exit {
        Exit::Code { code } => format!("ended with code {code}"),
        Exit::Signal { signal } => format!("ended by signal {signal}"),
        Exit::Unknown => "ended while nobody watched: its exit code is not known".to_owned(),
        Exit::NotStarted { reason } => format!("not started: {reason}"),
    }
}

/// Readable when a child has ended. Signals that would end the shim are blocked with it: only SIGKILL does.
fn watch_children() -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: the sets are written before they are read; the descriptor is new and ours.
    unsafe {
        let mut block: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut block);
        // A crash is to end it; blocked, these would only hide where.
        for crash in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT, libc::SIGTRAP] {
            libc::sigdelset(&mut block, crash);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &block, std::ptr::null_mut());
        let mut child: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut child);
        libc::sigaddset(&mut child, libc::SIGCHLD);
        match libc::signalfd(-1, &child, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

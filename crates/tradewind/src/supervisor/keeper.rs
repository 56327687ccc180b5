//! Keeps one role alive: adopts the one that runs, or starts one, and starts it again whenever it ends.

use super::{Event, backoff::Backoff};
use crate::{
    config::Config,
    folder::Folder,
    process::Process,
    role::{self, Role},
};
use rustix::process::Signal;
use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{io::unix::AsyncFd, sync::mpsc::UnboundedSender, time::sleep};

/// How long a role that must make room for a new version or new settings may take to finish.
const HAND_OVER: Duration = Duration::from_secs(40);

pub struct Keeper {
    pub role: Role,
    pub folder: Folder,
    pub config: Arc<Config>,
    pub events: UnboundedSender<Event>,
}

impl Keeper {
    /// Runs until it is dropped; dropping it leaves the role alone.
    pub async fn keep(self) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let ended = match self.adopt().await {
                Some(process) => self.watch(process).await,
                None => self.start().await,
            };
            let wait = backoff.after(began.elapsed());
            self.tell(Event::Ended { role: self.role, how: ended, deaths: backoff.deaths(), again_in: wait });
            sleep(wait).await;
        }
    }

    /// The role that already runs, if it is what would be started; another version or other settings make room.
    async fn adopt(&self) -> Option<Process> {
        let running = self.role.running(&self.folder)?;
        let process = running.identity.open().ok().flatten()?;
        if self.role.is_same(&running, &self.config) {
            self.tell(Event::Adopted { role: self.role, pid: running.identity.pid });
            return Some(process);
        }
        self.tell(Event::Replacing { role: self.role, pid: running.identity.pid });
        if self.role == Role::Edge && self.role.is_other_version(&running, &self.config) {
            return self.hand_over(process).await;
        }
        let _ = process.signal(Signal::TERM);
        let gone = tokio::task::spawn_blocking(move || {
            if !process.wait(HAND_OVER) {
                let _ = process.signal(Signal::KILL);
                process.wait(HAND_OVER);
            }
        });
        let _ = gone.await;
        None
    }

    /// The edge becomes this program without letting go of its sockets or of a request.
    async fn hand_over(&self, process: Process) -> Option<Process> {
        let pid = process.identity.pid;
        // Told to, it becomes what has taken its own place on disk.
        if role::on_disk_of(pid).ok() == role::on_disk().ok() {
            let _ = process.signal(Signal::HUP);
            let give_up = Instant::now() + HAND_OVER;
            while Instant::now() < give_up && process.identity.is_alive() {
                if self.role.running(&self.folder).is_some_and(|r| self.role.is_same(&r, &self.config)) {
                    self.tell(Event::Adopted { role: self.role, pid });
                    return Some(process);
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        // Its worker serves on without it, and gives its sockets to the holder that is started now. Asked to end, it
        // would close them.
        let _ = process.signal(Signal::KILL);
        let _ = tokio::task::spawn_blocking(move || process.wait(HAND_OVER)).await;
        None
    }

    async fn watch(&self, process: Process) -> Ended {
        // SAFETY: an `OwnedFd` gives the same open descriptor for as long as it lives, and the `AsyncFd` owns it.
        match unsafe { AsyncFd::register(process.into_fd()) } {
            Ok(fd) => {
                let _ = fd.readable().await;
                Ended::Unseen
            }
            Err(e) => Ended::NotStarted(e.into()),
        }
    }

    async fn start(&self) -> Ended {
        let child =
            self.role.command(&self.folder, &self.config).and_then(|c| tokio::process::Command::from(c).spawn());
        match child {
            Ok(mut child) => {
                self.tell(Event::Started { role: self.role, pid: child.id().unwrap_or_default() });
                child.wait().await.map_or_else(Ended::NotStarted, Ended::Seen)
            }
            Err(e) => Ended::NotStarted(e),
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

/// How a role ended.
#[derive(Debug)]
pub enum Ended {
    Seen(ExitStatus),
    /// It was adopted: only its parent learns how.
    Unseen,
    NotStarted(io::Error),
}

impl Ended {
    /// `exit 1`, `signal 9`, `?`: the same in every language.
    pub fn short(&self) -> String {
        match self {
            Self::Seen(s) => match (s.code(), s.signal()) {
                (Some(code), _) => format!("exit {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "?".to_owned(),
            },
            Self::Unseen => "?".to_owned(),
            Self::NotStarted(e) => e.to_string(),
        }
    }
}

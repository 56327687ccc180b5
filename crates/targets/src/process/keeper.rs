//! Keeps the connection to one process's shim, and the shim itself.

use super::{
    Error, ProcessTarget, is_alive,
    launch::{Connection, Found},
};
use std::{io, path::PathBuf, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::unix::OwnedWriteHalf,
    sync::{mpsc, watch},
};
use tradewind_model::{
    protocol::{
        agent::Exit,
        shim::{Exited, FromShim, Started, ToShim},
    },
    time::{Clock, SystemClock},
};

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub struct Keeper {
    pub target: ProcessTarget,
    pub dir: PathBuf,
    pub asked: mpsc::UnboundedReceiver<ToShim>,
    /// The last stop, to be said again to the next shim.
    pub stop: Option<ToShim>,
    pub started: watch::Sender<Started>,
    pub exited: watch::Sender<Option<Exited>>,
    pub shim: watch::Sender<Option<u32>>,
}

enum Left {
    /// The shim has gone.
    Lost,
    /// All handles are dropped.
    Unwanted,
}

impl Keeper {
    pub async fn run(mut self, mut connection: Option<Connection>) {
        let mut pause = Duration::from_millis(10);
        loop {
            if let Some(connection) = connection.take() {
                match self.attend(connection).await {
                    Left::Lost => {}
                    Left::Unwanted => return,
                }
            }
            self.shim.send_replace(None);
            match self.renew().await {
                Ok(Some(next)) => {
                    connection = Some(next);
                    pause = Duration::from_millis(10);
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(dir = %self.dir.display(), %error, "a process is without its shim");
                    if self.asked.is_closed() && self.asked.is_empty() {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Talks to the shim until it goes.
    async fn attend(&mut self, connection: Connection) -> Left {
        let Connection { mut lines, mut write } = connection;
        if let Some(stop) = &self.stop
            && say(&mut write, stop).await.is_err()
        {
            return Left::Lost;
        }
        loop {
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => if let Ok(FromShim::Exited(exited)) = serde_json::from_str(&line) {
                        self.shim.send_replace(None);
                        self.exited.send_replace(Some(exited));
                    },
                    Ok(None) | Err(_) => return Left::Lost,
                },
                request = self.asked.recv() => {
                    let Some(request) = request else { return Left::Unwanted };
                    if matches!(request, ToShim::Stop { .. }) {
                        self.stop = Some(request.clone());
                    }
                    if say(&mut write, &request).await.is_err() {
                        return Left::Lost;
                    }
                }
            }
        }
    }

    /// `None` when it has ended; otherwise the connection to a shim, a new one if need be.
    async fn renew(&mut self) -> Result<Option<Connection>, Error> {
        if self.exited.borrow().is_some() {
            return Ok(None);
        }
        let ended = match self.target.find(&self.dir).await {
            Ok(Found::Running(started, connection)) => {
                self.shim.send_replace(Some(started.shim_pid));
                self.started.send_replace(started);
                return Ok(Some(connection));
            }
            Ok(Found::Exited(exited)) => exited,
            // No shim can be had, or the records are gone: while it lives we try again.
            Ok(Found::Nothing) if is_alive(&self.started.borrow()) => {
                return Err(Error::Shim { dir: self.dir.clone(), reason: "its records are missing".to_owned() });
            }
            Err(error) if is_alive(&self.started.borrow()) => return Err(error),
            Ok(Found::Nothing) | Err(_) => {
                Exited { exit: Exit::Unknown, at: SystemClock.now(), timed_out: false, stopped: self.stop.is_some() }
            }
        };
        self.exited.send_replace(Some(ended));
        Ok(None)
    }
}

async fn say(to: &mut OwnedWriteHalf, request: &ToShim) -> io::Result<()> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    to.write_all(&line).await
}

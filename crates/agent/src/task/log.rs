//! A task's log: a file that only grows, sent to the server while it does.
//!
//! The server keeps what it has of an overlap, so a new agent simply begins at the start. What goes over the limit is
//! left out, and the log says so; our own words are few and always get in.

use crate::{
    disk::{At, Result},
    server::{RequestError, Server},
};
use bytes::Bytes;
use hyper::StatusCode;
use std::{
    fs::File,
    io::Write,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};
use tradewind_model::id::TaskId;

const PIECE: usize = 256 << 10;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub struct TaskLog {
    path: PathBuf,
    file: File,
    len: u64,
    /// Lines that have ended.
    lines: u64,
    limit: u64,
    left_out: u64,
    grew: watch::Sender<u64>,
    /// Up to where it is sent, or that it never will be.
    sent: watch::Receiver<Sent>,
    sender: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sent {
    Upto(u64),
    /// The server wants nothing more of it.
    Given,
}

impl TaskLog {
    /// Goes on after the first `len` bytes; what follows them is written again.
    pub fn open(path: &Path, len: u64, limit: u64, server: Server, task: TaskId) -> Result<Self> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .at("open", path)?;
        file.set_len(len).at("cut", path)?;
        let lines = count_lines(&file, len).at("read", path)?;
        let reader = file.try_clone().at("open", path)?;
        let (grew, grown) = watch::channel(len);
        let (tell, sent) = watch::channel(Sent::Upto(0));
        let sender = tokio::spawn(send(reader, grown, tell, server, task));
        Ok(Self { path: path.to_owned(), file, len, lines, limit, left_out: 0, grew, sent, sender })
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Lines written so far that have ended.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What the job's processes wrote. How many bytes of it found room.
    pub fn output(&mut self, text: &str) -> usize {
        let room = usize::try_from(self.limit.saturating_sub(self.len)).unwrap_or(usize::MAX);
        if self.left_out > 0 || text.len() > room {
            let fits = if self.left_out > 0 { 0 } else { text.floor_char_boundary(room) };
            let first = self.left_out == 0;
            self.left_out += (text.len() - fits) as u64;
            self.append(&text[..fits]);
            if first {
                self.say(&format!(
                    "\n-- The log has reached its limit of {} bytes: what follows is left out.",
                    self.limit
                ));
            }
            return fits;
        }
        self.append(text);
        text.len()
    }

    /// A line of ours.
    pub fn say(&mut self, line: &str) {
        self.append(&format!("{line}\n"));
    }

    /// At the end of a step: says how much of it was left out. The next step is counted anew, so that an agent that
    /// begins with that step writes the same.
    pub fn say_left_out(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            self.say(&format!("-- {left_out} bytes or more were left out."));
        }
    }

    fn append(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // A log on a full disk is incomplete; the job goes on.
        match self.file.write_all_at(text.as_bytes(), self.len) {
            Ok(()) => {
                self.len += text.len() as u64;
                self.lines += newlines(text.as_bytes());
                self.grew.send_replace(self.len);
            }
            Err(error) => tracing::warn!(%error, path = %self.path.display(), "a line of a task's log was lost"),
        }
    }

    /// Waits until the server has all of it.
    pub async fn sent(&mut self) {
        let _ = self.file.flush();
        let len = self.len;
        // An error means that the sender has ended, which it does only after `Given`.
        let _ = self.sent.wait_for(|sent| matches!(sent, Sent::Given) || *sent == Sent::Upto(len)).await;
    }
}

impl Drop for TaskLog {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

pub fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

fn count_lines(file: &File, len: u64) -> std::io::Result<u64> {
    let (mut at, mut lines, mut piece) = (0, 0, vec![0; PIECE]);
    while at < len {
        let n = PIECE.min((len - at) as usize);
        file.read_exact_at(&mut piece[..n], at)?;
        lines += newlines(&piece[..n]);
        at += n as u64;
    }
    Ok(lines)
}

async fn send(file: File, mut grown: watch::Receiver<u64>, tell: watch::Sender<Sent>, server: Server, task: TaskId) {
    let mut at = 0;
    let mut pause = FIRST_PAUSE;
    let mut restarted = false;
    loop {
        let Ok(len) = grown.wait_for(|len| *len > at).await.map(|len| *len) else { return };
        let mut piece = vec![0; PIECE.min((len - at) as usize)];
        if let Err(error) = file.read_exact_at(&mut piece, at) {
            tracing::warn!(%error, %task, "a task's log cannot be read back");
            tell.send_replace(Sent::Given);
            return;
        }
        let next = at + piece.len() as u64;
        match server.append_log(task, at, Bytes::from(piece)).await {
            Ok(()) => {
                at = next;
                pause = FIRST_PAUSE;
                tell.send_replace(Sent::Upto(at));
            }
            Err(error) if error.passes() => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            // It has less than we thought: another database, perhaps.
            Err(RequestError::Status { status: StatusCode::CONFLICT, .. }) if !restarted => {
                (at, restarted) = (0, true);
            }
            Err(error) => {
                tracing::warn!(%error, %task, "the server does not take a task's log");
                tell.send_replace(Sent::Given);
                return;
            }
        }
    }
}

//! Connections on the control socket: one JSON value a line, both ways.

use futures_util::StreamExt;
use rustix::{
    fs::{Mode, OFlags, chmod, open},
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with},
};
use serde::Serialize;
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::codec::{FramedRead, LinesCodec};

const MAX_LINE: usize = 32 << 20;
const QUEUE: usize = 1_024;
/// A peer that reads nothing for this long is left.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// How long the last lines may take.
const LAST_LINES: Duration = Duration::from_secs(1);

pub type LinkId = u64;

#[derive(Debug)]
pub enum Event {
    Line(String),
    Closed,
}

/// The writing half. Dropping it closes the connection.
#[derive(Debug)]
pub struct Link {
    pub id: LinkId,
    lines: mpsc::Sender<String>,
    task: JoinHandle<()>,
}

impl Link {
    /// Events come out of `events` under `id`; `Closed` is the last.
    pub fn open(id: LinkId, stream: UnixStream, events: mpsc::Sender<(LinkId, Event)>) -> Self {
        let (reader, mut writer) = stream.into_split();
        let (lines, mut queue) = mpsc::channel::<String>(QUEUE);
        let task = tokio::spawn(async move {
            let reading = async {
                let mut incoming = FramedRead::new(reader, LinesCodec::new_with_max_length(MAX_LINE));
                while let Some(Ok(line)) = incoming.next().await {
                    if events.send((id, Event::Line(line))).await.is_err() {
                        return;
                    }
                }
            };
            let writing = async {
                while let Some(line) = queue.recv().await {
                    if !matches!(timeout(WRITE_LIMIT, writer.write_all(line.as_bytes())).await, Ok(Ok(()))) {
                        return;
                    }
                }
            };
            tokio::select! { () = reading => {}, () = writing => {} }
            drop(events.send((id, Event::Closed)).await);
        });
        Self { id, lines, task }
    }

    /// Closes the connection when what was sent is written.
    pub async fn finish(self) {
        drop(self.lines);
        drop(timeout(LAST_LINES, self.task).await);
    }

    /// False when the peer is gone or does not read.
    pub fn send(&self, message: &impl Serialize) -> bool {
        match serde_json::to_string(message) {
            Ok(mut line) => {
                line.push('\n');
                self.lines.try_send(line).is_ok()
            }
            Err(_) => false,
        }
    }
}

/// A short name for a path whose folder may be deep: the address of a socket has room for 107 bytes.
pub struct ShortPath {
    _folder: OwnedFd,
    pub path: PathBuf,
}

impl ShortPath {
    pub fn of(path: &Path) -> io::Result<Self> {
        let folder = open(path.parent().unwrap_or(Path::new(".")), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { _folder: folder, path })
    }
}

/// Listens at `path` for the owner alone, in place of whoever listened there before: there is no moment without a socket.
pub fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = ShortPath::of(beside.as_ref())?;
    let beside = &beside.path;
    let _ = std::fs::remove_file(beside);
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    bind(&socket, &SocketAddrUnix::new(beside)?)?;
    // Nobody can connect before it listens.
    chmod(beside, Mode::RUSR | Mode::WUSR)?;
    listen(&socket, 16)?;
    std::fs::rename(beside, path)?;
    UnixListener::from_std(socket.into())
}

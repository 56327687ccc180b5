//! The server's end of the hooks' socket.

use super::wire::{Ask, Tell};
use std::{
    fs::File,
    io,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bytes of a question: a push of some ten thousand refs.
const ASK_LIMIT: u64 = 4 << 20;
const ASK_TIME: Duration = Duration::from_secs(30);

/// Where answers go. A hook that has ended is noticed by [`Teller::line`] only, and is no error.
#[derive(Clone, Debug)]
pub struct Teller(mpsc::Sender<Tell>);

impl Teller {
    /// A text for the pusher's terminal, line by line. Says whether anybody still reads.
    pub async fn line(&self, text: &str) -> bool {
        let lines = if text.is_empty() { "\n" } else { text };
        for line in lines.lines() {
            if self.0.send(Tell::Line(line.to_owned())).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Makes the socket, which only this user may open. One that a killed server left behind is replaced.
///
/// # Errors
/// When the folder cannot be written.
pub fn bind(socket: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::remove_file(socket) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = nearby(socket, |p| UnixListener::bind(p))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers hooks until `stop`. `answer` says whether the push is to be rejected.
pub async fn listen<F, A>(listener: UnixListener, stop: CancellationToken, tasks: TaskTracker, answer: F)
where
    F: Fn(Ask, Teller) -> A + Clone + Send + 'static,
    A: Future<Output = bool> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((socket, _)) => {
                let answer = answer.clone();
                tasks.spawn(async move {
                    if let Err(error) = converse(socket, answer).await {
                        tracing::debug!(%error, "a hook went away");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a hook");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse<F, A>(mut socket: UnixStream, answer: F) -> io::Result<()>
where
    F: Fn(Ask, Teller) -> A,
    A: Future<Output = bool>,
{
    let (from, mut to) = socket.split();
    let mut line = String::new();
    let mut from = BufReader::new(from.take(ASK_LIMIT));
    tokio::time::timeout(ASK_TIME, from.read_line(&mut line)).await??;
    let ask: Ask = serde_json::from_str(&line)?;
    let (sender, mut lines) = mpsc::channel(64);
    let writing = async {
        while let Some(tell) = lines.recv().await {
            write(&mut to, &tell).await?;
        }
        io::Result::Ok(())
    };
    let (reject, written) = tokio::join!(answer(ask, Teller(sender)), writing);
    written?;
    write(&mut to, &Tell::Done { reject }).await
}

async fn write(to: &mut (impl tokio::io::AsyncWrite + Unpin), tell: &Tell) -> io::Result<()> {
    let mut line = serde_json::to_vec(tell)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// Opens a Unix socket at a path of any length: a socket's address holds 107 bytes, and data folders lie deep. A long
/// path is gone to through its opened folder.
pub(super) fn nearby<T>(socket: &Path, open: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::unix::ffi::OsStrExt as _;
    if socket.as_os_str().as_bytes().len() < 100 {
        return open(socket);
    }
    let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = File::open(folder)?;
    open(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

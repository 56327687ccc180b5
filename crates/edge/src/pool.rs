//! Idle connections to one target.
//!
//! Each serving thread keeps its own: a connection is driven by the thread that opened it. One that idled longer
//! than [`IDLE_MAX`] is not used again: instances close idle connections by time-outs of their own (2 s in gunicorn, 5 s
//! in Node and uvicorn), and a request written into a connection that is just being closed could not be sent again.
//! A new connection within the host costs some 50 µs.

use crate::{proxy::body::RequestBody, shard::Sharded, target::Target};
use crossbeam_queue::ArrayQueue;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::AbortHandle, time::timeout};

pub const IDLE_MAX: Duration = Duration::from_secs(1);
const IDLE_PER_THREAD: usize = 512;

pub type Sender = SendRequest<RequestBody>;

struct Idle {
    sender: Sender,
    since: Instant,
}

pub struct Pool(Sharded<ArrayQueue<Idle>>);

impl Pool {
    pub fn new(shards: usize) -> Self {
        Self(Sharded::new(shards, || ArrayQueue::new(IDLE_PER_THREAD)))
    }

    pub fn take(&self, now: Instant) -> Option<Sender> {
        let queue = self.0.mine();
        while let Some(idle) = queue.pop() {
            if !idle.sender.is_closed() && now.saturating_duration_since(idle.since) < IDLE_MAX {
                return Some(idle.sender);
            }
        }
        None
    }

    /// Keeps the connection, or closes it when there are enough.
    pub fn give(&self, sender: Sender, now: Instant) {
        if !sender.is_closed() {
            drop(self.0.mine().push(Idle { sender, since: now }));
        }
    }

    /// Closes what is too old to be used.
    pub fn expire(&self, now: Instant) {
        for queue in self.0.iter() {
            for _ in 0..queue.len() {
                match queue.pop() {
                    Some(idle) if now.saturating_duration_since(idle.since) < IDLE_MAX => {
                        drop(queue.push(idle));
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
    }

    pub fn clear(&self) {
        for queue in self.0.iter() {
            while queue.pop().is_some() {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no connection within {0:?}")]
    Late(Duration),
    #[error("no connection")]
    Refused(#[from] io::Error),
    #[error("no HTTP on the connection")]
    Handshake(#[from] hyper::Error),
}

/// Opens a connection; the calling thread drives it until it ends or the target is cut.
pub async fn connect(target: &Arc<Target>, limit: Duration) -> Result<Sender, ConnectError> {
    let stream = timeout(limit, TcpStream::connect(target.addr)).await.map_err(|_| ConnectError::Late(limit))??;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::Builder::new().writev(false).handshake(TokioIo::new(stream)).await?;
    let links = target.links.clone();
    let link = links.next();
    let task = tokio::spawn({
        let links = links.clone();
        async move {
            // A connection that breaks tells whoever waits on it.
            drop(connection.with_upgrades().await);
            links.remove(link);
        }
    });
    links.insert(link, task.abort_handle());
    if target.cut.is_cancelled() {
        links.close_all();
    }
    Ok(sender)
}

/// The connections open to one target, busy ones too, so that all can be closed at once. Touched when a connection
/// opens and closes, not per request.
#[derive(Default)]
pub struct Links(Mutex<LinksInner>);

#[derive(Default)]
struct LinksInner {
    next: u64,
    open: HashMap<u64, AbortHandle>,
}

impl Links {
    fn with<T>(&self, f: impl FnOnce(&mut LinksInner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn next(&self) -> u64 {
        self.with(|l| {
            l.next += 1;
            l.next
        })
    }
    fn insert(&self, link: u64, task: AbortHandle) {
        if !task.is_finished() {
            self.with(|l| l.open.insert(link, task));
        }
    }
    fn remove(&self, link: u64) {
        self.with(|l| l.open.remove(&link));
    }
    pub fn close_all(&self) {
        for task in self.with(|l| std::mem::take(&mut l.open)).into_values() {
            task.abort();
        }
    }
}

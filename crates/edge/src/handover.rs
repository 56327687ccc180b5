//! Listening sockets over a Unix socket (SCM_RIGHTS): how a new holder gets them back from the worker that serves.

use crate::{
    disk::Home,
    error::EdgeError,
    link::{ShortPath, listen_at},
    sockets::{HTTPS, Sockets},
};
use rustix::{
    io::IoSlice,
    io::IoSliceMut,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        recvmsg, sendmsg,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    io,
    mem::MaybeUninit,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const MAX_SOCKETS: usize = 32;
const LIMIT: Duration = Duration::from_secs(5);

/// What comes with the sockets.
#[derive(Debug, Serialize, Deserialize)]
struct Offer {
    pid: u32,
    /// In the order of the descriptors.
    names: Vec<String>,
}

/// Answers every holder that dials, until `stop`.
pub fn offer(home: &Home, sockets: Sockets, stop: CancellationToken) -> Result<(), EdgeError> {
    let path = home.holder();
    let listener = listen_at(&path).map_err(|source| EdgeError::Socket { path, source })?;
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted.and_then(|(stream, _)| give(&stream.into_std()?, &sockets)) {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "a holder did not get the sockets"),
            }
        }
    });
    Ok(())
}

fn give(stream: &UnixStream, sockets: &Sockets) -> io::Result<()> {
    // A holder of the version before reads one offer, and knows no other names than those in it.
    let (tls, plain): (Vec<_>, Vec<_>) = sockets.named().partition(|(name, _)| *name == HTTPS);
    offer_all(stream, &plain)?;
    if !tls.is_empty() {
        offer_all(stream, &tls)?;
    }
    Ok(())
}

fn offer_all(stream: &UnixStream, named: &[(&'static str, &TcpListener)]) -> io::Result<()> {
    let named = &named[..named.len().min(MAX_SOCKETS)];
    let offer = Offer { pid: std::process::id(), names: named.iter().map(|(n, _)| (*n).to_owned()).collect() };
    let bytes = serde_json::to_vec(&offer)?;
    let fds: Vec<_> = named.iter().map(|(_, l)| l.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(stream, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The sockets of the worker that serves, and its process id; `None` when there is none.
pub fn take(path: &Path) -> io::Result<Option<(Sockets, u32)>> {
    let stream = match ShortPath::of(path).and_then(|short| UnixStream::connect(&short.path)) {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(Some(LIMIT))?;
    let mut sockets = Sockets::default();
    let mut worker = None;
    while let Some(pid) = take_offer(&stream, &mut sockets)? {
        worker = Some(pid);
    }
    Ok(worker.map(|pid| (sockets, pid)))
}

/// The process that offers; `None` when it offers no more.
fn take_offer(stream: &UnixStream, sockets: &mut Sockets) -> io::Result<Option<u32>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; 4_096];
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let offer: Offer = serde_json::from_slice(&bytes[..received.bytes])?;
    let mut fds: Vec<OwnedFd> = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if fds.len() != offer.names.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not all sockets came along"));
    }
    for (name, fd) in offer.names.iter().zip(fds) {
        sockets.add(name, fd).map_err(io::Error::other)?;
    }
    Ok(Some(offer.pid))
}

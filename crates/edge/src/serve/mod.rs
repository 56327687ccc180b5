//! A serving thread: accepts client connections and speaks HTTP on them.
//!
//! Each thread has a runtime of its own and accepts from the same sockets: a connection, its requests and the
//! upstream connections it uses stay on one core, and nothing on their way is shared but counters and the table.

pub(crate) mod announced;
mod gathered;
mod h1;
mod h2;
mod patience;

use crate::{
    addresses::Counted,
    proxy::{Proxy, peer::Peer},
    tls::{self, Protocol, Tls},
};
use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// A request's head may be this large, and its line and fields with it.
const MAX_HEAD: usize = 64 << 10;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is spoken on a listening socket.
#[derive(Clone)]
pub enum Door {
    Http,
    Https(Arc<Tls>),
}

/// Accepts until `stop`; connections go on for as long as the runtime does.
pub async fn accept(
    proxy: Arc<Proxy>,
    listener: std::net::TcpListener,
    door: Door,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match &door {
                Door::Http => drop(tokio::spawn(plain(proxy.clone(), stream, peer))),
                Door::Https(tls) => drop(tokio::spawn(secure(proxy.clone(), tls.clone(), stream, peer))),
            },
            // The client went away between its connection and now.
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            Err(error) => {
                // Out of files, mostly: connections wait in the backlog until some are closed.
                tracing::warn!(%error, "cannot accept connections for the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn plain(proxy: Arc<Proxy>, mut stream: TcpStream, addr: SocketAddr) {
    let _busy = proxy.activity.connection();
    let Some((addr, _counted)) = admit(&proxy, &mut stream, addr).await else { return proxy.refuse() };
    let socket = stream.as_raw_fd();
    let peer = Peer::new(addr, false, &proxy.rules);
    h1::serve(proxy, stream, socket, peer).await;
}

async fn secure(proxy: Arc<Proxy>, tls: Arc<Tls>, mut stream: TcpStream, addr: SocketAddr) {
    let _busy = proxy.activity.connection();
    let Some((addr, _counted)) = admit(&proxy, &mut stream, addr).await else { return proxy.refuse() };
    let socket = stream.as_raw_fd();
    let stream = match timeout(proxy.rules.handshake, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tls.failed();
            tracing::debug!(client = %addr, %error, "no TLS with this client");
            return;
        }
        Err(_) => return tls.failed(),
    };
    let peer = Peer::new(addr, true, &proxy.rules);
    match tls::protocol(&stream) {
        Protocol::Http1 => h1::serve(proxy, stream, socket, peer).await,
        Protocol::Http2 => h2::serve(proxy, stream, socket, peer).await,
        // All that was asked for was the certificate.
        Protocol::Challenge => {}
    }
}

/// The client's address, and its place among those of the same address; `None` when it is not taken.
async fn admit(proxy: &Proxy, stream: &mut TcpStream, addr: SocketAddr) -> Option<(SocketAddr, Option<Counted>)> {
    drop(stream.set_nodelay(true));
    let rules = &proxy.rules;
    let mut addr = addr;
    if rules.proxy_protocol && rules.trusts(addr.ip()) {
        match timeout(rules.handshake, announced::read(stream)).await {
            Ok(Ok(client)) => addr = client.unwrap_or(addr),
            Ok(Err(error)) => {
                tracing::debug!(proxy = %addr, %error, "not announced");
                return None;
            }
            Err(_) => return None,
        }
    }
    let most = rules.connections_per_address;
    if most == 0 || addr.ip().to_canonical().is_loopback() || rules.trusts(addr.ip()) {
        return Some((addr, None));
    }
    Some((addr, Some(proxy.addresses.enter(addr.ip(), most)?)))
}

/// Bytes that the client's side has not acknowledged.
fn unsent(socket: RawFd) -> i32 {
    let mut bytes: i32 = 0;
    // SAFETY: the request writes one `int` to where it is told to. A descriptor that is none any more is an error.
    let _ = unsafe { libc::ioctl(socket, libc::TIOCOUTQ, &mut bytes) };
    bytes
}

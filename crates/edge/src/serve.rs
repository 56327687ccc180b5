//! A serving thread: accepts client connections and speaks HTTP/1.1 on them.
//!
//! Each thread has a runtime of its own and accepts from the same sockets: a connection, its requests and the
//! upstream connections it uses stay on one core, and nothing on their way is shared but counters and the table.

use crate::proxy::{Proxy, headers::Peer};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

/// A connection without a request for this long is closed; so is one that has not sent its first head whole.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const FIRST_HEAD: Duration = Duration::from_secs(30);
/// The same in a worker that retires.
const KEEP_ALIVE_RETIRING: Duration = Duration::from_secs(10);
/// How often connections are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// A request's head may be this large, and its line and fields with it.
const MAX_HEAD: usize = 64 << 10;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until `stop`; connections go on for as long as the runtime does.
pub async fn accept(proxy: Arc<Proxy>, listener: std::net::TcpListener, stop: CancellationToken) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                drop(tokio::spawn(serve(proxy.clone(), stream, peer)));
            }
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

async fn serve(proxy: Arc<Proxy>, stream: TcpStream, addr: SocketAddr) {
    let _busy = proxy.activity.connection();
    drop(stream.set_nodelay(true));
    let peer = Arc::new(Peer::new(addr, "http"));
    let began = Instant::now();
    let service = {
        let (proxy, peer) = (proxy.clone(), peer.clone());
        service_fn(move |request| {
            let answer = proxy.clone().handle(peer.clone(), request);
            async move { Ok::<_, Infallible>(answer.await) }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Looked after below, for all phases of a connection at once and without a timer per request.
        .header_read_timeout(None)
        // Answers are small, mostly: one buffer costs less than a list of them.
        .writev(false)
        .max_header_size(MAX_HEAD)
        .max_buf_size(2 * MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut look = interval_at((began + LOOK).into(), LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            // Broken connections are the client's affair; what was in flight on them counted itself.
            _ = connection.as_mut() => return,
            _ = look.tick() => {
                let last = peer.last_request_ms.load(Relaxed);
                let (since_ms, limit) = match last {
                    0 => (proxy.uptime.ms(began), FIRST_HEAD),
                    _ if proxy.is_retiring() => (last, KEEP_ALIVE_RETIRING),
                    _ => (last, KEEP_ALIVE),
                };
                if proxy.uptime.ms(Instant::now()).saturating_sub(since_ms) >= limit.as_millis() as u64 {
                    // An answer under way is finished first.
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

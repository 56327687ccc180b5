//! HTTP/1.1 on a client connection.

use super::{
    MAX_HEAD,
    patience::{Patience, Verdict},
    unsent,
};
use crate::proxy::{Proxy, peer::Peer};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{os::fd::RawFd, pin::pin, sync::Arc, time::Instant};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{MissedTickBehavior, interval_at},
};

/// `socket` is the one below `stream`.
pub async fn serve<S>(proxy: Arc<Proxy>, stream: S, socket: RawFd, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = Arc::new(peer);
    let began = Instant::now();
    let service = {
        let (proxy, peer) = (proxy.clone(), peer.clone());
        service_fn(move |request| proxy.clone().handle(peer.clone(), request))
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
    let every = proxy.rules.look_every();
    let mut look = interval_at((began + every).into(), every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut patience = Patience::new(began);
    loop {
        tokio::select! {
            biased;
            // Broken connections are the client's affair; what was in flight on them counted itself.
            _ = connection.as_mut() => return,
            // The connection is not over, so it still owns the socket.
            _ = look.tick() => match patience.look(&proxy, &peer, unsent(socket), Instant::now()) {
                Verdict::Fine => {}
                // An answer under way is finished first.
                Verdict::Close => connection.as_mut().graceful_shutdown(),
                Verdict::Leave => return,
            },
        }
    }
}

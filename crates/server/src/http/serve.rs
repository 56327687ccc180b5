//! Connections: accepted, bounded, drained.

use crate::tls::{Agreed, Tls};
use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// Connections at once. Beyond it new ones wait in the listener's queue.
const MOST_CONNECTIONS: usize = 4096;

/// A client that has not sent a request's head by then is let go.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// A client that has not shaken hands by then is let go.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Requests at once on a connection of HTTP/2: every page that watches something keeps one.
const MOST_STREAMS: u32 = 128;

/// A connection of HTTP/2 on which nothing comes is asked whether it is there.
const ASKED_AFTER: Duration = Duration::from_secs(20);

/// Who is at the other end of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub SocketAddr);

/// Serves until `stop`; then no new connection is taken, and those with a request in them may finish it for `grace`.
pub async fn connections(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) {
    let tracker = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let hurry = CancellationToken::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                let (tls, router, stop, hurry) = (tls.clone(), router.clone(), stop.clone(), hurry.clone());
                tracker.spawn(async move {
                    tokio::select! {
                        () = connection(socket, tls, peer, router, stop) => {}
                        () = hurry.cancelled() => {}
                    }
                    drop(place);
                });
            }
            // Out of file descriptors, mostly: it passes when others close.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(grace, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "connections are cut off");
        hurry.cancel();
        tracker.wait().await;
    }
}

async fn connection(
    socket: TcpStream,
    tls: Option<Arc<Tls>>,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return requests(socket, Agreed::Http1, peer, router, stop).await };
    match tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(socket)).await {
        Ok(Ok((stream, agreed))) => requests(stream, agreed, peer, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a handshake came to nothing"),
        Err(_) => tracing::debug!(%peer, "a handshake took too long"),
    }
}

async fn requests<S>(stream: S, agreed: Agreed, peer: SocketAddr, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
    // The two have the same methods and nothing in common.
    macro_rules! until_stopped {
        ($served:expr) => {{
            let served = $served;
            tokio::pin!(served);
            tokio::select! {
                ended = served.as_mut() => ended,
                () = stop.cancelled() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            }
        }};
    }
    let ended = match agreed {
        Agreed::Http1 => {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
            until_stopped!(builder.serve_connection(io, service).with_upgrades())
        }
        Agreed::Http2 => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).max_concurrent_streams(MOST_STREAMS).keep_alive_interval(ASKED_AFTER);
            until_stopped!(builder.serve_connection(io, service))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

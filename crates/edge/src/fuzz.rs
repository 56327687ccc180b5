//! For the fuzz targets: what of a connection's bytes goes on to an instance.

use crate::{
    Network,
    clients::ClientRules,
    proxy::{
        headers::{self, Seen},
        origin::Origin,
        peer::Peer,
    },
    serve::announced,
};
use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const BODY: usize = 1 << 20;
/// Never meant for the far end, whoever sent them.
const HOP_BY_HOP: [&str; 6] = ["keep-alive", "proxy-connection", "te", "forwarded", "x-real-ip", "x-tradewind-probe"];

/// Reads `bytes` as a client's connection of HTTP/1 and sends on what the edge would.
///
/// # Panics
/// When something goes on that may not: a second request in one, a header that is the client's word about itself, a
/// length that could be read in two ways.
pub fn connection(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let Some((first, rest)) = bytes.split_first() else { return };
        let mut stream = rest;
        if first & 2 != 0 && announced::read(&mut stream).await.is_err() {
            return;
        }
        served(stream, first & 1 != 0).await;
    });
}

async fn served(bytes: &[u8], from_proxy: bool) {
    let rules =
        Arc::new(ClientRules { trusted: Network::list("10.0.0.0/8").expect("a network"), ..ClientRules::default() });
    let addr: SocketAddr = if from_proxy { ([10, 0, 0, 1], 1) } else { ([192, 0, 2, 1], 1) }.into();
    let peer = Arc::new(Peer::new(addr, false, &rules));
    let (mut near, far) = tokio::io::duplex(bytes.len() + 1);
    near.write_all(bytes).await.expect("there is room for all of it");
    near.shutdown().await.expect("it can be ended");
    let (mut answers, mut sink) = (near, Vec::new());
    let service = service_fn(|request: Request<Incoming>| sent_on(request, peer.clone(), rules.clone()));
    let serve = server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
    let _ = tokio::join!(serve, answers.read_to_end(&mut sink));
}

async fn sent_on(
    request: Request<Incoming>,
    peer: Arc<Peer>,
    rules: Arc<ClientRules>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        Ok(response)
    };
    let (mut head, body) = request.into_parts();
    if headers::host(&head).is_err() {
        return answer(StatusCode::BAD_REQUEST);
    }
    let seen = Seen::of(&head.headers);
    let upgrade = headers::wants_upgrade(&head.headers, seen);
    let origin = Origin::named(&peer, &head.headers, &rules).unwrap_or_else(|| peer.origin.clone());
    headers::to_instance(&mut head, seen, &origin, upgrade);
    assert_eq!(head.headers.get_all("x-forwarded-for").iter().count(), 1);
    assert!(peer.is_trusted || head.headers["x-forwarded-for"] == peer.origin.ip, "the client's own word went on");
    assert_eq!(head.headers.get_all(header::HOST).iter().count(), 1);
    assert!(head.uri.authority().is_none() && head.uri.scheme().is_none(), "not in origin form");
    for name in HOP_BY_HOP {
        assert!(!head.headers.contains_key(HeaderName::from_static(name)), "{name} went on");
    }
    let connection: Vec<_> = head.headers.get_all(header::CONNECTION).iter().collect();
    assert!(connection.is_empty() || (upgrade && connection == ["upgrade"]), "{connection:?}");
    let Ok(body) = Limited::new(body, BODY).collect().await else { return answer(StatusCode::BAD_REQUEST) };
    // As the edge does: how long it is, is said once, by the one who writes it.
    head.headers.remove(header::TRANSFER_ENCODING);
    head.headers.remove(header::CONTENT_LENGTH);
    assert_eq!(
        received(Request::from_parts(head, Full::new(body.to_bytes()))).await,
        1,
        "one request became another number"
    );
    answer(StatusCode::OK)
}

/// How many requests an instance reads where one was written.
async fn received(request: Request<Full<Bytes>>) -> u32 {
    let (near, far) = tokio::io::duplex(1 << 16);
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let instance = tokio::spawn(async move {
        let service = service_fn(|request: Request<Incoming>| {
            counted.fetch_add(1, SeqCst);
            async move {
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        });
        let _ = server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service).await;
    });
    if let Ok((mut sender, connection)) = client::conn::http1::handshake(TokioIo::new(near)).await {
        let driven = tokio::spawn(connection);
        if let Ok(answer) = sender.send_request(request).await {
            let _ = answer.into_body().collect().await;
        } else {
            // The writer itself refused it.
            count.fetch_max(1, SeqCst);
        }
        drop(sender);
        let _ = driven.await;
    }
    let _ = instance.await;
    count.load(SeqCst)
}

//! The admin listener: `/metrics` and `/healthz`.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

pub type Scrapes = mpsc::Sender<oneshot::Sender<String>>;

/// Serves until `stop`.
pub async fn serve(listener: std::net::TcpListener, scrapes: Scrapes, stop: CancellationToken) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let scrapes = scrapes.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let scrapes = scrapes.clone();
                async move { Ok::<_, Infallible>(answer(request, scrapes).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service);
            drop(connection.await);
        });
    }
}

async fn answer(request: Request<Incoming>, scrapes: Scrapes) -> Response<Full<bytes::Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let (reply, page) = oneshot::channel();
            match scrapes.send(reply).await {
                Ok(()) => page.await.map_or((StatusCode::SERVICE_UNAVAILABLE, String::new()), |p| (StatusCode::OK, p)),
                Err(_) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            }
        }
        (&Method::GET, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "not found: /metrics or /healthz\n".to_owned()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

//! One check of one instance: an HTTP request, a connection, or a command.

use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tradewind_model::{said, said::Said};

/// A GET that any 2xx or 3xx answers well. The reason otherwise.
pub async fn http(addr: SocketAddr, path: &str, timeout: Duration) -> Result<(), Said> {
    let head = within(timeout, get(addr, path, &[])).await?;
    let status = head.status;
    if status.is_success() || status.is_redirection() {
        return Ok(());
    }
    Err(said!("GET {path} answered {status}", "GET {path} 返回 {status}", path = path, status = status))
}

pub async fn tcp(addr: SocketAddr, timeout: Duration) -> Result<(), Said> {
    within(timeout, connect(addr)).await.map(drop)
}

async fn connect(addr: SocketAddr) -> Result<TcpStream, Said> {
    let failed = |e| said!("no connection to {addr}: {why}", "无法连接 {addr}：{why}", addr = addr, why = e);
    TcpStream::connect(addr).await.map_err(failed)
}

/// Sends a GET on a connection of its own and reads the answer to its end, at most a mebibyte of it.
pub async fn get(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<http::response::Parts, Said> {
    let stream = connect(addr).await?;
    let broken = |e: hyper::Error| said!("GET {path} broke off: {why}", "GET {path} 中断：{why}", path = path, why = e);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let talk = async {
        let request = request(addr, path, "tradewind-check", headers)?;
        let (head, mut body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            read += frame.map_err(broken)?.data_ref().map_or(0, bytes::Bytes::len);
            if read > 1 << 20 {
                break;
            }
        }
        Ok(head)
    };
    both(talk, connection).await
}

pub(crate) fn request(
    addr: SocketAddr,
    path: &str,
    agent: &str,
    headers: &[(&str, &str)],
) -> Result<Request<Empty<bytes::Bytes>>, Said> {
    let mut request = Request::get(path).header(header::USER_AGENT, agent);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header(header::HOST, addr.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|e| said!("`{path}` cannot be asked for: {why}", "无法请求 `{path}`：{why}", path = path, why = e))
}

/// The talk, with its connection driven in the same place: one that is dropped leaves no task and no socket behind.
pub(crate) async fn both<T>(talk: impl Future<Output = T>, connection: impl Future) -> T {
    tokio::pin!(talk, connection);
    let mut connected = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut talk => return answer,
            _ = &mut connection, if connected => connected = false,
        }
    }
}

pub async fn within<T>(timeout: Duration, check: impl Future<Output = Result<T, Said>>) -> Result<T, Said> {
    match tokio::time::timeout(timeout, check).await {
        Ok(result) => result,
        Err(_) => Err(said!("no answer within {ms} ms", "{ms} 毫秒内没有应答", ms = timeout.as_millis())),
    }
}

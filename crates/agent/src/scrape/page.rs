//! Fetching one instance's page.

use crate::instance::probe;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tradewind_model::{said, said::Said};

/// Bytes of the longest page.
pub const LONGEST: usize = 1 << 20;
const ACCEPT: &str = "text/plain;version=0.0.4;q=1,*/*;q=0.1";

/// Its text. What is said otherwise names no address, so that it is the same of all instances.
pub async fn fetch(addr: SocketAddr, path: &str, timeout: Duration) -> Result<String, Said> {
    match tokio::time::timeout(timeout, get(addr, path)).await {
        Ok(page) => page,
        Err(_) => Err(said!(
            "GET {path} had no answer within {ms} ms",
            "GET {path} 在 {ms} 毫秒内没有应答",
            path = path,
            ms = timeout.as_millis()
        )),
    }
}

async fn get(addr: SocketAddr, path: &str) -> Result<String, Said> {
    let failed = |why: &dyn std::fmt::Display| said!("GET {path}: {why}", "GET {path}：{why}", path = path, why = why);
    let stream = TcpStream::connect(addr).await.map_err(|e| failed(&e))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    let talk = async {
        let request = probe::request(addr, path, "tradewind-scrape", &[("accept", ACCEPT)])?;
        let (head, mut body) = sender.send_request(request).await.map_err(|e| failed(&e))?.into_parts();
        if head.status != http::StatusCode::OK {
            let status = head.status;
            return Err(said!(
                "GET {path} answered {status}",
                "GET {path} 返回 {status}",
                path = path,
                status = status
            ));
        }
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(|e| failed(&e))?.into_data() {
                text.extend_from_slice(&data);
            }
            if text.len() > LONGEST {
                return Err(said!("{path} is longer than 1 MiB", "{path} 超过 1 MiB", path = path));
            }
        }
        String::from_utf8(text).map_err(|_| said!("{path} is not UTF-8 text", "{path} 不是 UTF-8 文本", path = path))
    };
    probe::both(talk, connection).await
}

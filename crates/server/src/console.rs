//! The console: files that the program carries, and its one page under every address that is nothing else's.
//!
//! Nothing that a page shows may run or send anything: scripts and connections are this server's only, styles are files or bear
//! the page's own nonce (antd makes its styles in the browser), nobody may frame it.

use crate::{App, faults, http::Refusal};
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::collections::HashMap;
use std::sync::LazyLock;
use tradewind_model::fault::Fault;

pub struct File {
    pub path: &'static str,
    pub bytes: &'static [u8],
    pub br: Option<&'static [u8]>,
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/console.rs"));

static BY_PATH: LazyLock<HashMap<&str, &File>> = LazyLock::new(|| FILES.iter().map(|f| (f.path, f)).collect());

const PAGE: &str = "index.html";
/// What the build leaves in the page for us to fill in.
const NONCE: &str = "__NONCE__";
/// Addresses that programs ask: a page is no answer there.
const MACHINES: [&str; 5] = ["/api/", "/git/", "/hooks/", "/help/", "/healthz"];
/// Their names hold their content's hash.
const HASHED: &str = "assets/";

/// Whatever no route answers.
pub async fn serve(_: axum::extract::State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let unknown = || Refusal::from(Fault::new(&faults::NO_ROUTE).with("path", path)).into_response();
    if MACHINES.iter().any(|m| path.starts_with(m)) || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return unknown();
    }
    let wanted = path.trim_start_matches('/');
    if let Some(file) = BY_PATH.get(wanted).filter(|f| f.path != PAGE) {
        return show(file, request.headers());
    }
    // A file that is not there, or a program that wants no page.
    let reads_pages = header_text(request.headers(), &header::ACCEPT).contains("text/html");
    if wanted.starts_with(HASHED) || !reads_pages {
        return unknown();
    }
    match BY_PATH.get(PAGE) {
        Some(page) => self::page(page),
        None => Refusal::from(Fault::new(&faults::NO_CONSOLE)).into_response(),
    }
}

fn page(page: &File) -> Response {
    let mut bytes = [0; 16];
    if let Err(e) = getrandom::fill(&mut bytes) {
        return Refusal::internal(e).into_response();
    }
    let nonce = STANDARD.encode(bytes);
    let html = String::from_utf8_lossy(page.bytes).replace(NONCE, &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut answer = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    let headers = answer.headers_mut();
    // In base64 and our own words there is nothing a header cannot hold.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn show(file: &File, asked: &HeaderMap) -> Response {
    let reads = header_text(asked, &header::ACCEPT_ENCODING);
    let reads = |name: &str| reads.split(',').any(|part| accepts(part, name));
    let (bytes, packed) = match (file.br.filter(|_| reads("br")), file.gzip.filter(|_| reads("gzip"))) {
        (Some(br), _) => (br, Some("br")),
        (None, Some(gzip)) => (gzip, Some("gzip")),
        (None, None) => (file.bytes, None),
    };
    let cache = match file.path.starts_with(HASHED) {
        true => "public, max-age=31536000, immutable",
        false => "public, max-age=3600",
    };
    let mut answer = (StatusCode::OK, bytes).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind_of(file.path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(packed) = packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(packed));
    }
    answer
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// One member of `Accept-Encoding`: a name, and `q=0` where it is not wanted.
fn accepts(part: &str, name: &str) -> bool {
    let mut pieces = part.split(';').map(str::trim);
    pieces.next() == Some(name)
        && !pieces.any(|p| p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0))
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "html" => "text/html; charset=utf-8",
        "woff2" => "font/woff2",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_unless_it_is_refused() {
        assert!(accepts(" br", "br") && accepts("br;q=0.5", "br") && accepts("gzip ; q=1", "gzip"));
        assert!(
            !accepts("br;q=0", "br") && !accepts("br;q=0.0", "br") && !accepts("brotli", "br") && !accepts("", "br")
        );
    }
}

//! What is taken from and added to messages on their way through.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request, response};

pub const PROBE: HeaderName = HeaderName::from_static("x-tradewind-probe");
pub const WANT: HeaderName = HeaderName::from_static("x-tradewind-want");
pub const REVISION: HeaderName = HeaderName::from_static("x-tradewind-revision");
pub const INSTANCE: HeaderName = HeaderName::from_static("x-tradewind-instance");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// A client connection: what it adds to each of its requests, made once.
pub struct Peer {
    pub ip: HeaderValue,
    pub proto: HeaderValue,
    /// When its last request began, in milliseconds of uptime; 0 before the first.
    pub last_request_ms: std::sync::atomic::AtomicU64,
}

impl Peer {
    pub fn new(addr: std::net::SocketAddr, proto: &'static str) -> Self {
        let ip = addr.ip().to_canonical().to_string();
        Self { ip: crate::registry::header(&ip), proto: HeaderValue::from_static(proto), last_request_ms: 0.into() }
    }
}

/// True when the message asks to leave HTTP for another protocol.
pub fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
        && headers.get_all(header::CONNECTION).iter().any(|v| tokens(v).any(|t| t.eq_ignore_ascii_case(b"upgrade")))
}

/// Makes a client's request an instance's: in origin form, with only what is meant for the far end. What a client says
/// about forwarding is overwritten: it is not trusted.
pub fn to_instance(head: &mut request::Parts, peer: &Peer, upgrade: bool) {
    head.version = http::Version::HTTP_11;
    if let Some(authority) = head.uri.authority() {
        head.headers.insert(header::HOST, crate::registry::header(authority.as_str()));
        head.uri = head.uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
    }
    let headers = &mut head.headers;
    let protocol = if upgrade { headers.get(header::UPGRADE).cloned() } else { None };
    strip_hop_by_hop(headers);
    headers.remove(header::TE);
    // The edge answers `100-continue` itself when it begins to read the body.
    headers.remove(header::EXPECT);
    headers.remove(header::FORWARDED);
    headers.remove(REAL_IP);
    headers.remove(PROBE);
    headers.remove(WANT);
    if let Some(protocol) = protocol {
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    } else {
        headers.remove(FORWARDED_HOST);
        headers.insert(header::HOST, HeaderValue::from_static(""));
    }
    headers.insert(FORWARDED_FOR, peer.ip.clone());
    headers.insert(FORWARDED_PROTO, peer.proto.clone());
}

/// Makes an instance's answer the edge's.
pub fn to_client(head: &mut response::Parts) {
    head.version = http::Version::HTTP_11;
    let upgrade = (head.status == http::StatusCode::SWITCHING_PROTOCOLS)
        .then(|| head.headers.get(header::UPGRADE).cloned())
        .flatten();
    strip_hop_by_hop(&mut head.headers);
    if let Some(protocol) = upgrade {
        head.headers.insert(header::UPGRADE, protocol);
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(tokens)
            .filter_map(|t| HeaderName::from_bytes(t).ok())
            // What says where a message goes and how long it is may not be struck out.
            .filter(|n| *n != header::HOST && *n != header::CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
    headers.remove(KEEP_ALIVE);
    headers.remove(PROXY_CONNECTION);
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::UPGRADE);
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|t| !t.is_empty())
}

/// The one host a request is for; `Ok(None)` when it is for none.
pub fn host(head: &request::Parts) -> Result<Option<std::borrow::Cow<'_, str>>, BadHost> {
    let mut values = head.headers.get_all(header::HOST).iter();
    let named = values.next();
    if values.next().is_some() {
        return Err(BadHost);
    }
    // RFC 9112, 3.2.2: the target's authority goes before the header.
    let authority = match (head.uri.authority(), named) {
        (Some(a), _) => a.as_str(),
        (None, Some(h)) if h.is_empty() => return Ok(None),
        (None, Some(h)) => h.to_str().map_err(|_| BadHost)?,
        (None, None) if head.version == http::Version::HTTP_10 => return Ok(None),
        (None, None) => return Err(BadHost),
    };
    crate::table::hosts::bare_host(authority).map(Some).ok_or(BadHost)
}

pub struct BadHost;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_neither_forge_forwarding_nor_strike_out_framing() {
        let (mut head, ()) = http::Request::get("http://shop.example.com/a?b=c")
            .header("host", "shop.example.com")
            .header("connection", "close, X-Secret, host, content-length")
            .header("x-secret", "1")
            .header("content-length", "0")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-real-ip", "10.0.0.1")
            .header("forwarded", "for=10.0.0.1")
            .header("x-tradewind-probe", "t")
            .header("traceparent", "00-1-2-01")
            .header("te", "trailers")
            .body(())
            .unwrap()
            .into_parts();
        to_instance(&mut head, &Peer::new("[::ffff:192.0.2.7]:1".parse().unwrap(), "http"), false);
        let mut lines: Vec<_> = head.headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
        lines.sort();
        insta::assert_snapshot!(format!("{} {}\n{}", head.method, head.uri, lines.join("\n")), @r"
        GET /a?b=c
        content-length: 0
        host: shop.example.com
        traceparent: 00-1-2-01
        x-forwarded-for: 192.0.2.7
        x-forwarded-host: shop.example.com
        x-forwarded-proto: http
        ");
    }
}

//! What is taken from and added to messages on their way through.

use super::origin::Origin;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header, request, response};
use hyper::ext::Protocol;

pub const PROBE: HeaderName = HeaderName::from_static("x-tradewind-probe");
pub const WANT: HeaderName = HeaderName::from_static("x-tradewind-want");
pub const REVISION: HeaderName = HeaderName::from_static("x-tradewind-revision");
pub const INSTANCE: HeaderName = HeaderName::from_static("x-tradewind-instance");

pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Which of the headers that the edge acts on are in a message. Most messages have few of them: one pass over the names
/// there are costs less than a look-up for each name there might be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen(u16);

impl Seen {
    const CONNECTION: Self = Self(1);
    const KEEP_ALIVE: Self = Self(1 << 1);
    const PROXY_CONNECTION: Self = Self(1 << 2);
    pub const TRANSFER_ENCODING: Self = Self(1 << 3);
    const UPGRADE: Self = Self(1 << 4);
    const TE: Self = Self(1 << 5);
    const EXPECT: Self = Self(1 << 6);
    const FORWARDED: Self = Self(1 << 7);
    const REAL_IP: Self = Self(1 << 8);
    pub const PROBE: Self = Self(1 << 9);
    const WANT: Self = Self(1 << 10);
    pub const CONTENT_LENGTH: Self = Self(1 << 11);

    pub fn of(headers: &HeaderMap) -> Self {
        let class = |name: &HeaderName| match name.as_str() {
            "connection" => Self::CONNECTION,
            "keep-alive" => Self::KEEP_ALIVE,
            "proxy-connection" => Self::PROXY_CONNECTION,
            "transfer-encoding" => Self::TRANSFER_ENCODING,
            "upgrade" => Self::UPGRADE,
            "te" => Self::TE,
            "expect" => Self::EXPECT,
            "forwarded" => Self::FORWARDED,
            "x-real-ip" => Self::REAL_IP,
            "x-tradewind-probe" => Self::PROBE,
            "x-tradewind-want" => Self::WANT,
            "content-length" => Self::CONTENT_LENGTH,
            _ => Self::default(),
        };
        Self(headers.keys().fold(0, |all, name| all | class(name).0))
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What is meant for the next hop only, and what no client is believed.
const NOT_PASSED_ON: [(Seen, HeaderName); 9] = [
    (Seen::KEEP_ALIVE, KEEP_ALIVE),
    (Seen::PROXY_CONNECTION, PROXY_CONNECTION),
    (Seen::TRANSFER_ENCODING, header::TRANSFER_ENCODING),
    (Seen::UPGRADE, header::UPGRADE),
    (Seen::TE, header::TE),
    // The edge answers `100-continue` itself when it begins to read the body.
    (Seen::EXPECT, header::EXPECT),
    (Seen::FORWARDED, header::FORWARDED),
    (Seen::REAL_IP, REAL_IP),
    (Seen::WANT, WANT),
];

/// True when the message asks to leave HTTP for another protocol.
pub fn wants_upgrade(headers: &HeaderMap, seen: Seen) -> bool {
    seen.has(Seen::UPGRADE)
        && headers.get_all(header::CONNECTION).iter().any(|v| tokens(v).any(|t| t.eq_ignore_ascii_case(b"upgrade")))
}

/// RFC 8441: a WebSocket over HTTP/2 is a `CONNECT` with a protocol; to an instance it is an upgrade as ever. True when it was
/// one.
pub fn from_extended_connect<B>(request: &mut Request<B>) -> bool {
    if request.method() != Method::CONNECT
        || request.extensions().get::<Protocol>().is_none_or(|p| p.as_str() != "websocket")
    {
        return false;
    }
    *request.method_mut() = Method::GET;
    let key: [u8; 16] = std::array::from_fn(|_| super::client::entropy() as u8);
    let headers = request.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_KEY, crate::registry::header(&BASE64.encode(key)));
    true
}

/// The instance agreed to it.
pub fn to_extended_connect(head: &mut response::Parts) {
    head.status = StatusCode::OK;
    for name in [header::UPGRADE, header::CONNECTION, header::SEC_WEBSOCKET_ACCEPT] {
        head.headers.remove(name);
    }
}

/// Makes a client's request an instance's: in origin form, with only what is meant for the far end. What a client says
/// about forwarding is overwritten; what of it is believed is in `origin`.
pub fn to_instance(head: &mut request::Parts, seen: Seen, origin: &Origin, upgrade: bool) {
    if head.version >= http::Version::HTTP_2 {
        join_cookies(&mut head.headers);
    }
    head.version = http::Version::HTTP_11;
    if let Some(authority) = head.uri.authority() {
        head.headers.insert(header::HOST, crate::registry::header(authority.as_str()));
        // A path that is only understood (`http://host#there`) would be written as nothing at all.
        let said = head.uri.path_and_query().filter(|p| p.as_str() != "/").cloned();
        head.uri = said.map_or_else(|| Uri::from_static("/"), Uri::from);
    }
    let headers = &mut head.headers;
    let protocol = if upgrade { headers.get(header::UPGRADE).cloned() } else { None };
    strip(headers, seen);
    if seen.has(Seen::PROBE) {
        headers.remove(PROBE);
    }
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
    headers.insert(FORWARDED_FOR, origin.ip.clone());
    headers.insert(FORWARDED_PROTO, origin.proto());
}

/// Makes an instance's answer the edge's.
pub fn to_client(head: &mut response::Parts) {
    head.version = http::Version::HTTP_11;
    let upgrade =
        (head.status == StatusCode::SWITCHING_PROTOCOLS).then(|| head.headers.get(header::UPGRADE).cloned()).flatten();
    let seen = Seen::of(&head.headers);
    strip(&mut head.headers, seen);
    if let Some(protocol) = upgrade {
        head.headers.insert(header::UPGRADE, protocol);
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

fn strip(headers: &mut HeaderMap, seen: Seen) {
    if seen.has(Seen::CONNECTION) {
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
    if seen.0 & !(Seen::CONNECTION.0 | Seen::CONTENT_LENGTH.0 | Seen::PROBE.0) == 0 {
        return;
    }
    for (class, name) in &NOT_PASSED_ON {
        if seen.has(*class) {
            headers.remove(name);
        }
    }
}

/// RFC 9113, 8.2.3: HTTP/2 may carry cookies in several fields; before they leave it they are one.
fn join_cookies(headers: &mut HeaderMap) {
    let mut all = headers.get_all(header::COOKIE).iter();
    let (Some(first), Some(second)) = (all.next(), all.next()) else { return };
    let joined = [first, second].into_iter().chain(all).map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(header::COOKIE, joined);
    }
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
    // RFC 9113, 8.3.1: where both are sent they must agree; somebody may have looked at the other one.
    if head.version >= http::Version::HTTP_2
        && let (Some(authority), Some(named)) = (head.uri.authority(), named)
        && !authority.as_str().as_bytes().eq_ignore_ascii_case(named.as_bytes())
    {
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
    fn whatever_form_a_target_has_an_instance_is_asked_for_a_path() {
        let origin = Origin { ip: HeaderValue::from_static("192.0.2.7"), is_secure: false };
        for (asked, sent) in [
            ("http://shop.example.com/a?b=c", "/a?b=c"),
            ("http://shop.example.com", "/"),
            ("http://shop.example.com#there", "/"),
            ("http://shop.example.com/#there", "/"),
            ("http://shop.example.com?b=c", "/?b=c"),
            ("/a?b=c", "/a?b=c"),
        ] {
            let (mut head, ()) = Request::get(asked).body(()).unwrap().into_parts();
            to_instance(&mut head, Seen::default(), &origin, false);
            // As it is written on the connection.
            assert_eq!(head.uri.to_string(), sent, "{asked}");
        }
    }

    #[test]
    fn a_client_can_neither_forge_forwarding_nor_strike_out_framing() {
        let (mut head, ()) = Request::get("http://shop.example.com/a?b=c")
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
        let seen = Seen::of(&head.headers);
        to_instance(&mut head, seen, &Origin { ip: HeaderValue::from_static("192.0.2.7"), is_secure: false }, false);
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

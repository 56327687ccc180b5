//! Where a request comes from: from whoever connected, or from whom a trusted proxy names.

use super::{headers::FORWARDED_FOR, headers::FORWARDED_PROTO, peer::Peer};
use crate::clients::ClientRules;
use http::{HeaderMap, HeaderValue};
use std::net::IpAddr;

#[derive(Clone, Debug)]
pub struct Origin {
    pub ip: HeaderValue,
    pub is_secure: bool,
}

impl Origin {
    /// What a trusted proxy says, if this is one: the rightmost address that is not a trusted proxy's. What is left of it
    /// could be anybody's word.
    pub fn named(peer: &Peer, headers: &HeaderMap, rules: &ClientRules) -> Option<Self> {
        if !peer.is_trusted {
            return None;
        }
        let mut last = None;
        for said in headers.get_all(FORWARDED_FOR).iter().rev().flat_map(|v| v.as_bytes().rsplit(|b| *b == b',')) {
            let Some(addr) = address(said) else { break };
            last = Some(addr);
            if !rules.trusts(addr) {
                break;
            }
        }
        let proto = headers.get_all(FORWARDED_PROTO).iter().next_back();
        let is_secure =
            proto.map_or(peer.origin.is_secure, |p| p.as_bytes().trim_ascii().eq_ignore_ascii_case(b"https"));
        let ip =
            last.map_or_else(|| peer.origin.ip.clone(), |a| crate::registry::header(&a.to_canonical().to_string()));
        Some(Self { ip, is_secure })
    }

    pub fn proto(&self) -> HeaderValue {
        HeaderValue::from_static(if self.is_secure { "https" } else { "http" })
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(said: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(said.trim_ascii()).ok()?;
    if let Ok(addr) = text.parse() {
        return Some(addr);
    }
    if let Ok(addr) = text.parse::<std::net::SocketAddr>() {
        return Some(addr.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, forwarded: &[&str], proto: Option<&str>) -> (String, bool) {
        let rules =
            ClientRules { trusted: crate::Network::list("10.0.0.0/8 fd00::/8").unwrap(), ..ClientRules::default() };
        let peer = Peer::new(format!("{peer}:1").parse().unwrap(), false, &rules);
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        if let Some(proto) = proto {
            headers.append(FORWARDED_PROTO, proto.parse().unwrap());
        }
        let origin = Origin::named(&peer, &headers, &rules).unwrap_or(peer.origin);
        (origin.ip.to_str().unwrap().to_owned(), origin.is_secure)
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_nobody_else_does() {
        for (peer, forwarded, expected) in [
            ("192.0.2.9", &["203.0.113.1"][..], "192.0.2.9"),
            ("10.0.0.1", &["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.1:4711"], "203.0.113.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["1.1.1.1, "], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("[fd00::1]", &["[2001:db8::7]:443, fd00::2"], "2001:db8::7"),
        ] {
            assert_eq!(origin(peer, forwarded, None), (expected.to_owned(), false), "{peer} {forwarded:?}");
        }
        assert!(origin("10.0.0.1", &[], Some("https")).1);
        assert!(!origin("192.0.2.9", &[], Some("https")).1);
    }
}

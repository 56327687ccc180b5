//! Host and path to route: exact host, then `*.` for one label, then any host; within a host the longest prefix on a
//! segment boundary. Paths are compared as they came, undecoded.

use std::collections::HashMap;

/// Maps to indices of the table's routes.
#[derive(Debug, Default)]
pub struct Hosts {
    exact: HashMap<Box<str>, Paths>,
    /// By the name without its `*.`.
    one_label: HashMap<Box<str>, Paths>,
    any: Paths,
}

#[derive(Debug, Default)]
struct Paths(Vec<(Box<str>, usize)>);

impl Paths {
    /// False when the prefix is taken.
    fn add(&mut self, prefix: &str, route: usize) -> bool {
        let prefix = prefix.trim_end_matches('/');
        if self.0.iter().any(|(p, _)| &**p == prefix) {
            return false;
        }
        let at = self.0.partition_point(|(p, _)| p.len() >= prefix.len());
        self.0.insert(at, (prefix.into(), route));
        true
    }

    fn find(&self, path: &str) -> Option<usize> {
        self.0.iter().find(|(prefix, _)| is_below(path, prefix)).map(|(_, route)| *route)
    }
}

/// Whether a path begins with these segments; `prefix` without a slash at its end.
pub fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Hosts {
    /// False when this host and path are another route's already.
    pub fn add(&mut self, host: Option<&str>, prefix: &str, route: usize) -> bool {
        let paths = match host {
            None => &mut self.any,
            Some(host) => match host.strip_prefix("*.") {
                Some(suffix) => self.one_label.entry(suffix.into()).or_default(),
                None => self.exact.entry(host.into()).or_default(),
            },
        };
        paths.add(prefix, route)
    }

    /// `host` is lower case, without port.
    pub fn find(&self, host: &str, path: &str) -> Option<usize> {
        // `OPTIONS *` asks about the whole host.
        let path = if path == "*" { "/" } else { path };
        if !self.exact.is_empty()
            && let Some(route) = self.exact.get(host).and_then(|p| p.find(path))
        {
            return Some(route);
        }
        if !self.one_label.is_empty()
            && let Some((label, suffix)) = host.split_once('.')
            && !label.is_empty()
            && let Some(route) = self.one_label.get(suffix).and_then(|p| p.find(path))
        {
            return Some(route);
        }
        self.any.find(path)
    }
}

/// `Shop.Example.com.:8080` to `shop.example.com`; `None` for what cannot be a host. Borrows when it can.
pub fn bare_host(authority: &str) -> Option<std::borrow::Cow<'_, str>> {
    let host = if let Some(rest) = authority.strip_prefix('[') {
        let end = rest.find(']')?;
        let port = &rest[end + 1..];
        if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        &authority[..end + 2]
    } else {
        match authority.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            Some(_) => return None,
            None => authority,
        }
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'[' | b']' | b':');
    if host.is_empty() || !host.bytes().all(plain) {
        return None;
    }
    Some(if host.bytes().any(|b| b.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() })
}

fn is_port(s: &str) -> bool {
    s.len() <= 5 && s.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_host_and_then_the_longest_prefix_wins() {
        let mut h = Hosts::default();
        for (i, (host, prefix)) in [
            (None, "/"),
            (Some("shop.example.com"), "/"),
            (Some("shop.example.com"), "/api"),
            (Some("shop.example.com"), "/api/v2/"),
            (Some("*.example.com"), "/"),
            (Some("only.example.com"), "/deep"),
        ]
        .into_iter()
        .enumerate()
        {
            assert!(h.add(host, prefix, i));
        }
        assert!(!h.add(Some("shop.example.com"), "/api/", 9), "the same prefix twice");
        let find = |host, path| h.find(host, path).unwrap();
        assert_eq!(find("shop.example.com", "/apix"), 1);
        assert_eq!(find("shop.example.com", "/api"), 2);
        assert_eq!(find("shop.example.com", "/api/v2"), 3);
        assert_eq!(find("shop.example.com", "/api/v2/x"), 3);
        assert_eq!(find("shop.example.com", "/api/v22"), 2);
        assert_eq!(find("other.example.com", "/"), 4);
        assert_eq!(find("a.b.example.com", "/"), 0);
        assert_eq!(find("example.com", "*"), 0);
        assert_eq!(find("only.example.com", "/deep/er"), 5);
        assert_eq!(find("only.example.com", "/"), 4);
    }

    #[test]
    fn hosts_are_bared_and_odd_ones_refused() {
        assert_eq!(bare_host("Shop.Example.com.:8080").unwrap(), "shop.example.com");
        assert_eq!(bare_host("[::1]:80").unwrap(), "[::1]");
        for bad in ["", ":80", "a b", "a/b", "a@b", "a:b", "a:1:2", "[::1", "[::1]x"] {
            assert_eq!(bare_host(bad), None, "{bad}");
        }
    }
}

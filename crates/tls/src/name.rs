//! The names a certificate is for, and who has the one that fits.

use std::{collections::HashMap, fmt};

/// A name of a certificate: a DNS name in lower case, or `*.` and the rest of one, which stands for one label.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<str>);

impl Name {
    /// `None` for what is no name of a host: wildcards elsewhere than in front, empty labels, foreign characters.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = text.strip_prefix("*.").unwrap_or(&text);
        let is_label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        (text.len() <= 253 && labels.split('.').all(is_label)).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// `host` in lower case.
    pub fn covers(&self, host: &str) -> bool {
        match self.0.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => host == &*self.0,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known under names. An exact name goes before a wildcard.
#[derive(Clone, Debug)]
pub struct Names<T>(HashMap<Box<str>, T>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Names<T> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn entry(&mut self, name: &Name) -> &mut T
    where
        T: Default,
    {
        self.0.entry(name.0.clone()).or_default()
    }

    /// `host` in lower case and without a dot at its end.
    pub fn find(&self, host: &str) -> Option<&T> {
        self.0.get(host).or_else(|| {
            let (label, parent) = host.split_once('.')?;
            // A host name is no longer than this; what is, has no certificate.
            let mut wildcard = [0; 256];
            let end = parent.len() + 2;
            wildcard.get_mut(..2)?.copy_from_slice(b"*.");
            wildcard.get_mut(2..end)?.copy_from_slice(parent.as_bytes());
            let wildcard = std::str::from_utf8(&wildcard[..end]).ok()?;
            (!label.is_empty()).then(|| self.0.get(wildcard)).flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hosts() {
        for good in ["a", "shop.example.com", "*.example.com", "xn--fiqs8s.cn", "Shop.Example.COM.", "_a.b"] {
            assert!(Name::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in
            ["", ".", "*", "*.", "a..b", "a.*.b", "*a.b", "-a.b", "a-.b", "a b", "a/b", "a:1", "ä.b", &long, "a\n"]
        {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label_and_gives_way_to_the_exact_name() {
        let mut names = Names::<u8>::default();
        for (n, name) in ["*.example.com", "shop.example.com"].into_iter().enumerate() {
            *names.entry(&Name::parse(name).unwrap()) = n as u8;
        }
        assert_eq!(names.find("shop.example.com"), Some(&1));
        assert_eq!(names.find("other.example.com"), Some(&0));
        for no in ["example.com", "a.b.example.com", ".example.com", "", "com", &"x.".repeat(300)] {
            assert_eq!(names.find(no), None, "{no}");
        }
        let wildcard = Name::parse("*.example.com").unwrap();
        assert!(
            wildcard.covers("a.example.com") && !wildcard.covers("example.com") && !wildcard.covers("a.b.example.com")
        );
        assert!(wildcard.is_wildcard() && Name::parse("a.b").unwrap().covers("a.b"));
    }
}

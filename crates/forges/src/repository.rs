use crate::Kind;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// Where a repository is: `https://HOST[:PORT]/GROUP/…/NAME`, without a user, a query, or anything that has to be escaped.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(Url);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRepository {
    #[error("it is no address: {0}")]
    NotAnAddress(String),
    #[error("it is neither https nor http")]
    Scheme,
    #[error("it has a user, a password, a query or a fragment in it")]
    Extra,
    #[error("its path is not GROUP/NAME in letters, digits, `.`, `_`, `-` and `~`")]
    Path,
    #[error("it is too long")]
    TooLong,
}

impl Repository {
    pub fn is_plain_http(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// As it stands in an address: IPv6 in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// The host as an address or a name.
    pub fn parsed_host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    /// `group/name`, without `.git`.
    pub fn name(&self) -> &str {
        let path = self.0.path().trim_matches('/');
        path.strip_suffix(".git").unwrap_or(path)
    }

    /// What git is given.
    pub fn fetched_from(&self) -> String {
        format!("{}/{}.git", self.origin(), self.name())
    }

    /// `https://git.example.com:8443`.
    pub fn origin(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}://{}:{port}", self.0.scheme(), self.host()),
            None => format!("{}://{}", self.0.scheme(), self.host()),
        }
    }

    /// Whether a delivery that names its repository like this is about this one.
    pub fn is_named(&self, name: &str) -> bool {
        let (own, name) = (self.name(), name.trim_matches('/'));
        // One below a path of its server is named without it.
        let tail = own.len().checked_sub(name.len()).and_then(|at| own.get(at..));
        !name.is_empty()
            && tail.is_some_and(|tail| {
                tail.eq_ignore_ascii_case(name)
                    && (tail.len() == own.len() || own[..own.len() - tail.len()].ends_with('/'))
            })
    }

    /// Where a forge of this kind answers programs.
    pub fn api(&self, kind: Kind) -> String {
        let origin = self.origin();
        match (kind, self.host()) {
            (Kind::Github, "github.com") => "https://api.github.com".into(),
            (Kind::Github, _) => format!("{origin}/api/v3"),
            (Kind::Gitlab, _) => format!("{origin}/api/v4"),
            (Kind::Gitea, _) => format!("{origin}/api/v1"),
            (Kind::Gitee, _) => format!("{origin}/api/v5"),
            (Kind::Bitbucket, "bitbucket.org") => "https://api.bitbucket.org/2.0".into(),
            (Kind::Bitbucket, _) => format!("{origin}/2.0"),
        }
    }

    /// The page of a commit.
    pub fn page_of(&self, kind: Kind, commit: &str) -> String {
        let (origin, name) = (self.origin(), self.name());
        match kind {
            Kind::Github | Kind::Gitea | Kind::Gitee => format!("{origin}/{name}/commit/{commit}"),
            Kind::Gitlab => format!("{origin}/{name}/-/commit/{commit}"),
            Kind::Bitbucket => format!("{origin}/{name}/commits/{commit}"),
        }
    }
}

impl FromStr for Repository {
    type Err = BadRepository;
    fn from_str(s: &str) -> Result<Self, BadRepository> {
        if s.len() > 400 {
            return Err(BadRepository::TooLong);
        }
        // What the parser would quietly take out or put right is no address that somebody meant.
        if s.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') || !s.is_ascii() {
            return Err(BadRepository::Path);
        }
        let url = Url::parse(s).map_err(|e| BadRepository::NotAnAddress(e.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BadRepository::Scheme);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() || s.contains('@') {
            return Err(BadRepository::Extra);
        }
        // As written, because `a/../b` and `%2e%2e` are gone once it is parsed.
        let rest = s.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let part = |p: &str| {
            !p.is_empty()
                && !p.starts_with(['.', '-'])
                && !p.ends_with(".git")
                && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~'))
        };
        if !path.split('/').all(part) || path.split('/').count() < 2 {
            return Err(BadRepository::Path);
        }
        Ok(Self(url))
    }
}
impl TryFrom<String> for Repository {
    type Error = BadRepository;
    fn try_from(s: String) -> Result<Self, BadRepository> {
        s.parse()
    }
}
impl From<Repository> for String {
    fn from(r: Repository) -> Self {
        r.to_string()
    }
}
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin(), self.name())
    }
}

use reqwest::Url;
use tradewind_model::fault::Problem;

/// Why a call gave no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server said no, and why.
    #[error("{}: {}", problem.code, problem.title)]
    Refused { problem: Box<Problem> },
    /// Nobody answered, or the answer broke off.
    #[error("no answer from {url}")]
    Unreachable { url: String, source: reqwest::Error },
    /// Something else than Tradewind answers there, such as a proxy.
    #[error("{url} answered with status {status} and no explanation")]
    NotOurs { url: String, status: u16 },
    /// An answer of another version, or of something else.
    #[error("{url} answered something unexpected")]
    Garbled { url: String, source: serde_json::Error },
    #[error("`{address}` is not a server's address: {why}")]
    BadAddress { address: String, why: String },
    /// Something that listens there is not what this machine believes it should be.
    #[error("the certificate of {url} is not believed: {why}")]
    Untrusted { url: String, why: String },
    #[error("{url} shows no certificate")]
    NothingShown { url: String, source: std::io::Error },
    #[error("the authorities cannot be used: {why}")]
    BadAuthorities { why: String },
    #[error("the token has characters no token has")]
    BadToken,
}

impl ApiError {
    /// The address without its query is kept; reqwest's own text would repeat it.
    pub(super) fn unreachable(url: &Url, source: reqwest::Error) -> Self {
        let mut shown = url.clone();
        shown.set_query(None);
        Self::Unreachable { url: shown.to_string(), source: source.without_url() }
    }

    /// What the server said, where it said something.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem } => Some(problem),
            Self::Unreachable { .. }
            | Self::NotOurs { .. }
            | Self::Garbled { .. }
            | Self::BadAddress { .. }
            | Self::Untrusted { .. }
            | Self::NothingShown { .. }
            | Self::BadAuthorities { .. }
            | Self::BadToken => None,
        }
    }

    pub fn status(&self) -> Option<u16> {
        self.problem().map(|p| p.status)
    }
}

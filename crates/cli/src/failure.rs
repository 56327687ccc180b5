//! Why a verb did not do what was asked.

use crate::{exit::Exit, faults};
use tradewind_api::ApiError;
use tradewind_model::fault::{Fault, Lang, Problem};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Fault(Fault),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("{doing}")]
    Machine { doing: String, source: std::io::Error },
    #[error("interrupted")]
    Interrupted,
    /// It goes on by itself; nobody waits for it any more.
    #[error("timed out")]
    TimedOut,
}

impl From<Fault> for Failure {
    fn from(f: Fault) -> Self {
        Self::Fault(f)
    }
}

impl Failure {
    pub fn machine(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Machine { doing, source }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Fault(_)
            | Self::Api(
                ApiError::Refused { .. }
                | ApiError::BadAddress { .. }
                | ApiError::BadToken
                | ApiError::BadAuthorities { .. },
            ) => Exit::Refused,
            Self::Api(
                ApiError::Unreachable { .. }
                | ApiError::NotOurs { .. }
                | ApiError::Untrusted { .. }
                | ApiError::NothingShown { .. },
            ) => Exit::Unreachable,
            Self::Api(ApiError::Garbled { .. }) | Self::Machine { .. } => Exit::Broken,
            Self::Interrupted => Exit::Interrupted,
            Self::TimedOut => Exit::TimedOut,
        }
    }

    /// What to tell: `None` for those that were told already. `from` names where the server's address came from.
    pub fn problem(&self, lang: Lang, from: &str) -> Option<Problem> {
        let fault = match self {
            Self::Fault(f) => f.clone(),
            Self::Api(ApiError::Refused { problem }) => return Some((**problem).clone()),
            Self::Api(ApiError::Unreachable { url, source }) => Fault::new(&faults::UNREACHABLE)
                .with("url", base(url))
                .with("reason", innermost(source))
                .with("from", from),
            Self::Api(ApiError::NotOurs { url, status }) => {
                Fault::new(&faults::NOT_TRADEWIND).with("url", base(url)).with("status", status)
            }
            Self::Api(ApiError::Garbled { url, source }) => {
                Fault::new(&faults::OTHER_VERSION).with("url", url).with("reason", source)
            }
            Self::Api(ApiError::BadAddress { address, why }) => {
                Fault::new(&faults::BAD_SERVER).with("address", address).with("reason", why)
            }
            Self::Api(ApiError::Untrusted { url, why }) => {
                Fault::new(&faults::UNTRUSTED).with("url", url).with("reason", why)
            }
            Self::Api(ApiError::NothingShown { url, source }) => {
                Fault::new(&faults::NO_CERTIFICATE).with("url", url).with("reason", innermost(source))
            }
            Self::Api(ApiError::BadAuthorities { why }) => {
                Fault::new(&faults::AUTHORITIES).with("file", "--ca").with("reason", why)
            }
            Self::Api(ApiError::BadToken) => Fault::new(&faults::BAD_TOKEN),
            Self::Machine { doing, source } => {
                Fault::new(&faults::MACHINE).with("doing", doing).with("reason", innermost(source))
            }
            Self::Interrupted | Self::TimedOut => return None,
        };
        Some(fault.problem(lang))
    }
}

/// The address a person gave, without the path of the call.
fn base(url: &str) -> &str {
    url.split("/api/v1").next().unwrap_or(url)
}

/// The cause at the bottom says most: `Connection refused (os error 111)`.
fn innermost(e: &dyn std::error::Error) -> String {
    let mut e = e;
    while let Some(next) = e.source() {
        e = next;
    }
    e.to_string()
}

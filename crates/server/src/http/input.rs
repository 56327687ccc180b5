//! Extractors that refuse in our own words.

use crate::{faults, http::Refusal};
use axum::extract::{
    FromRequest, FromRequestParts, Path, Query as RawQuery, Request,
    path::ErrorKind,
    rejection::{JsonRejection, PathRejection},
};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use tradewind_model::{fault::Fault, said, said::Said};

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refuse_body(rejection)),
        }
    }
}

fn refuse_body(rejection: JsonRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Fault::new(&faults::TOO_LARGE).with("limit", super::layers::JSON_LIMIT).into();
    }
    Fault::new(&faults::BAD_BODY).with("detail", rejection.body_text()).into()
}

/// The path's `{…}` parts, parsed into typed ids.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status().is_client_error() => Err(refuse_path(&rejection).into()),
            Err(rejection) => Err(Refusal::internal(rejection.body_text())),
        }
    }
}

/// What is no id names nothing, and is told as anything else that is not there.
fn refuse_path(rejection: &PathRejection) -> Fault {
    let kind = match rejection {
        PathRejection::FailedToDeserializePathParams(failed) => Some(failed.kind()),
        _ => None,
    };
    match kind {
        Some(ErrorKind::DeserializeError { key, value, message }) => match thing(key) {
            Some(what) => Fault::new(&faults::NO_SUCH).with("what", what).with("found", value.escape_debug()),
            None => Fault::new(&faults::BAD_PARAMETER).with("detail", message),
        },
        _ => Fault::new(&faults::BAD_PARAMETER).with("detail", rejection.body_text()),
    }
}

/// Parts of a path that are ids.
fn thing(key: &str) -> Option<Said> {
    Some(match key {
        "rollout" => said!("rollout", "发布过程"),
        "run" => said!("run", "流水线运行"),
        "job" => said!("job", "任务"),
        "freeze" => said!("freeze", "冻结"),
        "token" => said!("token", "令牌"),
        "session" => said!("session", "会话"),
        _ => return None,
    })
}

/// The query's fields.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match RawQuery::from_request_parts(parts, state).await {
            Ok(RawQuery(value)) => Ok(Self(value)),
            Err(rejection) => Err(Fault::new(&faults::BAD_PARAMETER).with("detail", rejection.body_text()).into()),
        }
    }
}

/// `?reason=`: why, for the event log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    #[serde(default)]
    reason: String,
}

impl Why {
    /// One line of what was said; empty where nothing was.
    pub fn text(&self) -> String {
        let words: String = self.reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// `?after=&limit=`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    after: Option<String>,
    limit: Option<u32>,
}

impl PageQuery {
    pub const DEFAULT: u32 = 50;
    pub const MOST: u32 = 200;

    pub fn new(after: Option<String>, limit: Option<u32>) -> Self {
        Self { after, limit }
    }

    /// Where the page before ended, as what it is.
    pub fn cursor<T: std::str::FromStr>(&self) -> Result<Option<T>, Fault> {
        let read = |c: &String| c.parse().map_err(|_| Fault::new(&faults::BAD_CURSOR).with("cursor", c.escape_debug()));
        self.after.as_ref().map(read).transpose()
    }

    /// Items a page: 1 to [`Self::MOST`].
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(Self::DEFAULT).clamp(1, Self::MOST)
    }
}

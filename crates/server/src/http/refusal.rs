//! Refusals: what is told to the caller, and what only to the log.

use crate::git::GitError;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use tradewind_control::runs::RunError;
use tradewind_model::fault::{self, Fault, Lang, Problem};
use tradewind_store::StoreError;

/// Why a request was not carried out. It becomes a response only in [`render`], where the language is known.
#[derive(Debug)]
pub enum Refusal {
    /// For the caller. At least one; further ones are a file's other faults.
    Faults(Vec<Fault>),
    /// A defect or a failure of the machine: logged whole, shown as a request id.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Refusal {
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    fn status(&self) -> StatusCode {
        let code = match self {
            Self::Faults(all) => all.first().map_or(500, |f| f.code.status),
            Self::Internal(_) => 500,
        };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As one value; `request` stands in for what is not shown.
    pub fn problem(&self, lang: Lang, request: &str) -> Problem {
        let internal = || Fault::new(&crate::faults::INTERNAL).with("request", request);
        match self {
            Self::Faults(all) => {
                let mut told = all.iter().map(|f| f.problem(lang));
                let mut first = told.next().unwrap_or_else(|| internal().problem(lang));
                first.more = told.collect();
                first
            }
            Self::Internal(_) => internal().problem(lang),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(f: Fault) -> Self {
        Self::Faults(vec![f])
    }
}

/// What a caller can do something about is told; damage and defects of ours only to the log.
impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        let fault = e.fault();
        match fault.code.status {
            500 => Self::internal(e),
            _ => fault.into(),
        }
    }
}

impl From<tradewind_control::Error> for Refusal {
    fn from(e: tradewind_control::Error) -> Self {
        match e {
            tradewind_control::Error::Refused(fault) => (*fault).into(),
            tradewind_control::Error::Store(e) => e.into(),
        }
    }
}

impl From<RunError> for Refusal {
    fn from(e: RunError) -> Self {
        match e {
            RunError::Refused(faults) => Self::Faults(faults),
            RunError::Store(e) => e.into(),
        }
    }
}

impl From<GitError> for Refusal {
    fn from(e: GitError) -> Self {
        Self::internal(e)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(e: std::io::Error) -> Self {
        Self::internal(e)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// How a refusal is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// `application/problem+json`.
    Problem,
    /// Plain text: git shows the body of a refusal only when it is that.
    Text,
}

/// Gives a refusal its body. Other responses pass unchanged.
pub fn render(mut response: Response, lang: Lang, manner: Manner, request: &str) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Arc<Refusal>>() else { return response };
    if let Refusal::Internal(source) = &*refusal {
        tracing::error!(request, error = %fault::chain(source.as_ref()), "internal error");
    }
    let problem = refusal.problem(lang, request);
    let (kind, body) = match manner {
        Manner::Problem => ("application/problem+json", serde_json::to_vec(&problem).unwrap_or_default()),
        Manner::Text => ("text/plain; charset=utf-8", text(&problem).into_bytes()),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = body.into();
    response
}

/// Lines for a terminal: where, code and sentence, then what to do; for every fault of the file.
pub fn text(problem: &Problem) -> String {
    let mut out = String::new();
    for p in std::iter::once(problem).chain(&problem.more) {
        if let Some(at) = &p.at {
            out.push_str(&format!("{at}: "));
        }
        out.push_str(&format!("{}: {}\n  -> {}\n", p.code, p.title, p.fix));
    }
    out
}

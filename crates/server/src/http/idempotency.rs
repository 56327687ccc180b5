//! A POST that is sent twice under one `Idempotency-Key` is done once and answered twice alike.
//!
//! It is never done a second time on a guess: where the server died between doing and noting the answer, a repeat is
//! told that it may have been done ([`faults::CUT_OFF`]).

use super::Refusal;
use crate::{App, auth::Caller, faults};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tradewind_model::{
    fault::{self, Fault},
    id::Digest,
};
use tradewind_store::{
    StoreError, Tx,
    rows::idempotency::{self, Admission, Request as Noted},
    transact,
};

/// Requests of this process that are being worked on.
#[derive(Clone, Default, Debug)]
pub struct UnderWay(Arc<Mutex<HashSet<(String, String)>>>);

impl UnderWay {
    /// None while this process works on a request of that name.
    fn begin(&self, noted: &Noted) -> Option<Working> {
        let pair = (noted.actor.clone(), noted.key.clone());
        let new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pair.clone());
        new.then(|| Working { all: self.clone(), pair })
    }
}

/// Dropped also when the work panics.
struct Working {
    all: UnderWay,
    pair: (String, String),
}

impl Drop for Working {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.pair);
    }
}

/// What the layer knows of its route.
#[derive(Clone)]
pub struct Rule {
    pub app: App,
    /// False where the answer holds a secret.
    pub keep_answer: bool,
    /// What is noted of it may draw on the room set aside on a full disk, as the work itself does.
    pub urgent: bool,
}

impl Rule {
    fn mark(&self, tx: &mut Tx) {
        if self.urgent {
            tx.urgent();
        }
    }
}

/// The layer. Work goes on when the caller goes away, so that an answer is there when they ask again.
pub async fn once(State(rule): State<Rule>, request: Request, next: Next) -> Response {
    let tasks = rule.app.tasks.clone();
    let work = tasks.spawn(async move {
        match keyed(&rule, request, next).await {
            Ok(answer) => answer,
            Err(refusal) => refusal.into_response(),
        }
    });
    match work.await {
        Ok(answer) => answer,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Refusal::from(Fault::new(&faults::STOPPING)).into_response(),
        },
    }
}

async fn keyed(rule: &Rule, request: Request, next: Next) -> Result<Response, Refusal> {
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(next.run(request).await) };
    let detail = "Idempotency-Key: expected 1 to 128 visible characters";
    let key = key.to_str().ok().filter(|k| (1..=128).contains(&k.len()));
    let key = key.ok_or_else(|| Fault::new(&faults::BAD_PARAMETER).with("detail", detail))?.to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let caller = request.extensions().get::<Caller>().map_or_else(|| "anyone".into(), Caller::key);

    let path = request.uri().path().to_owned();
    let (head, body) = request.into_parts();
    let limited = http_body_util::Limited::new(body, super::layers::JSON_LIMIT);
    let too_large = || Fault::new(&faults::TOO_LARGE).with("limit", super::layers::JSON_LIMIT);
    let body = limited.collect().await.map_err(|_| too_large())?.to_bytes();
    let hash = Digest::of(&[path.as_bytes(), b"\n", &body].concat());
    let noted = Noted { actor: caller, key, route: format!("POST {route}"), hash };
    let request = Request::from_parts(head, body.into());

    let store = rule.app.store.clone();
    let working = rule.app.under_way.begin(&noted).ok_or_else(|| Fault::new(&faults::STILL_WORKING))?;
    let admission: Result<_, StoreError> = transact!(store, tx => {
        rule.mark(tx);
        idempotency::begin(tx, &noted, Duration::MAX).await
    });
    match admission {
        Ok(Admission::New) => {}
        // Nothing blocks the way back, not even that its key cannot be noted.
        Err(StoreError::Full(_)) if rule.urgent => {
            tracing::warn!("the disk is full: a request's key is not noted");
            return Ok(next.run(request).await);
        }
        Err(e) => return Err(e.into()),
        Ok(Admission::Done { status, response }) if rule.keep_answer => return Ok(replay(status, response)),
        Ok(Admission::Done { .. }) => return Err(Fault::new(&faults::ANSWER_NOT_KEPT).into()),
        Ok(Admission::InProgress) => return Err(Fault::new(&faults::CUT_OFF).into()),
        Ok(Admission::Mismatch) => return Err(Fault::new(&faults::REPEATED_DIFFERENTLY).into()),
    }
    let answer = next.run(request).await;
    let answer = note(rule, &noted, answer).await;
    drop(working);
    answer
}

/// What was done is answered for even where it cannot be noted.
async fn note(rule: &Rule, noted: &Noted, answer: Response) -> Result<Response, Refusal> {
    let store = rule.app.store.clone();
    if !answer.status().is_success() {
        let forgotten: Result<(), StoreError> = transact!(store, tx => {
            rule.mark(tx);
            idempotency::forget(tx, noted).await
        });
        tell_of(forgotten);
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(Refusal::internal)?.to_bytes();
    let kept = if rule.keep_answer { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
    let status = head.status.as_u16();
    let finished: Result<(), StoreError> = transact!(store, tx => {
        rule.mark(tx);
        idempotency::finish(tx, noted, status, &kept).await
    });
    tell_of(finished);
    Ok(Response::from_parts(head, body.into()))
}

fn tell_of(noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        tracing::warn!(error = %fault::chain(&error), "an answer is not kept for repeats");
    }
}

fn replay(status: u16, response: String) -> Response {
    let mut answer = Response::new(response.into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    answer
}

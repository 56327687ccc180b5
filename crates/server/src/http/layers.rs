//! What goes round every request, from the outside in: an id, a span, the language and the last word on panics; then,
//! a route each, the permission, the size of the body, the key of a repeated POST, the tag of a GET.

use super::{
    Refusal, precondition,
    refusal::{self, Manner as Writing},
    route::{Manner, Permission, Route},
};
use crate::{
    App,
    auth::{Caller, permit::Ask},
    console, faults,
    http::{idempotency, sse},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequestParts, RawPathParams, Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use std::panic::AssertUnwindSafe;
use tracing::Instrument as _;
use tradewind_control::ctx::Asker;
use tradewind_model::fault::{Fault, Lang};

/// Bytes of a JSON request.
pub const JSON_LIMIT: usize = 256 << 10;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the rest of a request may want to know of itself.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    pub id: String,
    pub lang: Lang,
}

/// For use cases: who asks, and the request that every event names as its cause. Handlers take it as an argument.
#[derive(Clone, Debug)]
pub struct Asked(pub Asker);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let cause = parts.extensions.get::<RequestInfo>().map(|info| format!("request/{}", info.id));
        Ok(Self(caller.asker(cause)))
    }
}

/// The router of all routes, with everything that goes round them.
pub fn router(app: &App, routes: Vec<Route>) -> Router {
    let mut router = Router::new();
    for route in routes {
        let mut handler = route.handler;
        // What was put is what is read from then on: its tag is one to go on with.
        if matches!(route.method, Method::GET | Method::PUT) && route.manner == Manner::Json {
            handler = handler.layer(from_fn(tag));
        }
        if route.method == Method::POST && route.doc.keyed && route.manner != Manner::Stream {
            let keep_answer = route.manner == Manner::Json;
            let rule = idempotency::Rule { app: app.clone(), keep_answer, urgent: route.urgent };
            handler = handler.layer(from_fn_with_state(rule, idempotency::once));
        }
        handler = match route.manner {
            Manner::Json | Manner::Secret => handler.layer(DefaultBodyLimit::max(JSON_LIMIT)),
            Manner::Stream => handler.layer(DefaultBodyLimit::disable()),
        };
        handler = handler.layer(from_fn_with_state((app.clone(), route.permission), permit));
        router = router.route(route.path, handler);
    }
    router
        .fallback(console::serve)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn(around))
        .with_state(app.clone())
}

async fn no_method(request: Request) -> Refusal {
    Fault::new(&faults::NO_METHOD).with("method", request.method()).with("path", request.uri().path()).into()
}

async fn around(mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let lang =
        request.headers().get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).map_or(Lang::En, Lang::parse);
    let writing = if request.uri().path().starts_with("/git/") { Writing::Text } else { Writing::Problem };
    request.extensions_mut().insert(RequestInfo { id: id.clone(), lang });
    // The path only: a query could carry what somebody mistook for a place of a secret.
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let humdrum = is_humdrum(request.uri().path());
    let began = tokio::time::Instant::now();
    let answer = AssertUnwindSafe(next.run(request).instrument(span.clone())).catch_unwind().await;
    let answer = answer.unwrap_or_else(|panic| Refusal::internal(panic_text(&*panic)).into_response());
    span.in_scope(|| {
        let mut answer = refusal::render(answer, lang, writing, &id);
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let status = answer.status().as_u16();
        if humdrum {
            tracing::debug!(status, took_us, "answered");
        } else {
            tracing::info!(status, took_us, "answered");
        }
        let headers = answer.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, value);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
        answer
    })
}

/// What comes many times a second from machines is not for everybody's log.
fn is_humdrum(path: &str) -> bool {
    path == "/healthz" || path.starts_with("/api/v1/agent/")
}

/// The caller's own id for a request is kept when it is harmless in a log.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok());
    let harmless = |s: &&str| (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    given.filter(harmless).map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "of unknown kind".into()))
}

async fn permit(State((app, permission)): State<(App, Permission)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // Of a path that matched, there are always some, if none.
    let named = RawPathParams::from_request_parts(&mut parts, &app).await;
    let named = named.iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let ask = Ask { permission, method: parts.method.clone(), headers: parts.headers.clone(), parts: named };
    match ask.admit(&app).await {
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Ok(Some(caller)) => {
            tracing::debug!(caller = caller.name, "permitted");
            parts.extensions.insert(caller);
            let answer = next.run(Request::from_parts(parts, body)).await;
            if !sse::is_one(&answer) {
                return answer;
            }
            // One that lasts ends with what allowed it.
            let ended = ask.until_refused(app);
            answer.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(ended))))
        }
        Err(refusal) => {
            let mut answer = refusal.into_response();
            if answer.status() == StatusCode::UNAUTHORIZED {
                let basic = matches!(permission, Permission::Git(_));
                let challenge = if basic { r#"Basic realm="Tradewind", charset="UTF-8""# } else { "Bearer" };
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            answer
        }
    }
}

/// Gives a JSON answer an entity tag, and answers 304 to who has it already.
async fn tag(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).filter(|_| request.method() == Method::GET).cloned();
    let answer = next.run(request).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) => return Refusal::internal(e).into_response(),
    };
    let tag = precondition::tag_of(&bytes);
    let same = known.and_then(|k| k.to_str().map(|k| precondition::names(k, &tag, true)).ok()).unwrap_or(false);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        head.headers.insert(header::ETAG, value);
    }
    if same {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, bytes.into())
}

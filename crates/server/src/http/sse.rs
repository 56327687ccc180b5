//! Server-sent events.

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use std::{convert::Infallible, time::Duration};
use tokio_util::sync::CancellationToken;
use tradewind_model::fault::Problem;

/// A word at least this often, so that both ends notice a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// One message to a follower.
#[derive(Debug)]
pub enum Update<T> {
    /// `id` is where a follower resumes who has seen this.
    Data { id: Option<String>, data: T },
    /// Nothing more will come.
    End,
    /// It cannot go on; the follower is told why and does not come back.
    Problem(Box<Problem>),
}

/// A response that ends with the stream, or when the server stops: a follower then reconnects and resumes.
pub fn respond<T: Serialize + Send + 'static>(
    updates: impl Stream<Item = Update<T>> + Send + 'static,
    stop: CancellationToken,
) -> Response {
    let events = updates.map(|u| Ok::<_, Infallible>(event(u)));
    // Said at once, so that the head is on its way before the first event.
    let hello = stream::iter([Ok(Event::default().comment("follow"))]);
    let events = hello.chain(events).take_until(stop.cancelled_owned());
    let mut answer = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    answer.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    answer
}

/// Whether an answer is a stream of events.
pub fn is_one(answer: &Response) -> bool {
    let kind = answer.headers().get(http::header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn event<T: Serialize>(update: Update<T>) -> Event {
    match update {
        Update::Data { id, data } => {
            let event = Event::default().data(serde_json::to_string(&data).unwrap_or_default());
            match id {
                Some(id) => event.id(id),
                None => event,
            }
        }
        Update::End => Event::default().event("end").data("{}"),
        Update::Problem(p) => Event::default().event("problem").data(serde_json::to_string(&p).unwrap_or_default()),
    }
}

/// What a resuming follower has seen last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastEventId(pub Option<String>);

impl<S: Sync> axum::extract::FromRequestParts<S> for LastEventId {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned)))
    }
}

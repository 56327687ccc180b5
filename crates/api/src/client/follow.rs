use super::{
    ApiError, Client, Repeat,
    sse::{Message, Parser},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Method, Url, header::ACCEPT};
use serde::de::DeserializeOwned;
use std::{collections::VecDeque, fmt, marker::PhantomData, pin::Pin, time::Duration};

/// The server says something at least every 10 seconds; after this long without a word the connection is dead.
const SILENCE: Duration = Duration::from_secs(35);

type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// A stream of updates that resumes where it broke off.
///
/// Connections that break are opened again, with the last event's id, for as long as the client's patience lasts each
/// time. It ends when the server says that nothing more will come.
pub struct Follow<T> {
    client: Client,
    url: Url,
    body: Option<Body>,
    parser: Parser,
    ready: VecDeque<Message>,
    done: bool,
    item: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Follow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Follow<T> {
    pub(super) fn new(client: Client, url: Url, last_id: Option<String>) -> Self {
        let parser = Parser::behind(last_id);
        Self { client, url, body: None, parser, ready: VecDeque::new(), done: false, item: PhantomData }
    }

    /// Where a later stream would resume: the id of the last event.
    pub fn last_id(&self) -> Option<&str> {
        self.parser.last_id.as_deref()
    }

    /// The next update; none after the last one. An error is the last item. Safe to drop between calls and in one.
    pub async fn next(&mut self) -> Option<Result<T, ApiError>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return self.read(&message);
            }
            if self.done {
                return None;
            }
            if let Err(e) = self.fill().await {
                self.done = true;
                return Some(Err(e));
            }
        }
    }

    fn read(&mut self, message: &Message) -> Option<Result<T, ApiError>> {
        let garbled = |source| ApiError::Garbled { url: self.url.to_string(), source };
        let item = match message.event.as_str() {
            "end" => {
                self.done = true;
                return None;
            }
            "problem" => {
                self.done = true;
                match serde_json::from_str(&message.data) {
                    Ok(problem) => Err(ApiError::Refused { problem: Box::new(problem) }),
                    Err(e) => Err(garbled(e)),
                }
            }
            _ => serde_json::from_str(&message.data).map_err(garbled),
        };
        self.done |= item.is_err();
        Some(item)
    }

    /// Waits for bytes, on a new connection where the old one ended.
    async fn fill(&mut self) -> Result<(), ApiError> {
        if self.body.is_none() {
            let connecting = connect(self.client.clone(), self.url.clone(), self.parser.last_id.clone());
            self.body = Some(connecting.await?);
        }
        let Some(body) = &mut self.body else { return Ok(()) };
        match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(Some(Ok(bytes))) => self.parser.push(&bytes, &mut self.ready),
            Ok(Some(Err(_)) | None) | Err(_) => {
                self.body = None;
                // Half a message of a dead connection is not a part of the next one.
                self.parser = Parser::behind(self.parser.last_id.take());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

/// Owns what it needs: a future that borrowed the stream's bodies could not move between threads.
async fn connect(client: Client, url: Url, last_id: Option<String>) -> Result<Body, ApiError> {
    let send = || {
        let request = client.http.request(Method::GET, url.clone()).headers(client.headers());
        let request = request.header(ACCEPT, "text/event-stream, application/problem+json");
        match &last_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        }
    };
    let answer = client.attempt(&url, Repeat::Always, send).await?;
    Ok(Box::pin(answer.bytes_stream()))
}

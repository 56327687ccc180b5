//! Bodies on their way through: a request's with its limit and its fate, a response's with what it holds until its end.

use super::{
    exchange::Exchange,
    peer::{Peer, Turn},
    rate::Rate,
};
use crate::clients::ClientRules;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

/// What became of a request's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Going,
    Whole,
    /// The client broke off.
    Broken,
    /// More than the route's `max_body_bytes`.
    TooLarge,
    /// Less than the least it has to come with.
    TooSlow,
}

/// Seen from outside while the connection sends the body.
#[derive(Debug, Default)]
pub struct Watch {
    fate: AtomicU8,
    bytes: AtomicU64,
}

impl Watch {
    pub fn fate(&self) -> Fate {
        match self.fate.load(Relaxed) {
            0 => Fate::Going,
            1 => Fate::Whole,
            2 => Fate::Broken,
            3 => Fate::TooLarge,
            _ => Fate::TooSlow,
        }
    }
    fn set(&self, fate: Fate) {
        self.fate.store(fate as u8, Relaxed);
    }
    /// Grows while the client sends.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}

/// A request's body as it goes to an instance. Those without one (most) carry no watch.
pub struct RequestBody(Option<Box<Watched>>);

struct Watched {
    inner: Incoming,
    left: u64,
    rate: Option<Rate>,
    watch: Arc<Watch>,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than the route takes")]
    TooLarge,
    #[error("the body comes too slowly")]
    TooSlow,
    #[error("the body broke off")]
    Broken(#[from] hyper::Error),
}

impl RequestBody {
    /// Without a limit until it is given one.
    pub fn new(inner: Incoming, rules: &ClientRules) -> (Self, Option<Arc<Watch>>) {
        if inner.is_end_stream() {
            return (Self(None), None);
        }
        let watch = Arc::new(Watch::default());
        let rate = (rules.min_body_rate > 0).then(|| Rate::new(rules.min_body_rate, rules.body_window));
        (Self(Some(Box::new(Watched { inner, left: u64::MAX, rate, watch: watch.clone() }))), Some(watch))
    }

    pub fn limit(&mut self, max_bytes: u64) {
        if let Some(watched) = &mut self.0 {
            watched.left = max_bytes;
        }
    }

    /// Waits for the end of a body that is said to be empty. False when it is not, or breaks off.
    pub async fn ends_empty(&mut self) -> bool {
        loop {
            match poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await {
                None => return true,
                Some(Ok(frame)) if frame.data_ref().is_none_or(Bytes::is_empty) => {}
                Some(_) => return false,
            }
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(this) = &mut self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        if let Some(rate) = &mut this.rate {
            match &polled {
                Poll::Ready(frame) => {
                    let data = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref());
                    rate.came(data.map_or(0, |d| d.len() as u64));
                }
                Poll::Pending => {
                    ready!(rate.poll_waiting(cx));
                    this.watch.set(Fate::TooSlow);
                    return Poll::Ready(Some(Err(BodyError::TooSlow)));
                }
            }
        }
        let frame = match ready!(polled) {
            None => {
                this.watch.set(Fate::Whole);
                return Poll::Ready(None);
            }
            Some(Err(e)) => {
                this.watch.set(Fate::Broken);
                return Poll::Ready(Some(Err(e.into())));
            }
            Some(Ok(frame)) => frame,
        };
        if let Some(data) = frame.data_ref() {
            let n = data.len() as u64;
            let Some(left) = this.left.checked_sub(n) else {
                this.watch.set(Fate::TooLarge);
                return Poll::Ready(Some(Err(BodyError::TooLarge)));
            };
            this.left = left;
            this.watch.bytes.fetch_add(n, Relaxed);
        }
        if this.inner.is_end_stream() {
            this.watch.set(Fate::Whole);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|w| w.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |w| w.inner.size_hint())
    }
}

/// What the edge answers with, and to whom.
pub struct ResponseBody {
    source: Source,
    peer: Option<Arc<Peer>>,
}

/// A page of its own, or an instance's body.
enum Source {
    Page(Bytes),
    Instance { body: Incoming, exchange: Option<Exchange> },
}

impl ResponseBody {
    pub fn page(page: Bytes) -> Self {
        Self { source: Source::Page(page), peer: None }
    }

    pub fn empty() -> Self {
        Self::page(Bytes::new())
    }

    /// A page of the edge's own.
    pub fn is_ours(&self) -> bool {
        matches!(self.source, Source::Page(_))
    }

    /// From now on the connection is told whose turn it is.
    pub fn to(&mut self, peer: Arc<Peer>) {
        self.peer = Some(peer);
    }

    pub fn instance(body: Incoming, exchange: Exchange) -> Self {
        let exchange = if body.is_end_stream() {
            exchange.ended();
            None
        } else {
            Some(exchange)
        };
        Self { source: Source::Instance { body, exchange }, peer: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = self.source.poll_frame(cx);
        if let Some(peer) = &self.peer {
            peer.pass(if frame.is_pending() { Turn::Instance } else { Turn::Client });
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Page(page) => page.is_empty(),
            Source::Instance { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Page(page) => SizeHint::with_exact(page.len() as u64),
            Source::Instance { body, .. } => body.size_hint(),
        }
    }
}

/// Once nothing more is read of it, also when nothing ever was: the answer to a `HEAD`.
impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let Some(peer) = &self.peer {
            peer.pass(Turn::Nobody);
        }
    }
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Self::Page(page) if page.is_empty() => Poll::Ready(None),
            Self::Page(page) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(page))))),
            Self::Instance { body, exchange } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                match &frame {
                    Some(Ok(data)) => {
                        if let (Some(exchange), Some(data)) = (exchange.as_mut(), data.data_ref()) {
                            exchange.sent(data.len());
                        }
                        // The server stops asking once the last byte of a known length came.
                        if body.is_end_stream()
                            && let Some(exchange) = exchange.take()
                        {
                            exchange.ended();
                        }
                    }
                    Some(Err(_)) => {
                        if let Some(exchange) = exchange.take() {
                            exchange.broke();
                        }
                    }
                    None => {
                        if let Some(exchange) = exchange.take() {
                            exchange.ended();
                        }
                    }
                }
                Poll::Ready(frame)
            }
        }
    }
}

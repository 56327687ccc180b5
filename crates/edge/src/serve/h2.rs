//! HTTP/2 on a client connection: many requests at once, each with a patience of its own.
//!
//! What a client can do to one stream it can do to a hundred on one connection: open it and take nothing, open it and
//! reset it at once. So streams are watched one by one, and a connection of which most streams are reset is left.

use super::{MAX_HEAD, gathered::Gathered, patience, unsent};
use crate::{
    clients::ClientRules,
    proxy::{
        Proxy,
        peer::{Peer, Turn},
    },
};
use hyper::{rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    os::fd::RawFd,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::AbortHandle,
    time::{MissedTickBehavior, interval_at},
};

/// Requests at once on one connection.
const MAX_STREAMS: u32 = 128;
/// What a client may send before the instance has taken some of it.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// What is held of an answer for a client that does not take it.
const SEND_BUFFER: usize = 64 << 10;
/// A connection that says nothing for this long is asked whether it is there, and has as long again.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_LIMIT: Duration = Duration::from_secs(20);
/// While other streams of its connection move, a stream may stand still for this many times a client's stall.
const BESIDE_OTHERS: u32 = 5;
/// Streams that a client may reset before it matters how many it did not.
const RESETS: u64 = 200;

/// `socket` is the one below `stream`.
pub async fn serve<S>(proxy: Arc<Proxy>, stream: S, socket: RawFd, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let began = Instant::now();
    let streams = Streams(Arc::default());
    let service = {
        let (proxy, streams) = (proxy.clone(), streams.clone());
        service_fn(move |request| {
            let peer = Arc::new(peer.stream());
            streams.announce(peer.clone());
            Box::pin(proxy.clone().handle(peer, request))
        })
    };
    let gathered = Gathered::new(stream);
    let connection = http2::Builder::new(streams.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEAD as u32)
        .enable_connect_protocol()
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_LIMIT)
        .serve_connection(TokioIo::new(gathered.clone()), service);
    let mut connection = pin!(gathered.around(connection));
    let every = proxy.rules.look_every();
    let mut look = interval_at((began + every).into(), every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut idle = Idle::new(began);
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            // Streams that were opened are served; the client opens others elsewhere, and knows which were not seen here.
            () = proxy.retired.cancelled(), if !told => {
                told = true;
                connection.as_mut().inner().graceful_shutdown();
            }
            _ = look.tick() => {
                let now = Instant::now();
                let open = streams.look(unsent(socket), proxy.rules.stall, now);
                if streams.are_mostly_reset() {
                    return;
                }
                match idle.look(open, streams.began(), &proxy.rules, now) {
                    patience::Verdict::Fine => {}
                    patience::Verdict::Close => connection.as_mut().inner().graceful_shutdown(),
                    patience::Verdict::Leave => return,
                }
            }
        }
    }
}

/// What a connection without a stream may take its time with.
struct Idle {
    since: Instant,
    /// Streams it ever had.
    streams: u64,
    closing: Option<Instant>,
}

impl Idle {
    fn new(began: Instant) -> Self {
        Self { since: began, streams: 0, closing: None }
    }

    fn look(&mut self, open: usize, streams: u64, rules: &ClientRules, now: Instant) -> patience::Verdict {
        if open > 0 || streams != self.streams {
            (self.since, self.streams) = (now, streams);
            if open > 0 {
                return patience::Verdict::Fine;
            }
        }
        if self.closing.is_some_and(|c| now - c >= rules.stall) {
            return patience::Verdict::Leave;
        }
        let limit = if streams == 0 { rules.first_head } else { rules.keep_alive };
        if now - self.since < limit {
            return patience::Verdict::Fine;
        }
        self.closing.get_or_insert(now);
        patience::Verdict::Close
    }
}

/// The streams of one connection. It is also what runs them: hyper hands over each right after its request, and to end
/// the task is to reset the stream.
#[derive(Clone)]
struct Streams(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Of the request whose task comes next.
    announced: Option<Arc<Peer>>,
    places: Vec<Option<Stream>>,
    free: Vec<usize>,
    /// Streams that left HTTP.
    tunnels: usize,
    began: u64,
    ended: u64,
    reset: u64,
    unsent: i32,
}

struct Stream {
    peer: Arc<Peer>,
    task: Option<AbortHandle>,
    handed: u32,
    /// Since when nothing of it was taken.
    since: Option<Instant>,
    /// The same, but for what the connection as a whole took.
    still: Option<Instant>,
}

impl Streams {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, peer: Arc<Peer>) {
        self.inner().announced = Some(peer);
    }

    fn began(&self) -> u64 {
        self.inner().began
    }

    fn are_mostly_reset(&self) -> bool {
        let inner = self.inner();
        inner.reset > RESETS && inner.reset > inner.ended
    }

    /// Ends the streams of which nothing is taken; how many are open.
    fn look(&self, unsent: i32, stall: Duration, now: Instant) -> usize {
        let mut inner = self.inner();
        let moves = unsent != std::mem::replace(&mut inner.unsent, unsent);
        let mut stalled = Vec::new();
        for stream in inner.places.iter_mut().flatten() {
            if stream.is_stalled(moves, stall, now) {
                stalled.extend(stream.task.take());
            }
        }
        let open = inner.places.len() - inner.free.len() + inner.tunnels;
        drop(inner);
        stalled.iter().for_each(AbortHandle::abort);
        open
    }
}

impl Stream {
    fn is_stalled(&mut self, connection_moves: bool, stall: Duration, now: Instant) -> bool {
        let handed = self.peer.handed();
        if self.peer.turn() != Turn::Client || handed != self.handed {
            (self.handed, self.since, self.still) = (handed, None, None);
            return false;
        }
        if connection_moves {
            self.since = None;
        }
        let since = |mark: &mut Option<Instant>| now - *mark.get_or_insert(now);
        since(&mut self.since) >= stall || since(&mut self.still) >= stall * BESIDE_OTHERS
    }
}

/// Ends with the task of its stream.
struct Place {
    streams: Streams,
    at: usize,
    whole: bool,
}

impl Place {
    fn leave(mut self, whole: bool) {
        self.whole = whole;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.streams.inner();
        inner.places[self.at] = None;
        inner.free.push(self.at);
        match self.whole {
            true => inner.ended += 1,
            false => inner.reset += 1,
        }
    }
}

struct Tunnel(Streams);

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.0.inner().tunnels -= 1;
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let mut inner = self.inner();
        let Some(peer) = inner.announced.take() else {
            inner.tunnels += 1;
            drop(inner);
            let tunnel = Tunnel(self.clone());
            drop(tokio::spawn(async move {
                let _tunnel = tunnel;
                task.await;
            }));
            return;
        };
        let stream = Stream { handed: peer.handed(), peer: peer.clone(), task: None, since: None, still: None };
        let at = match inner.free.pop() {
            Some(at) => {
                inner.places[at] = Some(stream);
                at
            }
            None => {
                inner.places.push(Some(stream));
                inner.places.len() - 1
            }
        };
        inner.began += 1;
        drop(inner);
        let place = Place { streams: self.clone(), at, whole: false };
        let running = tokio::spawn(async move {
            task.await;
            place.leave(peer.turn() == Turn::Nobody);
        });
        // It has not run yet: this thread is the one to run it.
        if let Some(stream) = &mut self.inner().places[at] {
            stream.task = Some(running.abort_handle());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(60);

    /// When it is given up, looked at every five seconds.
    fn given_up(stream: &mut Stream, moves: bool) -> Option<u64> {
        let began = Instant::now();
        (0..1_000).step_by(5).find(|s| stream.is_stalled(moves, STALL, began + Duration::from_secs(*s)))
    }

    fn stream() -> Stream {
        let peer = Arc::new(Peer::new(([127, 0, 0, 1], 1).into(), true, &Default::default()));
        peer.pass(Turn::Client);
        Stream { handed: peer.handed(), peer, task: None, since: None, still: None }
    }

    #[test]
    fn a_stream_that_stands_still_is_given_up_sooner_where_nothing_else_moves() {
        assert_eq!(given_up(&mut stream(), false), Some(60));
        assert_eq!(given_up(&mut stream(), true), Some(300));
        let mut waits = stream();
        waits.peer.pass(Turn::Instance);
        assert_eq!(given_up(&mut waits, false), None, "the instance may take its time");
    }

    #[test]
    fn a_connection_without_streams_is_closed_and_then_left() {
        let (began, rules) = (Instant::now(), ClientRules::default());
        let mut idle = Idle::new(began);
        let mut look = |s, open, streams| idle.look(open, streams, &rules, began + Duration::from_secs(s));
        assert_eq!(look(25, 0, 0), patience::Verdict::Fine);
        assert_eq!(look(29, 1, 1), patience::Verdict::Fine);
        assert_eq!(look(200, 1, 1), patience::Verdict::Fine, "an answer may take long");
        assert_eq!(look(274, 0, 1), patience::Verdict::Fine);
        assert_eq!(look(275, 0, 1), patience::Verdict::Close);
        assert_eq!(look(334, 0, 1), patience::Verdict::Close);
        assert_eq!(look(335, 0, 1), patience::Verdict::Leave);
        let mut silent = Idle::new(began);
        assert_eq!(silent.look(0, 0, &rules, began + Duration::from_secs(30)), patience::Verdict::Close);
    }
}

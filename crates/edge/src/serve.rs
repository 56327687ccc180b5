//! A serving thread: accepts client connections and speaks HTTP/1.1 on them.
//!
//! Each thread has a runtime of its own and accepts from the same sockets: a connection, its requests and the
//! upstream connections it uses stay on one core, and nothing on their way is shared but counters and the table.

use crate::proxy::{
    Proxy,
    peer::{Peer, Turn},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

/// A connection without a request for this long is closed; so is one that has not sent its first head whole.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const FIRST_HEAD: Duration = Duration::from_secs(30);
/// The same in a worker that retires.
const KEEP_ALIVE_RETIRING: Duration = Duration::from_secs(10);
/// How often connections are looked at.
const LOOK: Duration = Duration::from_secs(5);
const LOOK_MIN: Duration = Duration::from_millis(10);
/// A request's head may be this large, and its line and fields with it.
const MAX_HEAD: usize = 64 << 10;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until `stop`; connections go on for as long as the runtime does.
pub async fn accept(proxy: Arc<Proxy>, listener: std::net::TcpListener, stop: CancellationToken) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                drop(tokio::spawn(serve(proxy.clone(), stream, peer)));
            }
            // The client went away between its connection and now.
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            Err(error) => {
                // Out of files, mostly: connections wait in the backlog until some are closed.
                tracing::warn!(%error, "cannot accept connections for the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(proxy: Arc<Proxy>, stream: TcpStream, addr: SocketAddr) {
    let _busy = proxy.activity.connection();
    drop(stream.set_nodelay(true));
    let socket = stream.as_raw_fd();
    let peer = Arc::new(Peer::new(addr, "http"));
    let began = Instant::now();
    let service = {
        let (proxy, peer) = (proxy.clone(), peer.clone());
        service_fn(move |request| {
            let answer = proxy.clone().handle(peer.clone(), request);
            async move { Ok::<_, Infallible>(answer.await) }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Looked after below, for all phases of a connection at once and without a timer per request.
        .header_read_timeout(None)
        // Answers are small, mostly: one buffer costs less than a list of them.
        .writev(false)
        .max_header_size(MAX_HEAD)
        .max_buf_size(2 * MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let every = LOOK.min(proxy.client_stall / 4).max(LOOK_MIN);
    let mut look = interval_at((began + every).into(), every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut patience = Patience::new(began);
    loop {
        tokio::select! {
            biased;
            // Broken connections are the client's affair; what was in flight on them counted itself.
            _ = connection.as_mut() => return,
            // The connection is not over, so it still owns the socket.
            _ = look.tick() => match patience.look(&proxy, &peer, unsent(socket), Instant::now()) {
                Verdict::Fine => {}
                // An answer under way is finished first.
                Verdict::Close => connection.as_mut().graceful_shutdown(),
                Verdict::Leave => return,
            },
        }
    }
}

/// Bytes that the client's side has not acknowledged.
fn unsent(socket: RawFd) -> i32 {
    let mut bytes: i32 = 0;
    // SAFETY: the request writes one `int` to where it is told to. A descriptor that is none any more is an error.
    let _ = unsafe { libc::ioctl(socket, libc::TIOCOUTQ, &mut bytes) };
    bytes
}

#[derive(PartialEq, Eq, Debug)]
enum Verdict {
    Fine,
    Close,
    Leave,
}

/// What a client may take its time with.
struct Patience {
    began: Instant,
    /// What was handed over and how much of it is unsent: while the one or the other changes, the client takes it.
    mark: (u32, i32),
    /// Since when neither did.
    since: Instant,
    /// When it was first told to close.
    closing: Option<Instant>,
}

impl Patience {
    fn new(began: Instant) -> Self {
        Self { began, mark: (0, 0), since: began, closing: None }
    }

    fn look(&mut self, proxy: &Proxy, peer: &Peer, unsent: i32, now: Instant) -> Verdict {
        let mark = (peer.handed(), unsent);
        let turn = peer.turn();
        if turn == Turn::Instance || mark != self.mark {
            (self.mark, self.since) = (mark, now);
        }
        let stalls = |since: Instant| now - since >= proxy.client_stall;
        match turn {
            Turn::Client if stalls(self.since) => return Verdict::Leave,
            // It would have closed if the rest of its last answer had been taken.
            Turn::Nobody if stalls(self.since) && self.closing.is_some_and(stalls) => return Verdict::Leave,
            Turn::Nobody => {}
            Turn::Client | Turn::Instance => self.closing = None,
        }
        let (since_ms, limit) = match peer.last_request_ms() {
            None => (proxy.uptime.ms(self.began), FIRST_HEAD),
            Some(last) if proxy.is_retiring() => (last, KEEP_ALIVE_RETIRING),
            Some(last) => (last, KEEP_ALIVE),
        };
        if Duration::from_millis(proxy.uptime.ms(now).saturating_sub(since_ms)) < limit {
            return Verdict::Fine;
        }
        self.closing.get_or_insert(now);
        Verdict::Close
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Uptime;
    use tradewind_model::time::SystemClock;

    struct Client {
        proxy: Proxy,
        peer: Peer,
        patience: Patience,
        began: Instant,
    }

    impl Client {
        fn asks() -> Self {
            let uptime = Arc::new(Uptime::start(&SystemClock));
            let proxy = Proxy::new(&[0; 32], uptime, None, Duration::from_secs(60));
            let (peer, began) = (Peer::new(([127, 0, 0, 1], 1).into(), "http"), Instant::now());
            peer.asked(proxy.uptime.ms(began));
            Self { proxy, peer, patience: Patience::new(began), began }
        }

        /// What comes of a look at it each five seconds, with so many bytes unsent.
        fn looks(&mut self, seconds: std::ops::Range<u64>, unsent: impl Fn(u64) -> i32) -> Option<(u64, Verdict)> {
            let mut last = None;
            for s in seconds.step_by(5) {
                let verdict =
                    self.patience.look(&self.proxy, &self.peer, unsent(s), self.began + Duration::from_secs(s));
                if verdict == Verdict::Leave {
                    return Some((s, verdict));
                }
                last = Some((s, verdict));
            }
            last
        }
    }

    #[test]
    fn a_client_is_left_a_minute_after_it_took_its_last_byte() {
        let mut client = Client::asks();
        client.peer.pass(Turn::Client);
        assert_eq!(client.looks(0..600, |s| 10_000 - s.min(100) as i32), Some((160, Verdict::Leave)));
    }

    #[test]
    fn an_instance_may_take_its_time_with_a_piece() {
        let mut client = Client::asks();
        client.peer.pass(Turn::Client);
        client.peer.pass(Turn::Instance);
        assert_eq!(client.looks(0..600, |_| 0), Some((595, Verdict::Close)));
    }

    #[test]
    fn the_rest_of_a_long_answer_has_its_own_minute() {
        let mut client = Client::asks();
        client.peer.pass(Turn::Client);
        assert_eq!(client.looks(0..300, |s| 10_000 - s as i32), Some((295, Verdict::Close)));
        client.peer.pass(Turn::Nobody);
        assert_eq!(client.looks(300..600, |s| 10_000 - s as i32), Some((595, Verdict::Close)));
        assert_eq!(client.looks(600..700, |_| 9_000), Some((660, Verdict::Leave)));
    }

    #[test]
    fn an_idle_connection_is_asked_to_close_first() {
        let mut client = Client::asks();
        client.peer.pass(Turn::Nobody);
        assert_eq!(client.looks(0..75, |_| 0), Some((70, Verdict::Fine)));
        assert_eq!(client.looks(80..85, |_| 0), Some((80, Verdict::Close)));
    }
}

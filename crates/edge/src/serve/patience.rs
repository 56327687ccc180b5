//! How long a client may take with what is its turn to do.

use crate::proxy::{
    Proxy,
    peer::{Peer, Turn},
};
use std::time::{Duration, Instant};

/// A connection without a request is closed after this in a worker that retires.
const KEEP_ALIVE_RETIRING: Duration = Duration::from_secs(10);

#[derive(PartialEq, Eq, Debug)]
pub enum Verdict {
    Fine,
    Close,
    Leave,
}

/// What a client may take its time with.
pub struct Patience {
    began: Instant,
    /// What was handed over and how much of it is unsent: while the one or the other changes, the client takes it.
    mark: (u32, i32),
    /// Since when neither did.
    since: Instant,
    /// When it was first told to close.
    closing: Option<Instant>,
}

impl Patience {
    pub fn new(began: Instant) -> Self {
        Self { began, mark: (0, 0), since: began, closing: None }
    }

    pub fn look(&mut self, proxy: &Proxy, peer: &Peer, unsent: i32, now: Instant) -> Verdict {
        let mark = (peer.handed(), unsent);
        let turn = peer.turn();
        if turn == Turn::Instance || mark != self.mark {
            (self.mark, self.since) = (mark, now);
        }
        let stalls = |since: Instant| now - since >= proxy.rules.stall;
        match turn {
            Turn::Client if stalls(self.since) => return Verdict::Leave,
            // It would have closed if the rest of its last answer had been taken.
            Turn::Nobody if stalls(self.since) && self.closing.is_some_and(stalls) => return Verdict::Leave,
            Turn::Nobody => {}
            Turn::Client | Turn::Instance => self.closing = None,
        }
        let (since_ms, limit) = match peer.last_request_ms() {
            None => (proxy.uptime.ms(self.began), proxy.rules.first_head),
            Some(last) if proxy.is_retiring() => (last, KEEP_ALIVE_RETIRING.min(proxy.rules.keep_alive)),
            Some(last) => (last, proxy.rules.keep_alive),
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
    use crate::{clients::ClientRules, clock::Uptime, tls::Tls};
    use std::sync::Arc;
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
            let proxy = Proxy::new(&[0; 32], uptime, None, ClientRules::default(), Arc::new(Tls::new().unwrap()));
            let (peer, began) = (Peer::new(([127, 0, 0, 1], 1).into(), false, &proxy.rules), Instant::now());
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

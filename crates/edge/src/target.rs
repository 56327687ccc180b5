//! One instance as the edge sees it: what is in flight on it, its idle connections, its health.
//!
//! **Who may enter.** A request enters a target (counts itself in) and then asks whether the table it chose the target
//! from is still the one being served; if not it leaves again and chooses anew. A swap publishes the new table
//! first and looks at the count afterwards. All four steps are sequentially consistent, so for each request either it
//! sees the new table, or the swap sees it in flight: nothing enters a target that was found empty.

use crate::{
    pool::{Links, Pool},
    shard::Padded,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tradewind_model::id::InstanceId;

pub struct Target {
    pub instance: InstanceId,
    pub addr: SocketAddr,
    pub pool: Pool,
    pub links: Arc<Links>,
    /// Its drain time is over.
    pub cut: CancellationToken,
    in_flight: Padded<AtomicU32>,
    waiting: AtomicU32,
    slot: Notify,
    draining: AtomicBool,
    emptied: Notify,
    /// By the edge's own checks.
    failing: AtomicBool,
    failures_in_a_row: AtomicU32,
    ejections: AtomicU32,
    /// Milliseconds of the worker's uptime; 0 when it is not ejected.
    ejected_until: AtomicU64,
}

/// Failures in a row that put a target aside.
const EJECT_AFTER: u32 = 3;
const EJECT_MIN_MS: u64 = 1_000;
const EJECT_MAX_MS: u64 = 30_000;

impl Target {
    pub fn new(instance: InstanceId, addr: SocketAddr, shards: usize) -> Self {
        Self {
            instance,
            addr,
            pool: Pool::new(shards),
            links: Arc::default(),
            cut: CancellationToken::new(),
            in_flight: Padded(AtomicU32::new(0)),
            waiting: AtomicU32::new(0),
            slot: Notify::new(),
            draining: AtomicBool::new(false),
            emptied: Notify::new(),
            failing: AtomicBool::new(false),
            failures_in_a_row: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
        }
    }

    /// Counts a request in, unless `max` are in flight.
    pub fn enter(self: &Arc<Self>, max: u32) -> Option<Flight> {
        // Never above `max`, not even for a moment: a leaver wakes exactly one who waits.
        let entered = self.in_flight.0.fetch_update(SeqCst, SeqCst, |n| (n < max).then_some(n + 1));
        entered.is_ok().then(|| Flight(self.clone()))
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.0.load(SeqCst)
    }

    /// Waits until fewer than `max` are in flight. Cancel-safe; may wake without need.
    pub async fn slot(&self, max: u32) {
        struct Waiting<'a>(&'a AtomicU32);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        self.waiting.fetch_add(1, SeqCst);
        let _waiting = Waiting(&self.waiting);
        if self.in_flight() >= max {
            self.slot.notified().await;
        }
    }

    /// To be called after a table without it was published. Idle connections are closed.
    pub fn start_draining(&self) {
        self.draining.store(true, SeqCst);
        self.pool.clear();
    }

    /// Closes every connection to it, busy ones too.
    pub fn cut_off(&self) {
        self.cut.cancel();
        self.links.close_all();
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    /// Resolves when a draining target has nothing in flight.
    pub async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.in_flight() == 0 {
                return;
            }
            emptied.await;
        }
    }

    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// What the edge's own checks say. A pass ends an ejection.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Relaxed);
        if !failing {
            self.answered();
        }
    }

    pub fn is_ejected(&self, now_ms: u64) -> bool {
        self.ejected_until.load(Relaxed) > now_ms
    }

    /// It gave an answer, whatever it was.
    pub fn answered(&self) {
        // Reads are shared between cores, writes are not: in good health nothing is written.
        if self.failures_in_a_row.load(Relaxed) != 0 {
            self.failures_in_a_row.store(0, Relaxed);
        }
        if self.ejections.load(Relaxed) != 0 {
            self.ejections.store(0, Relaxed);
            self.ejected_until.store(0, Relaxed);
        }
    }

    /// It refused a connection or broke one. True when it should now be put aside.
    pub fn failed(&self) -> bool {
        self.failures_in_a_row.fetch_add(1, Relaxed) + 1 >= EJECT_AFTER
    }

    /// Puts it aside, each time in a row for twice as long.
    pub fn eject(&self, now_ms: u64) {
        if self.is_ejected(now_ms) {
            return;
        }
        let times = self.ejections.fetch_add(1, Relaxed).min(8);
        self.ejected_until.store(now_ms + (EJECT_MIN_MS << times).min(EJECT_MAX_MS), Relaxed);
    }
}

/// A request in flight on a target; leaving is dropping it.
pub struct Flight(Arc<Target>);

impl Flight {
    pub fn target(&self) -> &Arc<Target> {
        &self.0
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let target = &*self.0;
        let before = target.in_flight.0.fetch_sub(1, SeqCst);
        if before == 1 && target.draining.load(SeqCst) {
            target.emptied.notify_waiters();
        }
        if target.waiting.load(SeqCst) > 0 {
            target.slot.notify_one();
        }
    }
}

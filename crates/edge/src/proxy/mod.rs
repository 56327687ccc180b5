//! The way of a request: [`choose`] picks split and target from the served table, [`forward`] carries it there and back.

pub mod body;
pub mod choose;
pub mod client;
pub mod exchange;
mod forward;
pub mod headers;
pub mod origin;
mod pages;
pub mod peer;
mod rate;
mod timer;
mod tunnel;

use crate::{
    access_log::Log, addresses::Addresses, clients::ClientRules, clock::Uptime, registry, table::Live, tls::Tls,
};
use arc_swap::ArcSwap;
use client::ClientIds;
use http::HeaderValue;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What all serving threads share.
pub struct Proxy {
    live: ArcSwap<Live>,
    /// Serial of the table being served; see [`target`](crate::target) for what hangs on its order.
    serial: AtomicU64,
    /// Tells held requests of a new table.
    changed: watch::Sender<u64>,
    ids: ClientIds,
    pub uptime: Arc<Uptime>,
    pub log: Option<Arc<Log>>,
    /// Answers say `Connection: close` from now on.
    retiring: AtomicBool,
    /// The same, for who waits for it.
    pub retired: CancellationToken,
    /// Ends tunnels that would outlive the worker.
    pub over: CancellationToken,
    pub activity: Arc<Activity>,
    unrouted: AtomicU64,
    pub rules: ClientRules,
    pub addresses: Arc<Addresses>,
    refused: AtomicU64,
    tls: Arc<Tls>,
    hsts: Option<HeaderValue>,
}

/// Client connections and tunnels that are open: a retiring worker waits for them.
#[derive(Debug, Default)]
pub struct Activity {
    connections: AtomicU64,
    tunnels: AtomicU64,
    accepted: AtomicU64,
    quiet: tokio::sync::Notify,
}

pub struct Busy {
    activity: Arc<Activity>,
    tunnel: bool,
}

impl Activity {
    pub fn connection(self: &Arc<Self>) -> Busy {
        self.connections.fetch_add(1, SeqCst);
        self.accepted.fetch_add(1, Relaxed);
        Busy { activity: self.clone(), tunnel: false }
    }
    fn tunnel(self: &Arc<Self>) -> Busy {
        self.tunnels.fetch_add(1, SeqCst);
        Busy { activity: self.clone(), tunnel: true }
    }
    pub fn connections(&self) -> u64 {
        self.connections.load(SeqCst)
    }
    pub fn tunnels(&self) -> u64 {
        self.tunnels.load(SeqCst)
    }
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }
    /// Resolves when nothing is open.
    pub async fn quiet(&self) {
        loop {
            let quiet = self.quiet.notified();
            if self.connections() + self.tunnels() == 0 {
                return;
            }
            quiet.await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let count = if self.tunnel { &self.activity.tunnels } else { &self.activity.connections };
        if count.fetch_sub(1, SeqCst) == 1 {
            self.activity.quiet.notify_waiters();
        }
    }
}

impl Proxy {
    pub fn new(key: &[u8; 32], uptime: Arc<Uptime>, log: Option<Arc<Log>>, rules: ClientRules, tls: Arc<Tls>) -> Self {
        Self {
            live: ArcSwap::from_pointee(Live::empty()),
            serial: AtomicU64::new(0),
            changed: watch::channel(0).0,
            ids: ClientIds::new(key),
            uptime,
            log,
            retiring: AtomicBool::new(false),
            retired: CancellationToken::new(),
            over: CancellationToken::new(),
            activity: Arc::default(),
            unrouted: AtomicU64::new(0),
            hsts: (rules.hsts_s > 0).then(|| registry::header(&format!("max-age={}", rules.hsts_s))),
            rules,
            addresses: Arc::default(),
            refused: AtomicU64::new(0),
            tls,
        }
    }

    /// From the moment this returns every request that enters a target chose it from this table or a later one.
    pub fn publish(&self, live: Live) {
        let serial = live.serial;
        self.live.store(Arc::new(live));
        self.serial.store(serial, SeqCst);
        self.changed.send_replace(serial);
    }

    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Clients are asked to connect anew, wherever that leads.
    pub fn retire(&self) {
        self.retiring.store(true, SeqCst);
        self.retired.cancel();
    }

    /// A connection that was not taken.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Connections that were not taken: their address had as many as it may, or their proxy did not announce them.
    pub fn refusals(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Requests that were answered before they came to a split.
    pub fn unrouted(&self) -> u64 {
        self.unrouted.load(Relaxed)
    }

    pub fn is_retiring(&self) -> bool {
        self.retiring.load(Relaxed)
    }
}

const RETRY_SOON_S: u32 = 1;
/// Targets a request may be offered to before it is given up.
const TRIES: usize = 3;

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

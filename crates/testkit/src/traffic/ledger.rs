//! What was asked and answered, by the release that answered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Requests that no release put its name to: connections refused, answers of the edge itself.
pub const NOBODY: &str = "no release";
/// Losses told in full; more are counted.
const TOLD: usize = 50;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub sent: u64,
    pub failed: u64,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// From request to complete answer.
    pub took: Vec<Duration>,
}

impl Tally {
    /// `share` of the answers took at most this long.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last as f64 * share).round() as usize).copied()
    }
}

#[derive(Clone, Debug)]
pub struct Lost {
    /// Since the traffic began.
    pub at: Duration,
    pub release: String,
    pub request: String,
    pub how: String,
}

#[derive(Default)]
struct Pages {
    tallies: BTreeMap<String, Tally>,
    lost: Vec<Lost>,
    /// Releases whose own answers are known to be wrong now and then.
    faulty: Vec<String>,
    customers: u64,
    paid: u64,
}

pub struct Ledger {
    began: Instant,
    pages: Mutex<Pages>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    pub fn new() -> Self {
        Self { began: Instant::now(), pages: Mutex::default() }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn answered(&self, release: &str, took: Duration) {
        let mut pages = self.pages();
        let tally = pages.tallies.entry(release.to_owned()).or_default();
        let now = Instant::now();
        tally.sent += 1;
        tally.first.get_or_insert(now);
        tally.last = Some(now);
        tally.took.push(took);
    }

    pub fn lost(&self, release: Option<&str>, request: String, how: String) {
        let release = release.unwrap_or(NOBODY).to_owned();
        let mut pages = self.pages();
        let tally = pages.tallies.entry(release.clone()).or_default();
        tally.sent += 1;
        tally.failed += 1;
        if pages.lost.len() < TOLD && !pages.faulty.contains(&release) {
            pages.lost.push(Lost { at: self.began.elapsed(), release, request, how });
        }
    }

    /// What this release answers wrongly is its own fault from now on, and no request lost on the way.
    pub fn blame(&self, release: &str) {
        self.pages().faulty.push(release.to_owned());
    }

    /// A customer got all they came for.
    pub fn served(&self) {
        self.pages().customers += 1;
    }

    /// A payment was acknowledged.
    pub fn paid(&self) {
        self.pages().paid += 1;
    }

    pub fn tallies(&self) -> BTreeMap<String, Tally> {
        self.pages().tallies.clone()
    }

    pub fn tally(&self, release: &str) -> Tally {
        self.pages().tallies.get(release).cloned().unwrap_or_default()
    }

    /// When a release answered for the first time.
    pub fn first(&self, release: &str) -> Option<Instant> {
        self.pages().tallies.get(release)?.first
    }

    /// When it answered last, so far.
    pub fn last(&self, release: &str) -> Option<Instant> {
        self.pages().tallies.get(release)?.last
    }

    pub fn losses(&self) -> (u64, Vec<Lost>) {
        let pages = self.pages();
        let ours = pages.tallies.iter().filter(|(release, _)| !pages.faulty.contains(release));
        (ours.map(|(_, t)| t.failed).sum(), pages.lost.clone())
    }

    /// Customers served, and payments acknowledged.
    pub fn sales(&self) -> (u64, u64) {
        let pages = self.pages();
        (pages.customers, pages.paid)
    }
}

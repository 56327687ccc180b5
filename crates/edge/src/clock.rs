//! One reading of the monotonic clock a request gives both clocks.

use std::time::{Duration, Instant};
use tradewind_model::time::{Clock, Timestamp};

/// Counts from the worker's start.
pub struct Uptime {
    began: Instant,
    began_wall: std::sync::atomic::AtomicI64,
}

impl Uptime {
    pub fn start(clock: &dyn Clock) -> Self {
        Self { began: Instant::now(), began_wall: clock.now().0.into() }
    }

    /// Follows the wall clock when it was set; called now and then.
    pub fn adjust(&self, clock: &dyn Clock) {
        let wall = clock.now().0 - i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.began_wall.store(wall, std::sync::atomic::Ordering::Relaxed);
    }

    pub fn wall(&self, at: Instant) -> Timestamp {
        Timestamp(self.began_wall.load(std::sync::atomic::Ordering::Relaxed)).plus(self.since(at))
    }

    pub fn ms(&self, at: Instant) -> u64 {
        u64::try_from(self.since(at).as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }
}

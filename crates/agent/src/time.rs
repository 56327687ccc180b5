//! Two clocks: one for people, one for deadlines. A wall clock that jumps moves no deadline.

use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;
use tradewind_model::time::{Clock, Timestamp};

/// A moment on both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    pub wall: Timestamp,
    /// Since the agent began; never goes back.
    pub mono: Duration,
}

#[derive(Clone)]
pub struct Time {
    clock: Arc<dyn Clock>,
    began: Instant,
}

impl Time {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, began: Instant::now() }
    }
    pub fn now(&self) -> Now {
        Now { wall: self.clock.now(), mono: self.began.elapsed() }
    }
    pub fn wall(&self) -> Timestamp {
        self.clock.now()
    }
    /// The instant at which [`Now::mono`] will be `at`.
    pub fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

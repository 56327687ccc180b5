//! Time as an argument. Only shells read a clock, and they read it through [`Clock`].

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Microseconds since the Unix epoch, UTC. RFC 3339 outside the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1000))
    }
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// Whole seconds and nanoseconds, as UUIDv7 wants them; times before 1970 count as 1970.
    pub fn to_unix_parts(self) -> (u64, u32) {
        let us = self.0.max(0) as u64;
        (us / 1_000_000, (us % 1_000_000) as u32 * 1000)
    }
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
    /// Time since `earlier`; zero when the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
    /// As people write it where no zone of theirs is known: `2026-11-10 08:00 UTC`.
    pub fn to_minute(self) -> String {
        let minute = |t: jiff::Timestamp| t.strftime("%Y-%m-%d %H:%M UTC").to_string();
        jiff::Timestamp::from_microsecond(self.0).map_or_else(|_| self.to_rfc3339(), minute)
    }
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0).map_or_else(|_| format!("{}us", self.0), |t| format!("{t:.6}"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where shells take `now` from. Tests inject their own.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

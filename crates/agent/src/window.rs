//! What was counted over a sliding window. Pure.

use std::{collections::VecDeque, time::Duration};

/// Counters that only rise.
pub trait Counted: Copy + Default {
    fn plus(self, other: Self) -> Self;
    /// What came since it was `other`.
    fn since(self, other: Self) -> Self;
}

/// The same of both releases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Arms<C> {
    pub canary: C,
    pub baseline: C,
}

impl<C: Counted> Counted for Arms<C> {
    fn plus(self, other: Self) -> Self {
        Self { canary: self.canary.plus(other.canary), baseline: self.baseline.plus(other.baseline) }
    }
    fn since(self, other: Self) -> Self {
        Self { canary: self.canary.since(other.canary), baseline: self.baseline.since(other.baseline) }
    }
}

#[derive(Debug)]
pub struct Window<C> {
    length: Duration,
    total: C,
    /// Totals at their times, the first from when it began. Older ones than the window's beginning are let go, but for one.
    samples: VecDeque<(Duration, C)>,
}

impl<C: Counted> Window<C> {
    pub fn begin(length: Duration, now: Duration) -> Self {
        Self { length, total: C::default(), samples: VecDeque::from([(now, C::default())]) }
    }

    pub fn add(&mut self, new: C, now: Duration) {
        self.total = self.total.plus(new);
        self.samples.push_back((now, self.total));
        let begins = now.checked_sub(self.length);
        while self.samples.get(1).is_some_and(|(at, _)| begins.is_some_and(|b| *at <= b)) {
            self.samples.pop_front();
        }
    }

    /// What came in it; `None` until it has been open for as long as it is.
    pub fn full(&self, now: Duration) -> Option<C> {
        let begins = now.checked_sub(self.length)?;
        let (_, before) = self.samples.front().filter(|(at, _)| *at <= begins)?;
        Some(self.total.since(*before))
    }
}

//! What one second of a trial comes to, for one part of the clients. Pure; the shell around it is [`Units`](super::Units).

use super::{
    Arm, Who,
    set::{Mark, Set},
};
use tradewind_model::protocol::trial::{MOST_BOUNDS, UnitCounts};

/// Errors, and each latency bound.
pub const METRICS: usize = 1 + MOST_BOUNDS;
/// The bit of [`Mark`] that says that a client failed.
pub const FAILED: u16 = 1;

/// One arm's counts in one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Clients that were answered.
    active: u64,
    /// Of them, those that had left the metric's risk set before.
    gone: [u64; METRICS],
    /// Clients that left it without being answered in this second.
    unanswered: [u64; METRICS],
    /// Clients that left it.
    x: [u64; METRICS],
    /// First seen on this arm, and had not failed before.
    new: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.active += other.active;
        self.new += other.new;
        for k in 0..METRICS {
            self.gone[k] += other.gone[k];
            self.unanswered[k] += other.unanswered[k];
            self.x[k] += other.x[k];
        }
    }

    /// Of so many metrics. What was asked and answered is counted elsewhere.
    pub fn report(&self, metrics: usize) -> UnitCounts {
        let n = |k: usize| self.active - self.gone[k] + self.unanswered[k];
        UnitCounts {
            n: (0..metrics).map(n).collect(),
            x: self.x[..metrics].to_vec(),
            new: self.new,
            ..UnitCounts::default()
        }
    }

    fn answered(&mut self, mark: &mut Mark, second: u32, arm: Arm) {
        if mark.activate(second, arm) {
            self.active += 1;
            for k in bits(mark.out()) {
                self.gone[k] += 1;
            }
        }
    }

    fn out(&mut self, mark: &mut Mark, second: u32, arm: Arm, which: u16) {
        let active = mark.is_active(second, arm);
        for k in bits(mark.take_out(which)) {
            self.x[k] += 1;
            self.unanswered[k] += u64::from(!active);
        }
    }
}

fn bits(mut of: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = of.trailing_zeros() as usize;
        of &= of.wrapping_sub(1);
        (lowest < METRICS).then_some(lowest)
    })
}

/// What became known of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct News {
    /// It got an answer, or it is certain that it will get none.
    pub answered: bool,
    /// The risk sets it leaves.
    pub out: u16,
}

/// Which clients are looked at, and which are remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Levels {
    /// One of `2^sampled` is looked at.
    pub sampled: u32,
    /// One of `2^known` is remembered although nothing is wrong with it, so that clients can be counted. Never less
    /// than `sampled`.
    pub known: u32,
}

impl Levels {
    pub fn looks_at(self, scattered: u64) -> bool {
        in_sample(scattered, self.sampled)
    }

    pub fn knows(self, scattered: u64) -> bool {
        in_sample(scattered, self.known)
    }

    fn keeps(self, scattered: u64, mark: Mark) -> bool {
        self.looks_at(scattered) && (mark.out() != 0 || self.knows(scattered))
    }
}

fn in_sample(scattered: u64, level: u32) -> bool {
    (scattered >> 32) & ((1 << level) - 1) == 0
}

/// One part of a trial's clients.
#[derive(Debug)]
pub struct Part {
    second: u32,
    levels: Levels,
    set: Set,
    arms: [Counts; 2],
    /// A client found no room.
    refused: bool,
}

impl Part {
    pub fn new(most: usize, levels: Levels) -> Self {
        Self { second: 1, levels, set: Set::new(most), arms: [Counts::default(); 2], refused: false }
    }

    /// `own` is the mark of a client that asks only once.
    pub fn note(&mut self, who: Who, own: &mut Mark, arm: Arm, news: News) {
        let scattered = super::scatter(who.point);
        if !self.levels.looks_at(scattered) {
            return;
        }
        let counts = &mut self.arms[arm as usize];
        let (mark, weight) = if who.once {
            (own, 1)
        } else {
            let stands_for = 1 << (self.levels.known - self.levels.sampled);
            match self.set.mark(who.point) {
                Some(mark) => (mark, if self.levels.knows(scattered) { stands_for } else { 0 }),
                None => {
                    self.refused = true;
                    return;
                }
            }
        };
        if mark.see(arm) && mark.out() & FAILED == 0 {
            counts.new += weight;
        }
        if news.answered {
            counts.answered(mark, self.second, arm);
        }
        counts.out(mark, self.second, arm, news.out);
    }

    /// Ends the second. True when somebody found no room in it.
    pub fn end_second(&mut self, into: &mut [Counts; 2]) -> bool {
        for (sum, counts) in into.iter_mut().zip(&mut self.arms) {
            sum.add(&std::mem::take(counts));
        }
        self.second += 1;
        std::mem::take(&mut self.refused)
    }

    /// Lets go of those who are not to be kept at these levels. How many are left, and how many of them are out.
    pub fn settle(&mut self, levels: Levels) -> (usize, usize) {
        self.levels = levels;
        self.set.retain(|point, mark| levels.keeps(super::scatter(point), mark));
        (self.set.len(), self.set.iter().filter(|(_, m)| m.out() != 0).count())
    }

    pub fn len(&self) -> usize {
        self.set.len()
    }

    #[cfg(test)]
    pub fn slots(&self) -> usize {
        self.set.slots()
    }

    pub fn remembered(&self) -> impl Iterator<Item = (u64, Mark)> {
        self.set.iter()
    }

    pub fn learn(&mut self, point: u64, lasting: (u16, u8)) {
        if self.levels.looks_at(super::scatter(point))
            && let Some(mark) = self.set.mark(point)
        {
            mark.learn(lasting);
        }
    }
}

//! What is counted of a trial: clients, each once.
//!
//! **The unit is the client**, by its point on the route (its id, hashed with the rollout's salt). A request without an
//! id is a unit by itself, and so is never remembered; an id that the edge mints is the client's from then on. A client
//! that failed leaves the risk set for the whole rollout, whichever arm it was in: however often it tries again, it is
//! one failure. For each latency bound the same, by itself.
//!
//! **A client is active in the second in which it is answered** (the head of the answer; or the edge's own answer where
//! the upstream failed), and active for a bound in the second in which it crosses the bound. So each request has one
//! outcome for each metric, in the second in which it is counted as active, and a client that hangs up is neither. Where
//! a failure comes later than the answer (a body that breaks off), the client is active in that second as well.
//!
//! **What is a failure**: 5xx of the instance; no connection, no answer in time, a connection that ends before or within
//! the answer; no target; and *overload*: the places of an instance are the same for both arms, so an arm that has none
//! left is too slow or too small for its share, and its clients got nothing. Not a failure, and not a unit: *cut*, because
//! the drain time is over, which is our own doing. Nor are: verifications, spills, ignored paths and agents, what the edge
//! answers itself without blame to the upstream (paused, maintenance, too large, slow body), and clients that hang up.
//!
//! **A bound is crossed** while the request is in flight: once a second all requests in flight are looked at, so a canary
//! that hangs is seen before it answers. At its end, whatever that is, a request is held to what it has crossed: also one
//! whose client hung up, or a canary that hangs would never be found slow by clients with little patience.
//! Time counts from the request's head, or from when a pause let it go.
//!
//! **Bounded**: only clients that left a risk set are needed for the test. All others are remembered only to know who
//! is new on an arm; where there is no room for them all, one of `2^known` is, and stands for as many. Only where failures alone
//! fill half of the set, or one second's clients do not fit into it, are fewer clients looked at: one of `2^sampled`,
//! of both arms alike, by bits that have nothing to do with the assignment, from the next second on.

mod count;
mod flights;
mod ignore;
mod pending;
mod set;
#[cfg(test)]
mod tests;
mod trials;

use crate::{
    shard::{Padded, Sharded},
    table::assign::{ClientPoint, mix},
};
use count::{Counts, FAILED, Levels, News, Part};
use flights::{Flights, Flying};
pub use pending::Pending;
use set::Mark;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tradewind_model::{
    id::RevisionId,
    protocol::trial::{Trial, UnitCounts},
};
pub use trials::{LiveTrial, Memory, Trials};

/// Clients remembered for a trial, at most: about 6 MiB.
pub const MOST_CLIENTS: usize = 262_144;
/// Locks that serving threads share, so that they seldom meet.
const MOST_PARTS: usize = 64;
/// Fewer clients a part and chance would fill one long before the others.
const LEAST_IN_PART: usize = 1_024;
const MOST_LEVEL: u32 = 24;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    Canary,
    Baseline,
}

impl Arm {
    pub fn of(trial: &Trial, revision: RevisionId) -> Option<Self> {
        if revision == trial.canary {
            Some(Self::Canary)
        } else if revision == trial.baseline {
            Some(Self::Baseline)
        } else {
            None
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    pub point: u64,
    /// It has no id, so it will never be met again.
    pub once: bool,
}

impl Who {
    pub fn of(point: ClientPoint, once: bool) -> Self {
        Self { point: point.bits(), once }
    }
}

/// Spreads points anew, so that place and sample have nothing to do with the assignment.
fn scatter(point: u64) -> u64 {
    mix(point ^ 0x6a09_e667_f3bc_c908)
}

/// One trial's counts. Serving threads add, the control thread takes out what a second came to.
#[derive(Debug)]
pub struct Units {
    bounds: Box<[Duration]>,
    parts: Box<[Padded<Mutex<Part>>]>,
    flights: Sharded<Mutex<Flights>>,
    most: usize,
    clients: AtomicU64,
}

/// One request that is counted, until the head of its answer; to be given back to the [`Units`] it is from.
#[derive(Debug)]
pub struct Unit {
    thread: u16,
    place: u32,
}

/// One that has the head of its answer.
#[derive(Debug)]
pub struct Answered {
    who: Who,
    arm: Arm,
    mark: Mark,
}

/// How a request ends that gets no answer of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The upstream failed.
    Failed(Instant),
    /// The client went away.
    HungUp(Instant),
    /// It is no unit after all.
    Void,
}

/// What one second came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Second {
    pub sampled: u32,
    pub canary: UnitCounts,
    pub baseline: UnitCounts,
}

impl Units {
    /// For serving threads of this number; `most` clients are remembered.
    pub fn new(bounds_ms: &[u32], threads: usize, most: usize) -> Self {
        let parts = (most / LEAST_IN_PART).clamp(1, MOST_PARTS);
        let part = || Padded(Mutex::new(Part::new(most / parts, Levels::default())));
        Self {
            bounds: bounds_ms.iter().map(|ms| Duration::from_millis((*ms).into())).collect(),
            parts: (0..parts).map(|_| part()).collect(),
            flights: Sharded::new(threads, Mutex::default),
            most,
            clients: AtomicU64::new(0),
        }
    }

    /// A request is on its way.
    pub fn begin(&self, who: Who, arm: Arm, at: Instant) -> Unit {
        let thread = self.flights.here();
        let place = lock(self.flights.at(thread)).begin(Flying::new(who, arm, at));
        Unit { thread: thread as u16, place }
    }

    pub fn answered(&self, unit: Unit, failed: bool, at: Instant) -> Answered {
        let mut flying = self.end(unit);
        let out = flying.crosses(&self.bounds, at) | if failed { FAILED } else { 0 };
        self.note(flying.who, &mut flying.mark, flying.arm, News { answered: true, out });
        Answered { who: flying.who, arm: flying.arm, mark: flying.mark }
    }

    /// The body of its answer broke off.
    pub fn broke(&self, mut answered: Answered) {
        let news = News { answered: false, out: FAILED };
        self.note(answered.who, &mut answered.mark, answered.arm, news);
    }

    pub fn ended(&self, unit: Unit, end: End) {
        let mut flying = self.end(unit);
        let news = match end {
            End::Failed(at) => News { answered: true, out: flying.crosses(&self.bounds, at) | FAILED },
            End::HungUp(at) => News { answered: false, out: flying.crosses(&self.bounds, at) },
            End::Void => return,
        };
        self.note(flying.who, &mut flying.mark, flying.arm, news);
    }

    fn end(&self, unit: Unit) -> Flying {
        lock(self.flights.at(unit.thread.into())).end(unit.place)
    }

    fn note(&self, who: Who, own: &mut Mark, arm: Arm, news: News) {
        if news.answered || news.out != 0 {
            lock(self.part(who.point)).note(who, own, arm, news);
        }
    }

    fn part(&self, point: u64) -> &Mutex<Part> {
        // The highest bits: the set goes by the lowest, the sample by those between.
        let at = (scatter(point) >> 58) as usize % self.parts.len();
        &self.parts[at].0
    }

    /// Ends a second: looks at what is in flight, takes the counts out, and lets go of clients where room is scarce.
    /// `levels` are kept by the one who calls.
    pub fn end_second(&self, at: Instant, levels: &mut Levels) -> Second {
        for flights in self.flights.iter() {
            lock(flights).look(|flying| {
                let out = flying.crosses(&self.bounds, at);
                if out != 0 {
                    let (who, arm) = (flying.who, flying.arm);
                    self.note(who, &mut flying.mark, arm, News { answered: false, out });
                }
            });
        }
        let mut arms = [Counts::default(); 2];
        let mut refused = false;
        for part in &self.parts {
            refused |= lock(&part.0).end_second(&mut arms);
        }
        let metrics = 1 + self.bounds.len();
        let [canary, baseline] = arms.map(|a| a.report(metrics));
        let second = Second { sampled: levels.sampled, canary, baseline };
        self.make_room(levels, refused);
        second
    }

    fn make_room(&self, levels: &mut Levels, refused: bool) {
        let mut clients: usize = self.parts.iter().map(|p| lock(&p.0).len()).sum();
        if refused {
            look_at_fewer(levels);
        }
        // The rest of the room is for those who come within one second.
        let crowded = self.most / 2;
        if refused || clients > crowded {
            loop {
                let (kept, out) = self.settle(*levels);
                clients = kept;
                if levels.sampled == MOST_LEVEL {
                    break;
                } else if out > crowded {
                    look_at_fewer(levels);
                } else if kept > crowded + self.most / 4 && levels.known < MOST_LEVEL {
                    levels.known += 1;
                } else {
                    break;
                }
            }
        }
        self.clients.store(clients as u64, Relaxed);
    }

    fn settle(&self, levels: Levels) -> (usize, usize) {
        let settled = self.parts.iter().map(|p| lock(&p.0).settle(levels));
        settled.fold((0, 0), |(kept, out), (k, o)| (kept + k, out + o))
    }

    /// Clients remembered when the last second ended.
    pub fn clients(&self) -> u64 {
        self.clients.load(Relaxed)
    }

    /// All that is remembered: points with what lasts of their marks.
    pub fn remembered(&self) -> Vec<(u64, (u16, u8))> {
        let of = |part: &Padded<Mutex<Part>>| {
            lock(&part.0).remembered().map(|(point, mark)| (point, mark.lasting())).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of).collect()
    }

    /// Takes over what another worker remembered.
    pub fn learn(&self, levels: Levels, clients: impl Iterator<Item = (u64, (u16, u8))>) {
        self.settle(levels);
        for (point, lasting) in clients {
            lock(self.part(point)).learn(point, lasting);
        }
    }
}

fn look_at_fewer(levels: &mut Levels) {
    levels.sampled = (levels.sampled + 1).min(MOST_LEVEL);
    levels.known = levels.known.max(levels.sampled);
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

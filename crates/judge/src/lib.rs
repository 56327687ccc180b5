//! Deciding whether a new release is worse than the one beside it, while its traffic is still small.
//!
//! Counts of canary and baseline go in, batch by batch ([`Judge::observe`]); a [`Reading`] comes out whenever one is wanted. It
//! is *anytime-valid*: it may be looked at after every request, and stopped at will, and the chance of a false alarm over
//! the whole rollout is still at most `alpha`. The reason is Ville's inequality: what is kept is a non-negative
//! supermartingale `E` that starts at 1 wherever the canary is no worse, and such a process ever reaches `1/alpha` with chance at
//! most `alpha`.
//!
//! | module | what |
//! | --- | --- |
//! | `rare` | the comparison of two arms for rare events and counters |
//! | `common` | the same where a unit counts at most once and often: latency bounds |
//! | `grid` | the alternatives, and their prior |
//! | [`bursts`] | events of one batch that have one cause |
//! | `restarts` | faults that begin late |
//! | `single`, `watch` | one arm against a fixed rate: the promotion's floor, the time after the rollout |
//! | [`control`] | business counters with nothing beside the canary |
//! | `interval` | intervals for rates and their ratio |
//! | `evidence`, [`Judge`] | one metric; several, combined by their weighted average |
//! | [`explain`], [`picture`] | a reading for people: a sentence, a plot |
//! | [`forecast`], [`runs`] | how long it will take, beforehand: of requests, of a schedule's runs |
//! | [`simulate`] | the suite that verifies all of this |
//!
//! There is no clock here, no thread and no file.

pub mod bursts;
mod common;
pub mod control;
mod evidence;
pub mod explain;
pub mod faults;
pub mod forecast;
mod grid;
mod interval;
mod judge;
mod metric;
mod numeric;
mod params;
pub mod picture;
mod rare;
mod reading;
mod restarts;
pub mod runs;
pub mod simulate;
mod single;
mod watch;
pub mod words;

pub use faults::ALL as FAULTS;
pub use interval::{Rate, Ratio};
pub use judge::Judge;
pub use metric::{Arm, Kind, MOST, MetricSpec, Refused, Which};
pub use params::{Params, Unchecked};
pub use reading::{Brief, MetricReading, Reading, Verdict};
pub use single::Sum;

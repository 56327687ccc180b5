//! What instances count themselves, read from their metrics pages while two revisions are compared.
//!
//! [`parse`] reads a page, [`pick`] finds in it what is judged, [`delta`] makes differences of counters, [`meter`] sums them
//! for both revisions into ticks; all of them pure. [`page`] fetches, and [`task`] is the one reader for all instances of the
//! host. What cannot be read is said: no data must not look like good news.

pub mod delta;
pub mod meter;
mod page;
pub mod parse;
pub mod pick;
pub mod task;

//! Rollouts: moving an environment from revision to revision, wave by wave, and back.
//!
//! [`plan`] says what is to happen, [`state`] how far it is, [`facts`] what has been seen, and [`decide::decide`] what
//! follows: a new state and [`effect::Effect`]s. Effects change rows of desired state ([`desired`]), never the world;
//! agents reconcile towards those rows. So each decision can be repeated, lost or made on old facts without harm.
//!
//! Three flows: *overlapping* (old and new run side by side; the edge moves traffic), *exclusive* (the old stops before
//! the new starts: workers, cron, and `all_at_once`), and *by shard* (the same, one carrier of a service's shards after
//! another).

mod back;
pub mod canary;
pub mod decide;
pub mod desired;
pub mod effect;
pub mod facts;
pub mod faults;
mod forward;
pub mod hand;
pub mod history;
pub mod judging;
pub mod plan;
pub mod reason;
pub mod state;
pub mod target;

#[cfg(test)]
mod tests;

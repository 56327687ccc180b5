//! Random schedules of the rollout engine, with faults, against its invariants.
//!
//! One world holds a control plane (rows, as the store keeps them), one host's agent and edge, and a network that loses,
//! repeats, delays and reorders. A judge speaks at random, a host gives canaries up by itself. Every step picks something that may happen next. The same seed gives the same run, so
//! a broken invariant is reproduced by its seed alone.

mod checks;
mod control;
mod counts;
mod host;
mod judge;
mod network;
mod random;
mod sizes;
mod wishes;
mod world;

pub use counts::{Broken, Counts};
pub use random::Random;
pub use world::World;

/// Runs one schedule to its end: `steps` of anything, then a calm in which everything has to come to rest.
///
/// # Errors
/// The first invariant that did not hold, with the history that led there.
pub fn run(seed: u64, steps: u32) -> Result<Counts, Box<Broken>> {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.anything()?;
    }
    world.calm_down()?;
    Ok(world.counts())
}

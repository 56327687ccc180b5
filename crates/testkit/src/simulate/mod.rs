//! Random schedules of the rollout engine, with faults, against its invariants.
//!
//! One world holds a control plane (rows, as the store keeps them), one host's agent and edge, and a network that loses,
//! repeats, delays and reorders. Every step picks something that may happen next. The same seed gives the same run, so
//! a broken invariant is reproduced by its seed alone.

mod host;
mod random;
mod world;

pub use random::Random;
pub use world::{Broken, Counts, World};

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

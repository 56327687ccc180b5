//! The control plane at its border, on a real store.

mod housekeeping;
mod rollouts;
mod runs;
mod world;

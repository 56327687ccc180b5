//! The control plane at its border, on a real store.

mod rollouts;
mod runs;
mod world;

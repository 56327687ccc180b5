//! Instances: one small machine each ([`decide`], [`schedule`]), and one task each that performs what it asks for.

pub mod check;
pub mod decide;
pub mod launch;
pub mod probe;
pub mod schedule;
pub mod tally;
pub mod task;

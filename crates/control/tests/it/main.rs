//! The control plane at its border, on a real store.

mod acme;
mod agents;
mod certificates;
mod earlier;
mod freezes;
mod housekeeping;
mod judging;
mod own_counters;
mod policies;
mod preview;
mod rollouts;
mod routes;
mod runs;
mod schedules;
mod secrets;
mod shards;
mod shares;
mod ways;
mod whole;
mod world;

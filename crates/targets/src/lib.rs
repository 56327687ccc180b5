//! Where instances and jobs run. Today: as processes of this host, each under a [`shim`] of its own that outlives the
//! agent; [`process`] is the agent's side of it. [`ports`], [`users`] and [`cgroups`] are what a host has to give out;
//! [`sandbox`] and [`metadata`] what jobs do not get to see.

pub mod cgroups;
mod folder;
pub mod handed;
pub mod logs;
pub mod metadata;
mod numbers;
pub mod ports;
pub mod process;
pub mod procfs;
pub mod sandbox;
pub mod shim;
pub mod users;

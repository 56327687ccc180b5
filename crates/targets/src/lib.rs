//! Where instances and jobs run. Today: as processes of this host, each under a [`shim`] of its own that outlives the
//! agent; [`process`] is the agent's side of it.

pub mod cgroups;
mod folder;
pub mod logs;
pub mod process;
mod procfs;
pub mod shim;

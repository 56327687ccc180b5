//! Folders from archives and archives from folders. What an archive or a job left behind is never trusted: no step
//! here follows a link or writes outside the folder it was given.

pub mod inside;
pub mod own;
pub mod pack;
mod unpack;

pub use unpack::{Bounds, Existing, unpack};

/// Levels of folders that are looked into: each is held open, and nothing that is meant to be used lies deeper.
const DEEPEST: usize = 512;

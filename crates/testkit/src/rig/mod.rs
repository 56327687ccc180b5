//! A Tradewind of one's own: the built program on an empty folder, and a repository to push to it.

mod postgres;
mod repository;
mod tradewind;

pub use postgres::Postgres;
pub use repository::{Pushed, Repository};
pub use tradewind::{Attempt, HANG, Tradewind, kill};

use anyhow::{Context, Result};
use std::path::PathBuf;

/// A folder for one rig. Instances run as users of their own and have to get to their files below it.
pub fn folder() -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new().prefix("tw-rig-").tempdir()?.keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).context("temporary folder")?;
    Ok(folder)
}

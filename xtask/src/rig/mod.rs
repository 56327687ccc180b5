//! A Tradewind of one's own, with the shop to push to it, and a look at what it all weighs.

pub mod memory;

pub use tradewind_testkit::rig::{HANG, Repository, Tradewind, folder, kill};

use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A copy of `examples/shop`, ready for its first commit.
pub async fn shop(root: &Path, folder: PathBuf, tradewind: &Tradewind) -> Result<Repository> {
    example(root, "shop", folder, tradewind).await
}

/// A repository with one of the examples.
pub async fn example(root: &Path, name: &str, folder: PathBuf, tradewind: &Tradewind) -> Result<Repository> {
    copy(&root.join("examples").join(name), &folder)?;
    Repository::create(folder, tradewind).await
}

/// What is tracked of the example: no caches, no data of earlier runs.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        if ["__pycache__", "data", "build", ".git"].iter().any(|skip| name == *skip) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

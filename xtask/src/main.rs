//! Chores of the repository: `cargo xtask NAME`.

mod reference;
mod tidy;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

const USAGE: &str = "\
cargo xtask tidy                 check the policies: dependency direction, file lengths, lock file, fault codes, pages
cargo xtask reference            write the pages that are made from the code";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let name = args.first().map_or("", String::as_str);
    match name {
        "tidy" => tidy::run(&root()),
        "reference" => reference::write(&root()),
        _ => bail!("not a chore: `{}`\n\n{USAGE}", args.join(" ")),
    }
}

/// The repository's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

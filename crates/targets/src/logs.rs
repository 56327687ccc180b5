//! Reads a process's log.
//!
//! The log is one stream of bytes in lines `<µs since 1970> <o|e|s> text`: stdout, stderr, and what Tradewind says. An
//! offset counts from the log's first byte ever written. It is kept in segments `log/<offset of the first byte>.log`;
//! old ones are removed as the rule says, and then the log begins at the first that is left. A line longer than 16 KiB,
//! or not finished within a second, is in pieces that end and begin with `…`.

use std::{fs, io, path::Path};

pub(crate) fn segment_path(log_dir: &Path, base: u64) -> std::path::PathBuf {
    log_dir.join(format!("{base:020}.log"))
}

/// The offsets of the segments' first bytes, rising.
pub(crate) fn segments(log_dir: &Path) -> io::Result<Vec<u64>> {
    let mut bases: Vec<u64> = fs::read_dir(log_dir)?
        .filter_map(|e| e.ok()?.file_name().to_str()?.strip_suffix(".log")?.parse().ok())
        .collect();
    bases.sort_unstable();
    Ok(bases)
}

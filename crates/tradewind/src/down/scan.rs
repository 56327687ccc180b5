//! Processes that belong to a data folder by what they carry: a role's command line names the folder, an instance's or
//! a job's environment has its `HOME` in it. A person's shell that merely stands in the folder carries neither.

use crate::process::{Identity, Process};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Names under which this binary plays a role that may outlive whoever started it.
const ROLES: [&[u8]; 5] = [b"server", b"agent", b"edge", b"edge-worker", b"shim"];

pub fn of_folder(root: &Path) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        if pid == std::process::id() {
            continue;
        }
        // Looked up before the rest is read: a number that changed hands meanwhile does not match any more.
        let Ok(Some(identity)) = Identity::of(pid) else { continue };
        if is_role_of(pid, root) || lives_in(pid, &root.join("agent")) {
            found.extend(identity.open().ok().flatten());
        }
    }
    Ok(found)
}

fn is_role_of(pid: u32, root: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = line.split(|b| *b == 0);
    let role = words.nth(1).is_some_and(|w| ROLES.contains(&w));
    role && words.any(|w| is_within(w, root))
}

fn lives_in(pid: u32, root: &Path) -> bool {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environ.split(|b| *b == 0).filter_map(|v| v.strip_prefix(b"HOME=")).any(|home| is_within(home, root))
}

fn is_within(word: &[u8], root: &Path) -> bool {
    let path = PathBuf::from(OsStr::from_bytes(word));
    path.is_absolute() && path.starts_with(root)
}

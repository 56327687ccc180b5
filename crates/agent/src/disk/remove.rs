//! Removes trees that were made by whoever pushed.
//!
//! A job may leave a tree a hundred thousand folders deep: removed in the usual way, with an open file and a stack frame
//! for each level, it would end the agent, and the next one as well. So what lies deep is first moved up. Every step is
//! taken from an open folder and follows no link.

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags},
    io::Errno,
};
use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

/// Levels that are open at once. What is deeper is moved to the top.
const DEEP: usize = 32;

pub fn folder(path: &Path) -> io::Result<()> {
    let root = match open(rustix::fs::CWD, path) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let mut moved = Moved { top: root.as_fd(), count: 0 };
    loop {
        let before = moved.count;
        empty(root.as_fd(), 0, &mut moved)?;
        if moved.count == before {
            break;
        }
    }
    match std::fs::remove_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Where deep folders go, and how many went.
struct Moved<'a> {
    top: BorrowedFd<'a>,
    count: u64,
}

fn empty(here: BorrowedFd<'_>, depth: usize, moved: &mut Moved<'_>) -> io::Result<()> {
    // Listed before anything is moved or removed.
    let mut names = Vec::new();
    for entry in Dir::read_from(here)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push((entry.file_name().to_owned(), entry.file_type()));
        }
    }
    for (name, kind) in names {
        let is_folder = match kind {
            FileType::Directory => true,
            FileType::Unknown => {
                let stat = rustix::fs::statat(here, &name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            }
            _ => false,
        };
        if !is_folder {
            gone(rustix::fs::unlinkat(here, &name, AtFlags::empty()))?;
        } else if depth == DEEP {
            moved.take(here, &name)?;
        } else {
            match open(here, &name) {
                Ok(inner) => empty(inner.as_fd(), depth + 1, moved)?,
                Err(Errno::NOENT) => continue,
                Err(e) => return Err(e.into()),
            }
            gone(rustix::fs::unlinkat(here, &name, AtFlags::REMOVEDIR))?;
        }
    }
    Ok(())
}

impl Moved<'_> {
    fn take(&mut self, from: BorrowedFd<'_>, name: &CString) -> io::Result<()> {
        // Who moves a folder has to be let into it.
        drop(open(from, name)?);
        loop {
            self.count += 1;
            let to = format!(".deep-{}", self.count);
            match rustix::fs::renameat_with(from, name, self.top, &to, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                done => return gone(done),
            }
        }
    }
}

fn gone(done: Result<(), Errno>) -> io::Result<()> {
    match done {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Opens a folder so that it can be emptied: without root, one of ours may not let us in or change it, as the module
/// caches of some builders do.
fn open<P: rustix::path::Arg + Copy>(parent: impl AsFd, name: P) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let parent = parent.as_fd();
    let all = Mode::RWXU;
    match rustix::fs::openat(parent, name, flags | OFlags::RDONLY, Mode::empty()) {
        Ok(folder) => {
            let stat = rustix::fs::fstat(&folder)?;
            if stat.st_mode & 0o700 != 0o700 {
                let _ = rustix::fs::fchmod(&folder, all);
            }
            Ok(folder)
        }
        Err(Errno::ACCESS) => {
            let path = rustix::fs::openat(parent, name, flags | OFlags::PATH, Mode::empty())?;
            rustix::fs::chmod(format!("/proc/self/fd/{}", path.as_raw_fd()), all)?;
            rustix::fs::openat(parent, name, flags | OFlags::RDONLY, Mode::empty())
        }
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// On a stack that a frame a level would overflow.
    #[test]
    fn a_tree_of_any_depth_goes() {
        let tmp = tempfile::tempdir().unwrap();
        let (outside, root) = (tmp.path().join("outside"), tmp.path().join("root"));
        for dir in [&outside, &root] {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join("file"), "x").unwrap();
        }
        std::fs::create_dir(root.join(".deep-1")).unwrap();
        let mut here = rustix::fs::open(&root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        for _ in 0..4_000 {
            rustix::fs::mkdirat(&here, "d", Mode::RWXU).unwrap();
            here = rustix::fs::openat(&here, "d", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        }
        rustix::fs::symlinkat(&outside, &here, "link").unwrap();
        symlink(&outside, root.join("link")).unwrap();
        let removing = std::thread::Builder::new().stack_size(256 << 10).spawn({
            let root = root.clone();
            move || folder(&root)
        });
        removing.unwrap().join().unwrap().unwrap();
        assert!(!root.exists() && outside.join("file").exists());
        folder(&root).unwrap();
    }

    #[test]
    fn folders_that_shut_us_out_go_too() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().join("root");
        for (name, mode) in [("closed", 0o000), ("kept", 0o555)] {
            let dir = root.join(name).join("in");
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("file"), "x").unwrap();
            std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        folder(&root).unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn a_link_in_the_folders_place_is_not_followed() {
        let tmp = tempfile::tempdir().unwrap();
        let (outside, link) = (tmp.path().join("outside"), tmp.path().join("link"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("file"), "x").unwrap();
        symlink(&outside, &link).unwrap();
        assert!(folder(&link).is_err());
        assert!(outside.join("file").exists());
    }
}

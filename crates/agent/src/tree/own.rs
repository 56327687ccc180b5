//! Gives a folder and all in it to a user, or takes it back. Links are never followed.

use super::DEEPEST;
use crate::disk::{At, Result};
use rustix::{
    fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid},
    io::Errno,
};
use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    rc::Rc,
};

/// What the tree's files may be done with afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// As they are; special bits go.
    Keep,
    /// Everyone reads, nobody but the owner writes.
    ReadOnlyForOthers,
}

/// `from`: only what this user owns changes hands, so that a hard link into the tree cannot pass a file of somebody
/// else's through it. `None` in `to` changes the modes alone.
pub fn give(path: &Path, from: Option<u32>, to: Option<(u32, u32)>, access: Access) -> Result<()> {
    let walk = || -> io::Result<()> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let root = rustix::fs::open(path, flags, Mode::empty())?;
        change(&root, from, to, access)?;
        children(root, from, to, access)
    };
    walk().at("change the owner of", path)
}

fn children(root: OwnedFd, from: Option<u32>, to: Option<(u32, u32)>, access: Access) -> io::Result<()> {
    let mut pending: Vec<(Rc<OwnedFd>, Option<CString>, usize)> = vec![(Rc::new(root), None, 0)];
    // Depth first, and each folder is opened when its turn comes: as many are open at once as the tree is deep.
    while let Some((parent, name, depth)) = pending.pop() {
        if depth > DEEPEST {
            return Err(Errno::NAMETOOLONG.into());
        }
        let folder = match name {
            None => parent,
            Some(name) => {
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
                let opened = rustix::fs::openat(&*parent, &name, flags, Mode::empty())?;
                change(&opened, from, to, access)?;
                Rc::new(opened)
            }
        };
        for entry in Dir::read_from(&*folder)? {
            let entry = entry?;
            let name: CString = entry.file_name().to_owned();
            if name.as_bytes() == b"." || name.as_bytes() == b".." {
                continue;
            }
            let stat = rustix::fs::statat(&*folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => pending.push((folder.clone(), Some(name), depth + 1)),
                FileType::RegularFile => {
                    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::RDONLY;
                    match rustix::fs::openat(&*folder, &name, flags, Mode::empty()) {
                        Ok(file) => change(&file, from, to, access)?,
                        // Without root, a file its owner may not read.
                        Err(Errno::ACCESS) if to.is_none() => {}
                        Err(e) => return Err(e.into()),
                    }
                }
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => {
                    if let Some((uid, gid)) = to
                        && from.is_none_or(|uid| uid == stat.st_uid)
                    {
                        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
                        rustix::fs::chownat(&*folder, &name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn change(file: &OwnedFd, from: Option<u32>, to: Option<(u32, u32)>, access: Access) -> io::Result<()> {
    let stat = rustix::fs::fstat(file)?;
    let shared = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1;
    if from.is_some_and(|uid| uid != stat.st_uid) || (to.is_some() && shared && from.is_none()) {
        return Ok(());
    }
    if let Some((uid, gid)) = to {
        rustix::fs::fchown(file.as_fd(), Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    let mode = match access {
        Access::Keep => stat.st_mode & 0o777,
        Access::ReadOnlyForOthers => {
            let executable = stat.st_mode & 0o100 != 0;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory || executable { 0o755 } else { 0o644 }
        }
    };
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    Ok(())
}

//! Unpacks a tar into a folder of ours.
//!
//! Every step is taken from an open folder and refuses links, so that no order of entries reaches outside.

use super::inside::{plain, stays_inside};
use crate::faults;
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
};
use tar::{Archive, EntryType};
use tradewind_model::{fault::Fault, said, said::Said};

/// What an archive may hold at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub bytes: u64,
    pub entries: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 8 << 30, entries: 1_000_000 }
    }
}

/// What to do with a name that is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// An archive that holds a name twice is not one of ours.
    Refuse,
    /// Later archives lie over earlier ones.
    Replace,
}

/// Folders are 0755, files 0644 or 0755; owners, times and other bits of the archive are not taken over.
pub fn unpack(archive: impl Read, into: &Path, existing: Existing, bounds: Bounds) -> Result<(), Fault> {
    let root = rustix::fs::open(into, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())
        .map_err(|e| disk("open the folder", e))?;
    let mut archive = Archive::new(archive);
    let mut left = bounds;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let named = |code| Fault::new(code).with("path", path.display());
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        let place = plain(&path).ok_or_else(|| named(&faults::ARCHIVE_PATH))?;
        left.entries = left.entries.checked_sub(1).ok_or_else(|| {
            Fault::new(&faults::ARCHIVE_TOO_LARGE).with("limit", format!("{} entries", bounds.entries))
        })?;
        if place.as_os_str().is_empty() {
            continue;
        }
        match kind {
            EntryType::Directory => drop(folder(&root, &place, existing)?),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let size = entry.size();
                left.bytes = left.bytes.checked_sub(size).ok_or_else(|| {
                    Fault::new(&faults::ARCHIVE_TOO_LARGE).with("limit", format!("{} bytes", bounds.bytes))
                })?;
                let executable = entry.header().mode().map_err(broken)? & 0o100 != 0;
                let (parent, name) = parent(&root, &place, existing)?;
                let mut file = create(&parent, &name, &place, executable, existing)?;
                copy(&mut entry, &mut file, size)?;
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(broken)?.ok_or_else(|| named(&faults::ARCHIVE_PATH))?;
                if !stays_inside(&place, &target) {
                    return Err(named(&faults::LINK_LEAVES).with("target", target.display()));
                }
                let (parent, name) = parent(&root, &place, existing)?;
                make_way(&parent, &name, &place, existing)?;
                rustix::fs::symlinkat(&*target, &parent, &name).map_err(|e| at(&place, e))?;
            }
            // The kinds of tar are open-ended: what is not known is refused with the rest.
            _ => return Err(named(&faults::ARCHIVE_KIND).with("kind", name_of(kind))),
        }
    }
    Ok(())
}

fn name_of(kind: EntryType) -> Said {
    match kind {
        EntryType::Link => said!("hard link", "硬链接"),
        EntryType::Char | EntryType::Block => said!("device", "设备"),
        EntryType::Fifo => said!("pipe", "管道"),
        other => Said::plain(format!("{other:?}")),
    }
}

/// Opens the folder at `place`, making what is missing; a link on the way is refused.
fn folder(root: &OwnedFd, place: &Path, existing: Existing) -> Result<OwnedFd, Fault> {
    let mut here = root.try_clone().map_err(|e| disk("open the folder", e))?;
    for component in place.components() {
        let Component::Normal(name) = component else {
            return Err(Fault::new(&faults::ARCHIVE_PATH).with("path", place.display()));
        };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        here = match rustix::fs::openat(&here, name, flags, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT) => make_folder(&here, name).map_err(|e| at(place, e))?,
            Err(Errno::NOTDIR | Errno::LOOP) if existing == Existing::Replace => {
                rustix::fs::unlinkat(&here, name, AtFlags::empty()).map_err(|e| at(place, e))?;
                make_folder(&here, name).map_err(|e| at(place, e))?
            }
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(Fault::new(&faults::ARCHIVE_TWICE).with("path", place.display()));
            }
            Err(e) => return Err(at(place, e)),
        };
    }
    Ok(here)
}

fn make_folder(here: &OwnedFd, name: &std::ffi::OsStr) -> Result<OwnedFd, Errno> {
    rustix::fs::mkdirat(here, name, Mode::from_raw_mode(0o755))?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let made = rustix::fs::openat(here, name, flags, Mode::empty())?;
    rustix::fs::fchmod(&made, Mode::from_raw_mode(0o755))?;
    Ok(made)
}

fn parent(root: &OwnedFd, place: &Path, existing: Existing) -> Result<(OwnedFd, PathBuf), Fault> {
    let above = place.parent().unwrap_or(Path::new(""));
    let name = place.file_name().ok_or_else(|| Fault::new(&faults::ARCHIVE_PATH).with("path", place.display()))?;
    Ok((folder(root, above, existing)?, PathBuf::from(name)))
}

/// Afterwards nothing has this name.
fn make_way(parent: &OwnedFd, name: &Path, place: &Path, existing: Existing) -> Result<(), Fault> {
    match (rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW), existing) {
        (Err(Errno::NOENT), _) => Ok(()),
        (Err(e), _) => Err(at(place, e)),
        (Ok(_), Existing::Refuse) => Err(Fault::new(&faults::ARCHIVE_TWICE).with("path", place.display())),
        (Ok(stat), Existing::Replace) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            Err(Fault::new(&faults::ARCHIVE_TWICE).with("path", place.display()))
        }
        (Ok(_), Existing::Replace) => rustix::fs::unlinkat(parent, name, AtFlags::empty()).map_err(|e| at(place, e)),
    }
}

fn create(parent: &OwnedFd, name: &Path, place: &Path, executable: bool, existing: Existing) -> Result<File, Fault> {
    make_way(parent, name, place, existing)?;
    let mode = Mode::from_raw_mode(if executable { 0o755 } else { 0o644 });
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(parent, name, flags, mode).map_err(|e| at(place, e))?;
    // The umask of whoever started us is not part of a release.
    rustix::fs::fchmod(&file, mode).map_err(|e| at(place, e))?;
    Ok(File::from(file))
}

fn copy(from: &mut impl Read, to: &mut File, size: u64) -> Result<(), Fault> {
    let mut buffer = vec![0; 128 << 10];
    let mut copied = 0u64;
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(broken(e)),
        };
        copied += n as u64;
        if copied > size {
            return Err(Fault::new(&faults::ARCHIVE_BROKEN)
                .with("why", said!("an entry is longer than it says", "某个条目比其声明的更长")));
        }
        to.write_all(&buffer[..n]).map_err(|e| disk("write", e))?;
    }
    if copied == size {
        Ok(())
    } else {
        Err(Fault::new(&faults::ARCHIVE_BROKEN).with("why", said!("it ends in the middle of a file", "在文件中间结束")))
    }
}

fn broken(e: io::Error) -> Fault {
    Fault::new(&faults::ARCHIVE_BROKEN).with("why", e)
}

fn disk(what: &str, e: impl std::fmt::Display) -> Fault {
    Fault::new(&faults::DISK).with("what", what).with("why", e)
}

fn at(place: &Path, e: Errno) -> Fault {
    let shown = String::from_utf8_lossy(place.as_os_str().as_bytes()).into_owned();
    disk(&format!("unpack {shown}"), e)
}

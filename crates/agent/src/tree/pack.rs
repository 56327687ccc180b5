//! Chooses files of a folder by globs and packs them, sorted, into a tar.zst: equal content gives equal bytes.

use super::{DEEPEST, inside::stays_inside};
use crate::{disk::At, faults};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};
use sha2::Digest as _;
use std::{
    ffi::CString,
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    rc::Rc,
};
use tar::{Builder, EntryType, Header};
use tradewind_model::{
    fault::Fault,
    id::Digest,
    release::{EntryContent, ManifestEntry},
};

/// Which paths are meant: `dist`, `dist/` and `dist/**` all name a folder and what is in it.
#[derive(Debug)]
pub struct Patterns {
    include: GlobSet,
    exclude: GlobSet,
}

impl Patterns {
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, Fault> {
        Ok(Self { include: set(include)?, exclude: set(exclude)? })
    }
    fn wants(&self, path: &str) -> bool {
        self.include.is_match(path) && !self.exclude.is_match(path)
    }
}

fn set(patterns: &[String]) -> Result<GlobSet, Fault> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let clean = pattern.trim_start_matches("./").trim_end_matches('/');
        if matches!(clean, "" | ".") {
            set.add(glob(pattern, "**")?);
        } else {
            set.add(glob(pattern, clean)?);
            set.add(glob(pattern, &format!("{clean}/**"))?);
        }
    }
    set.build().map_err(|e| bad(&patterns.join(", "), e))
}

fn glob(written: &str, pattern: &str) -> Result<Glob, Fault> {
    GlobBuilder::new(pattern).literal_separator(true).build().map_err(|e| bad(written, e.kind().clone()))
}

fn bad(pattern: &str, why: impl std::fmt::Display) -> Fault {
    Fault::new(&faults::BAD_PATTERN).with("pattern", pattern).with("why", why)
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    File { executable: bool },
    Link { target: String },
}

/// A file that was chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    path: String,
    kind: Kind,
}

/// Lists what `patterns` want, sorted. Links are listed, not followed. `owner`: files of other users are refused, so
/// that a hard link to one cannot carry it out. Pipes, sockets and devices are passed over.
pub fn choose(root: &Path, patterns: &Patterns, owner: Option<u32>) -> Result<Vec<Chosen>, Fault> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let top = rustix::fs::open(root, flags, Mode::empty()).at("open", root)?;
    let mut chosen = Vec::new();
    let mut pending: Vec<(Rc<OwnedFd>, Option<CString>, String, usize)> = vec![(Rc::new(top), None, String::new(), 0)];
    while let Some((parent, name, prefix, depth)) = pending.pop() {
        let place = root.join(&prefix);
        if depth > DEEPEST {
            Err(Errno::NAMETOOLONG).at("look into", &place)?;
        }
        let folder = match name {
            None => parent,
            Some(name) => Rc::new(rustix::fs::openat(&*parent, &name, flags, Mode::empty()).at("open", &place)?),
        };
        for entry in Dir::read_from(&*folder).at("list", &place)? {
            let entry = entry.at("list", &place)?;
            let name = entry.file_name().to_owned();
            if matches!(name.as_bytes(), b"." | b"..") {
                continue;
            }
            let stat = rustix::fs::statat(&*folder, &name, AtFlags::SYMLINK_NOFOLLOW).at("look at", &place)?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            let Ok(text) = name.to_str() else {
                let shown = format!("{prefix}{}", name.to_string_lossy());
                return Err(Fault::new(&faults::NOT_UTF8).with("path", shown));
            };
            let path = format!("{prefix}{text}");
            match kind {
                FileType::Directory => {
                    pending.push((folder.clone(), Some(name), format!("{path}/"), depth + 1));
                }
                FileType::RegularFile if patterns.wants(&path) => {
                    if owner.is_some_and(|uid| uid != stat.st_uid) {
                        return Err(Fault::new(&faults::NOT_THEIRS).with("path", path));
                    }
                    chosen.push(Chosen { path, kind: Kind::File { executable: stat.st_mode & 0o100 != 0 } });
                }
                FileType::Symlink if patterns.wants(&path) => {
                    let target = rustix::fs::readlinkat(&*folder, &name, Vec::new()).at("read the link in", &place)?;
                    let leaves =
                        |target: &str| Fault::new(&faults::LINK_LEAVES).with("path", &path).with("target", target);
                    let target = target.into_string().map_err(|e| leaves(&e.into_cstring().to_string_lossy()))?;
                    if !stays_inside(Path::new(&path), Path::new(&target)) {
                        return Err(leaves(&target));
                    }
                    chosen.push(Chosen { path, kind: Kind::Link { target } });
                }
                FileType::RegularFile
                | FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => {}
            }
        }
    }
    chosen.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(chosen)
}

/// An archive that was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packed {
    pub files: Vec<ManifestEntry>,
    /// Of the compressed archive.
    pub digest: Digest,
    /// Bytes of the compressed archive.
    pub size: u64,
}

/// Packs what was chosen into `to`, with owners and times left out.
pub fn pack(root: &Path, chosen: &[Chosen], to: &Path) -> Result<Packed, Fault> {
    let file = File::create(to).at("create", to)?;
    let hashing = Hashing { inner: io::BufWriter::new(file), hash: sha2::Sha256::new(), bytes: 0 };
    let compressed = zstd::Encoder::new(hashing, 3).at("compress", to)?;
    let mut tar = Builder::new(compressed);
    let mut files = Vec::with_capacity(chosen.len());
    for Chosen { path, kind } in chosen {
        let place = root.join(path);
        let mut header = Header::new_gnu();
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        let content = match kind {
            Kind::File { executable } => {
                let mut file = open_inside(root, path).at("open", &place)?;
                let size = file.metadata().at("look at", &place)?.len();
                header.set_entry_type(EntryType::Regular);
                header.set_mode(if *executable { 0o755 } else { 0o644 });
                header.set_size(size);
                let mut reading = Digesting { inner: (&mut file).take(size), hash: sha2::Sha256::new(), bytes: 0 };
                tar.append_data(&mut header, path, &mut reading).at("pack", &place)?;
                if reading.bytes != size {
                    let shorter = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read");
                    return Err(Err::<(), _>(shorter).at("pack", &place).unwrap_err().into());
                }
                let digest = Digest::from_bytes(reading.hash.finalize().into());
                EntryContent::File { digest, size, executable: *executable }
            }
            Kind::Link { target } => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                tar.append_link(&mut header, path, target).at("pack", &place)?;
                EntryContent::Symlink { target: target.clone() }
            }
        };
        files.push(ManifestEntry { path: path.clone(), content });
    }
    let compressed = tar.into_inner().at("write", to)?;
    let mut hashing = compressed.finish().at("write", to)?;
    hashing.flush().at("write", to)?;
    Ok(Packed { files, digest: Digest::from_bytes(hashing.hash.finalize().into()), size: hashing.bytes })
}

/// Opens a file under `root` without following a link on the way.
fn open_inside(root: &Path, path: &str) -> io::Result<File> {
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let mut here = rustix::fs::open(root, folder, Mode::empty())?;
    let relative = PathBuf::from(path);
    let (above, name) = (relative.parent().unwrap_or(Path::new("")), relative.file_name().unwrap_or_default());
    for part in above.components() {
        here = rustix::fs::openat(&here, part.as_os_str().as_bytes(), folder, Mode::empty())?;
    }
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NONBLOCK;
    Ok(File::from(rustix::fs::openat(&here, name, flags, Mode::empty())?))
}

struct Hashing<W> {
    inner: W,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

struct Digesting<R> {
    inner: R,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

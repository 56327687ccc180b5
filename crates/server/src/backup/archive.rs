//! Files into a `tar.zst` and out of it, each hashed on its way.

use super::{BackupError, Entry, FORM, MANIFEST, Manifest, Progress, Tell, faults};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tar::EntryType;
use tradewind_model::{fault::Fault, id::Digest, said, said::Said};

/// Most of it is packed already, so little effort finds what there is to find.
const LEVEL: i32 = 3;
/// Of the manifest: a line for each of a few million files.
const LONGEST_MANIFEST: u64 = 1 << 30;
/// Between two words to who waits.
const TELL_BYTES: u64 = 32 << 20;

pub struct Writer<W: Write> {
    tar: tar::Builder<zstd::Encoder<'static, W>>,
    pub files: BTreeMap<String, Entry>,
    progress: Progress,
    told: u64,
    tell: Tell,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W, tell: Tell) -> io::Result<Self> {
        let mut pack = zstd::Encoder::new(out, LEVEL)?;
        pack.include_checksum(true)?;
        Ok(Self { tar: tar::Builder::new(pack), files: BTreeMap::new(), progress: Progress::default(), told: 0, tell })
    }

    /// A file as it is now: what is appended meanwhile is left out. One that is gone is gone.
    pub fn file(&mut self, from: &Path, name: &str) -> Result<(), BackupError> {
        let cannot = || BackupError::file("copy", from);
        let file = match File::open(from) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(cannot())?,
        };
        let meta = file.metadata().map_err(cannot())?;
        let age = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        self.put(name, meta.len(), age.as_secs(), file).map_err(cannot())
    }

    pub fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), BackupError> {
        self.put(name, content.len() as u64, 0, content).map_err(BackupError::file("copy", Path::new(name)))
    }

    fn put(&mut self, name: &str, size: u64, age: u64, content: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(age);
        let mut hashing = Hashing { inner: content.take(size), hash: Sha256::new(), read: 0 };
        self.tar.append_data(&mut header, name, &mut hashing)?;
        if hashing.read != size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        let sha256 = Digest::from_bytes(hashing.hash.finalize().into());
        self.files.insert(name.to_owned(), Entry { size, sha256 });
        self.progress.files += 1;
        self.progress.bytes += size;
        if self.progress.bytes - self.told >= TELL_BYTES {
            self.told = self.progress.bytes;
            (self.tell)(self.progress);
        }
        Ok(())
    }

    /// The manifest, and the end.
    pub fn finish(mut self, manifest: &Manifest) -> io::Result<W> {
        let text = serde_json::to_vec(manifest)?;
        self.put(MANIFEST, text.len() as u64, 0, &*text)?;
        (self.tell)(self.progress);
        let mut out = self.tar.into_inner()?.finish()?;
        out.flush()?;
        Ok(out)
    }
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
    read: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hash.update(&buf[..n]);
        self.read += n as u64;
        Ok(n)
    }
}

fn no_backup(why: impl Into<Said>) -> BackupError {
    Fault::new(&faults::NOT_A_BACKUP).with("why", why.into()).into()
}

fn damaged(what: impl Into<Said>) -> BackupError {
    Fault::new(&faults::DAMAGED).with("what", what.into()).into()
}

/// Reads all of a backup, compares each file with the manifest, and lays those that `keep` names below `into`. Nothing in it
/// is trusted: no name leads out of `into`, and only plain files are taken.
pub fn read(
    from: impl Read,
    into: &Path,
    keep: impl Fn(&str) -> bool,
    mut tell: Tell,
) -> Result<Manifest, BackupError> {
    let broken = |e: io::Error| no_backup(Said::plain(e.to_string()));
    let mut tar = tar::Archive::new(zstd::Decoder::new(from).map_err(broken)?);
    let mut found: BTreeMap<String, Entry> = BTreeMap::new();
    let (mut manifest, mut progress, mut told) = (None, Progress::default(), 0);
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let odd =
            || damaged(said!("{path} has no place in a backup", "{path} 不应出现在备份中", path = path.display()));
        let is_plain = entry.header().entry_type() == EntryType::Regular
            && path.components().all(|c| matches!(c, Component::Normal(_)));
        let name = path.to_str().filter(|_| is_plain).ok_or_else(odd)?.to_owned();
        if manifest.is_some() {
            return Err(odd());
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            entry.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(broken)?;
            manifest = Some(parse(&text)?);
            continue;
        }
        let size = entry.size();
        let age = entry.header().mtime().unwrap_or_default();
        let mut hashing = Hashing { inner: &mut entry, hash: Sha256::new(), read: 0 };
        if keep(&name) {
            lay(&into.join(&name), &mut hashing, age)?;
        } else {
            io::copy(&mut hashing, &mut io::sink()).map_err(broken)?;
        }
        let sha256 = Digest::from_bytes(hashing.hash.finalize().into());
        if hashing.read != size || found.insert(name, Entry { size, sha256 }).is_some() {
            return Err(odd());
        }
        (progress.files, progress.bytes) = (progress.files + 1, progress.bytes + size);
        if progress.bytes - told >= TELL_BYTES {
            told = progress.bytes;
            tell(progress);
        }
    }
    // The checksum of all of it comes behind the last file.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(broken)?;
    let manifest: Manifest = manifest.ok_or_else(|| {
        no_backup(said!("its list of contents, which comes last, is missing", "缺少位于末尾的内容清单"))
    })?;
    compare(&manifest, &found)?;
    Ok(manifest)
}

fn parse(text: &[u8]) -> Result<Manifest, BackupError> {
    #[derive(serde::Deserialize)]
    struct Form {
        form: u32,
        version: String,
    }
    let unreadable = |e: serde_json::Error| no_backup(Said::plain(e.to_string()));
    let Form { form, version } = serde_json::from_slice(text).map_err(unreadable)?;
    if form > FORM {
        let newer = Fault::new(&faults::NEWER).with("found", form).with("known", FORM);
        return Err(newer.with("version", version).into());
    }
    serde_json::from_slice(text).map_err(unreadable)
}

fn compare(manifest: &Manifest, found: &BTreeMap<String, Entry>) -> Result<(), BackupError> {
    for (name, listed) in &manifest.files {
        match found.get(name) {
            Some(entry) if entry == listed => {}
            Some(_) => return Err(damaged(said!("{name} is not as it was", "{name} 与备份时不一致", name = name))),
            None => return Err(damaged(said!("{name} is missing", "缺少 {name}", name = name))),
        }
    }
    match found.keys().find(|name| !manifest.files.contains_key(*name)) {
        Some(name) => Err(damaged(said!("{name} was added", "多出了 {name}", name = name))),
        None => Ok(()),
    }
}

/// A new file of its owner's alone, with the folders above it; as old as `age` seconds after 1970 say.
pub fn lay(path: &Path, content: &mut impl Read, age: u64) -> Result<(), BackupError> {
    let cannot = || BackupError::file("write", path);
    let folder: PathBuf = path.parent().unwrap_or(Path::new(".")).to_owned();
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(cannot())?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot())?;
    io::copy(content, &mut file).map_err(cannot())?;
    // Artifacts are kept by their age.
    let at: SystemTime = UNIX_EPOCH + Duration::from_secs(age);
    file.set_modified(at).map_err(cannot())?;
    file.sync_all().map_err(cannot())
}

/// Removes a folder of ours when it is done with, whatever becomes of the work.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Its owner's alone.
    pub fn below(parent: &Path, name: &str) -> Result<Self, BackupError> {
        let path = parent.join(format!("{name}{}", uuid::Uuid::now_v7().simple()));
        DirBuilder::new().mode(0o700).create(&path).map_err(BackupError::file("make", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_dir_all(&self.0)
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.0.display(), error = %e, "what was in between was left behind");
        }
    }
}

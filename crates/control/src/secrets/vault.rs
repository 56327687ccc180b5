//! The keys that seal secrets: a file of mode 0600, or text from the environment.
//!
//! A server without them starts and says so; what needs them is refused meanwhile. A file is read again when it has
//! changed, so that a key that was put back or replaced is noticed without a restart.

use super::faults;
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};
use tradewind_model::{fault::Fault, said, said::Said};
use tradewind_secrets::ring::Ring;

/// Where the keys are.
#[derive(Clone)]
pub enum KeySource {
    File(PathBuf),
    /// As [`Ring::parse`] reads it.
    Text(String),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

pub struct Vault {
    source: Option<KeySource>,
    known: RwLock<Option<Known>>,
}

struct Known {
    mark: Option<Mark>,
    ring: Result<Ring, Said>,
}

/// By which a file that was replaced is told.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

/// Without keys.
impl Default for Vault {
    fn default() -> Self {
        Self { source: None, known: RwLock::default() }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({:?})", self.source)
    }
}

impl Vault {
    pub fn new(source: KeySource) -> Self {
        Self { source: Some(source), known: RwLock::default() }
    }

    /// The keys as they are now.
    ///
    /// # Errors
    /// [`faults::VAULT_CLOSED`].
    pub fn ring(&self) -> Result<Ring, Fault> {
        let mark = self.mark();
        let closed = |why: &Said| Fault::new(&faults::VAULT_CLOSED).with("why", why);
        if let Some(known) = &*self.known.read().unwrap_or_else(PoisonError::into_inner)
            && known.mark == mark
        {
            return known.ring.clone().map_err(|why| closed(&why));
        }
        let ring = match &self.source {
            None => Err(said!("this server was started without a vault", "服务器启动时没有密钥库")),
            Some(KeySource::Text(text)) => Ring::parse(text).map_err(|e| Said::plain(e.to_string())),
            Some(KeySource::File(path)) => read(path),
        };
        let answer = ring.clone().map_err(|why| closed(&why));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Known { mark, ring });
        answer
    }

    fn mark(&self) -> Option<Mark> {
        let Some(KeySource::File(path)) = &self.source else { return None };
        let found = fs::metadata(path).ok()?;
        Some(Mark { inode: found.ino(), length: found.len(), changed: (found.ctime(), found.ctime_nsec()) })
    }

    /// The file, where the keys are in one.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            Some(KeySource::File(path)) => Some(path),
            Some(KeySource::Text(_)) | None => None,
        }
    }

    /// Whether keys are kept in a file that is not there: at the first start, nobody made one yet.
    pub fn is_unmade(&self) -> bool {
        self.file()
            .is_some_and(|path| matches!(fs::symlink_metadata(path), Err(e) if e.kind() == io::ErrorKind::NotFound))
    }

    /// Writes the keys' file whole; nobody but its owner can read it at any time.
    ///
    /// # Errors
    /// Those of the file system; of the kind `Unsupported` where the keys are in no file.
    pub fn write(&self, ring: &Ring) -> io::Result<()> {
        let path = self.file().ok_or(io::ErrorKind::Unsupported)?;
        let new = path.with_extension("key.new");
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(ring.render().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

fn read(path: &Path) -> Result<Ring, Said> {
    let at = path.display();
    let failed = |why: io::Error| match why.kind() {
        io::ErrorKind::NotFound => said!("its key is missing: {path}", "找不到主密钥文件：{path}", path = at),
        _ => said!("its key {path} cannot be read: {why}", "无法读取主密钥文件 {path}：{why}", path = at, why = why),
    };
    // A link could lead to a key that others can write.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    if mode & 0o077 != 0 {
        let mode = format!("{:04o}", mode & 0o7777);
        return Err(said!(
            "its key {path} is open to others (mode {mode}): `chmod 600 {path}`",
            "主密钥文件 {path} 对他人开放（权限 {mode}）：请执行 `chmod 600 {path}`",
            path = at,
            mode = mode
        ));
    }
    let mut text = zeroize::Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    Ring::parse(&text)
        .map_err(|e| said!("its key {path} is damaged: {why}", "主密钥文件 {path} 已损坏：{why}", path = at, why = e))
}

//! Certificates that other programs (certbot, cert-manager) keep in a folder, found again when they change.
//!
//! A pair is `NAME.crt` (or `.pem`, `.cer`) beside `NAME.key`, or `fullchain.pem` beside `privkey.pem`, in the folder itself or in
//! one of its folders: `/etc/letsencrypt/live` and a mounted Kubernetes secret are such folders as they are.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tradewind_tls::Certificate;

const MOST_PAIRS: usize = 4_096;
const MOST_BYTES: u64 = 1 << 20;
const CHAIN_ENDINGS: [&str; 3] = ["crt", "pem", "cer"];

/// What tells one state of a file from another.
type Mark = (u64, u64, i64, i64, u64);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Pair {
    chain: PathBuf,
    key: PathBuf,
}

struct Known {
    marks: [Option<Mark>; 2],
    /// The last that could be read: a file that is being written must not take a service off its certificate.
    certificate: Option<Arc<Certificate>>,
    /// What was said of it last.
    wrong: Option<String>,
}

/// A folder that is looked at now and then.
pub struct Folder {
    path: PathBuf,
    known: BTreeMap<Pair, Known>,
    unreadable: bool,
}

impl Folder {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), known: BTreeMap::new(), unreadable: false }
    }

    /// True when what is to be served changed. What is wrong is logged once.
    pub fn look(&mut self) -> bool {
        let pairs = match pairs(&self.path) {
            Ok(pairs) => pairs,
            Err(error) => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::error!(folder = %self.path.display(), %error, "certificates cannot be read; what was read before is served");
                }
                return false;
            }
        };
        self.unreadable = false;
        let before = self.known.len();
        self.known.retain(|pair, _| pairs.contains(pair));
        let mut changed = self.known.len() != before;
        for pair in pairs {
            let marks = [mark(&pair.chain), mark(&pair.key)];
            let known =
                self.known.entry(pair.clone()).or_insert(Known { marks: [None; 2], certificate: None, wrong: None });
            if known.marks == marks && known.wrong.is_none() {
                continue;
            }
            known.marks = marks;
            match read(&pair) {
                Ok(certificate) => {
                    known.wrong = None;
                    if known.certificate.as_ref().is_none_or(|c| c.fingerprint != certificate.fingerprint) {
                        known.certificate = Some(Arc::new(certificate));
                        changed = true;
                    }
                }
                Err(why) => {
                    if known.wrong.as_ref() != Some(&why) {
                        tracing::error!(certificate = %pair.chain.display(), why, "a certificate cannot be used");
                    }
                    known.wrong = Some(why);
                }
            }
        }
        changed
    }

    pub fn certificates(&self) -> impl Iterator<Item = Arc<Certificate>> {
        self.known.values().filter_map(|k| k.certificate.clone())
    }
}

fn pairs(folder: &Path) -> io::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut folders = vec![folder.to_owned()];
    for entry in entries(folder)? {
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort();
    for folder in folders {
        let mut files = entries(&folder)?;
        files.sort();
        for chain in files.iter().filter(|f| CHAIN_ENDINGS.iter().any(|e| f.extension().is_some_and(|x| x == *e))) {
            let key = match chain.file_name().and_then(|n| n.to_str()) {
                Some("fullchain.pem") => folder.join("privkey.pem"),
                _ => chain.with_extension("key"),
            };
            if files.contains(&key) && pairs.len() < MOST_PAIRS {
                pairs.push(Pair { chain: chain.clone(), key });
            }
        }
    }
    Ok(pairs)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A mounted secret has its versions in folders whose names begin with a dot.
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Of what a link leads to.
fn mark(path: &Path) -> Option<Mark> {
    fs::metadata(path).ok().map(|m| (m.dev(), m.ino(), m.mtime(), m.mtime_nsec(), m.size()))
}

fn read(pair: &Pair) -> Result<Certificate, String> {
    let file = |path: &Path| -> Result<Vec<u8>, String> {
        let said = |e: io::Error| format!("{}: {e}", path.display());
        if fs::metadata(path).map_err(said)?.len() > MOST_BYTES {
            return Err(format!("{}: too large", path.display()));
        }
        fs::read(path).map_err(said)
    };
    Certificate::from_pem(&file(&pair.chain)?, &file(&pair.key)?).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;

    fn write(folder: &Path, chain: &str, key: &str, name: &str) {
        fs::create_dir_all(folder).unwrap();
        let made = generate_simple_self_signed([name.to_owned()]).unwrap();
        fs::write(folder.join(chain), made.cert.pem()).unwrap();
        fs::write(folder.join(key), made.signing_key.serialize_pem()).unwrap();
    }

    fn names(folder: &Folder) -> Vec<String> {
        let mut names: Vec<_> = folder.certificates().flat_map(|c| c.names.clone()).map(|n| n.to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn pairs_are_found_where_other_programs_keep_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        write(&root.join("a.example.com"), "fullchain.pem", "privkey.pem", "a.example.com");
        fs::write(root.join("a.example.com/chain.pem"), "not a pair").unwrap();
        write(root, "tls.crt", "tls.key", "b.example.com");
        write(root, "c.pem", "c.key", "c.example.com");
        write(&root.join("..2026_11_22"), "tls.crt", "tls.key", "d.example.com");
        fs::write(root.join("README"), "").unwrap();
        let mut folder = Folder::at(root);
        assert!(folder.look());
        assert_eq!(names(&folder), ["a.example.com", "b.example.com", "c.example.com"]);
        assert!(!folder.look());
        fs::remove_file(root.join("c.key")).unwrap();
        assert!(folder.look());
        assert_eq!(names(&folder), ["a.example.com", "b.example.com"]);
    }

    #[test]
    fn a_pair_that_is_being_replaced_stays_what_it_was_until_it_fits_again() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "tls.crt", "tls.key", "old.example.com");
        let mut folder = Folder::at(dir.path());
        assert!(folder.look());
        let next = tempfile::tempdir().unwrap();
        write(next.path(), "tls.crt", "tls.key", "new.example.com");
        fs::copy(next.path().join("tls.crt"), dir.path().join("tls.crt")).unwrap();
        assert!(!folder.look(), "the key is still the old one");
        assert_eq!(names(&folder), ["old.example.com"]);
        fs::copy(next.path().join("tls.key"), dir.path().join("tls.key")).unwrap();
        assert!(folder.look());
        assert_eq!(names(&folder), ["new.example.com"]);
        fs::remove_dir_all(dir.path()).unwrap();
        assert!(!folder.look());
        assert_eq!(names(&folder), ["new.example.com"], "a folder that cannot be read takes nothing away");
    }
}

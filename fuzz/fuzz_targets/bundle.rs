//! Any archive as a bundle: nothing is written outside of its folder, nothing beyond its bounds, nothing but files, folders
//! and links that stay inside.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{
    fs,
    io::Read,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
};
use tar::{Builder, EntryType, Header};
use tradewind_agent::tree::{Bounds, Existing, unpack};

const BOUNDS: Bounds = Bounds { bytes: 64 << 10, entries: 64 };

/// Entries whose headers are right, so that what they say is what is looked at: kind, size, lengths, name, target.
fn archive(mut bytes: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut head = [0; 4];
    while bytes.read_exact(&mut head).is_ok() {
        let [kind, size, name, target] = head.map(usize::from);
        let mut take = |n: usize| {
            let (taken, rest) = bytes.split_at(n.min(bytes.len()));
            bytes = rest;
            taken
        };
        let (name, target) = (take(name % 100), take(target % 100));
        let mut header = Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..target.len()].copy_from_slice(target);
        header.set_mode(0o7777);
        header.set_entry_type(EntryType::new(b"0125346LKxgS7V"[kind % 14]));
        let size = size % 8 * 1000;
        header.set_size(size as u64);
        header.set_cksum();
        let _ = builder.append(&header, &vec![b'x'; size][..]);
    }
    builder.into_inner().unwrap_or_default()
}

fn look(folder: &Path, root: &Path, bytes: &mut u64) {
    for entry in fs::read_dir(folder).expect("our own folder") {
        let path = entry.expect("our own folder").path();
        let meta = fs::symlink_metadata(&path).expect("our own file");
        let kind = meta.file_type();
        assert!(kind.is_file() || kind.is_dir() || kind.is_symlink(), "{path:?}");
        assert!(!kind.is_block_device() && !kind.is_fifo());
        if kind.is_symlink() {
            if let Ok(real) = path.canonicalize() {
                assert!(real.starts_with(root), "{path:?} leads to {real:?}");
            }
            continue;
        }
        assert_eq!(meta.permissions().mode() & 0o7022, 0, "{path:?}");
        if kind.is_dir() {
            look(&path, root, bytes);
        } else {
            *bytes += meta.len();
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let outside = tempfile::Builder::new().prefix("fuzz").tempdir_in("/dev/shm").expect("memory");
    let into = outside.path().join("into");
    fs::create_dir(&into).expect("a folder");
    fs::write(outside.path().join("sentinel"), "untouched").expect("a file");
    let existing = if first & 2 == 0 { Existing::Refuse } else { Existing::Replace };
    let made;
    let archive = if first & 1 == 0 {
        rest
    } else {
        made = archive(rest);
        &made[..]
    };
    let _ = unpack(archive, &into, existing, BOUNDS);
    let mut all: Vec<_> = fs::read_dir(outside.path()).expect("ours").flatten().map(|e| e.file_name()).collect();
    all.sort();
    assert_eq!(all, ["into", "sentinel"]);
    assert_eq!(fs::read(outside.path().join("sentinel")).expect("it is there"), b"untouched");
    let mut written = 0;
    let root = into.canonicalize().expect("it is there");
    look(&into, &root, &mut written);
    assert!(written <= BOUNDS.bytes, "{written} bytes");
});

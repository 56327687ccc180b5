//! Archives nobody should trust.

use std::{io::Cursor, os::unix::fs::PermissionsExt, path::Path};
use tar::{Builder, EntryType, Header};
use tradewind_agent::tree::{
    Bounds, Existing,
    own::{Access, give},
    pack::{Patterns, choose, pack},
    unpack,
};
use tradewind_model::fault::Fault;

/// Writes an entry with its name as it is: a library that makes archives would refuse most of these.
fn entry(kind: EntryType, path: &str, link: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o6777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, bytes).unwrap();
    let mut entry = builder.into_inner().unwrap();
    // Without the end of the archive: entries are put together.
    entry.truncate(entry.len() - 1024);
    entry
}

fn file(path: &str) -> Vec<u8> {
    entry(EntryType::Regular, path, "", b"x")
}
fn link(path: &str, target: &str) -> Vec<u8> {
    entry(EntryType::Symlink, path, target, b"")
}

fn into(dir: &Path, entries: &[Vec<u8>], existing: Existing, bounds: Bounds) -> Result<(), Fault> {
    let mut archive = entries.concat();
    archive.extend([0; 1024]);
    unpack(Cursor::new(archive), dir, existing, bounds)
}

fn code(entries: &[Vec<u8>]) -> &'static str {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("inner");
    std::fs::create_dir(&dir).unwrap();
    let code = into(&dir, entries, Existing::Refuse, Bounds::default()).map_or_else(|f| f.code.id, |()| "");
    let outside: Vec<_> = std::fs::read_dir(outer.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(outside, ["inner"], "something was written outside");
    code
}

#[test]
fn nothing_gets_out_of_its_folder() {
    assert_eq!(code(&[file("../evil")]), "TW-AGENT-003");
    assert_eq!(code(&[file("a/../../evil")]), "TW-AGENT-003");
    assert_eq!(code(&[file("/tmp/tradewind-evil")]), "TW-AGENT-003");
    assert_eq!(code(&[link("a", "../out")]), "TW-AGENT-005");
    assert_eq!(code(&[link("a", "/etc")]), "TW-AGENT-005");
    assert_eq!(code(&[link("d/a", "../../out")]), "TW-AGENT-005");
    // Through a link that stays inside, or a chain of them that would not.
    assert_eq!(code(&[link("here", "."), file("here/evil")]), "TW-AGENT-007");
    assert_eq!(code(&[link("d/up", ".."), link("d/over", "up/.."), file("d/over/evil")]), "TW-AGENT-007");
    assert_eq!(code(&[link("a", "b"), file("a")]), "TW-AGENT-007");
    assert_eq!(code(&[file("a"), file("a")]), "TW-AGENT-007");
    assert_eq!(code(&[file("a"), file("a/b")]), "TW-AGENT-007");
    for (kind, name) in [
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "pipe"),
    ] {
        assert_eq!(code(&[entry(kind, "a", "/etc/passwd", b"")]), "TW-AGENT-004", "{name}");
    }
    assert_eq!(code(&[vec![7; 512]]), "TW-AGENT-002");
    let mut cut = entry(EntryType::Regular, "a", "", &[1; 5000]);
    cut.truncate(1500);
    assert_eq!(code(&[cut]), "TW-AGENT-002");
    assert_eq!(code(&[file("a"), link("b", "a"), file("d/e/f")]), "");
}

#[test]
fn an_archive_is_no_larger_than_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let files = [file("a"), file("b"), file("c")];
    let bounds = |bytes, entries| Bounds { bytes, entries };
    for too_small in [bounds(2, 10), bounds(10, 2)] {
        let dir = tempfile::tempdir().unwrap();
        let fault = into(dir.path(), &files, Existing::Refuse, too_small).unwrap_err();
        assert_eq!(fault.code.id, "TW-AGENT-006");
    }
    into(dir.path(), &files, Existing::Refuse, bounds(3, 3)).unwrap();
}

#[test]
fn special_bits_are_not_taken_over_and_later_archives_lie_over_earlier_ones() {
    let dir = tempfile::tempdir().unwrap();
    into(dir.path(), &[file("a"), link("b", "a")], Existing::Refuse, Bounds::default()).unwrap();
    let mode = dir.path().join("a").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
    into(dir.path(), &[file("b"), link("a", "b")], Existing::Replace, Bounds::default()).unwrap();
    assert!(dir.path().join("b").symlink_metadata().unwrap().is_file());
    assert_eq!(dir.path().join("a").read_link().unwrap(), Path::new("b"));
}

#[test]
fn what_is_packed_is_chosen_without_following_links() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.tar.zst");
    let root = dir.path().join("root");
    let write = |path: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    };
    ["a", ".env", "dist/x.js", "dist/deep/y.js", "dist/x.map", "src/z"].into_iter().for_each(write);
    let chosen = |include: &[&str], exclude: &[&str]| -> Vec<String> {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let patterns = Patterns::new(&own(include), &own(exclude)).unwrap();
        let chosen = choose(&root, &patterns, None).unwrap();
        pack(&root, &chosen, &out).unwrap().files.into_iter().map(|f| f.path).collect()
    };
    assert_eq!(chosen(&["**"], &[]), [".env", "a", "dist/deep/y.js", "dist/x.js", "dist/x.map", "src/z"]);
    assert_eq!(chosen(&["dist/"], &["**/*.map"]), ["dist/deep/y.js", "dist/x.js"]);
    assert_eq!(chosen(&["./dist/*.js"], &[]), ["dist/x.js"]);
    assert_eq!(chosen(&["."], &["dist", "src/**"]), [".env", "a"]);

    std::os::unix::fs::symlink("/etc", root.join("etc")).unwrap();
    assert_eq!(chosen(&["**"], &["etc"]).len(), 6, "an excluded link is no matter");
    let all = Patterns::new(&["**".to_owned()], &[]).unwrap();
    assert_eq!(choose(&root, &all, None).unwrap_err().code.id, "TW-AGENT-005");
    std::fs::remove_file(root.join("etc")).unwrap();
    assert_eq!(choose(&root, &all, Some(4_000_000)).unwrap_err().code.id, "TW-AGENT-023", "another user's file");
    assert_eq!(Patterns::new(&["a[".to_owned()], &[]).unwrap_err().code.id, "TW-AGENT-016");
}

/// Each level is a folder held open: a tree without end would take the agent's last descriptor.
#[test]
fn trees_are_looked_into_to_a_depth_and_no_further() {
    let outer = tempfile::tempdir().unwrap();
    let all = Patterns::new(&["**".to_owned()], &[]).unwrap();
    for (levels, fits) in [(500, true), (600, false)] {
        let root = outer.path().join(levels.to_string());
        let deepest = root.join("d/".repeat(levels));
        std::fs::create_dir_all(&deepest).unwrap();
        std::fs::write(deepest.join("file"), "x").unwrap();
        let chosen = choose(&root, &all, None).map(|c| c.len());
        assert_eq!(chosen.map_err(|f| f.code.id), if fits { Ok(1) } else { Err("TW-AGENT-018") });
        assert_eq!(give(&root, None, None, Access::Keep).is_ok(), fits);
    }
}

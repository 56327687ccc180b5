//! Backups of a folder that works, with the real program: made, read through, damaged, restored, and started again.

use crate::{
    checkout::Checkout,
    harness::{Folder, text, until},
};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Output};

const SPEC: &str = "version: 1\nservice: sync\nkind: worker\nrun:\n  command: [sleep, '1000']\n\
    environments:\n  production:\n    branch: main\n    strategy: { type: all_at_once, soak: 0s }\n";
const PIPELINE: &str = "test:\n  script: [echo all is well]\n";
const PASSPHRASE: &str = "fair winds and following seas\n";

/// What is packed in the place of a file: its name and content, or nothing.
type Packed = Option<(String, Vec<u8>)>;

struct Desk {
    folder: Folder,
}

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.tmp.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn admin(&self, words: &str) -> Output {
        let out = self.folder.command(&format!("admin {words}")).output().unwrap();
        println!("tradewind admin {words}\n{}{}", text(&out.stdout), text(&out.stderr));
        out
    }

    fn verify(&self, name: &str) -> Output {
        let mut command = std::process::Command::new(&self.folder.program);
        crate::harness::surround(&mut command, &self.folder);
        command.args(["admin", "backup", "verify", &self.file(name), "--json"]).output().unwrap()
    }
}

fn ok(out: &Output) -> String {
    assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
    text(&out.stdout)
}

fn refused(out: &Output, code: &str) {
    let said = text(&out.stderr);
    assert!(out.status.code() == Some(3) && said.contains(code), "{code}: {:?} {said}", out.status);
}

#[test]
fn what_is_backed_up_while_it_works_comes_back_and_hosts_follow_it() {
    let desk = Desk { folder: Folder::new() };
    let up = desk.folder.up();
    let checkout = Checkout::new(&desk.folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", PIPELINE)]);
    checkout.log_in(&up);
    assert_eq!(checkout.tradewind("push --wait").1, Some(0));
    fs::write(desk.path("secret"), PASSPHRASE).unwrap();

    // Somebody has to say what becomes of the keys.
    let (one, pass) = (desk.file("one.tar.zst"), desk.file("secret"));
    refused(&desk.admin(&format!("backup {one}")), "TW-BACK-008");
    ok(&desk.admin(&format!("backup {one} --passphrase-file {pass}")));
    let mode = fs::metadata(&one).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    refused(&desk.admin(&format!("backup {one} --without-keys")), "TW-BACK-011");
    let found: serde_json::Value = serde_json::from_str(&ok(&desk.verify("one.tar.zst"))).unwrap();
    assert_eq!((&found["releases"], &found["repositories"], &found["keys"]), (&1.into(), &1.into(), &"locked".into()));
    assert!(found["events"].as_i64().unwrap() > 3, "{found}");

    // Over the API, to stdout, and from a server's point of view while it goes on.
    let (told, code) = checkout.tradewind("backup ../over-the-api.tar.zst");
    assert_eq!(code, Some(0), "{told}");
    let found: serde_json::Value = serde_json::from_str(&ok(&desk.verify("over-the-api.tar.zst"))).unwrap();
    assert_eq!(found["keys"], "left_out");
    let piped = desk.folder.command("admin backup --to-stdout --keys-in-the-clear").output().unwrap();
    assert_eq!(piped.status.code(), Some(0));
    fs::write(desk.path("piped.tar.zst"), &piped.stdout).unwrap();
    ok(&desk.verify("piped.tar.zst"));
    until("all three are in the log", || {
        let (events, _) = checkout.tradewind("events --json --limit 200");
        (events.matches("admin.backup_made").count() == 3).then_some(())
    });

    // What comes after it is gone by the restore.
    checkout.commit("Two", &[("VERSION", "2\n")]);
    assert_eq!(checkout.tradewind("push --wait").1, Some(0));
    let instances = desk.folder.data().join("agent/instances");
    let of_two = fs::read_dir(&instances).unwrap().count();
    assert!(of_two >= 1);
    refused(&desk.admin(&format!("restore {one}")), "TW-BACK-010");
    drop(checkout);
    drop(up);
    ok(&desk.folder.down());

    let old = desk.path("old");
    fs::rename(desk.folder.data(), &old).unwrap();
    refused(&desk.admin(&format!("restore {one}")), "TW-BACK-009");
    fs::write(desk.path("wrong"), "another passphrase\n").unwrap();
    refused(&desk.admin(&format!("restore {one} --passphrase-file {}", desk.file("wrong"))), "TW-BACK-009");
    assert_eq!(fs::read_dir(desk.folder.data()).unwrap().count(), 0, "a refused restore leaves nothing behind");
    ok(&desk.admin(&format!("restore {one} --passphrase-file {pass}")));
    for key in ["vault.key", "audit.key", "agent.token"] {
        let (was, is) = (old.join("keys").join(key), desk.folder.data().join("keys").join(key));
        assert_eq!(fs::read(was).unwrap(), fs::read(is).unwrap(), "{key}");
    }
    // The host is the one it was: what it holds is numbered above the restored rows, and has the second release.
    fs::remove_dir_all(desk.folder.data().join("agent")).ok();
    fs::rename(old.join("agent"), desk.folder.data().join("agent")).unwrap();

    let up = desk.folder.up();
    let checkout = Checkout::again(&desk.folder);
    checkout.log_in(&up);
    until("the first release is live again, and healthy", || {
        let (status, _) = checkout.tradewind("status sync");
        (status.contains("v1") && status.contains("healthy") && status.contains("1/1") && !status.contains("v2"))
            .then_some(())
    });
    let (events, _) = checkout.tradewind("events --json --limit 200");
    assert_eq!(events.matches("admin.restored").count(), 1, "{events}");
    assert!(events.contains("instance.unknown"), "what ran and is not known is told: {events}");
    assert_eq!(checkout.tradewind("audit verify").1, Some(0));

    // And it goes on: the next push is built and rolled out. The branch is where it was at the backup.
    let told = checkout.git(&["push", "--force", "tradewind", "main"]);
    assert!(told.contains("remote: "), "{told}");
    until("the second release, made anew", || {
        let (status, _) = checkout.tradewind("status sync");
        (status.contains("v2") && status.contains("healthy")).then_some(())
    });
}

#[test]
fn a_backup_that_is_not_as_it_was_made_is_named_for_what_it_lacks() {
    let desk = Desk { folder: Folder::new() };
    let up = desk.folder.up();
    let checkout = Checkout::new(&desk.folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", PIPELINE)]);
    checkout.log_in(&up);
    assert_eq!(checkout.tradewind("push --wait").1, Some(0));
    let (good, at) = (desk.path("good.tar.zst"), desk.path("bad.tar.zst"));
    ok(&desk.admin(&format!("backup {} --without-keys", good.display())));
    drop(up);
    ok(&desk.folder.down());

    // Broken off anywhere, or a bit turned.
    let whole = fs::read(&good).unwrap();
    for part in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&at, &whole[..part]).unwrap();
        let out = desk.verify("bad.tar.zst");
        assert!(text(&out.stderr).contains("TW-BACK-00"), "{part}: {}", text(&out.stderr));
        assert_eq!(out.status.code(), Some(3));
    }
    let mut turned = whole.clone();
    turned[whole.len() / 2] ^= 1;
    fs::write(&at, &turned).unwrap();
    refused(&desk.verify("bad.tar.zst"), "TW-BACK-00");

    // Repacked by somebody who knows the form: what is missing, altered, added or leads out is named.
    let repack = |change: &dyn Fn(&str, Vec<u8>) -> Packed| {
        let mut packed = tar::Builder::new(zstd::Encoder::new(fs::File::create(&at).unwrap(), 1).unwrap());
        let mut unpacked = tar::Archive::new(zstd::Decoder::new(&whole[..]).unwrap());
        for entry in unpacked.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            if let Some((name, content)) = change(&name, content) {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o600);
                header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
                header.set_cksum();
                packed.append(&header, &*content).unwrap();
            }
        }
        packed.into_inner().unwrap().finish().unwrap();
        desk.verify("bad.tar.zst")
    };
    assert_eq!(repack(&|name, content| Some((name.into(), content))).status.code(), Some(0), "unchanged");
    refused(&repack(&|name, content| (!name.starts_with("blobs/")).then(|| (name.into(), content))), "TW-BACK-004");
    refused(&repack(&|name, content| (name != "manifest.json").then(|| (name.into(), content))), "TW-BACK-003");
    refused(
        &repack(&|name, mut content| {
            if name.ends_with("tradewind.db") {
                content[5000] ^= 1;
            }
            Some((name.into(), content))
        }),
        "TW-BACK-004",
    );
    for evil in ["../outside", "/tmp/outside", "git/../../outside"] {
        let out =
            repack(&|name, content| Some((if name.contains("HEAD") { evil.into() } else { name.into() }, content)));
        refused(&out, "TW-BACK-00");
    }
    assert!(!desk.path("outside").exists());

    // With a manifest that agrees: then the database's own word counts.
    let without = |lacks: &'static str| {
        let files: Vec<String> = Vec::new();
        let dropped = std::cell::RefCell::new(files);
        repack(&|name, content| {
            if name.starts_with(lacks) {
                dropped.borrow_mut().push(name.to_owned());
                return None;
            }
            if name == "manifest.json" {
                let mut manifest: serde_json::Value = serde_json::from_slice(&content).unwrap();
                for name in &*dropped.borrow() {
                    manifest["files"].as_object_mut().unwrap().remove(name);
                }
                return Some((name.into(), serde_json::to_vec(&manifest).unwrap()));
            }
            Some((name.into(), content))
        })
    };
    refused(&without("blobs/"), "TW-BACK-006");
    refused(&without("git/sync.git/objects"), "TW-BACK-006");
    refused(&without("database/"), "TW-BACK-006");

    // A database that its own log contradicts.
    refused(
        &repack(&|name, content| {
            if name == "manifest.json" {
                let mut manifest: serde_json::Value = serde_json::from_slice(&content).unwrap();
                manifest["head"]["seq"] = 1.into();
                return Some((name.into(), serde_json::to_vec(&manifest).unwrap()));
            }
            Some((name.into(), content))
        }),
        "TW-BACK-007",
    );
    refused(
        &repack(&|name, content| {
            if name == "manifest.json" {
                let mut manifest: serde_json::Value = serde_json::from_slice(&content).unwrap();
                manifest["form"] = 2.into();
                return Some((name.into(), serde_json::to_vec(&manifest).unwrap()));
            }
            Some((name.into(), content))
        }),
        "TW-BACK-005",
    );
    let left: Vec<_> = fs::read_dir(desk.folder.tmp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|n| n.to_string_lossy().starts_with(".tradewind-verify")), "{left:?}");
}

#[test]
fn backups_that_are_made_while_pushes_arrive_lack_nothing() {
    let desk = Desk { folder: Folder::new() };
    let up = desk.folder.up();
    let checkout = Checkout::new(&desk.folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", PIPELINE)]);
    checkout.log_in(&up);
    assert_eq!(checkout.tradewind("push").1, Some(0));
    std::thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            for n in 0..6 {
                checkout.commit("More", &[("VERSION", &format!("{n}\n"))]);
                assert_eq!(checkout.tradewind("push --no-wait").1, Some(0));
            }
        });
        for n in 0.. {
            let name = format!("{n}.tar.zst");
            ok(&desk.admin(&format!("backup {} --without-keys", desk.file(&name))));
            ok(&desk.verify(&name));
            if pushing.is_finished() {
                break;
            }
        }
    });
    // Nothing of what was in between is left.
    let run = fs::read_dir(desk.folder.data().join("run")).unwrap().map(|e| e.unwrap().file_name());
    let left: Vec<_> = run.filter(|n| n.to_string_lossy().starts_with("backup-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

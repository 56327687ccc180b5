//! The log's proof with the real program: who keeps a checkpoint sees what was done to the log.

use crate::harness::{Folder, text, until};
use std::{
    path::{Path, PathBuf},
    process::Output,
};

struct Auditor<'f> {
    folder: &'f Folder,
    token: String,
}

impl Auditor<'_> {
    /// A verb that talks to the server.
    fn ask(&self, words: &str) -> Output {
        let mut command = std::process::Command::new(&self.folder.program);
        crate::harness::surround(&mut command, self.folder);
        command.args(words.split_whitespace()).env("TRADEWIND_TOKEN", &self.token);
        command.env("TRADEWIND_SERVER", format!("http://{}", self.folder.api)).output().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.tmp.path().join(name)
    }
}

fn exit(out: &Output) -> (Option<i32>, String) {
    (out.status.code(), text(&out.stdout) + &text(&out.stderr))
}

/// Puts other bytes in the place of some, wherever they stand in the database.
fn forge(database: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(database).unwrap();
    let at: Vec<usize> = (0..bytes.len() - from.len()).filter(|i| bytes[*i..].starts_with(from.as_bytes())).collect();
    assert!(!at.is_empty(), "{from} is nowhere");
    for at in at {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    std::fs::write(database, bytes).unwrap();
}

#[test]
fn a_log_is_verified_over_the_api_in_the_folder_and_from_an_archive() {
    let folder = Folder::new();
    let up = folder.up();
    let minted = folder.command("admin token --name who-was-it").output().unwrap();
    let auditor = Auditor { folder: &folder, token: text(&minted.stdout).trim().to_owned() };
    let (checkpoint, key, archive) = (auditor.file("c.txt"), auditor.file("k.txt"), auditor.file("log.jsonl"));
    until("the token's event is sealed", || {
        text(&auditor.ask("events --kind token. --json").stdout).contains("who-was-it").then_some(())
    });
    assert_eq!(exit(&auditor.ask(&format!("audit checkpoint --now -o {}", checkpoint.display()))).0, Some(0));
    std::fs::write(&key, auditor.ask("audit key --pem").stdout).unwrap();
    assert_eq!(exit(&auditor.ask(&format!("audit export -o {}", archive.display()))).0, Some(0));
    let from = format!("--from-checkpoint {} --key {}", checkpoint.display(), key.display());

    // While it runs: over the API, hashed here; and beside it, in its folder.
    for found in [
        auditor.ask(&format!("audit verify {from}")),
        folder.command(&format!("audit verify {from}")).output().unwrap(),
    ] {
        let (code, said) = exit(&found);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("checkpoints agree"), "{said}");
    }
    let (code, said) = exit(&auditor.ask("audit status"));
    assert!(code == Some(0) && said.contains("go nowhere"), "{said}");

    drop(up);
    folder.down();
    let verify = |words: &str| exit(&folder.command(&format!("audit verify {words}")).output().unwrap());
    assert_eq!(verify(&from).0, Some(0));
    let (code, said) = exit(&auditor.ask(&format!("audit verify --file {} {from}", archive.display())));
    assert_eq!(code, Some(0), "{said}");
    let other = auditor.file("other.txt");
    std::fs::write(&other, tradewind_audit::Signer::make([1; 32]).0.verifier().to_string()).unwrap();
    let (code, said) = verify(&format!("--from-checkpoint {} --key {}", checkpoint.display(), other.display()));
    assert!(code == Some(3) && said.contains("TW-AUDIT-002"), "{said}");

    forge(&archive, "who-was-it", "nobody-eve");
    let (code, said) = exit(&auditor.ask(&format!("audit verify --file {}", archive.display())));
    assert!(code == Some(1) && said.contains("altered"), "{said}");
    forge(&folder.data().join("tradewind.db"), "who-was-it", "nobody-eve");
    let (code, said) = verify("");
    assert!(code == Some(1) && said.contains("altered"), "{said}");
}

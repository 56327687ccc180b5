//! What a machine gives and lacks.

use crate::harness::{Folder, free_port, text, until};
use serde_json::Value;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Output};

fn ask(folder: &Folder, words: &str) -> Output {
    let mut command = folder.command(&format!("doctor {words}"));
    command.arg("--listen").arg(folder.api.to_string()).arg("--edge").arg(folder.edge.to_string());
    if !rustix::process::geteuid().is_root() {
        command.arg("--insecure-same-user");
    }
    command.output().unwrap()
}

fn finding(out: &Output, id: &str) -> Value {
    let page: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out.stderr)));
    let found = page["items"].as_array().unwrap().iter().find(|f| f["id"] == id).cloned();
    found.unwrap_or_else(|| panic!("nothing about {id}: {page}"))
}

#[test]
fn before_the_first_start_it_looks_and_leaves_nothing() {
    let folder = Folder::new();
    let out = ask(&folder, "--json");
    assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
    for id in ["git", "ports", "data_folder", "room"] {
        assert_ne!(finding(&out, id)["verdict"], "bad", "{id}");
    }
    assert!(!folder.data().exists());
    let shown = ask(&folder, "--lang zh-CN");
    assert!(text(&shown.stdout).contains("正常"), "{}", text(&shown.stdout));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_the_exit_code_says_so() {
    let folder = Folder::new();
    let taken = TcpListener::bind(folder.api).unwrap();
    let out = ask(&folder, "--json");
    let ports = finding(&out, "ports");
    assert_eq!((out.status.code(), &ports["verdict"]), (Some(1), &"bad".into()), "{ports}");
    assert!(ports["found"].as_str().unwrap().contains(&folder.api.to_string()), "{ports}");
    assert!(ports["fix"].as_str().unwrap().contains("ss -ltnp"), "{ports}");
    drop(taken);

    // Whoever may read a key has what it opens.
    let _up = folder.up();
    let roles = finding(&ask(&folder, "--json"), "roles");
    assert_eq!(roles["verdict"], "good", "{roles}");
    // Nobody has made a backup, and then somebody has.
    assert_eq!(finding(&ask(&folder, "--json"), "backup")["verdict"], "less");
    let file = folder.tmp.path().join("kept.tar.zst");
    let made = folder.command(&format!("admin backup {} --without-keys", file.display())).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    until("its event is sealed", || (finding(&ask(&folder, "--json"), "backup")["verdict"] == "good").then_some(()));

    let key = folder.data().join("keys/vault.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let out = ask(&folder, "--json");
    let keys = finding(&out, "keys");
    assert_eq!((out.status.code(), &keys["verdict"]), (Some(1), &"bad".into()), "{keys}");
    assert!(keys["found"].as_str().unwrap().contains("vault.key"), "{keys}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let open = finding(&ask(&folder, "--json --job-network open"), "metadata");
    assert_eq!(open["verdict"], "less", "{open}");
    let everywhere = format!("0.0.0.0:{}", free_port().port());
    let plain = folder.command("doctor --json").args(["--listen", &everywhere]).output().unwrap();
    assert_eq!(finding(&plain, "api_in_plain")["verdict"], "less");
}

#[test]
fn a_server_that_does_not_answer_is_told_from_one_that_does_not_run() {
    let folder = Folder::new();
    let up = folder.up();
    let server = rustix::process::Pid::from_raw(folder.pid("server") as i32).unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::STOP).unwrap();
    let out = ask(&folder, "--json");
    rustix::process::kill_process(server, rustix::process::Signal::CONT).unwrap();
    let roles = finding(&out, "roles");
    assert_eq!(roles["verdict"], "bad", "{roles}");
    assert!(roles["found"].as_str().unwrap().contains("does not answer"), "{roles}");
    drop(up);
}

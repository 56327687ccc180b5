use crate::harness::{BIN, Folder, of_folder, surround, text};
use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

#[test]
fn a_second_supervisor_is_refused_and_disturbs_nothing() {
    let folder = Folder::new();
    let up = folder.up();
    let before = folder.pid("server");
    let out = folder.up_command("").output().unwrap();
    assert_eq!(out.status.code(), Some(3));
    let err = text(&out.stderr);
    assert!(err.contains("TW-UP-001") && err.contains(&format!("pid {}", up.pid())), "{err}");
    assert_eq!(folder.pid("server"), before);
    // Nor is a role of the same folder beside those that run.
    let out = folder.command("server").output().unwrap();
    assert!(text(&out.stderr).contains("TW-UP-009"), "{}", text(&out.stderr));
    assert!(folder.serves());
}

#[test]
fn a_port_in_use_is_named_with_its_flag_and_nothing_is_started() {
    for flag in ["--listen", "--edge"] {
        let folder = Folder::new();
        let taken = TcpListener::bind(if flag == "--listen" { folder.api } else { folder.edge }).unwrap();
        let out = folder.up_command("").output().unwrap();
        let err = text(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "{err}");
        let addr = taken.local_addr().unwrap().to_string();
        assert!(err.contains("TW-UP-003") && err.contains(&addr) && err.contains(flag), "{err}");
        assert_eq!(of_folder(&folder), Vec::<String>::new());
    }
}

#[test]
fn without_root_it_has_to_be_allowed() {
    let folder = Folder::new();
    // A user who may read neither the build folder nor another's home.
    let bin = folder.tmp.path().join("tradewind");
    fs::copy(BIN, &bin).unwrap();
    fs::set_permissions(folder.tmp.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new(&bin);
    surround(&mut command, &folder);
    command.arg("up").arg("--data").arg(folder.data()).current_dir(folder.tmp.path());
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let out = command.output().unwrap();
    let err = text(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{err}");
    assert!(err.contains("TW-UP-002") && err.contains("--insecure-same-user"), "{err}");
    assert!(!folder.data().exists());
}

#[test]
fn a_damaged_store_is_refused_with_its_own_code_and_left_as_it_is() {
    let folder = Folder::new();
    fs::create_dir_all(folder.data().join("run")).unwrap();
    let db = folder.data().join("tradewind.db");
    fs::write(&db, "this is no database".repeat(1000)).unwrap();
    let before = fs::read(&db).unwrap();
    let out = folder.up_command("").output().unwrap();
    let err = text(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{err}");
    assert!(err.contains("TW-STORE-005"), "{err}");
    assert_eq!(fs::read(&db).unwrap(), before);
    assert_eq!(of_folder(&folder), Vec::<String>::new());
}

#[test]
fn what_is_not_a_data_folder_is_not_taken_for_one() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    fs::write(folder.data().join("thesis.doc"), "").unwrap();
    for (words, code) in [("up --insecure-same-user", "TW-UP-006"), ("down", "TW-UP-010"), ("admin code", "TW-UP-010")]
    {
        let out = folder.command(words).output().unwrap();
        assert!(text(&out.stderr).contains(code), "{words}: {}", text(&out.stderr));
    }
}

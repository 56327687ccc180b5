use crate::harness::{Folder, of_folder, text};
use std::net::TcpListener;

#[test]
fn detached_it_returns_when_all_is_ready_and_goes_on() {
    let folder = Folder::new();
    let out = folder.up_command("--detach").output().unwrap();
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{said}{}", text(&out.stderr));
    assert!(said.contains("tradewind login") && said.contains("tradewind down --data"), "{said}");
    assert!(!said.contains('\0'), "{said:?}");
    assert!(folder.serves());
    let out = folder.down();
    assert!(text(&out.stdout).contains("supervisor"), "{}", text(&out.stdout));
    assert_eq!(of_folder(&folder), Vec::<String>::new());
    assert_eq!(text(&std::fs::read(folder.data().join("log/up.log")).unwrap()).lines().count(), 1, "it was relieved");
}

#[test]
fn a_start_that_is_refused_says_why_in_the_terminal() {
    let folder = Folder::new();
    let _taken = TcpListener::bind(folder.edge).unwrap();
    let out = folder.up_command("--detach --lang zh-CN").output().unwrap();
    assert_eq!(out.status.code(), Some(3));
    let err = text(&out.stderr);
    assert!(err.contains("TW-UP-003") && err.contains(&folder.edge.to_string()) && err.contains("--edge"), "{err}");
    assert!(err.contains("处理"), "{err}");
}

use crate::harness::{BIN, Folder, surround, text};
use std::process::{Command, Output};

fn client(folder: &Folder, words: &[&str]) -> Output {
    let mut command = Command::new(BIN);
    surround(&mut command, folder);
    command.args(words).current_dir(folder.tmp.path()).output().unwrap()
}

#[test]
fn the_code_that_up_prints_logs_one_in_once_and_the_owner_needs_none() {
    let folder = Folder::new();
    let up = folder.up();
    let said = up.said.text();
    let login: Vec<&str> = said.lines().find_map(|l| l.trim().strip_prefix("tradewind ")).unwrap().split(' ').collect();
    let out = client(&folder, &login);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let list = client(&folder, &["service", "list"]);
    assert!(text(&list.stdout).contains("tradewind service create"), "{}{}", text(&list.stdout), text(&list.stderr));
    assert_eq!(client(&folder, &login).status.code(), Some(3), "a code is good for one login");

    let another = folder.command("admin code").output().unwrap();
    let code = text(&another.stdout);
    let mut again = login.clone();
    *again.last_mut().unwrap() = code.trim();
    assert_eq!(client(&folder, &again).status.code(), Some(0));

    let minted = folder.command("admin token --scope read --expires 1h --name script").output().unwrap();
    let token = text(&minted.stdout).trim().to_owned();
    assert!(token.starts_with("tw_") && text(&minted.stderr).contains("script"), "{}", text(&minted.stderr));
    let server = format!("http://{}", folder.api);
    let read = ["service", "list", "--server", &server, "--token", &token];
    assert_eq!(client(&folder, &read).status.code(), Some(0));
    let write = ["service", "create", "shop", "--server", &server, "--token", &token];
    assert_eq!(client(&folder, &write).status.code(), Some(3), "a read token reads");
    assert_eq!(client(&folder, &["version"]).status.code(), Some(0));
}

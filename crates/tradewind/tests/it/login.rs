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

/// Runs the program with lines on its standard input.
fn told(folder: &Folder, words: &[&str], lines: &str) -> Output {
    use std::{io::Write as _, process::Stdio};
    let mut command = Command::new(BIN);
    surround(&mut command, folder);
    command.args(words).current_dir(folder.tmp.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn somebody_is_invited_signs_in_and_may_what_their_role_says() {
    let folder = Folder::new();
    let _up = folder.up();
    let server = format!("http://{}", folder.api);
    let admin = folder.command("admin token --name root").output().unwrap();
    let admin = text(&admin.stdout).trim().to_owned();
    let as_admin = |words: &[&str]| {
        let all: Vec<&str> = words.iter().copied().chain(["--server", &server, "--token", &admin]).collect();
        let out = client(&folder, &all);
        assert_eq!(out.status.code(), Some(0), "{words:?}: {}", text(&out.stderr));
        text(&out.stdout).trim().to_owned()
    };
    as_admin(&["service", "create", "shop"]);
    let invite = ["user", "invite", "li.wei", "li.wei@example.com", "--role", "developer", "--service", "shop"];
    let next = as_admin(&invite);
    let next: Vec<&str> = next.strip_prefix("tradewind ").unwrap().split(' ').chain(["--no-git"]).collect();
    let joined = told(&folder, &next, "four words in a row\n");
    assert_eq!(joined.status.code(), Some(0), "{}", text(&joined.stderr));
    assert!(text(&joined.stdout).contains("as li.wei"), "{}", text(&joined.stdout));

    let me = client(&folder, &["whoami"]);
    assert!(text(&me.stdout).contains("developer on shop"), "{}", text(&me.stdout));
    assert!(text(&client(&folder, &["service", "list"]).stdout).contains("shop"));
    let refused = client(&folder, &["service", "create", "stock"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("TW-ACC-001"), "{}", text(&refused.stderr));
    assert_eq!(client(&folder, &["user", "list"]).status.code(), Some(3));

    let changed = told(&folder, &["password"], "four words in a row\nfive other words instead\n");
    assert_eq!(changed.status.code(), Some(0), "{}", text(&changed.stderr));
    let sign_in = ["login", "--user", "li.wei", "--no-git", "--server", &server];
    assert_eq!(told(&folder, &sign_in, "four words in a row\n").status.code(), Some(3));
    assert_eq!(told(&folder, &sign_in, "five other words instead\n").status.code(), Some(0));

    assert!(as_admin(&["user", "list"]).contains("li.wei"));
    as_admin(&["user", "disable", "li.wei"]);
    assert_eq!(client(&folder, &["whoami"]).status.code(), Some(3));
}

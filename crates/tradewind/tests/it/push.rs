//! The whole way, with the real server, agent and edge: a push, its build, its rollout, and back.

use crate::{
    checkout::Checkout,
    harness::{Folder, free_port, text},
};

const SPEC: &str = "version: 1\nservice: sync\nkind: worker\nrun:\n  command: [sleep, '1000']\n\
    environments:\n  production:\n    branch: main\n    strategy: { type: all_at_once, soak: 0s }\n";

#[test]
fn a_push_is_built_rolled_out_and_taken_back_and_a_failed_build_is_a_failure() {
    let folder = Folder::new();
    let up = folder.up();
    let checkout = Checkout::new(&folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", "test:\n  script: [echo all is well]\n")]);
    checkout.log_in(&up);

    // With the remote that the login made: the service comes with its first push.
    let told = checkout.git(&["push", "tradewind", "main"]);
    assert!(told.contains("remote: ") && told.contains("all is well"), "{told}");

    // Without a remote, to the end of the rollout.
    checkout.git(&["remote", "remove", "tradewind"]);
    checkout.commit("Two", &[("VERSION", "2\n")]);
    let (said, code) = checkout.tradewind("push --wait");
    assert_eq!(code, Some(0));
    assert!(said.contains("test │ all is well") && said.contains("release v2") && said.contains("completed"), "{said}");

    // What was pushed before is not pushed again, and its outcome is told.
    assert_eq!(checkout.tradewind("push").1, Some(0));

    let (status, _) = checkout.tradewind("status sync");
    assert!(status.contains("healthy") && status.contains("1/1"), "{status}");
    let (back, code) = checkout.tradewind("rollback sync --reason wrong");
    assert_eq!(code, Some(0));
    assert!(back.contains("v2 → v1") && back.contains("completed"), "{back}");
    let (rollouts, _) = checkout.tradewind("rollout list --json");
    let page: serde_json::Value = serde_json::from_str(&rollouts).unwrap();
    assert_eq!((&page["items"][0]["kind"], &page["items"][0]["to"]["label"]), (&"rollback".into(), &"v1".into()));

    checkout.commit("Three", &[(".gitlab-ci.yml", "test:\n  script: [exit 7]\n")]);
    let out = checkout.run(&folder.program, &["push"]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{said}{}", text(&out.stderr));
    assert!(said.contains("failed") && said.contains('7'), "{said}");
    assert!(!text(&out.stderr).contains("exit code 7"), "git told it a second time: {}", text(&out.stderr));
    let (release, _) = checkout.tradewind("release list --json");
    assert!(!release.contains("\"v3\""), "{release}");

    // What looks like a key is pushed by whoever answers for it. Made here, so that it is none in these files.
    let key = format!("glpat-{}", "x7Kq9Zr2LmVb4TnWc8Yd");
    checkout.commit("Key", &[(".gitlab-ci.yml", "test:\n  script: [exit 0]\n"), ("ci.env", &format!("TOKEN={key}\n"))]);
    assert_eq!(checkout.tradewind("push").1, Some(3));
    assert_eq!(checkout.tradewind("push --allow-secrets revoked").1, Some(0));
    let (events, _) = checkout.tradewind("events --kind push.keys_allowed --json");
    assert!(events.contains("revoked") && !events.contains(&key), "{events}");

    // A spec with faults is refused before anything moves, with git's exit code behind it.
    checkout.commit("Four", &[("tradewind.yaml", "version: 1\nservice: sync\nrun: {comand: [x]}\n")]);
    assert_eq!(checkout.tradewind("check").1, Some(1));
    assert_eq!(checkout.tradewind("push").1, Some(3));
    assert_eq!(checkout.tradewind("audit verify").1, Some(0));
}

/// From another machine as it were: the server is believed for its fingerprint, by the verbs and by git.
#[test]
fn over_tls_a_server_is_known_by_its_fingerprint() {
    let folder = Folder::new();
    let secure = free_port();
    let up = folder.up_as(&format!("--listen-tls {secure}"));
    let said = up.said.text();
    let login = said.lines().find_map(|l| l.trim().strip_prefix("tradewind ")).unwrap();
    assert!(login.contains(&format!("--server https://{secure} ")) && login.contains(" --fingerprint "), "{login}");

    let checkout = Checkout::new(&folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", "test:\n  script: [echo all is well]\n")]);
    let fail = |words: &str, code: &str| {
        let out = checkout.run(&folder.program, &words.split(' ').collect::<Vec<_>>());
        assert!(!out.status.success() && text(&out.stderr).contains(code), "{words}: {}", text(&out.stderr));
    };
    let (unsafely, fingerprint) = login.split_once(" --fingerprint ").unwrap();
    fail(unsafely, "TW-CLI-063");
    fail(&format!("{unsafely} --fingerprint {}", "ab".repeat(32)), "TW-CLI-064");
    fail(&format!("{unsafely} --fingerprint abc"), "TW-CLI-065");
    fail(&format!("login --server http://{} --code x --fingerprint {fingerprint}", folder.api), "TW-CLI-004");

    // As a browser shows it.
    let colons: Vec<_> = fingerprint.as_bytes().chunks(2).map(|pair| text(pair).to_uppercase()).collect();
    assert_eq!(checkout.tradewind(&format!("{unsafely} --fingerprint {}", colons.join(":"))).1, Some(0));
    let told = checkout.git(&["push", "tradewind", "main"]);
    assert!(told.contains("all is well"), "{told}");
    assert!(checkout.tradewind("status").0.contains("sync"));
    checkout.commit("Two", &[("VERSION", "2\n")]);
    assert_eq!(checkout.tradewind("push").1, Some(0));

    // Somewhere without a login: the file does.
    let pem = folder.data().join("api-authority.pem");
    let minted = folder.command("admin token --name script").output().unwrap();
    let by_file = format!("status --server https://{secure} --token {}", text(&minted.stdout).trim());
    assert_eq!(checkout.tradewind(&format!("{by_file} --ca {}", pem.display())).1, Some(0));
    fail(&format!("{by_file} --ca /nowhere.pem"), "TW-CLI-067");
    fail(&format!("{by_file} --ca tradewind.yaml"), "TW-CLI-067");

    assert_eq!(checkout.tradewind("logout").1, Some(0));
    fail("status", "TW-");
    assert!(!checkout.git(&["config", "--global", "--list"]).contains("sslcainfo"));
}

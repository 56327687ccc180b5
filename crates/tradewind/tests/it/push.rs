//! The whole way, with the real server, agent and edge: a push, its build, its rollout, and back.

use crate::{
    checkout::Checkout,
    harness::{Folder, text},
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

    // A spec with faults is refused before anything moves, with git's exit code behind it.
    checkout.commit("Four", &[("tradewind.yaml", "version: 1\nservice: sync\nrun: {comand: [x]}\n")]);
    assert_eq!(checkout.tradewind("check").1, Some(1));
    assert_eq!(checkout.tradewind("push").1, Some(3));
    assert_eq!(checkout.tradewind("audit verify").1, Some(0));
}

//! Environments' policies: read, compared, and told by the line.

use tradewind_model::{
    fault::Lang,
    spec::{Spec, keys, policy::Policy, render_faults},
};

const SPEC: &str = "version: 1
service: shop
run: { command: [./serve] }
strategy:
  type: canary
  judge: { beta: 5%, r1: 2 }
environments:
  production:
    branch: main
    strategy:
      steps: [{ share: 10%, min: 1m }, 100%]
      judge: { r1: 4, ignore: { paths: [/metrics, /internal/x] } }
      limits: { error_rate: none, p99: 5s }
  staging: { branch: develop, strategy: all_at_once }
";

fn policy(text: &str) -> Policy {
    Policy::parse("policy.yaml", text).unwrap_or_else(|found| panic!("{}", render_faults(&found, text, Lang::En)))
}

/// `strategy.judge.r1 4 (≤ 3) 13:20`, for each thing that is weaker.
fn weaker(policy_text: &str, spec: &str, env: &str) -> Vec<String> {
    let env = env.parse().unwrap();
    let resolved = Spec::parse("tradewind.yaml", spec).unwrap().resolve(&env).unwrap();
    let found = policy(policy_text).check("tradewind.yaml", spec, &env, &resolved);
    let line = |f: &tradewind_model::fault::Fault| {
        let at = f.at.as_ref().unwrap();
        format!("{}:{} {}", at.line, at.col, f.what(Lang::En))
    };
    found.iter().map(line).collect()
}

#[test]
fn a_weaker_spec_is_told_where_it_says_so_or_could_have() {
    let all = "strategy:
  type: canary
  soak: 1h
  min: 5m
  watch: 1h
  promote: manual
  on_inconclusive: rollback
  judge: { alpha: 5%, beta: 1%, r0: 1, r1: 3, floor: 0.1%, warmup: 1s, latency: [200ms], ignore: { paths: [/internal] } }
  limits: { error_rate: 5%, p99: 2s, for: 5s, min_requests: 10 }
";
    insta::assert_snapshot!(weaker(all, SPEC, "production").join("\n"));
    assert_eq!(weaker("strategy: blue_green", SPEC, "staging").len(), 1);
    assert_eq!(weaker("strategy: { verify: true }", SPEC, "staging"), Vec::<String>::new());
    assert_eq!(weaker("", SPEC, "production"), Vec::<String>::new());
}

#[test]
fn a_spec_may_be_stricter() {
    let spec = "version: 1
service: shop
run: { command: [./serve] }
strategy: { type: canary, soak: 2h, judge: { r1: 1.5, beta: 0.5% }, limits: { error_rate: 1%, p99: 500ms } }
";
    let policy =
        "strategy: { type: blue_green, soak: 1h, judge: { r1: 2, beta: 1% }, limits: { error_rate: 2%, p99: 1s } }";
    assert_eq!(weaker(policy, spec, "production"), Vec::<String>::new());
}

#[test]
fn work_that_cannot_be_shared_out_has_no_other_way() {
    let worker = "version: 1\nservice: sync\nkind: worker\nrun: { command: [./work] }\n";
    assert_eq!(weaker("strategy: canary", worker, "production"), Vec::<String>::new());
    let shards = "version: 1\nservice: sync\nkind: worker\nrun: { command: [./work], shards: [a, b] }\n";
    assert_eq!(weaker("strategy: canary", shards, "production").len(), 1);
}

#[test]
fn branches_are_exact_or_patterns() {
    let policy = policy("branches: [main, release/*]");
    assert!(policy.allows_branch("main") && policy.allows_branch("release/11.11"));
    assert!(!policy.allows_branch("mainline") && !policy.allows_branch("feature/main"));
    let fault = policy.check_branch(&"production".parse().unwrap(), "x").unwrap_err();
    assert!(fault.what(Lang::En).contains("`main`, `release/*`"), "{fault}");
}

#[test]
fn what_is_wrong_with_a_policy_is_said_at_once() {
    let text = "branchs: [main]\napprovals: { count: 99, from: [Li Wei] }\nstrategy: { type: canry, steps: [10%] }\n";
    let found = Policy::parse("policy.yaml", text).unwrap_err();
    insta::assert_snapshot!(render_faults(&found, text, Lang::En));
}

#[test]
fn approvals_have_defaults() {
    let approvals = policy("approvals: { count: 2 }").approvals.unwrap();
    assert_eq!((approvals.count, approvals.hotfix, approvals.own), (2, 2, false));
    assert_eq!(policy("approvals: { hotfix: 0 }").approvals.unwrap().hotfix, 0);
    assert_eq!(Policy::parse("p", "").unwrap(), Policy::default());
}

#[test]
fn every_key_is_explained_in_both_languages() {
    for key in keys::POLICY_KEYS {
        assert!(!key.about.en.is_empty() && !key.about.zh.is_empty(), "{}", key.path);
    }
}

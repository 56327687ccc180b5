//! Pipeline files: what they mean, and what is said of those that are wrong.

use tradewind_model::{
    fault::{Fault, Lang, check_catalog},
    id::{JobId, RunId},
    pipeline::{Pipeline, Trigger, faults, file},
    protocol::agent::PROJECT_DIR,
};

pub fn trigger() -> Trigger {
    Trigger {
        service: "shop".parse().expect("a name"),
        commit: "6c1f0b1f4f3a4d1e9c0a7b2d5e8f90123456789a".parse().expect("a commit"),
        git_ref: "refs/heads/main".into(),
        default_branch: "main".into(),
        message: "Cut prices\n\nfor 11.11".into(),
        before: None,
        run: "01900000-0000-7000-8000-000000000001".parse::<RunId>().expect("an id"),
        number: 7,
    }
}

fn plan(source: &str) -> Pipeline {
    plan_for(source, &trigger()).expect("jobs")
}

fn plan_for(source: &str, trigger: &Trigger) -> Option<Pipeline> {
    match file::read("ci.yml", source).and_then(|f| f.plan(trigger)) {
        Ok(plan) => plan,
        Err(faults) => panic!("{}", shown(&faults)),
    }
}

/// As a person reads them, in both languages.
fn shown(faults: &[Fault]) -> String {
    let mut out = String::new();
    for fault in faults {
        out += &format!("{fault}\n    {}\n", fault.fix(Lang::En));
        out += &format!("    {}。{}\n", fault.what(Lang::Zh), fault.fix(Lang::Zh));
    }
    out
}

fn refused(source: &str) -> String {
    match file::read("ci.yml", source).and_then(|f| f.plan(&trigger())) {
        Ok(plan) => panic!("accepted: {plan:?}"),
        Err(faults) => shown(&faults),
    }
}

#[test]
fn the_catalog_is_sound() {
    assert_eq!(check_catalog(faults::ALL), Vec::<String>::new());
}

#[test]
fn a_file_as_teams_write_it() {
    let plan = plan(
        r#"
stages: [lint, test, build]
variables:
  PYTHON: "3.13"
  PIP_CACHE_DIR: "$CI_PROJECT_DIR/.cache/pip"
  NUMBER: 012345

default:
  timeout: 20 minutes
  retry: 1
  before_script:
    - python$PYTHON -m venv .venv

.python: &python
  variables:
    WHO: python
  before_script:
    - - . .venv/bin/activate
      - [pip install -r requirements.txt]

lint:
  stage: lint
  before_script: []
  script: ruff check .
  allow_failure: { exit_codes: [42] }
  interruptible: true

unit tests:
  <<: *python
  stage: test
  script:
    - pytest
  after_script: [rm -rf tmp]
  artifacts:
    paths: [coverage/, "reports/*.xml", $CI_PROJECT_DIR/out]
    exclude: ["**/*.tmp"]
    when: always
    expire_in: 1 week

package:
  extends: .python
  stage: build
  needs:
    - unit tests
    - { job: lint, artifacts: false }
    - { job: nowhere, optional: true }
  variables: { WHO: package }
  script:
    - !reference [lint, script]
    - make dist
  retry:
    max: 2
    when: [runner_system_failure, job_execution_timeout]
  timeout: 1h 30m

release notes:
  stage: build
  when: delayed
  start_in: 5 minutes
  dependencies: []
  inherit: { default: [timeout], variables: false }
  script: [./notes]

ask first:
  stage: .post
  when: manual
  script: [./announce]
"#,
    );
    insta::assert_json_snapshot!(plan);
    let unit = plan.job_named("unit tests").expect("the job");
    let job = "01900000-0000-7000-8000-000000000002".parse::<JobId>().expect("an id");
    let environment = plan.environment(unit, &trigger(), job);
    insta::assert_json_snapshot!(environment);
    let artifacts = plan.jobs[unit].artifacts.as_ref().expect("artifacts");
    assert_eq!(artifacts.expanded(&environment).paths[4], "out");
    assert!(environment["PIP_CACHE_DIR"].starts_with(PROJECT_DIR));
}

#[test]
fn nothing_to_do_is_legal_and_rules_may_leave_nothing() {
    for empty in ["", "# nothing yet\n", "stages: [build]\n", ".hidden:\n  script: x\n"] {
        assert_eq!(plan(empty).jobs, [], "{empty:?}");
    }
    for nothing in [
        "a: { script: x, rules: [{ when: never }] }",
        "a: { script: x, rules: [{ if: $CI_COMMIT_TAG }] }",
        "workflow: { rules: [{ if: '$CI_COMMIT_BRANCH == \"dev\"' }] }\na: { script: x }",
        "workflow: { rules: [{ when: never }] }\na: { script: x }",
    ] {
        assert_eq!(plan_for(nothing, &trigger()), None, "{nothing}");
    }
}

#[test]
fn rules_choose_jobs_and_how_they_start() {
    let source = r#"
variables: { WHERE: nowhere }
workflow:
  auto_cancel: { on_job_failure: all, on_new_commit: interruptible }
  rules:
    - if: $CI_COMMIT_BRANCH =~ /^release-/
      variables: { WHERE: staging }
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables: { WHERE: production }
.main:
  rules:
    - if: $WHERE == "production"
test:
  script: x
  rules:
    - if: $CI_COMMIT_TAG
      when: never
    - if: $CI_COMMIT_BRANCH
      allow_failure: true
      variables: { HOW: branch }
deploy:
  stage: deploy
  script: x
  rules:
    - if: $WHERE == "production"
      when: manual
    - if: $WHERE == "staging"
      when: delayed
      start_in: 10s
notify:
  stage: .post
  script: x
  when: always
  rules:
    - !reference [.main, rules]
"#;
    let branch = |name: &str| Trigger { git_ref: format!("refs/heads/{name}"), ..trigger() };
    let mut shown = String::new();
    for name in ["main", "release-1", "feature"] {
        shown += &format!("{name}:\n");
        let Some(plan) = plan_for(source, &branch(name)) else {
            shown += "  no run\n";
            continue;
        };
        for job in &plan.jobs {
            let variables: Vec<String> = job.variables.iter().map(|(k, v)| format!("{k}={}", v.value)).collect();
            shown += &format!("  {}: {:?}, {:?}, {}\n", job.name, job.when, job.allow_failure, variables.join(" "));
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_only_other_systems_do_is_refused_by_name() {
    insta::assert_snapshot!(refused(
        r#"
image: python:3.13
services: [postgres]
cache: { paths: [.cache] }
include:
  - local: ci/base.yml
default:
  tags: [docker]
  image: x
workflow:
  name: hello
build:
  image: rust
  tags: [big]
  script: make
  only: [main]
  coverage: '/\d+/'
  parallel: 3
  resource_group: x
  environment: production
  cache: {}
  artifacts:
    name: x
    paths: [dist]
    reports: { junit: x.xml }
downstream:
  trigger: other/project
two:
  script: x
  except: [main]
  rules:
    - changes: ["*.py"]
    - exists: [x]
three:
  script: x
  when: never
  needs:
    - project: a/b
      job: x
pages:
  script: x
"#
    ));
}

#[test]
fn slips_are_named_with_what_was_meant() {
    insta::assert_snapshot!(refused(
        r#"
stage: [a]
variable:
  A: 1
stages: [build, test]
build:
  scirpt: make
  stage: biuld
  artifact: { paths: [x] }
test:
  script:
    - echo "status: ok"
    - echo status: ok
    - true
    - 5
  timeout: soon
  retry: 3
  when: sometimes
  needs: [nobody, build]
  allow_failure: maybe
  variables:
    YES: yes
    1X: one
    LIST: [a]
  artifacts:
    paths: ["../secret", "/etc/passwd", "a[", ok]
    expire_in: whenever
early:
  stage: .pre
  needs: [test]
  script: x
late:
  script: x
  dependencies: [test]
  start_in: 1h
greeting: hello
empty:
  stage: test
true:
  script: x
"#
    ));
}

#[test]
fn circles_and_dead_ends_are_named() {
    insta::assert_snapshot!(refused(
        r#"
variables: { A: $B, B: "x${A}" }
a: { script: x, needs: [b] }
b: { script: x, needs: [c] }
c: { script: x, needs: [a] }
.x: { extends: .y, script: x }
.y: { extends: .x }
d: { extends: .x }
e: { extends: [.nowhere] }
f: { script: [!reference [.gone, script]] }
g: { script: [!reference [g, script]] }
h: { script: !vault secret }
i: { script: x, variables: { C: $C } }
before_script: [x]
default: { before_script: [y] }
j: { script: x, rules: [{ if: $A = 1 }], only: [main] }
"#
    ));
}

#[test]
fn a_need_that_rules_leave_out_is_named_for_that_push() {
    insta::assert_snapshot!(refused(
        r#"
a: { script: x, rules: [{ if: $CI_COMMIT_TAG }] }
b: { script: x, needs: [a] }
c: { script: x, needs: [{ job: a, optional: true }] }
"#
    ));
}

#[test]
fn files_that_are_no_pipeline_are_refused() {
    for (source, code) in [("- a", "TW-PIPE-001"), ("hello", "TW-PIPE-001"), ("a: [", "TW-YAML-001")] {
        let faults = file::read("ci.yml", source).expect_err("refused");
        assert_eq!(faults[0].code.id, code, "{source}");
    }
}

#[test]
fn references_cannot_grow_without_end() {
    let mut source = String::from(".r0: { script: [a, a, a, a, a, a, a, a, a, a] }\n");
    for n in 1..9 {
        let one = format!("!reference [.r{}, script]", n - 1);
        source += &format!(".r{n}: {{ script: [{}] }}\n", vec![one; 10].join(", "));
    }
    source += "job: { script: [!reference [.r8, script]] }\n";
    let faults = file::read("ci.yml", &source).expect_err("refused");
    assert!(faults.iter().any(|f| f.code.id == "TW-YAML-005"), "{}", shown(&faults));
}

#[test]
fn a_job_names_its_secrets_as_gitlab_has_it() {
    let source = "publish:\n  script: twine upload dist/*\n  secrets:\n    TWINE_PASSWORD: { gitlab_secrets_manager: { name: PYPI_TOKEN }, file: false }\n    KEY: { gitlab_secrets_manager: { name: SIGNING_KEY } }\n";
    let pipeline = plan(source);
    let used: Vec<_> =
        pipeline.jobs[0].secrets.iter().map(|s| (s.variable.as_str(), s.name.as_str(), s.file.as_deref())).collect();
    assert_eq!(used, [("TWINE_PASSWORD", "PYPI_TOKEN", None), ("KEY", "SIGNING_KEY", Some("KEY"))]);
    let refused = |secret: &str| {
        let source = format!("a:\n  script: b\n  secrets:\n    {secret}\n");
        let faults = file::read("ci.yml", &source).expect_err(secret);
        faults.iter().map(|f| f.code.id).collect::<Vec<_>>()
    };
    assert_eq!(refused("A: { vault: a/b/c@d }"), ["TW-PIPE-060"]);
    assert_eq!(refused("A: {}"), ["TW-PIPE-061"]);
    assert_eq!(refused("A: { gitlab_secrets_manager: {} }"), ["TW-PIPE-061"]);
    assert_eq!(refused("A: { gitlab_secrets_manager: { name: a-b } }"), ["TW-PIPE-062"]);
    assert_eq!(refused("CI_JOB_ID: { gitlab_secrets_manager: { name: A } }"), ["TW-PIPE-062"]);
}

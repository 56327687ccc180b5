use proptest::prelude::*;
use std::{fs, path::Path};
use tradewind_model::{
    fault::{Lang, check_catalog},
    protocol::edge::Sticky,
    spec::{ResolvedSpec, Spec, Strategy, faults, keys, problem, render_faults, values},
    workload::{HealthProbe, Port, ServiceKind},
};

fn read(source: &str) -> Spec {
    Spec::parse("tradewind.yaml", source)
        .unwrap_or_else(|f| panic!("it was refused:\n{}", render_faults(&f, source, Lang::En)))
}

fn resolved(source: &str, env: &str) -> ResolvedSpec {
    read(source).resolve(&env.parse().unwrap()).unwrap()
}

const FULL: &str = r#"
version: 1
service: shop
kind: web
pipeline: ci/shop.yml
artifact: { paths: ["**"], exclude: ["tests/**"] }
prepare: { command: [python3, -m, compileall, -q, .], timeout: 2m }
run:
  command: [python3, -u, app/server.py]
  env: { LOG_LEVEL: info, VERSION: 1.10, ANSWER: no }
  port: auto
  health: { http: /healthz, interval: 500ms, timeout: 2s, healthy_after: 2, unhealthy_after: 4 }
  start_timeout: 1m30s
  stop: { signal: INT, drain: 10s, grace: 5s }
  instances: 2
  limits: { memory: 256MiB, cpu: 0.5, pids: 200, open_files: 4096 }
strategy: { type: rolling, max_surge: 2, soak: 5s, warm: 15m, verify: true }
on_failure: { freeze_queue: false }
environments:
  staging: { branch: "release/*", strategy: blue_green }
  hotfix: { branch: release/hotfix }
  production:
    branch: main
    instances: 4
    env: { LOG_LEVEL: warning, EXTRA: "" }
    limits: { cpu: 2 }
    route:
      hosts: [Shop.Example.com, "*.shop.example.com"]
      path: /api
      sticky: { cookie: who, max_age: 1h }
      limits: { body: 1GiB, response: 5m }
    strategy: { soak: 30s }
    on_failure: { freeze_queue: true }
    sites: [amazon-us, shopee-br]
"#;

#[test]
fn a_full_spec_resolves_for_each_environment() {
    insta::assert_json_snapshot!("production", resolved(FULL, "production"));
    let staging = resolved(FULL, "staging");
    assert_eq!(staging.strategy, Strategy::BlueGreen);
    assert_eq!((staging.instances, staging.freeze_queue), (2, false));
    assert_eq!(staging.workload.env["VERSION"], "1.10");
    assert_eq!(staging.workload.env["ANSWER"], "no");
}

#[test]
fn a_small_spec_means_the_documented_defaults() {
    insta::assert_json_snapshot!("defaults", resolved("{version: 1, service: s, run: {command: [run]}}", "production"));
}

#[test]
fn a_canary_needs_no_more_than_its_name() {
    let plain = resolved("{version: 1, service: s, run: {command: [run]}, strategy: canary}", "production");
    assert!(matches!(plain.route.unwrap().sticky, Sticky::Cookie { .. }), "the judge counts clients");
    insta::assert_json_snapshot!("canary_defaults", (plain.strategy, plain.canary, plain.limits));
}

#[test]
fn an_environment_says_of_a_canary_what_differs() {
    let source = r#"
version: 1
service: shop
run: { command: [r] }
strategy:
  type: canary
  steps: [5%, { share: 12.5%, min: 2m, max: 1h }, 100%]
  min: 30s
  max: 10m
  judge: { alpha: 0.5%, r1: 1.5, latency: [], ignore: { paths: [/healthz], agents: [bot] } }
  limits: { p99: none, min_requests: 50 }
environments:
  staging: { strategy: { steps: [50%, 100%], min: 0s, promote: manual, judge: { alpha: 5% }, limits: { error_rate: none, p99: 1s } } }
  dev: { strategy: all_at_once, route: { sticky: none } }
  production: { branch: main, strategy: { on_inconclusive: rollback, watch: 2h }, route: { sticky: { header: X-Client } } }
"#;
    for env in ["staging", "production"] {
        let of = resolved(source, env);
        insta::assert_json_snapshot!(format!("canary_{env}"), (of.strategy, of.canary, of.limits));
    }
    let dev = resolved(source, "dev");
    assert_eq!((dev.strategy, dev.canary), (Strategy::AllAtOnce, None));
    let sticky = resolved(source, "production").route.unwrap().sticky;
    assert_eq!(sticky, Sticky::Header { name: "X-Client".into() });
}

#[test]
fn what_a_service_counts_itself_goes_to_its_judge() {
    let source = r#"
version: 1
service: shop
run: { command: [r] }
strategy: canary
metrics:
  interval: 10s
  judge:
    orders: { kind: business, count: orders_total }
    sync failures: { kind: error, count: sync_total, labels: { status: failed, shop: "" }, of: sync_total, of_labels: { shop: "" } }
    sync time: { kind: latency, histogram: sync_seconds, labels: { shop: br }, bound: 2500ms, required: false }
"#;
    let of = resolved(source, "production");
    insta::assert_json_snapshot!("metrics", of.scrape);
    assert_eq!(of.canary.unwrap().judging.scrape, of.scrape);
    let worker = source.replace("strategy: canary", "kind: worker").replace("[r]", "[r], port: auto");
    let worker = worker.replace("count: orders_total", "count: orders_total, of: sync_total");
    assert_eq!(resolved(&worker, "production").scrape.unwrap().metrics.len(), 3);
}

/// Resolved specs are kept with the rollouts they were for.
#[test]
fn a_resolved_spec_of_the_version_before_is_read() {
    let mut kept: serde_json::Value = serde_json::to_value(resolved(FULL, "production")).unwrap();
    let keys = kept.as_object_mut().unwrap();
    assert!(["canary", "limits", "scrape"].iter().all(|key| keys.remove(*key).is_some()));
    let read: ResolvedSpec = serde_json::from_value(kept).unwrap();
    assert_eq!((read.canary, read.limits.error_rate, read.limits.p99_ms), (None, None, None));
}

#[test]
fn shards_are_dealt_out_to_instances() {
    let source = r#"
version: 1
service: order-sync
kind: worker
run: { command: [sync], shards: [shopee-my, shopee-br, shopee-th, amazon-us] }
strategy: { type: canary, steps: [1, { share: 3, min: 2m }, 60%, 100%] }
environments:
  staging: { shards: [test, other] }
  dev: { shards: 12, strategy: all_at_once }
  production: { branch: main, instances: 3 }
"#;
    let of = |env| resolved(source, env);
    let shares = |env| of(env).canary.unwrap().stages.iter().map(|s| s.share).collect::<Vec<_>>();
    assert_eq!((of("production").instances, shares("production")), (3, vec![2_500, 7_500, 6_000, 10_000]));
    assert_eq!((of("staging").instances, shares("staging")), (2, vec![5_000, 10_000, 6_000, 10_000]));
    assert_eq!((of("dev").instances, of("dev").canary), (8, None));
    let told = |env, ordinal: u32| {
        let env = of(env).workload_of(ordinal).env;
        (env["TRADEWIND_SHARDS"].clone(), env["TRADEWIND_SHARD_COUNT"].clone())
    };
    assert_eq!(told("production", 0), ("shopee-my,amazon-us".into(), "4".into()));
    assert_eq!(told("production", 2), ("shopee-th".into(), "4".into()));
    assert_eq!(told("dev", 3), ("3,11".into(), "12".into()));
    let plain = resolved("{version: 1, service: w, kind: worker, run: {command: [r], instances: 3}}", "production");
    assert_eq!((plain.layout(), plain.workload_of(0)), (None, plain.workload.clone()));
}

#[test]
fn branches_name_their_environment() {
    let spec = read(FULL);
    let of = |branch| spec.environment_of_branch(branch).map(ToString::to_string);
    assert_eq!(of("main").as_deref(), Some("production"));
    assert_eq!(of("release/1.2").as_deref(), Some("staging"));
    assert_eq!(of("release/hotfix").as_deref(), Some("hotfix"), "an exact name goes before a pattern");
    assert_eq!(of("feature/x"), None);
    assert_eq!(of("release"), None);
    let refused = spec.resolve(&"qa".parse().unwrap()).unwrap_err();
    assert_eq!(refused.code.id, "TW-SPEC-043");
    assert_eq!(refused.fix(Lang::En), "its spec names `staging`, `hotfix`, `production`");
    assert_eq!(spec.check_service(&"other".parse().unwrap()).unwrap_err().code.id, "TW-SPEC-049");
}

#[test]
fn workers_and_crons_have_what_suits_them() {
    let worker = resolved("{version: 1, service: w, kind: worker, run: {command: [run], instances: 3}}", "production");
    assert_eq!((worker.workload.port, worker.workload.health, worker.route), (Port::None, None, None));
    assert_eq!(worker.strategy, Strategy::AllAtOnce);
    let source = "{version: 1, service: w, kind: worker, run: {command: [run], port: auto}}";
    assert_eq!(resolved(source, "production").workload.health.unwrap().probe, HealthProbe::Tcp);
    let source = "version: 1\nservice: c\nkind: cron\nrun: {command: [run]}\nschedule: {cron: '0 3 * * mon-fri', timezone: Asia/Shanghai}\n";
    let cron = resolved(source, "production");
    assert_eq!(cron.workload.kind, ServiceKind::Cron);
    assert_eq!(cron.workload.schedule.unwrap().timezone, "Asia/Shanghai");
    assert_eq!((cron.workload.health, cron.instances), (None, 1));
    let source = source.replace("[run]", "[run], shards: [br, my, us]") + "strategy: canary\n";
    let cron = resolved(&source, "production");
    assert_eq!((cron.instances, cron.strategy), (3, Strategy::Canary));
    assert_eq!(cron.workload_of(1).env["TRADEWIND_SHARDS"], "my");
    let seconds = source.replace("0 3 * * mon-fri", "*/10 * * * * *");
    assert_eq!(resolved(&seconds, "production").workload.schedule.unwrap().expression, "*/10 * * * * *");
}

#[test]
fn stickiness_has_three_forms() {
    let of = |sticky: &str| {
        let source = format!(
            "{{version: 1, service: s, run: {{command: [r]}}, environments: {{production: {{route: {{sticky: {sticky}}}}}}}}}"
        );
        resolved(&source, "production").route.unwrap().sticky
    };
    assert_eq!(of("none"), Sticky::None);
    assert_eq!(of("cookie"), Sticky::Cookie { name: "tradewind_client".into(), max_age_s: 2_592_000, secure: false });
    assert_eq!(of("{header: X-Client}"), Sticky::Header { name: "X-Client".into() });
}

#[test]
fn broken_specs_say_everything_that_is_wrong_in_both_languages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/specs");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 15);
    let mut seen = std::collections::BTreeSet::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = fs::read_to_string(&file).unwrap();
        let found = Spec::parse("tradewind.yaml", &source).expect_err(&name);
        seen.extend(found.iter().map(|f| f.code.id));
        for (suffix, lang) in [("en", Lang::En), ("zh", Lang::Zh)] {
            let shown = render_faults(&found, &source, lang);
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}.{suffix}"), shown);
            });
        }
        let answer = problem(&found, Lang::En).unwrap();
        assert_eq!(answer.more.len() + 1, found.len());
        assert!(found.iter().all(|f| f.at.is_some()), "{name}: a fault without a place");
    }
    let elsewhere = ["TW-SPEC-043", "TW-SPEC-049", "TW-SPEC-050", "TW-SPEC-009", "TW-SPEC-002"];
    let never: Vec<_> =
        faults::ALL.iter().map(|c| c.id).filter(|id| !seen.contains(id) && !elsewhere.contains(id)).collect();
    assert_eq!(never, Vec::<&str>::new(), "no broken spec shows these");
}

#[test]
fn every_argument_of_every_text_is_given() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/specs");
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        for fault in Spec::parse("f", &source).unwrap_err() {
            for text in [fault.code.what.en, fault.code.fix.en] {
                for name in text.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|(n, _)| n) {
                    let known = fault.args.iter().any(|(k, _)| *k == name) || name == "a,b" || !name.is_ascii();
                    assert!(known || name.contains(' '), "{}: no `{name}`", fault.code.id);
                }
            }
        }
    }
}

#[test]
fn texts_are_complete() {
    assert_eq!(check_catalog(faults::ALL), Vec::<String>::new());
}

/// What [`keys`] calls a default, written out, changes nothing.
#[test]
fn documented_defaults_are_the_defaults() {
    let mut checked = 0;
    for key in keys::KEYS {
        let keys::WhenMissing::Is(value) = key.default else { continue };
        let path = key.path.replace('*', "production");
        let mut without = vec![("version", "1"), ("service", "s"), ("run.command", "[r]")];
        if path.starts_with("schedule") {
            without.extend([("kind", "cron"), ("schedule.cron", "'* * * * *'")]);
        }
        if path.starts_with("prepare") {
            without.push(("prepare.command", "[make]"));
        }
        if path.starts_with("run.health") {
            without.push(("run.health.http", "/"));
        }
        if path.contains("sticky.max_age") {
            without.push(("environments.production.route.sticky.cookie", "c"));
        }
        if path.starts_with("metrics") {
            without.extend([("metrics.judge.production.kind", "error"), ("metrics.judge.production.count", "c")]);
        }
        if path.ends_with(".of_labels") {
            without.push(("metrics.judge.production.of", "o"));
        }
        let of = |strategy| path.strip_prefix("strategy.").is_some_and(|key| belongs(key) == Some(strategy));
        if let Some(strategy) = ["canary", "rolling"].into_iter().find(|s| of(*s)) {
            without.push(("strategy.type", strategy));
        }
        if path.starts_with("environments.") {
            without.push(("environments.production.branch", "main"));
        }
        let mut with = without.clone();
        with.push((&path, value));
        let meaning = |entries: &[(&str, &str)]| {
            let spec = read(&yaml(entries));
            let resolved = spec.resolve(&"production".parse().unwrap()).unwrap();
            (spec.environment_of_branch("main").cloned(), spec.artifact, spec.prepare, resolved)
        };
        assert_eq!(meaning(&with), meaning(&without), "`{path}` is documented as `{value}`");
        checked += 1;
    }
    assert!(checked > 45, "only {checked} defaults were compared");
}

/// The strategy that a key below `strategy` means something for.
fn belongs(key: &str) -> Option<&'static str> {
    match key.split('.').next().unwrap() {
        "max_surge" => Some("rolling"),
        "steps" | "min" | "max" | "promote" | "on_inconclusive" | "watch" | "judge" => Some("canary"),
        _ => None,
    }
}

/// Nested mappings from dotted paths.
fn yaml(entries: &[(&str, &str)]) -> String {
    let mut heads: Vec<&str> = Vec::new();
    for (path, _) in entries {
        let head = path.split('.').next().unwrap();
        if !heads.contains(&head) {
            heads.push(head);
        }
    }
    let part = |head: &&str| {
        let below: Vec<(&str, &str)> = entries
            .iter()
            .filter_map(|(path, v)| path.strip_prefix(head)?.strip_prefix('.').map(|rest| (rest, *v)))
            .collect();
        let own = entries.iter().find(|(path, _)| path == head).map(|(_, v)| (*v).to_owned());
        format!("{head}: {}", own.unwrap_or_else(|| yaml(&below)))
    };
    format!("{{{}}}", heads.iter().map(part).collect::<Vec<_>>().join(", "))
}

#[test]
fn notations_are_read_and_shown() {
    for (text, ms) in
        [("500ms", 500), ("10s", 10_000), ("1m30s", 90_000), ("7d", 604_800_000), ("0s", 0), ("1h1ms", 3_600_001)]
    {
        assert_eq!(values::duration_ms(text), Some(ms), "{text}");
        assert_eq!(values::show_duration(ms), text);
    }
    for bad in
        ["", "10", "s", "1.5s", "-1s", "10 s", "1s1m", "1s1s", "99999999999999999999s", "400000000000d", "1S", "1m30"]
    {
        assert_eq!(values::duration_ms(bad), None, "{bad}");
    }
    for (text, bytes) in [("256MiB", 256 << 20), ("1GiB", 1 << 30), ("1500B", 1500)] {
        assert_eq!(values::size_bytes(text), Some(bytes), "{text}");
        assert_eq!(values::show_size(bytes), text);
    }
    assert_eq!(values::size_bytes("3MB"), Some(3_000_000));
    for bad in ["", "1", "MiB", "1Mi", "1 MiB", "99999999TiB"] {
        assert_eq!(values::size_bytes(bad), None, "{bad}");
    }
    for (text, millis) in [("0.5", 500), ("2", 2_000), ("1.25", 1_250), ("0.001", 1)] {
        assert_eq!(values::cpu_millis(text), Some(millis), "{text}");
    }
    for bad in ["", ".5", "1.", "1.2345", "500m", "-1", "1e3"] {
        assert_eq!(values::cpu_millis(bad), None, "{bad}");
    }
}

#[test]
fn a_mark_stands_below_wide_characters_and_nothing_steers_the_terminal() {
    let source =
        "version: 1\nservice: s\nrun: { command: [r], env: { A: \"中文\" }, 实例: 2 }\nx\u{7f}y: \"\u{1b}[2J\"\n";
    let shown = render_faults(&Spec::parse("tradewind.yaml", source).unwrap_err(), source, Lang::Zh);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    insta::assert_snapshot!("wide_characters", shown);
}

proptest! {
    #[test]
    fn no_text_panics(source in "(version: 1\n|service: s\n|kind: (web|worker|cron)\n|run:\n  (command|port|health|env|stop): [\\[\\]{}a-z0-9:, ]{0,20}\n|environments:\n  [a-z]{1,5}:\n    [a-z]{1,8}: [^\n]{0,20}\n|metrics: \\{(path: /m, )?judge: \\{a: \\{(kind: (error|latency|business), )?(count|of|labels|histogram|bound): [\\[\\]{}a-z0-9_:, ]{0,20}\\}\\}\\}
|schedule: \\{cron: '[0-9*/,L#W -]{0,14}', timezone: [A-Za-z/]{0,12}\\}\n|strategy: ([a-z_]{0,12}|\\{(type: (canary|rolling), )?(steps|min|max|watch|promote|judge|limits): [\\[\\]{}a-z0-9%.:, ]{0,20}\\})\n|.{0,20}\n){0,8}") {
        if let Err(found) = Spec::parse("f", &source) {
            prop_assert!(!found.is_empty());
            for lang in [Lang::En, Lang::Zh] {
                let _ = render_faults(&found, &source, lang);
            }
        }
    }

    #[test]
    fn what_was_accepted_resolves(instances in 1u32..200, soak in 0u64..86_400_000, branch in "[a-z]{1,10}") {
        let source = format!(
            "{{version: 1, service: s, run: {{command: [r], instances: {instances}}}, strategy: {{soak: {}}}, environments: {{e: {{branch: {branch}}}}}}}",
            values::show_duration(soak)
        );
        let spec = read(&source);
        for env in spec.environments() {
            prop_assert_eq!(spec.resolve(env).unwrap().soak_ms, soak);
        }
        prop_assert!(spec.environment_of_branch(&branch).is_some());
    }
}

const SECRETS: &str = r#"
version: 1
service: sync
kind: worker
run:
  command: [python3, sync.py]
  env: { API_HOST: api.example.com }
  secrets:
    - DB_PASSWORD
    - { name: SHOPEE_KEY, as: PARTNER_KEY }
    - { name: GCP, file: gcp.json }
environments:
  staging: { env: { DB_PASSWORD: local } }
  production: { branch: main, secrets: [API_HOST, { name: SHOPEE_LIVE, as: PARTNER_KEY }] }
"#;

#[test]
fn secrets_are_wanted_by_name_and_an_environment_has_the_last_word_on_a_variable() {
    let shown = |env: &str| {
        let workload = resolved(SECRETS, env).workload;
        let used = workload.secrets.iter();
        let used = used.map(|s| {
            format!("{}={}{}", s.variable, s.name, s.file.as_ref().map(|f| format!(" in {f}")).unwrap_or_default())
        });
        (used.collect::<Vec<_>>().join(", "), workload.env.into_keys().collect::<Vec<_>>().join(", "))
    };
    assert_eq!(
        shown("staging"),
        ("PARTNER_KEY=SHOPEE_KEY, GCP=GCP in gcp.json".into(), "API_HOST, DB_PASSWORD".into())
    );
    assert_eq!(
        shown("production"),
        (
            "DB_PASSWORD=DB_PASSWORD, GCP=GCP in gcp.json, API_HOST=API_HOST, PARTNER_KEY=SHOPEE_LIVE".into(),
            String::new()
        )
    );
}

#[test]
fn what_cannot_be_a_secret_is_refused_in_its_place() {
    let refused = |secrets: &str| -> Vec<String> {
        let source = SECRETS.replace("    - DB_PASSWORD\n", &format!("    - {secrets}\n"));
        let faults = Spec::parse("tradewind.yaml", &source).expect_err(secrets);
        faults.iter().map(|f| format!("{}:{}", f.at.as_ref().map_or(0, |at| at.line), f.code.id)).collect()
    };
    assert_eq!(refused("DB-PASSWORD"), ["9:TW-SPEC-086"]);
    assert_eq!(refused("PORT"), ["9:TW-SPEC-032"]);
    assert_eq!(refused("API_HOST"), ["9:TW-SPEC-088"]);
    assert_eq!(refused("{ name: X, as: PARTNER_KEY }"), ["10:TW-SPEC-089"]);
    assert_eq!(refused("{ name: X, file: gcp.json }"), ["11:TW-SPEC-089"]);
    assert_eq!(refused("{ name: X, file: ../gcp.json }"), ["9:TW-SPEC-087"]);
    assert_eq!(refused("{ as: X }"), ["9:TW-SPEC-005"]);
    assert_eq!(refused("{ name: X, as: a-b }"), ["9:TW-SPEC-031"]);
    assert_eq!(refused("{ name: X, value: hunter2 }"), ["9:TW-SPEC-002"]);
}

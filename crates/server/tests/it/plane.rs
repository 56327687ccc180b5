//! How the installation itself fares.

use crate::{
    agent::FakeAgent,
    app::{TestApp, http, until},
    host::Host,
};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_api::v1::{FindingVerdict, ProcessRole, Reason, Scope, StoredAs};
use tradewind_model::{
    id::RolloutId,
    protocol::{
        agent::FromAgent,
        machine::{Machine, ProcessRole as Role, ProcessUse},
    },
    time::Timestamp,
};
use tradewind_server::{admin, backup::Schedule};
use tradewind_store::{StoreError, rows, transact};

const DAY: Duration = Duration::from_secs(86_400);

fn why(reason: &str) -> Reason {
    Reason { reason: reason.into() }
}

fn machine() -> Machine {
    Machine {
        version: "0.1.0".into(),
        system: "Linux 6.1.0 x86_64".into(),
        cpus: 4,
        load: [0.5, 0.25, 0.125],
        memory: 8 << 30,
        memory_free: 2 << 30,
        disk: 100 << 30,
        disk_free: 40 << 30,
        booted_at: Timestamp(1_700_000_000_000_000),
        processes: vec![ProcessUse {
            role: Role::Agent,
            pid: 4_711,
            memory: 20 << 20,
            cpu: Some(0.25),
            since: Timestamp(1_700_000_100_000_000),
        }],
    }
}

#[tokio::test]
async fn what_a_collection_would_free_is_what_it_frees() {
    let app = TestApp::start().await;
    let client = app.client();
    let blob = app.app.blobs.put_bytes("an artifact of old".into()).await.unwrap();
    let kept = client.storage().await.unwrap();
    assert!(kept.disk.is_some_and(|disk| disk.bytes > 0));
    let of = |kind| kept.kinds.iter().find(|k| k.kind == kind).copied();
    assert!(of(StoredAs::Database).is_some_and(|k| k.bytes > 0), "{kept:?}");
    assert_eq!(of(StoredAs::Artifacts).map(|k| (k.bytes, k.files)), Some((18, Some(1))));
    assert_eq!(kept.due.bytes(), 0, "it is young");
    // A server of another day: what this process put is let be for an hour.
    let folder = app.stop().await;
    let app = TestApp::start_in(folder).await;
    let client = app.client();
    // Its own first round must not come between.
    until("its first round", async || client.storage().await.unwrap().last).await;
    app.clock.forward(DAY * 8);
    let due = client.storage().await.unwrap().due;
    assert_eq!((due.artifacts, due.artifact_bytes), (1, 18));

    // While a backup is being made nothing goes, and whoever asks hears so.
    let held = tradewind_store::Hold::of(app.data()).to_copy().await.unwrap();
    let refused = client.collect(&why("room")).await.unwrap_err();
    assert!(refused.to_string().contains("TW-CTL-020"), "{refused}");
    assert!(client.storage().await.unwrap().last.unwrap().held);
    drop(held);
    assert_eq!(client.collect(&why("room")).await.unwrap(), due);
    assert!(!app.app.blobs.exists(&blob).await.unwrap());
    let after = client.storage().await.unwrap();
    assert_eq!(after.due.bytes(), 0);
    let last = after.last.unwrap();
    assert_eq!((last.by.as_deref(), last.freed), (Some("admin"), due));
    let told = until("the event", async || {
        let query = tradewind_api::EventQuery { kind: Some("storage.collected".into()), ..Default::default() };
        client.events(&query, &tradewind_api::Paging::limit(9)).await.unwrap().items.into_iter().next()
    })
    .await;
    assert_eq!(told.after.unwrap()["reason"], json!("room"));
}

#[tokio::test]
async fn what_fails_is_said_first_with_what_to_do() {
    let app = TestApp::start().await;
    let client = app.client();
    let key = admin::enrol_host(&app.app.store, "shop-1").await.unwrap().token;
    let health = client.plane().await.unwrap();
    assert_eq!(health.verdict, FindingVerdict::Bad);
    let first = &health.findings[0];
    assert_eq!((first.id.as_str(), first.verdict), ("hosts", FindingVerdict::Bad), "{:?}", health.findings);
    assert!(first.found.contains("shop-1") && first.fix.as_ref().unwrap().contains("agent.log"), "{first:?}");
    let mut last = FindingVerdict::Bad;
    for finding in &health.findings {
        assert!(finding.verdict <= last && (finding.verdict == FindingVerdict::Good) == finding.fix.is_none());
        last = finding.verdict;
    }
    let backup = health.findings.iter().find(|f| f.id == "backup").unwrap();
    assert_eq!(backup.verdict, FindingVerdict::Less);
    assert_eq!((health.database.kind.as_str(), health.database.bytes > 0), ("sqlite", true));
    assert!(health.database.writes.is_some_and(|w| w.count > 0 && w.median_us <= w.slowest_us));
    until("a sealed event", async || (client.plane().await.unwrap().log.head > 0).then_some(())).await;
    assert_eq!(health.processes[0].role, ProcessRole::Server);
    assert!(health.processes[0].memory_bytes > 1 << 20);
    assert!(health.loops.iter().any(|l| l.id == "rollouts" && l.error.is_none()), "{:?}", health.loops);
    // In the reader's language.
    let answer = http().get(app.url("/api/v1/plane")).bearer_auth(&app.admin.token).header("accept-language", "zh-CN");
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert!(answer["findings"][0]["found"].as_str().unwrap().contains("失联"), "{answer}");

    // With its agent there, and its machine told of, nothing is bad.
    let (mut agent, _) = FakeAgent::connect(&app, &key).await;
    agent.say(&FromAgent::Observed(Box::default())).await;
    agent.say(&FromAgent::Machine(machine())).await;
    let host = until("the machine", async || client.hosts().await.unwrap().items.remove(0).machine).await;
    assert_eq!((host.cpus, host.load, host.memory_free_bytes), (4, [0.5, 0.25, 0.125], 2 << 30));
    let health = client.plane().await.unwrap();
    assert_eq!((health.hosts, health.hosts_connected), (1, 1));
    assert!(health.findings.iter().all(|f| f.verdict < FindingVerdict::Bad), "{:?}", health.findings);
    let theirs = health.processes.iter().find(|p| p.role == ProcessRole::Agent).unwrap();
    assert_eq!((theirs.host.as_deref(), theirs.pid, theirs.cpu), (Some("shop-1"), 4_711, Some(0.25)));
}

#[tokio::test]
async fn a_host_is_removed_once_it_is_gone_and_nothing_is_wanted_on_it() {
    let app = TestApp::start().await;
    let client = app.client();
    let key = admin::enrol_host(&app.app.store, "gone-1").await.unwrap().token;
    let code = async |host: &str, reason: &str| client.remove_host(host, reason).await.unwrap_err().to_string();
    assert!(code("never-1", "x").await.contains("TW-CTL-021"));
    assert!(code("gone-1", " ").await.contains("TW-CTL-011"));
    let (mut agent, id) = FakeAgent::connect(&app, &key).await;
    agent.say(&FromAgent::Observed(Box::default())).await;
    until("it is there", async || client.hosts().await.unwrap().items[0].connected.then_some(())).await;
    assert!(code("gone-1", "sold").await.contains("TW-CTL-022"));
    drop(agent);
    until("it is gone", async || (!client.hosts().await.unwrap().items[0].connected).then_some(())).await;

    let wanted: Result<_, StoreError> = transact!(app.app.store, tx => {
        tx.without_event("a test's setup");
        let new = rows::tasks::NewTask {
            id: tradewind_model::id::TaskId::at(tx.now()),
            host: id,
            kind: "job".into(),
            owner: format!("rollout/{}", RolloutId::at(tx.now())),
            state: "waiting".into(),
            body: tradewind_store::Json::of(&json!({})),
        };
        rows::tasks::insert(tx, new).await
    });
    let task = wanted.unwrap();
    assert!(code("gone-1", "sold").await.contains("TW-CTL-023"));
    let ended: Result<_, StoreError> = transact!(app.app.store, tx => {
        tx.without_event("a test's setup");
        let finished_at = Some(tx.now());
        rows::tasks::update(tx, rows::tasks::Task { finished_at, ..task.clone() }).await
    });
    ended.unwrap();
    client.remove_host("gone-1", "sold").await.unwrap();
    assert!(client.hosts().await.unwrap().items.is_empty());
    assert!(code("gone-1", "sold").await.contains("TW-CTL-021"), "twice is once");
    // Its key is worth nothing.
    let answer = http().get(app.url("/api/v1/agent/stream")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    // Under its name it may come again, and is the same host.
    let key = admin::enrol_host(&app.app.store, "gone-1").await.unwrap().token;
    let (_agent, again) = FakeAgent::connect(&app, &key).await;
    assert_eq!(again, id);
}

#[tokio::test]
async fn backups_are_told_with_what_makes_them() {
    let folder = tempfile::Builder::new().prefix("tw").tempdir().unwrap();
    let to = folder.path().join("backups");
    let schedule = Schedule { every: DAY, to: to.clone(), keep: 3, passphrase: None };
    let app = TestApp::start_as(folder, |config| config.backups = Some(schedule)).await;
    let client = app.client();
    let told = until("the first one", async || {
        let told = client.backups().await.unwrap();
        (told.last.is_some() && !told.kept.is_empty()).then_some(told)
    })
    .await;
    let (last, schedule) = (told.last.unwrap(), told.schedule.unwrap());
    assert!(last.by.contains("backup") && last.bytes.is_some_and(|b| b > 0) && !last.is_old, "{last:?}");
    assert_eq!((last.keys.as_deref(), schedule.with_keys, schedule.keep), (Some("left_out"), false, 3));
    assert_eq!((told.kept.len(), told.failed), (1, None));
    assert_eq!(schedule.next_at.0.since(told.kept[0].at.0), DAY);

    // The place is gone: the next one fails, and that is the first thing said.
    std::fs::remove_dir_all(&to).unwrap();
    std::fs::write(&to, "no folder").unwrap();
    let failed: Result<(), StoreError> = transact!(app.app.store, tx => {
        tx.event(tradewind_model::event::NewEvent {
            kind: "admin.backup_failed".into(),
            schema: 1,
            actor: tradewind_model::event::Actor::named("backup"),
            subject: "installation/backup".into(),
            cause: None,
            service: None,
            env: None,
            before: None,
            after: Some(json!({ "code": "TW-BACK-002", "why": "no room" })),
        }).await?;
        Ok(())
    });
    failed.unwrap();
    let failed = until("it is told", async || client.backups().await.unwrap().failed).await;
    assert_eq!((failed.code.as_deref(), failed.why.as_deref()), (Some("TW-BACK-002"), Some("no room")));
    let health = client.plane().await.unwrap();
    assert!(health.findings.iter().any(|f| f.id == "backup_failed" && f.found.contains("no room")));
}

#[tokio::test]
async fn who_has_a_role_on_one_service_is_not_told_of_the_installation() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let bounds = tradewind_model::access::Bounds { service: Some("quay".parse().unwrap()), ..Default::default() };
    let grant = tradewind_model::access::Grant { role: tradewind_model::access::Role::Admin, bounds };
    let token = crate::rights::account(&app.app.store, "quay-admin", Some(grant)).await;
    for path in ["/api/v1/plane", "/api/v1/storage", "/api/v1/backups"] {
        let answer = http().get(app.url(path)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    let reader = app.token(Scope::Read).await;
    let answer = http().get(app.url("/api/v1/plane")).bearer_auth(&reader).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

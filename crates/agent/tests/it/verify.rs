//! Verifications, and schedules.

use crate::world::*;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tradewind_model::{
    fault::Lang,
    id::{InstanceId, TaskId},
    protocol::agent::{
        CronOutcome, DesiredPhase, DesiredTask, EdgeProbe, Exit, InstancePhase, TaskResult, TaskState, VerifyReport,
        VerifyWork, Work,
    },
    workload::{Port, Schedule, ServiceKind},
};

async fn report(w: &mut World, n: u128, work: VerifyWork) -> VerifyReport {
    let id = TaskId(unique(n));
    w.want(|d| d.tasks = vec![DesiredTask { id, work: Work::Verify(Box::new(work)), cancel: false }]);
    let seen =
        w.until("verified", |o| o.tasks.iter().any(|t| t.id == id && matches!(t.state, TaskState::Done(_)))).await;
    let task = seen.tasks.into_iter().find(|t| t.id == id).unwrap();
    match task.state {
        TaskState::Done(result) => match *result {
            TaskResult::Verify { report } => report,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Answers probes with the right token as the wanted revision, everything else as nobody.
async fn probed_edge(heads: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 8192];
            let n = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..n]).into_owned();
            let want = head.lines().find_map(|l| l.strip_prefix("x-tradewind-want: ")).unwrap_or("none").to_owned();
            heads.lock().unwrap().push(head);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nx-tradewind-revision: {want}\r\nx-tradewind-instance: i-1\r\nContent-Length: 0\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    addr
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_and_the_edge_are_asked() {
    let mut w = World::without_agent().await;
    let heads = Arc::<Mutex<Vec<String>>>::default();
    w.edge.listens_on(probed_edge(heads.clone()).await);
    w.start_agent();
    let v1 = w.app_release(1);
    let (good, bad) =
        (desired_instance(1, v1, 1, workload(&[])), desired_instance(2, v1, 1, workload(&[("NEVER", "1")])));
    w.want(|d| {
        d.instances = vec![good.clone(), bad.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until("one live", |o| o.routes.first().is_some_and(|r| r.splits[0].ready_targets == 1)).await;
    let work = |instances: Vec<InstanceId>, timeout_ms| VerifyWork {
        place: place(),
        revision: revision(1),
        instances,
        health: workload(&[]).health,
        through_edge: Some(EdgeProbe { host: "shop.example.com".into(), path: "/healthz".into() }),
        timeout_ms,
    };
    let passed = report(&mut w, 1, work(vec![good.id], 30_000)).await;
    assert!(passed.passed, "{passed:#?}");
    let what: Vec<_> = passed.checks.iter().map(|c| (c.what.en(), c.passed)).collect();
    assert_eq!(what, [(&*format!("instance {}", good.id), true), ("edge shop.example.com/healthz", true)]);
    let head = heads.lock().unwrap().last().unwrap().to_ascii_lowercase();
    let token = w.edge.table.borrow().probe_token.clone();
    assert!(head.contains("host: shop.example.com\r\n") && !token.is_empty(), "{head}");
    assert!(head.contains(&format!("x-tradewind-probe: {token}\r\n")), "{head}");

    let unknown = InstanceId(unique(99));
    let failed = report(&mut w, 2, work(vec![good.id, bad.id, unknown], 3_000)).await;
    assert!(!failed.passed);
    let detail: Vec<_> = failed.checks.iter().map(|c| (c.passed, c.detail.en())).collect();
    assert!(detail[0].0 && detail[3].0, "{detail:?}");
    assert_eq!(detail[1], (false, "GET /healthz answered 503 Service Unavailable"));
    assert_eq!(detail[2], (false, "it is not on this host"));
    for check in passed.checks.iter().chain(&failed.checks) {
        for said in [&check.what, &check.detail] {
            assert_ne!(said.get(Lang::Zh), said.en());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_ask_is_no_pass() {
    let mut w = World::new().await;
    let work = VerifyWork {
        place: place(),
        revision: revision(1),
        instances: vec![],
        health: None,
        through_edge: None,
        timeout_ms: 100,
    };
    assert!(!report(&mut w, 1, work).await.passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_service_runs_when_it_is_due_and_keeps_a_history() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let mut cron = workload(&[]);
    cron.kind = ServiceKind::Cron;
    cron.port = Port::None;
    cron.health = None;
    cron.command = ["sh", "-c", "echo run; exit 4"].map(Into::into).into();
    cron.schedule =
        Some(Schedule { expression: "* * * * * *".into(), timezone: "Asia/Shanghai".into(), timeout_ms: 10_000 });
    let a = desired_instance(1, v1, 1, cron);
    w.want(|d| d.instances = vec![a.clone()]);
    let ended = |o: &CronOutcome| *o == CronOutcome::Failed { exit: Exit::Code { code: 4 } };
    let two_runs = |runs: &[_]| {
        runs.iter().filter(|r: &&tradewind_model::protocol::agent::CronRun| ended(&r.outcome)).count() >= 2
    };
    let seen = w.until("two runs", |o| instance(o, a.id).is_some_and(|i| two_runs(&i.runs))).await;
    let runs = &instance(&seen, a.id).unwrap().runs;
    assert!(runs.is_sorted_by(|a, b| a.due_at < b.due_at), "{runs:#?}");
    assert_eq!(instance(&seen, a.id).unwrap().last_exit, Some(Exit::Code { code: 4 }));
    w.want(|d| d.instances[0].phase = DesiredPhase::Stopped);
    let stopped = w.until_phase(a.id, InstancePhase::Stopped).await;
    w.drop_agent().await;
    w.start_agent();
    w.want(|_| {});
    let again = w.until_phase(a.id, InstancePhase::Stopped).await;
    assert!(again.runs.len() >= stopped.runs.len(), "the history outlives the agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_cannot_be_reckoned_is_said() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let mut cron = workload(&[]);
    cron.kind = ServiceKind::Cron;
    cron.schedule =
        Some(Schedule { expression: "* * * * *".into(), timezone: "Mars/Olympus".into(), timeout_ms: 10_000 });
    let a = desired_instance(1, v1, 1, cron);
    w.want(|d| d.instances = vec![a.clone()]);
    let failed = w.until_phase(a.id, InstancePhase::Failed).await;
    assert!(failed.message.unwrap().en().starts_with("TW-AGENT-017: the schedule `* * * * *` in `Mars/Olympus`"));
}

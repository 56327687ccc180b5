//! Instances that do not behave.

use crate::world::*;
use std::net::TcpListener;
use tradewind_model::{
    fault::Lang,
    protocol::agent::{DesiredPhase, Exit, FromAgent, InstancePhase, LogStream, ToAgent},
    said,
    said::Said,
    workload::{HealthProbe, Port, ServiceKind},
};

#[tokio::test(flavor = "multi_thread")]
async fn one_that_crashes_leaves_the_table_and_comes_back() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[]));
    w.want(|d| {
        d.instances = vec![a.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until_table("live", |s| s == [(10_000, 1)]).await;
    let pid = w.until_phase(a.id, InstancePhase::Ready).await.pid.unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    w.until_table("out", |s| s == [(0, 0)]).await;
    w.until_table("in again", |s| s == [(10_000, 1)]).await;
    let again = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!((again.restarts, again.last_exit), (1, Some(Exit::Signal { signal: 9 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_checks_fail_is_taken_out_and_not_restarted() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[]));
    w.want(|d| {
        d.instances = vec![a.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until_table("live", |s| s == [(10_000, 1)]).await;
    let sick = w.agent_folder().join("data/shop/production/default/sick");
    std::fs::write(&sick, "").unwrap();
    let unhealthy = w.until_phase(a.id, InstancePhase::Unhealthy).await;
    let message = unhealthy.message.unwrap();
    assert_eq!(message.en(), "GET /healthz answered 503 Service Unavailable");
    assert_eq!(message.get(Lang::Zh), "GET /healthz 返回 503 Service Unavailable");
    w.until_table("out", |s| s == [(0, 0)]).await;
    std::fs::remove_file(&sick).unwrap();
    w.until_table("in again", |s| s == [(10_000, 1)]).await;
    let healed = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!((healed.pid, healed.restarts, healed.message), (unhealthy.pid, 0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_never_ready_never_gets_a_request() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[("NEVER", "1")]));
    w.want(|d| {
        d.instances = vec![a.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    let answers =
        |m: &Option<Said>| m.as_ref().is_some_and(|m| m.en() == "GET /healthz answered 503 Service Unavailable");
    w.until("it says why", |o| {
        instance(o, a.id).is_some_and(|i| i.phase == InstancePhase::Starting && answers(&i.message))
    })
    .await;
    w.until_table("nobody", |s| s == [(0, 0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_exits_at_once_is_in_a_crash_loop_and_said_to_be_failed() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[("DIES", "3")]));
    w.want(|d| d.instances = vec![a.clone()]);
    let failed = w.until_phase(a.id, InstancePhase::Failed).await;
    assert_eq!(failed.message, Some(said!("ended with exit code 3", "以退出码 3 结束")));
    assert_eq!(failed.last_exit, Some(Exit::Code { code: 3 }));
    // It is tried on, and stays failed while it is.
    w.until("tried on", |o| instance(o, a.id).is_some_and(|i| i.restarts >= 4)).await;
    assert_eq!(instance(&w.server.observed.borrow(), a.id).unwrap().phase, InstancePhase::Failed);
    w.want(|d| d.instances.clear());
    w.until("gone", |o| o.instances.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ignores_the_signal_is_killed_after_its_grace() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let mut deaf = workload(&[("DEAF", "1")]);
    deaf.stop.grace_ms = 50;
    let a = desired_instance(1, v1, 1, deaf);
    w.want(|d| d.instances = vec![a.clone()]);
    w.until_phase(a.id, InstancePhase::Ready).await;
    w.want(|d| d.instances[0].phase = DesiredPhase::Stopped);
    let stopped = w.until_phase(a.id, InstancePhase::Stopped).await;
    assert_eq!(stopped.last_exit, Some(Exit::Signal { signal: 9 }));
    w.want(|d| d.instances[0].phase = DesiredPhase::Run);
    let again = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!(again.restarts, 0, "a stop is no crash");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_opens_its_port_late_goes_live_when_it_does() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[("LATE", "0.3")]));
    w.want(|d| d.instances = vec![a.clone()]);
    w.until("starting", |o| instance(o, a.id).is_some_and(|i| i.message.is_some())).await;
    let ready = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!((ready.restarts, ready.message), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named_and_waited_for() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut fixed = workload(&[]);
    fixed.port = Port::Fixed(port);
    let a = desired_instance(1, v1, 1, fixed);
    w.want(|d| d.instances = vec![a.clone()]);
    let says = said!(
        "TW-AGENT-010: port {port} is taken on this host",
        "TW-AGENT-010：本机的端口 {port} 已被占用",
        port = port
    );
    w.until("the port is named", |o| instance(o, a.id).is_some_and(|i| i.message.as_ref() == Some(&says))).await;
    drop(taken);
    let ready = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!(ready.addr.unwrap().port(), port);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_does_not_exist_is_said_at_once() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let mut missing = workload(&[]);
    missing.command = vec!["no-such-program".into()];
    let a = desired_instance(1, v1, 1, missing);
    w.want(|d| d.instances = vec![a.clone()]);
    let failed = w.until_phase(a.id, InstancePhase::Failed).await;
    let message = failed.message.unwrap();
    assert!(message.get(Lang::Zh).starts_with("TW-AGENT-011：命令无法启动："), "{message:?}");
    let message = message.en();
    assert!(message.starts_with("TW-AGENT-011: the command could not be started: "), "{message}");
    assert!(message.contains("no-such-program"), "{message}");
    assert!(matches!(failed.last_exit, Some(Exit::NotStarted { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_checked_by_a_command_is_ready_when_that_passes() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let mut worker = workload(&[]);
    worker.kind = ServiceKind::Worker;
    worker.port = Port::None;
    worker.command =
        ["sh", "-c", "sleep 0.1; touch \"$TRADEWIND_DATA_DIR/up\"; exec sleep 1000"].map(Into::into).into();
    if let Some(check) = &mut worker.health {
        let test = ["sh", "-c", "test -e \"$TRADEWIND_DATA_DIR/up\" || { echo not yet >&2; exit 1; }"];
        check.probe = HealthProbe::Command { command: test.map(Into::into).into() };
    }
    let a = desired_instance(1, v1, 1, worker);
    w.want(|d| d.instances = vec![a.clone()]);
    let ready = w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!((ready.addr, ready.restarts), (None, 0));
    std::fs::remove_file(w.agent_folder().join("data/shop/production/default/up")).unwrap();
    let unhealthy = w.until_phase(a.id, InstancePhase::Unhealthy).await;
    let says = said!("the check `sh` ended with exit code 1: not yet", "检查 `sh` 以退出码 1 结束：not yet");
    assert_eq!(unhealthy.message, Some(says));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_followed_and_kept_after_the_end() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[]));
    w.want(|d| d.instances = vec![a.clone()]);
    w.until_phase(a.id, InstancePhase::Ready).await;
    w.server.ask(ToAgent::ReadLog { request: 7, instance: a.id, tail_lines: 10, follow: true });
    heard(&mut w, 7, "up as v1").await;
    w.want(|d| d.instances[0].phase = DesiredPhase::Stopped);
    w.until_phase(a.id, InstancePhase::Stopped).await;
    w.want(|d| d.instances[0].phase = DesiredPhase::Run);
    heard(&mut w, 7, "up as v1").await;
    w.server.ask(ToAgent::StopLog { request: 7 });
    w.want(|d| d.instances.clear());
    w.until("gone", |o| o.instances.is_empty()).await;
    w.server.ask(ToAgent::ReadLog { request: 8, instance: a.id, tail_lines: 1000, follow: false });
    heard(&mut w, 8, "up as v1").await;
    let unknown = tradewind_model::id::InstanceId(unique(99));
    w.server.ask(ToAgent::ReadLog { request: 9, instance: unknown, tail_lines: 10, follow: false });
    loop {
        let message = tokio::time::timeout(GUARD, w.heard.recv()).await.unwrap().unwrap();
        if let FromAgent::Log { request: 9, lines, done } = message {
            assert!(lines.is_empty() && done);
            break;
        }
    }
}

async fn heard(w: &mut World, wanted: u64, text: &str) {
    loop {
        let message = tokio::time::timeout(GUARD, w.heard.recv()).await.unwrap().unwrap();
        if let FromAgent::Log { request, lines, .. } = message
            && request == wanted
            && lines.iter().any(|l| l.stream == LogStream::Stdout && l.text == text)
        {
            return;
        }
    }
}

//! Server, edge and agent go away and come back; what runs goes on.

use crate::world::*;
use std::time::Duration;
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{DesiredInstance, Exit, FromAgent, InstancePhase},
        edge::{FromEdge, Stats},
        shim::Started,
    },
    time::Timestamp,
};

/// Two instances of one release, live.
async fn live(w: &mut World) -> [DesiredInstance; 2] {
    let v1 = w.app_release(1);
    let pair = [1, 2].map(|n| desired_instance(n, v1, 1, workload(&[])));
    w.want(|d| {
        d.instances = pair.to_vec();
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until("live", |o| o.routes.first().is_some_and(|r| r.splits[0].ready_targets == 2)).await;
    pair
}

fn pid(w: &World, id: InstanceId) -> Option<u32> {
    instance(&w.server.observed.borrow(), id).and_then(|i| i.pid)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_dropped_finds_its_instances_without_its_server() {
    let mut w = World::new().await;
    let [a, b] = live(&mut w).await;
    let (addr, pids) =
        (instance(&w.server.observed.borrow(), a.id).unwrap().addr.unwrap(), [pid(&w, a.id), pid(&w, b.id)]);
    let before = w.edge.versions().len();
    w.server.down();
    w.drop_agent().await;
    assert_eq!(get(addr, "/").await, "ok", "nothing stopped");
    w.start_agent();
    // The edge hears of the new agent first: its server is away.
    let mut tables = w.edge.table.clone();
    tables.mark_unchanged();
    tokio::time::timeout(GUARD, tables.changed()).await.unwrap().unwrap();
    w.until_table("both", |s| s == [(10_000, 2)]).await;
    assert_eq!(w.edge.versions().len(), before + 1, "no table in between was without them");
    assert!(w.edge.versions().is_sorted_by(|a, b| a < b));
    w.server.up().await;
    let seen = w.until("both ready again", |o| {
        o.routes.first().is_some_and(|r| r.version == 1 && r.splits[0].ready_targets == 2)
    });
    let seen = seen.await;
    assert_eq!([a.id, b.id].map(|id| instance(&seen, id).unwrap().pid), pids, "none was restarted");
    assert_eq!(instance(&seen, a.id).unwrap().addr, Some(addr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_no_agent_was_there_is_seen_and_restarted() {
    let mut w = World::new().await;
    let [a, b] = live(&mut w).await;
    let old = pid(&w, a.id).unwrap();
    w.drop_agent().await;
    rustix::process::kill_process(rustix::process::Pid::from_raw(old as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    until_gone(std::path::Path::new(&format!("/proc/{old}"))).await;
    let kept = pid(&w, b.id);
    w.start_agent();
    let seen = w
        .until("restarted", |o| instance(o, a.id).is_some_and(|i| i.restarts == 1 && i.phase == InstancePhase::Ready))
        .await;
    let again = instance(&seen, a.id).unwrap();
    assert_eq!(again.last_exit, Some(Exit::Signal { signal: 9 }));
    assert_ne!(again.pid, Some(old));
    assert_eq!(instance(&seen, b.id).unwrap().pid, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_unlisted_while_no_agent_was_there_is_drained_and_stopped() {
    let mut w = World::new().await;
    let [a, b] = live(&mut w).await;
    w.drop_agent().await;
    w.want(|d| d.instances.retain(|i| i.id == b.id));
    w.edge.drains(false);
    w.start_agent();
    w.until_table("one left", |s| s == [(10_000, 1)]).await;
    w.until_phase(a.id, InstancePhase::Draining).await;
    w.edge.say(FromEdge::Drained { instance: a.id });
    w.until("gone", |o| instance(o, a.id).is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_comes_back_gets_the_table_above_its_own() {
    let mut w = World::new().await;
    live(&mut w).await;
    w.edge.down();
    w.until("the edge missed", |o| o.edge.is_none()).await;
    w.edge.pretend_version(1_000_000);
    w.edge.up();
    w.until("the edge back", |o| o.edge.as_ref().is_some_and(|e| e.table > 1_000_000)).await;
    w.until_table("both", |s| s == [(10_000, 2)]).await;
    // Without an edge, a crash still takes the instance out of the next table.
    w.want(|d| d.routes = vec![route(2, &[(1, 10_000)])]);
    w.until("the later intent", |o| o.routes.first().is_some_and(|r| r.version == 2)).await;
}

/// One that hangs keeps its connections.
#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_dialled_again() {
    let mut w = World::new().await;
    let mut hellos = 0;
    while hellos < 2 {
        let heard = tokio::time::timeout(GUARD, w.heard.recv()).await.expect("it still waits");
        hellos += usize::from(matches!(heard, Some(FromAgent::Hello { .. })));
    }
    w.drop_agent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_desired_state_is_refused() {
    let mut w = World::new().await;
    let [a, _] = live(&mut w).await;
    let newest = w.desired.clone();
    w.desired.generation = 1;
    w.desired.instances.clear();
    w.server.want(w.desired.clone());
    // The refusal is silent; a later state shows that the older one was not acted upon.
    w.desired = newest;
    w.want(|d| d.routes = vec![route(2, &[(1, 10_000)])]);
    let seen = w.until("the newer", |o| o.routes.first().is_some_and(|r| r.version == 2)).await;
    assert_eq!(instance(&seen, a.id).unwrap().restarts, 0);
    assert_eq!(seen.instances.len(), 2);
    w.drop_agent().await;
    while w.heard.try_recv().is_ok() {}
    w.start_agent();
    let hello = tokio::time::timeout(GUARD, w.heard.recv()).await.unwrap().unwrap();
    let FromAgent::Hello { generation, .. } = hello else { panic!("{hello:?}") };
    assert_eq!(generation, w.desired.generation, "it knows what it held");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_killed_leaves_everything_running() {
    let mut w = World::without_agent().await;
    let data = w.agent_folder();
    let edge = w.dir.path().join("edge.sock");
    let agent = |server: String| {
        std::process::Command::new(shim().0)
            .arg("agent")
            .arg(&data)
            .arg(server)
            .arg(crate::server::KEY)
            .arg(&edge)
            .spawn()
            .unwrap()
    };
    let url = format!("http://{}", w.server.addr);
    let mut first = agent(url.clone());
    let [a, b] = live(&mut w).await;
    let pids = [pid(&w, a.id), pid(&w, b.id)];
    for _ in 0..3 {
        first.kill().unwrap();
        first.wait().unwrap();
        while w.heard.try_recv().is_ok() {}
        first = agent(url.clone());
        let hello = tokio::time::timeout(GUARD, w.heard.recv()).await.unwrap().unwrap();
        assert!(matches!(hello, FromAgent::Hello { .. }), "{hello:?}");
        let seen =
            w.until("ready", |o| o.seq < 1_000 && o.routes.first().is_some_and(|r| r.splits[0].ready_targets == 2));
        let seen = seen.await;
        assert_eq!([a.id, b.id].map(|id| instance(&seen, id).unwrap().pid), pids);
    }
    first.kill().unwrap();
    first.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edges_counters_reach_the_server_as_they_came() {
    let mut w = World::new().await;
    live(&mut w).await;
    let stats = Stats {
        epoch: "worker-1".into(),
        at: Timestamp(1),
        table: w.edge.table.borrow().version,
        splits: vec![],
        targets: vec![],
    };
    w.edge.say(FromEdge::Stats(stats.clone()));
    loop {
        let message = tokio::time::timeout(GUARD, w.heard.recv()).await.unwrap().unwrap();
        if let FromAgent::Traffic(heard) = message {
            assert_eq!(heard, stats);
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_whose_shim_is_killed_stays_as_it_is() {
    let mut w = World::new().await;
    let [a, _] = live(&mut w).await;
    let before = instance(&w.server.observed.borrow(), a.id).unwrap().clone();
    let record = w.agent_folder().join("instances").join(a.id.to_string()).join("process/started.json");
    let shim = || {
        let started: Started = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        started.shim_pid
    };
    let old = shim();
    rustix::process::kill_process(rustix::process::Pid::from_raw(old as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    let replaced = async {
        while shim() == old {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(GUARD, replaced).await.unwrap();
    w.want(|d| d.routes = vec![route(2, &[(1, 10_000)])]);
    let seen = w.until("still live", |o| o.routes.first().is_some_and(|r| r.version == 2)).await;
    assert_eq!(instance(&seen, a.id), Some(&before));
}

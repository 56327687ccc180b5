//! The deploy path: releases, instances, the edge's table.

use crate::world::*;
use tradewind_agent::RunAs;
use tradewind_model::protocol::agent::{DesiredPhase, Exit, InstancePhase, ReleaseState};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_live_moves_on_and_comes_back() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let (a, b) = (desired_instance(1, v1, 1, workload(&[])), desired_instance(2, v1, 1, workload(&[])));
    let (a_id, b_id) = (a.id, b.id);
    w.want(|d| {
        d.instances = vec![a.clone(), b.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until_table("both instances", |s| s == [(10_000, 2)]).await;
    let seen = w
        .until("the route acknowledged with both", |o| {
            o.routes.first().is_some_and(|r| r.version == 1 && r.splits[0].ready_targets == 2)
        })
        .await;
    assert!(matches!(seen.releases[0].state, ReleaseState::Ready));
    let first = instance(&seen, a_id).unwrap().clone();
    let addr = first.addr.unwrap();
    let who = get(addr, "/who").await;
    assert!(who.starts_with(&a_id.to_string()), "{who}");
    if let RunAs::SeparateUsers = w.config().run_as {
        let uid: u32 = who.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((63_000..65_000).contains(&uid), "it runs as {uid}");
    }

    // Blue-green: the new one is warm beside the old before it gets traffic.
    let v2 = w.app_release(2);
    let c = desired_instance(3, v2, 2, workload(&[]));
    w.want(|d| d.instances.push(c.clone()));
    w.until_phase(c.id, InstancePhase::Ready).await;
    w.want(|d| d.routes = vec![route(2, &[(2, 10_000), (1, 0)])]);
    w.until("the new route acknowledged", |o| o.routes[0].version == 2).await;
    w.until_table("all to the new", |s| s == [(10_000, 1), (0, 2)]).await;

    // And back: nothing is started, only the table changes.
    w.want(|d| d.routes = vec![route(3, &[(1, 10_000), (2, 0)])]);
    let seen = w.until("the old route acknowledged", |o| o.routes[0].version == 3).await;
    assert_eq!(instance(&seen, a_id).unwrap(), &first, "the warm predecessor was not touched");

    // What is not listed any more is drained, stopped and forgotten, and its release with it.
    w.want(|d| {
        d.instances.retain(|i| i.id != c.id);
        d.releases.retain(|r| r.release != v2);
        d.routes = vec![route(4, &[(1, 10_000)])];
    });
    let seen = w.until("the newer one gone", |o| o.instances.len() == 2 && o.releases.len() == 1).await;
    assert!(instance(&seen, b_id).is_some());
    assert!(!w.agent_folder().join("instances").join(c.id.to_string()).exists());
    until_gone(&w.agent_folder().join("releases").join(v2.hex())).await;
    let versions = w.edge.versions();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_hold_off_the_signal() {
    let mut w = World::new().await;
    let v1 = w.app_release(1);
    let a = desired_instance(1, v1, 1, workload(&[]));
    w.want(|d| {
        d.instances = vec![a.clone()];
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until("live", |o| o.routes.first().is_some_and(|r| r.splits[0].ready_targets == 1)).await;
    w.edge.drains(false);
    w.want(|d| d.instances[0].phase = DesiredPhase::Stopped);
    w.until_table("nobody", |s| s == [(0, 0)]).await;
    let draining = w.until_phase(a.id, InstancePhase::Draining).await;
    assert_eq!(get(draining.addr.unwrap(), "/").await, "ok", "it still answers");
    w.edge.say(tradewind_model::protocol::edge::FromEdge::Drained { instance: a.id });
    let stopped = w.until_phase(a.id, InstancePhase::Stopped).await;
    assert_eq!(stopped.last_exit, Some(Exit::Code { code: 0 }), "by the signal, not by the kill");
    assert_eq!(stopped.pid, None);
}

use crate::world::{World, asker, env, place, service};
use std::time::Duration;
use tradewind_control::{
    Error,
    rollouts::{intervene, reconcile, rollback, view},
    status,
};
use tradewind_model::{fault::Lang, protocol::edge::FULL_SHARE};
use tradewind_store::{events, rows};

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n  instances: 2\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main }\n";

fn full(label: &str) -> Vec<(String, u32)> {
    vec![(label.to_owned(), FULL_SHARE)]
}

fn code(e: Error) -> String {
    match e {
        Error::Refused(f) => f.code.id.to_owned(),
        Error::Store(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn a_release_goes_live_and_the_one_before_stays_warm() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let (v1, v2) = (w.release(1, SPEC).await, w.release(2, SPEC).await);
    let id = w.deploy(&v1).await;
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    let id = w.deploy(&v2).await;
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    assert_eq!(w.route().await, full("v2"));
    w.obey(&stay).await;
    let status = status::status(&w.ctx, Some(&service()), Lang::En).await.unwrap().remove(0);
    assert_eq!(status.release.unwrap().label, "v2");
    assert_eq!(status.warm.unwrap().release.label, "v1");
    assert_eq!(status.changed_by.as_deref(), Some("ming"));
    assert_eq!(w.desired().await.instances.len(), 4);

    w.pass(Duration::from_secs(16 * 60));
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(w.desired().await.instances.len(), 2, "a quarter of an hour later it has gone");
    assert_eq!(w.desired().await.releases.len(), 2, "but it is still unpacked");
}

#[tokio::test]
async fn a_warm_rollback_has_its_route_written_before_the_caller_has_its_answer() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    for n in 1..=3 {
        let label = w.release(n, SPEC).await;
        let id = w.deploy(&label).await;
        w.see_through(&stay, id).await;
    }
    w.obey(&stay).await;
    let id = w.rollback().await;
    assert_eq!(w.route().await, full("v2"));
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    assert!(shown.verification.is_some_and(|v| v.passed));
    assert_eq!(shown.note.as_deref(), Some("orders arrive twice"));
    let id = w.rollback().await;
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    assert_eq!(w.route().await, full("v1"), "from v2, the previous is v1 and not v3");
    let e = rollback::rollback(&w.ctx, &service(), &env(), None, "further", &asker()).await.unwrap_err();
    assert_eq!(code(e), "TW-ROLL-020");
}

#[tokio::test]
async fn a_release_that_never_gets_ready_is_refused_and_holds_the_queue_until_a_person_has_seen_it() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    let v2 = w.release(2, SPEC).await;
    w.never_ready = vec![v2.clone()];
    let bad = w.deploy(&v2).await;
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    w.pass(Duration::from_secs(61));
    assert_eq!(w.see_through(&stay, bad).await.phase, "failed");
    assert_eq!(w.route().await, full("v1"));
    let shown = view::show(&w.ctx, bad, Lang::Zh).await.unwrap();
    assert!(shown.reason.unwrap().contains("没有就绪"));

    let v3 = w.release(3, SPEC).await;
    let next = w.deploy(&v3).await;
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(w.rollout(next).await.phase, "queued");
    let freed = intervene::acknowledge(&w.ctx, &service(), &env(), "seen: a missing variable", &asker()).await.unwrap();
    assert_eq!(freed, [next]);
    assert_eq!(w.see_through(&stay, next).await.phase, "completed");
    let again = intervene::acknowledge(&w.ctx, &service(), &env(), "once more", &asker()).await.unwrap_err();
    assert_eq!(code(again), "TW-CTL-008");
    let silent = intervene::acknowledge(&w.ctx, &service(), &env(), "", &asker()).await.unwrap_err();
    assert_eq!(code(silent), "TW-CTL-011");
}

#[tokio::test]
async fn a_rollback_takes_over_a_rollout_under_way() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    let v2 = w.release(2, SPEC).await;
    w.never_ready = vec![v2.clone()];
    let under_way = w.deploy(&v2).await;
    w.obey(&stay).await;
    let back = w.rollback().await;
    assert_eq!(w.rollout(under_way).await.phase, "superseded");
    assert_eq!(w.see_through(&stay, back).await.phase, "completed");
    assert_eq!(w.route().await, full("v1"));
    assert!(w.desired().await.instances.iter().all(|i| i.label == "v1"));
    assert_eq!(w.rollback_again_is_refused().await, "TW-ROLL-020");
}

impl World {
    async fn rollback_again_is_refused(&self) -> String {
        code(rollback::rollback(&self.ctx, &service(), &env(), None, "again", &asker()).await.unwrap_err())
    }
}

#[tokio::test]
async fn the_control_plane_may_die_between_any_two_steps() {
    for dies_after in 0..8 {
        let mut w = World::new().await;
        let v1 = w.release(1, SPEC).await;
        let v2 = w.release(2, SPEC).await;
        for label in [&v1, &v2] {
            let id = w.deploy(label).await;
            for step in 0..40 {
                let agents = w.ctx.agents.clone();
                let (stay, _rx) = w.connect(&agents);
                w.obey(&stay).await;
                reconcile::once(&w.ctx).await.unwrap();
                w.pass(Duration::from_secs(1));
                drop(stay);
                if step == dies_after {
                    w.restart().await;
                }
                if w.rollout(id).await.finished_at.is_some() {
                    break;
                }
            }
            assert_eq!(w.rollout(id).await.phase, "completed", "after a death at step {dies_after}");
        }
        assert_eq!(w.route().await, full("v2"));
    }
}

#[tokio::test]
async fn late_and_doubled_reports_change_nothing() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let early = w.desired().await;
    let early = w.perform(&early);
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    for _ in 0..2 {
        tradewind_control::agents::observed::ingest(&w.ctx, &stay, "epoch-0", early.clone()).await.unwrap();
        reconcile::once(&w.ctx).await.unwrap();
    }
    let status = status::status(&w.ctx, None, Lang::En).await.unwrap().remove(0);
    assert_eq!(status.instances.len(), 2);
    assert!(status.instances.iter().all(|i| i.phase == tradewind_api::v1::InstancePhase::Ready));
}

#[tokio::test]
async fn pause_abort_and_what_is_too_late_for_them() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    assert_eq!(code(intervene::pause(&w.ctx, id, " ", &asker()).await.unwrap_err()), "TW-CTL-011");
    intervene::pause(&w.ctx, id, "lunch", &asker()).await.unwrap();
    for _ in 0..5 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
    }
    assert_eq!(w.route().await, [], "traffic waits for the person");
    intervene::abort(&w.ctx, id, "wrong branch", &asker()).await.unwrap();
    let row = w.see_through(&stay, id).await;
    assert_eq!(row.phase, "aborted");
    assert!(w.desired().await.instances.is_empty());
    assert_eq!(code(intervene::abort(&w.ctx, id, "again", &asker()).await.unwrap_err()), "TW-ROLL-022");
    assert_eq!(code(intervene::resume(&w.ctx, id, "again", &asker()).await.unwrap_err()), "TW-ROLL-022");
}

#[tokio::test]
async fn every_step_is_in_the_event_log_and_the_chain_holds() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    let mut sealer = events::Sealer::new(w.ctx.store.clone());
    while sealer.seal_now().await.unwrap() > 0 {}
    let mut r = w.ctx.store.read().await.unwrap();
    let told = events::of_subject(&mut r, &format!("rollout/{id}"), 0, 100).await.unwrap();
    let kinds: Vec<&str> = told.iter().map(|e| e.fact.kind.as_str()).filter(|k| *k != "rollout.stepped").collect();
    assert_eq!(
        kinds,
        [
            "rollout.requested",
            "rollout.begun",
            "rollout.wave_started",
            "rollout.instances_ready",
            "rollout.traffic_moved",
            "rollout.verified",
            "rollout.wave_finished",
            "rollout.finished",
        ]
    );
    let history = rows::places::get(&mut r, &place()).await.unwrap().history;
    assert_eq!(history.revisions().len(), 1);
}

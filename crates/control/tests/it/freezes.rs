//! Freezes people set: what they hold, what they never hold, and how they end.

use crate::{
    judging::{Edge, SPEC as CANARY, begun, kinds, second, share},
    world::{World, asker, env, service},
};
use std::time::Duration;
use tradewind_api::v1::{self, SetFreeze};
use tradewind_control::{
    Error, Result,
    ctx::Asker,
    freezes,
    rollouts::{intervene, reconcile, request, view},
    services, status,
};
use tradewind_model::{
    event::Actor,
    fault::Lang,
    id::{FreezeId, RolloutId},
    rollout::plan::Kind,
};
use tradewind_store::events;

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main }\n  staging: { branch: develop }\n";

fn li() -> Asker {
    Asker::trusted(Actor::named("li.wei"))
}

fn wish() -> SetFreeze {
    SetFreeze { service: None, env: None, all: false, reason: "11.11".into(), until: None, for_s: None }
}

fn of_all() -> SetFreeze {
    SetFreeze { all: true, ..wish() }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result.unwrap_err() {
        Error::Refused(fault) => fault.code.id,
        Error::Store(e) => panic!("{e}"),
    }
}

async fn set(w: &World, wish: &SetFreeze) -> v1::Freeze {
    freezes::set(&w.ctx, wish, &li()).await.unwrap()
}

async fn reason(w: &World, id: RolloutId, lang: Lang) -> String {
    view::show(&w.ctx, id, lang).await.unwrap().reason.unwrap_or_default()
}

/// Time for whatever could move to move.
async fn a_while(w: &mut World, stay: &tradewind_control::agents::Stay<'_>) {
    for _ in 0..10 {
        w.obey(stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        w.pass(Duration::from_secs(1));
    }
}

/// Kind, who, and in which environment, of everything told of freezes.
async fn told(w: &World) -> Vec<(String, Actor, Option<String>)> {
    events::Sealer::new(w.ctx.store.clone()).seal_now().await.unwrap();
    let all =
        events::after(&mut w.ctx.store.read().await.unwrap(), 0, &events::Filter::default(), 1_000).await.unwrap();
    let ours = all.into_iter().filter(|e| e.fact.kind.starts_with("freeze."));
    ours.map(|e| (e.fact.kind, e.fact.actor, e.fact.env)).collect()
}

#[tokio::test]
async fn what_is_queued_waits_and_says_for_whom_and_a_rollback_goes_through() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    for n in 1..=2 {
        let label = w.release(n, SPEC).await;
        let id = w.deploy(&label).await;
        assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    }
    let frozen = set(&w, &SetFreeze { env: Some(env()), for_s: Some(86_400), ..wish() }).await;
    let v3 = w.release(3, SPEC).await;
    let waits = w.deploy(&v3).await;
    let hotfix = request::Wish::default();
    let hotfix = request::deploy(&w.ctx, &service(), &env(), &v3, Kind::Hotfix, &hotfix, &asker()).await.unwrap();
    a_while(&mut w, &stay).await;
    for id in [waits, hotfix] {
        assert_eq!(w.rollout(id).await.phase, "queued");
        let said = "frozen by li.wei since 2023-11-14 22:13 UTC until 2023-11-15 22:13 UTC: 11.11";
        assert_eq!(reason(&w, id, Lang::En).await, said);
        let said = "li.wei 已冻结（自 2023-11-14 22:13 UTC 起至 2023-11-15 22:13 UTC）：11.11";
        assert_eq!(reason(&w, id, Lang::Zh).await, said);
    }
    let place = status::status(&w.ctx, Some(&service()), Lang::En).await.unwrap().remove(0);
    assert_eq!(place.freezes, std::slice::from_ref(&frozen));
    let shown = services::show(&w.ctx, &service(), Lang::En).await.unwrap();
    let held: Vec<usize> = shown.environments.iter().map(|e| e.freezes.len()).collect();
    assert_eq!(held, [1, 0], "staging is free");

    let back = w.rollback().await;
    assert_eq!(w.see_through(&stay, back).await.phase, "completed");
    assert_eq!(w.route().await[0].0, "v1");
    assert_eq!(reason(&w, back, Lang::En).await, "");
    // What waits behind a rollback waits for two things now.
    let both = reason(&w, waits, Lang::En).await;
    assert!(both.contains("frozen by li.wei") && both.contains(&back.to_string()), "{both}");

    freezes::lift(&w.ctx, frozen.id, "sales are over", &asker()).await.unwrap();
    intervene::acknowledge(&w.ctx, &service(), &env(), "go on", &asker()).await.unwrap();
    assert_eq!(w.see_through(&stay, waits).await.phase, "completed");
    let user = |name: &str| Actor::named(name);
    let production = || Some("production".to_owned());
    let ours =
        [("freeze.set".into(), user("li.wei"), production()), ("freeze.lifted".into(), user("ming"), production())];
    assert_eq!(told(&w).await, ours);
}

#[tokio::test]
async fn a_rollout_under_way_keeps_its_wave_and_begins_no_other() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, CANARY).await;
    let mut edge = Edge::new();
    for _ in 0..8 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert_eq!(share(&w, "v2").await, 1_000);
    let freeze = set(&w, &SetFreeze { service: Some(service()), ..wish() }).await;
    intervene::promote(&w.ctx, id, 0, "looks well", &asker()).await.unwrap();
    let said = "no further wave begins: frozen by li.wei since 2023-11-14 22:13 UTC: 11.11";
    assert_eq!(reason(&w, id, Lang::En).await, said);
    for _ in 0..60 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert_eq!((share(&w, "v2").await, w.rollout(id).await.phase.as_str()), (1_000, "running"), "nothing goes back");
    let waves = kinds(&w, id).await.iter().filter(|k| *k == "rollout.wave_started").count();
    assert_eq!(waves, 1);

    freezes::lift(&w.ctx, freeze.id, "sales are over", &li()).await.unwrap();
    for _ in 0..5 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert!(share(&w, "v2").await > 1_000, "it goes on where it stood");
    assert_eq!(reason(&w, id, Lang::En).await, "");
}

#[tokio::test]
async fn freezes_overlap_and_each_is_lifted_by_itself() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let mut on = Vec::new();
    for wish in [of_all(), SetFreeze { service: Some(service()), env: Some(env()), ..wish() }] {
        on.push(set(&w, &wish).await.id);
    }
    let staging = SetFreeze { env: Some("staging".parse().unwrap()), ..wish() };
    let elsewhere = set(&w, &staging).await;
    let id = w.deploy(&v1).await;
    for freeze in on {
        a_while(&mut w, &stay).await;
        assert_eq!(w.rollout(id).await.phase, "queued");
        freezes::lift(&w.ctx, freeze, "done", &li()).await.unwrap();
        assert_eq!(code(freezes::lift(&w.ctx, freeze, "again", &li()).await), "TW-CTL-018");
    }
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    assert_eq!(freezes::list(&w.ctx).await.unwrap(), [elsewhere]);
}

#[tokio::test]
async fn a_freeze_ends_when_its_time_is_over_whoever_was_dead_meanwhile() {
    for dies in [false, true] {
        let mut w = World::new().await;
        let v1 = w.release(1, SPEC).await;
        let at = w.ctx.now().plus(Duration::from_secs(3_600));
        set(&w, &SetFreeze { until: Some(at.into()), for_s: Some(7_200), ..of_all() }).await;
        let id = w.deploy(&v1).await;
        let wake = reconcile::once(&w.ctx).await.unwrap();
        assert_eq!(wake, Some(at), "it is known when to look again");
        w.pass(Duration::from_secs(3_601));
        if dies {
            w.restart().await;
        }
        let agents = w.ctx.agents.clone();
        let (stay, _rx) = w.connect(&agents);
        assert_eq!(w.see_through(&stay, id).await.phase, "completed");
        assert!(freezes::list(&w.ctx).await.unwrap().is_empty());
        let kinds: Vec<_> = told(&w).await.into_iter().map(|(kind, by, _)| (kind, by)).collect();
        assert_eq!(kinds[1..], [("freeze.expired".to_owned(), Actor::System { part: "freeze".into() })]);
    }
}

#[tokio::test]
async fn a_freeze_that_would_hold_nothing_or_by_mistake_everything_is_refused() {
    let w = World::new().await;
    let refused = async |wish: SetFreeze| code(freezes::set(&w.ctx, &wish, &li()).await);
    assert_eq!(refused(wish()).await, "TW-CTL-014", "nothing named is not everything");
    assert_eq!(refused(SetFreeze { service: Some(service()), ..of_all() }).await, "TW-CTL-014");
    assert_eq!(refused(SetFreeze { reason: " \n".into(), ..of_all() }).await, "TW-CTL-011");
    assert_eq!(refused(SetFreeze { service: Some("shpo".parse().unwrap()), ..wish() }).await, "TW-CTL-001");
    assert_eq!(refused(SetFreeze { env: Some("prod".parse().unwrap()), ..wish() }).await, "TW-CTL-015");
    assert_eq!(refused(SetFreeze { for_s: Some(0), ..of_all() }).await, "TW-CTL-016");
    assert_eq!(refused(SetFreeze { until: Some(w.ctx.now().into()), ..of_all() }).await, "TW-CTL-016");
    assert_eq!(code(freezes::lift(&w.ctx, FreezeId::at(w.ctx.now()), "x", &li()).await), "TW-CTL-017");
    // An environment that a spec names is there before anything is live in it.
    w.release(1, SPEC).await;
    let staging = Some("staging".parse().unwrap());
    set(&w, &SetFreeze { env: staging.clone(), ..wish() }).await;
    set(&w, &SetFreeze { service: Some(service()), env: staging, ..wish() }).await;
    let odd = set(&w, &SetFreeze { reason: "11.11\n\u{1b}[2J  all of us".into(), ..of_all() }).await;
    assert_eq!(odd.reason, "11.11 [2J all of us", "it is read in the middle of other people's terminals");
    assert_eq!(refused(SetFreeze { for_s: Some(u64::MAX), ..of_all() }).await, "TW-CTL-016", "no such time");
    assert_eq!(code(freezes::lift(&w.ctx, odd.id, "", &li()).await), "TW-CTL-011");
}

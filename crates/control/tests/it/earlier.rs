//! Somebody else was faster: the refusal says who, when, and what they did, in both languages.

use crate::world::{World, asker, env, service};
use std::time::Duration;
use tradewind_control::{
    Error, Result,
    ctx::Asker,
    policies,
    rollouts::{intervene, reconcile, request, rollback},
};
use tradewind_model::{
    event::Actor,
    fault::{Fault, Lang},
    id::RolloutId,
    rollout::plan::Kind,
};

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main }\n";

fn mei() -> Asker {
    Asker::trusted(Actor::named("mei"))
}

/// Code and sentence in each language.
fn refused<T: std::fmt::Debug>(done: Result<T>) -> (Fault, String, String) {
    match done.unwrap_err() {
        Error::Refused(fault) => (*fault.clone(), fault.what(Lang::En), fault.what(Lang::Zh)),
        Error::Store(e) => panic!("{e}"),
    }
}

fn says<T: std::fmt::Debug>(done: Result<T>, code: &str, en: &str, zh: &str) {
    let (fault, told, in_chinese) = refused(done);
    assert_eq!(fault.code.id, code, "{told}");
    assert!(told.contains(en), "{told} / {en}");
    assert!(in_chinese.contains(zh), "{in_chinese} / {zh}");
    assert!(!told.contains('{') && !in_chinese.contains('{'), "{told} {in_chinese}");
}

async fn live(w: &mut World, n: u8) -> RolloutId {
    let label = w.release(n, SPEC).await;
    let id = w.deploy(&label).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    w.see_through(&stay, id).await;
    id
}

#[tokio::test]
async fn a_rollout_that_is_over_says_how_it_ended() {
    let mut w = World::new().await;
    let done = live(&mut w, 1).await;
    says(
        intervene::abort(&w.ctx, done, "bad", &mei()).await,
        "TW-ROLL-022",
        "it completed 2023-11-14",
        "已于 2023-11-14",
    );

    let v2 = w.release(2, SPEC).await;
    let aborted = w.deploy(&v2).await;
    intervene::abort(&w.ctx, aborted, "orders arrive twice", &asker()).await.unwrap();
    let going = "it goes back: ming aborted it, 2023-11-14";
    says(intervene::promote(&w.ctx, aborted, 0, "fine", &mei()).await, "TW-ROLL-025", going, "ming 已于 2023-11-14");
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    w.see_through(&stay, aborted).await;
    for done in [
        intervene::resume(&w.ctx, aborted, "go", &mei()).await,
        intervene::abort(&w.ctx, aborted, "bad", &mei()).await,
        intervene::promote(&w.ctx, aborted, 0, "fine", &mei()).await,
        intervene::set_share(&w.ctx, aborted, 0, 2_000, "less", &mei()).await,
    ] {
        says(done, "TW-ROLL-022", "ming aborted it, 2023-11-14", "（orders arrive twice）");
    }
    says(
        policies::approve(&w.ctx, aborted, "seen", &mei()).await,
        "TW-POL-012",
        "ming aborted it, 2023-11-14",
        "ming 已于 2023-11-14",
    );
}

#[tokio::test]
async fn a_rollout_that_a_rollback_took_over_names_who_went_back() {
    let mut w = World::new().await;
    live(&mut w, 1).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    w.obey(&stay).await;
    let v2 = w.release(2, SPEC).await;
    w.never_ready = vec![v2.clone()];
    let taken = w.deploy(&v2).await;
    w.obey(&stay).await;
    let back = w.rollback().await;
    let again = rollback::rollback(&w.ctx, &service(), &env(), None, "me too", &mei()).await.unwrap();
    assert_eq!(again, back, "the same wish again is the same rollback");
    says(
        intervene::abort(&w.ctx, taken, "bad", &mei()).await,
        "TW-ROLL-022",
        &format!("rollback {back} took it over"),
        "ming 已于 2023-11-14",
    );
    w.see_through(&stay, back).await;
    let there = rollback::rollback(&w.ctx, &service(), &env(), Some("v1"), "me too", &mei()).await;
    says(there, "TW-ROLL-021", "ming brought it there, 2023-11-14", "由 ming 于 2023-11-14");
    let wish = request::Wish::default();
    let deployed = request::deploy(&w.ctx, &service(), &env(), "v1", Kind::Normal, &wish, &mei()).await;
    says(deployed, "TW-ROLL-021", "ming brought it there, 2023-11-14", "由 ming 于 2023-11-14");
}

#[tokio::test]
async fn a_queue_that_is_open_says_who_acknowledged_it() {
    let mut w = World::new().await;
    live(&mut w, 1).await;
    let never = intervene::acknowledge(&w.ctx, &service(), &env(), "seen", &mei()).await;
    let (fault, told, _) = refused(never);
    assert_eq!((fault.code.id, told.as_str()), ("TW-CTL-008", "the queue of shop in production is open"));
    let v2 = w.release(2, SPEC).await;
    w.never_ready = vec![v2.clone()];
    let bad = w.deploy(&v2).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    w.pass(Duration::from_secs(61));
    w.see_through(&stay, bad).await;
    says(
        intervene::pause(&w.ctx, bad, "stop", &mei()).await,
        "TW-ROLL-022",
        "it failed and was taken back",
        "失败并退回",
    );
    intervene::acknowledge(&w.ctx, &service(), &env(), "a missing variable", &asker()).await.unwrap();
    let late = intervene::acknowledge(&w.ctx, &service(), &env(), "seen", &mei()).await;
    says(late, "TW-CTL-008", "ming acknowledged it, 2023-11-14", "（a missing variable）");
}

//! A run acts with the rights of whoever caused it, as they are when it is about to act.

use super::world::{World, exit, push, user, word};
use tradewind_control::{
    access,
    ctx::Asker,
    runs::{By, Push},
};
use tradewind_model::{
    access::{Bounds, Grant, Principal, Role},
    event::Actor,
    id::{GrantId, UserId},
};
use tradewind_store::{
    StoreError,
    rows::{self, grants::Holder, users::NewUser},
    transact,
};

const PIPELINE: &str = "build: { script: [make] }\n";

/// A person with one role, as an actor.
async fn person(w: &World, handle: &str, role: Role, env: Option<&str>) -> Actor {
    let bounds = Bounds { env: env.map(|e| e.parse().unwrap()), ..Bounds::default() };
    let made: Result<UserId, StoreError> = transact!(w.ctx.store, tx => {
        let by = Actor::named("setup");
        let id = UserId::at(tx.now());
        let new = NewUser {
            id,
            handle: handle.into(),
            is_service: false,
            name: handle.into(),
            email: None,
            password: None,
            created_by: by.clone(),
        };
        rows::users::insert(tx, new).await?;
        let grant = Grant { role, bounds: bounds.clone() };
        rows::grants::insert(tx, GrantId::at(tx.now()), Holder::User(id), grant, &by).await?;
        tx.without_event("a test's setup");
        Ok(id)
    });
    Actor::User { name: handle.into(), principal: Some(Principal::User(made.unwrap())) }
}

fn pushed_by(actor: &Actor) -> Push {
    Push { actor: actor.clone(), ..push("one", PIPELINE) }
}

/// The whole of a run; its reason in the end.
async fn run_of(w: &mut World, push: &Push) -> (String, Option<String>, usize) {
    let (run, _) = w.runs.enqueue(push).await.expect("a run");
    w.succeed().await;
    let view = w.view(run).await;
    assert!(view.release.is_some(), "the release is made in any case");
    (word(&view.state), view.reason, w.rollouts().await.len())
}

#[tokio::test]
async fn who_may_not_deploy_gets_a_release_and_is_told() {
    let mut w = World::new().await;
    let dev = person(&w, "dev", Role::Developer, Some("staging")).await;
    let (state, reason, rollouts) = run_of(&mut w, &pushed_by(&dev)).await;
    assert_eq!((state.as_str(), rollouts), ("success", 0));
    let reason = reason.unwrap();
    assert!(reason.contains("dev may not `deploy` on shop/production") && reason.contains("developer"), "{reason}");
}

#[tokio::test]
async fn a_right_lost_while_it_was_built_is_lost() {
    let mut w = World::new().await;
    let dev = person(&w, "dev", Role::Developer, None).await;
    let boss = person(&w, "boss", Role::Admin, None).await;
    let (run, _) = w.runs.enqueue(&pushed_by(&dev)).await.expect("a run");
    w.tell().await;
    access::disable(&w.ctx, "dev", &Asker::trusted(boss)).await.unwrap();
    w.succeed().await;
    assert!(w.rollouts().await.is_empty(), "{:?}", w.view(run).await.reason);
}

#[tokio::test]
async fn who_repeats_a_job_lends_their_rights_to_nobody() {
    for (helper_role, rollouts) in [(Role::Viewer, 0), (Role::Developer, 1)] {
        let mut w = World::new().await;
        let dev = person(&w, "dev", Role::Developer, None).await;
        let helper = person(&w, "helper", helper_role, None).await;
        let (run, _) = w.runs.enqueue(&pushed_by(&dev)).await.expect("a run");
        w.tell().await;
        w.finish("build", exit(1)).await;
        let by = By { actor: helper, ..user() };
        w.runs.retry_failed(run, &by).await.unwrap();
        w.succeed().await;
        assert_eq!(w.rollouts().await.len(), rollouts, "repeated by a {helper_role}");
    }
}

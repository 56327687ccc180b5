//! What an environment demands: approvals, deployers, strictness. A rollback is held by none of it.

use crate::world::{World, asker, env, service};
use std::sync::Arc;
use tradewind_api::v1;
use tradewind_control::{
    Error, Result, access,
    ctx::Asker,
    policies,
    rollouts::{reconcile, request, rollback, view},
};
use tradewind_model::{
    access::{Grant, Principal, Role},
    event::Actor,
    fault::Lang,
    id::{GrantId, RolloutId, UserId},
    rollout::plan::Kind,
};
use tradewind_store::{
    StoreError,
    rows::{self, grants::Holder, users::NewUser},
    transact,
};

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n\
                    strategy: { type: blue_green, soak: 5s }\nenvironments:\n  production: { branch: main }\n";

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result.unwrap_err() {
        Error::Refused(fault) => fault.code.id,
        Error::Store(e) => panic!("{e}"),
    }
}

async fn policy(w: &World, text: &str) {
    policies::set(&w.ctx, &env(), text, "11.11", &asker()).await.unwrap();
}

async fn person(w: &World, handle: &str, role: Role) -> Asker {
    let made: std::result::Result<UserId, StoreError> = transact!(w.ctx.store, tx => {
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
        let grant = Grant { role, bounds: Default::default() };
        rows::grants::insert(tx, GrantId::at(tx.now()), Holder::User(id), grant, &by).await?;
        tx.without_event("a test's setup");
        Ok(id)
    });
    let principal = Principal::User(made.unwrap());
    let rights = access::rights(&mut w.ctx.store.read().await.unwrap(), principal).await.unwrap();
    let actor = Actor::User { name: handle.into(), principal: Some(principal) };
    Asker { actor, cause: None, reason: None, rights: Arc::new(rights) }
}

async fn ask(w: &World, label: &str, kind: Kind, by: &Asker) -> Result<RolloutId> {
    request::deploy(&w.ctx, &service(), &env(), label, kind, &request::Wish::default(), by).await
}

async fn shown(w: &World, id: RolloutId) -> v1::Rollout {
    view::show(&w.ctx, id, Lang::En).await.unwrap()
}

#[tokio::test]
async fn a_rollout_waits_for_the_words_it_needs() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let (li, ma, chen) = (
        person(&w, "li", Role::ReleaseManager).await,
        person(&w, "ma", Role::ReleaseManager).await,
        person(&w, "chen", Role::ReleaseManager).await,
    );
    let dev = person(&w, "dev", Role::Developer).await;
    policy(&w, "approvals: { count: 2, from: [li, ma, dev], hotfix: 0 }").await;
    let v1 = w.release(1, SPEC).await;
    let id = ask(&w, &v1, Kind::Normal, &li).await.unwrap();
    reconcile::once(&w.ctx).await.unwrap();
    let waits = shown(&w, id).await;
    assert!(waits.reason.as_deref().unwrap().starts_with("waits for approval by li, ma, dev, 0 of 2"), "{waits:?}");
    assert_eq!(waits.approvals.map(|a| (a.needed, a.given.len())), Some((2, 0)));

    let ctx = w.ctx.clone();
    let approve = async |by: &Asker| policies::approve(&ctx, id, "looked at the diff", by).await;
    assert_eq!(code(approve(&li).await), "TW-POL-013", "their own");
    assert_eq!(code(approve(&chen).await), "TW-POL-014", "not named");
    assert_eq!(code(approve(&dev).await), "TW-ACC-001", "named, and no role for it");
    assert_eq!(code(approve(&asker()).await), "TW-POL-015", "nobody in particular");
    assert_eq!(code(policies::approve(&w.ctx, id, " ", &ma).await), "TW-CTL-011");
    approve(&ma).await.unwrap();
    approve(&ma).await.unwrap();
    assert_eq!(shown(&w, id).await.approvals.unwrap().given.len(), 1, "twice is once");

    // Who waits holds up nobody else.
    let hotfix = ask(&w, &v1, Kind::Hotfix, &chen).await.unwrap();
    assert_eq!(w.see_through(&stay, hotfix).await.phase, "completed");
    assert_eq!(w.rollout(id).await.phase, "queued");

    policy(&w, "approvals: { count: 1, from: [li, ma] }").await;
    reconcile::once(&w.ctx).await.unwrap();
    assert_ne!(w.rollout(id).await.phase, "queued", "the policy asks for less now");
    assert_eq!(code(approve(&ma).await), "TW-POL-012", "it has begun");
}

#[tokio::test]
async fn only_who_is_named_deploys_and_everybody_goes_back() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let (li, dev) = (person(&w, "li", Role::ReleaseManager).await, person(&w, "dev", Role::Developer).await);
    for n in 1..=2 {
        let label = w.release(n, SPEC).await;
        let id = w.deploy(&label).await;
        assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    }
    policy(&w, "deployers: [leads]\napprovals: { count: 3 }\nstrategy: { soak: 1h }").await;
    let v3 = w.release(3, &SPEC.replace("5s", "2h")).await;
    assert_eq!(code(ask(&w, &v3, Kind::Normal, &li).await), "TW-POL-011");
    access::create_group(&w.ctx, "leads", &asker()).await.unwrap();
    access::add_member(&w.ctx, "leads", "li", &asker()).await.unwrap();
    let id = ask(&w, &v3, Kind::Normal, &li).await.unwrap();
    assert_eq!(shown(&w, id).await.approvals.unwrap().needed, 3);
    let v4 = w.release(4, SPEC).await;
    assert_eq!(code(ask(&w, &v4, Kind::Normal, &li).await), "TW-POL-001", "weaker than the policy");

    let back = rollback::rollback(&w.ctx, &service(), &env(), None, "it sells nothing", &dev).await.unwrap();
    assert_eq!(w.see_through(&stay, back).await.phase, "completed");
    assert_eq!(w.route().await[0].0, "v1");
}

#[tokio::test]
async fn a_policy_is_kept_by_who_may_and_every_change_is_told() {
    let w = World::new().await;
    let li = person(&w, "li", Role::ReleaseManager).await;
    let set = async |text: &str, by: &Asker| policies::set(&w.ctx, &env(), text, "because", by).await;
    assert_eq!(set("branches: [main]", &li).await.unwrap_err()[0].code.id, "TW-ACC-001");
    assert_eq!(set("branchs: [main]", &asker()).await.unwrap_err()[0].code.id, "TW-SPEC-003");
    set("# ours\nbranches: [main]\n", &asker()).await.unwrap();
    let shown = policies::show(&w.ctx, &env()).await.unwrap();
    assert_eq!(shown.text, "# ours\nbranches: [main]\n");
    tradewind_store::events::Sealer::new(w.ctx.store.clone()).seal_now().await.unwrap();
    let filter = tradewind_store::events::Filter::default();
    let all = tradewind_store::events::after(&mut w.ctx.store.read().await.unwrap(), 0, &filter, 1_000).await.unwrap();
    let told: Vec<_> = all.into_iter().filter(|e| e.fact.kind == "environment.policy_set").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].fact.after.as_ref().unwrap()["reason"], "because");
}

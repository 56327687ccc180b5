//! Services and rollouts over the typed client, as far as they go without anything released.

use crate::app::{TestApp, code_of, http};
use serde_json::Value;
use tradewind_api::{
    Paging,
    v1::{
        Acknowledge, CreateService, Promote, PromoteWave, Reason, RollbackRequest, RolloutKind, Scope, SetFreeze,
        SetOwner, SetShare, StartRollout,
    },
};
use tradewind_model::id::{Place, RolloutId, ServiceName};
use tradewind_store::{StoreError, rows, transact};

fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

#[tokio::test]
async fn a_service_is_made_once_and_has_a_repository() {
    let app = TestApp::start().await;
    let client = app.client_as(&app.token(Scope::Deploy).await);
    let made = client.create_service(&CreateService { name: shop() }).await.unwrap();
    assert_eq!((made.git_path.as_str(), made.created_by.as_str()), ("/git/shop.git", "deploy@test"));
    assert!(app.data().join("git/shop.git/HEAD").exists());
    assert_eq!(code_of(client.create_service(&CreateService { name: shop() }).await), "TW-CTL-002");
    client.create_service(&CreateService { name: "stock".parse().unwrap() }).await.unwrap();
    let first = client.services(&Paging::limit(1)).await.unwrap();
    let rest = client.services(&Paging { after: first.next, limit: None }).await.unwrap();
    assert_eq!(rest.items.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["stock"]);
    assert_eq!(client.service(&shop()).await.unwrap().name, shop());
    let event = crate::events::all(&app, 3).await.into_iter().find(|e| e.kind == "service.created").unwrap();
    assert!(event.cause.unwrap().starts_with("request/"));
}

#[tokio::test]
async fn a_service_is_handed_to_a_user_or_a_group() {
    let app = TestApp::start().await;
    let client = app.client();
    client.create_service(&CreateService { name: shop() }).await.unwrap();
    let owner = |name: &str| SetOwner { owner: name.into(), reason: "a new team".into() };
    assert_eq!(code_of(client.set_owner(&shop(), &owner("order-team")).await), "TW-CTL-025");
    client.create_group("order-team").await.unwrap();
    assert_eq!(client.set_owner(&shop(), &owner("order-team")).await.unwrap().owner, "order-team");
    assert_eq!(client.set_owner(&shop(), &owner("order-team")).await.unwrap().owner, "order-team");
    assert_eq!(client.service(&shop()).await.unwrap().owner, "order-team");
    let reader = app.client_as(&app.token(Scope::Read).await);
    assert_eq!(code_of(reader.set_owner(&shop(), &owner("order-team")).await), "TW-ACC-002");
    let told = crate::events::all(&app, 4).await;
    let set: Vec<_> = told.iter().filter(|e| e.kind == "service.owner_set").collect();
    let [set] = set.as_slice() else { panic!("{told:?}") };
    assert_eq!(set.before.as_ref().unwrap()["owner"], "admin");
    assert_eq!(set.after.as_ref().unwrap()["reason"], "a new team");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let app = TestApp::start().await;
    let client = app.client();
    assert_eq!(code_of(client.service(&shop()).await), "TW-CTL-001");
    assert_eq!(code_of(client.status(Some(&shop())).await), "TW-CTL-001");
    assert!(client.status(None).await.unwrap().is_empty());
    client.create_service(&CreateService { name: shop() }).await.unwrap();
    assert_eq!(code_of(client.release(&shop(), "v9").await), "TW-CTL-003");
    assert_eq!(code_of(client.diff(&shop(), "v1", "v2", None, false).await), "TW-CTL-003");
    assert_eq!(code_of(client.diff(&shop(), "live", "v2", None, false).await), "TW-CTL-024");
    let somewhere = "production".parse().unwrap();
    assert_eq!(code_of(client.diff(&shop(), "live", "v2", Some(&somewhere), false).await), "TW-CTL-005");
    let nowhere: RolloutId = "01930000-0000-7000-8000-000000000000".parse().unwrap();
    assert_eq!(code_of(client.rollout(nowhere).await), "TW-CTL-004");
    assert_eq!(code_of(client.judgement(nowhere).await), "TW-CTL-004");
    assert_eq!(code_of(client.judgement_picture(nowhere).await), "TW-CTL-004");
    let first = std::num::NonZeroU32::MIN;
    let promote = PromoteWave { wave: first, reason: "seen".into() };
    let share = SetShare { wave: first, share: 2_000, reason: "seen".into() };
    assert_eq!(code_of(client.set_share(nowhere, &share).await), "TW-CTL-004");
    assert_eq!(code_of(client.promote_wave(nowhere, &promote).await), "TW-CTL-004");
    assert_eq!(client.follow_rollout(nowhere).next().await.unwrap().unwrap_err().status(), Some(404));
    assert!(client.rollouts(&shop(), &Paging::default()).await.unwrap().items.is_empty());
    assert!(client.releases(&shop(), &Paging::default()).await.unwrap().items.is_empty());
    let env = || "production".parse().unwrap();
    let start = StartRollout { env: env(), release: "v1".into(), note: None, ticket: None, kind: RolloutKind::Normal };
    assert_eq!(code_of(client.start_rollout(&shop(), &start).await), "TW-CTL-003");
    let drill = StartRollout { kind: RolloutKind::Drill, ..start };
    assert_eq!(code_of(client.start_rollout(&shop(), &drill).await), "TW-API-014");
    let back = RollbackRequest { env: env(), to: None, reason: "orders arrive twice".into() };
    assert_eq!(code_of(client.rollback(&shop(), &back).await), "TW-CTL-005");
    let on = Promote { from: env(), to: "staging".parse().unwrap(), note: None, ticket: None };
    assert_eq!(code_of(client.promote(&shop(), &on).await), "TW-CTL-005");
    let ack = Acknowledge { env: env(), note: "seen".into() };
    assert_eq!(code_of(client.acknowledge(&shop(), &ack).await), "TW-CTL-008");
}

#[tokio::test]
async fn a_freeze_is_set_listed_and_lifted_by_who_may_deploy() {
    let app = TestApp::start().await;
    let (deployer, reader) =
        (app.client_as(&app.token(Scope::Deploy).await), app.client_as(&app.token(Scope::Read).await));
    let all = SetFreeze { service: None, env: None, all: true, reason: "11.11".into(), until: None, for_s: Some(60) };
    assert_eq!(code_of(reader.set_freeze(&all).await), "TW-ACC-002");
    let set = deployer.set_freeze(&all).await.unwrap();
    assert_eq!((set.by.as_str(), &set.service, &set.env), ("deploy@test", &None, &None));
    assert_eq!(reader.freezes().await.unwrap(), std::slice::from_ref(&set));
    let nothing = SetFreeze { all: false, ..all.clone() };
    assert_eq!(code_of(deployer.set_freeze(&nothing).await), "TW-CTL-014");
    assert_eq!(code_of(deployer.set_freeze(&SetFreeze { service: Some(shop()), ..nothing }).await), "TW-CTL-001");
    let why = Reason { reason: "sales are over".into() };
    assert_eq!(code_of(reader.lift_freeze(set.id, &why).await), "TW-ACC-002");
    assert_eq!(deployer.lift_freeze(set.id, &why).await.unwrap(), set);
    assert_eq!(code_of(deployer.lift_freeze(set.id, &why).await), "TW-CTL-018");
    assert!(reader.freezes().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_runs_is_given_whole_or_a_page_at_a_time() {
    let app = TestApp::start().await;
    app.client().create_service(&CreateService { name: shop() }).await.unwrap();
    for site in ["b", "a", "c"] {
        let put: Result<_, StoreError> = transact!(app.app.store, tx => {
            tx.without_event("a test's setup");
            let place = Place { service: shop(), env: "production".parse().unwrap(), site: site.parse().unwrap() };
            let row = rows::places::get(tx, &place).await?;
            rows::places::put(tx, row).await
        });
        put.unwrap();
    }
    let asked = async |query: &str| -> (Vec<String>, Option<String>) {
        let answer = http().get(app.url(&format!("/api/v1/status?service=shop{query}"))).bearer_auth(&app.admin.token);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let sites = answer["items"].as_array().unwrap().iter().map(|p| p["site"].as_str().unwrap().to_owned());
        (sites.collect(), answer["next"].as_str().map(str::to_owned))
    };
    let named = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(asked("").await, (named(&["a", "b", "c"]), None));
    let (first, next) = asked("&limit=2").await;
    assert_eq!((first, next.as_deref()), (named(&["a", "b"]), Some("shop/production/b")));
    assert_eq!(asked(&format!("&limit=2&after={}", next.unwrap())).await, (named(&["c"]), None));
}

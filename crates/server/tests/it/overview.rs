//! Services by environments, as one page of the console asks for them.

use crate::{
    app::{TestApp, http, until},
    git::Work,
    host::Host,
    rights::account,
};
use serde_json::Value;
use tradewind_api::v1::{Attention, CreateService, Health, Overview, RolloutPhase, Scope, ServiceKind, SetFreeze};
use tradewind_model::{
    access::{Bounds, Grant, Role},
    id::{RolloutId, ServiceName},
};
use tradewind_store::{Json, StoreError, rows, transact};

async fn asked(app: &TestApp, token: &str, query: &str) -> Result<Overview, Value> {
    let answer = http().get(app.url(&format!("/api/v1/overview?{query}"))).bearer_auth(token).send().await.unwrap();
    let good = answer.status().is_success();
    let value: Value = answer.json().await.unwrap();
    if good { Ok(serde_json::from_value(value).unwrap()) } else { Err(value) }
}

async fn seen(app: &TestApp, query: &str) -> Overview {
    asked(app, &app.admin.token, query).await.unwrap()
}

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    seen(app, query).await.items.iter().map(|s| s.name.to_string()).collect()
}

async fn with_services(app: &TestApp, all: &[&str]) {
    for name in all {
        app.client().create_service(&CreateService { name: name.parse().unwrap() }).await.unwrap();
    }
}

/// A worker that one push brought to production.
async fn live(app: &TestApp) -> Work {
    let work = Work::new(app, "stock", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", "version: 1\nservice: stock\nkind: worker\nrun: { command: [./serve] }\n");
    work.write(".gitlab-ci.yml", "stages: [build]\ncompile: { stage: build, script: [print compiling] }\n");
    work.commit("First").await;
    assert!(work.push(&["main"]).await.ok);
    until("a live release", async || {
        let site = seen(app, "q=stock").await.items.remove(0).environments.first()?.sites.first()?.clone();
        (site.health == Health::Healthy).then_some(())
    })
    .await;
    work
}

fn stock() -> ServiceName {
    "stock".parse().unwrap()
}

/// As if the service's last rollout had been asked for again, and had failed.
async fn fail(app: &TestApp, service: &ServiceName) -> RolloutId {
    let store = &app.app.store;
    let mut r = store.read().await.unwrap();
    let last = rows::rollouts::list(&mut r, service, None, rows::Page::first(1)).await.unwrap().remove(0);
    drop(r);
    let mut state: Value = last.state.read().unwrap();
    state["phase"] = "failed".into();
    state["reason"] =
        serde_json::json!({ "code": "TW-ROLL-002", "args": { "release": "v1", "site": "a", "detail": "no" } });
    let id = RolloutId::at(store.now());
    let done: Result<(), StoreError> = transact!(store, tx => {
        tx.without_event("a test's setup");
        let new = rows::rollouts::NewRollout {
            id,
            service: service.clone(),
            env: last.env.clone(),
            kind: last.kind.clone(),
            phase: "failed".into(),
            active: false,
            plan: last.plan.clone(),
            state: Json::of(&state),
            next_wake_at: None,
            note: None,
            ticket: None,
            requester: last.requester.clone(),
        };
        let row = rows::rollouts::insert(tx, new).await?;
        let now = tx.now();
        rows::rollouts::update(tx, rows::rollouts::Rollout { finished_at: Some(now), ..row }).await?;
        Ok(())
    });
    done.unwrap();
    id
}

#[tokio::test]
async fn services_come_a_page_at_a_time_in_each_order() {
    let app = TestApp::start().await;
    let none = seen(&app, "").await;
    assert_eq!((none.items.len(), none.next, none.summary.services), (0, None, 0));
    with_services(&app, &["cart", "ads", "edge-cart", "billing", "depot"]).await;
    let newest_first = ["depot", "billing", "edge-cart", "ads", "cart"];
    let by_name = ["ads", "billing", "cart", "depot", "edge-cart"];
    for (sort, wanted) in [("name", by_name), ("changed", newest_first), ("attention", by_name), ("owner", by_name)] {
        let (mut got, mut after) = (Vec::new(), String::new());
        loop {
            let page = seen(&app, &format!("sort={sort}&limit=2{after}")).await;
            assert!(page.items.len() <= 2);
            assert_eq!((page.matching, page.summary.services), (5, 5));
            got.extend(page.items.iter().map(|s| s.name.to_string()));
            let Some(next) = page.next else { break };
            after = format!("&after={next}");
        }
        assert_eq!(got, wanted, "{sort}");
    }
    assert_eq!(names(&app, "q=CART").await, ["cart", "edge-cart"]);
    assert_eq!(names(&app, "q=%25").await, Vec::<String>::new(), "a text and no pattern");
    assert_eq!(names(&app, "owner=admin").await, by_name);
    assert_eq!(names(&app, "owner=somebody").await, Vec::<String>::new());
    assert_eq!(seen(&app, "q=cart&limit=1").await.matching, 2);
    assert_eq!(seen(&app, "").await.owners, ["admin"]);

    let first = seen(&app, "sort=changed&limit=1").await.next.unwrap();
    for wrong in [&format!("sort=name&after={first}"), "after=x", "after=name//Not%20A%20Name", "after=changed/x/ads"] {
        assert_eq!(asked(&app, &app.admin.token, wrong).await.unwrap_err()["code"], "TW-API-011", "{wrong}");
    }
    for wrong in ["health=fine", "attention=failing,fine", "kind=lambda", "sort=size", "colour=red"] {
        assert_eq!(asked(&app, &app.admin.token, wrong).await.unwrap_err()["code"], "TW-API-005", "{wrong}");
    }
}

#[tokio::test]
async fn a_cell_says_how_things_stand() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    with_services(&app, &["ads"]).await;
    live(&app).await;
    until("the rollout's end", async || seen(&app, "attention=under_way").await.items.is_empty().then_some(())).await;
    let page = seen(&app, "").await;
    assert_eq!(page.environments.iter().map(ToString::to_string).collect::<Vec<_>>(), ["production"]);
    let [ads, row] = &page.items[..] else { panic!("{page:?}") };
    assert!(ads.environments.is_empty() && ads.kind.is_none());
    assert_eq!((row.kind, row.attention.len()), (Some(ServiceKind::Worker), 0));
    let cell = &row.environments[0];
    let site = &cell.sites[0];
    assert_eq!((site.name.as_str(), site.release.as_ref().unwrap().label.as_str()), ("default", "v1"));
    assert_eq!((site.instances_ready, site.instances_wanted), (1, 1));
    assert!(site.since.is_some() && cell.rollout.is_none() && cell.last_failure.is_none() && cell.closed.is_none());

    for (query, wanted) in [
        ("env=production", vec!["stock"]),
        ("env=staging", vec![]),
        ("health=healthy", vec!["stock"]),
        ("health=down", vec![]),
        ("kind=worker", vec!["stock"]),
        ("kind=web", vec![]),
        ("attention=failing,frozen", vec![]),
        ("sort=changed", vec!["stock", "ads"]),
    ] {
        assert_eq!(names(&app, query).await, wanted, "{query}");
    }

    let freeze = SetFreeze { service: None, env: None, all: true, reason: "11.11".into(), until: None, for_s: None };
    app.client().set_freeze(&freeze).await.unwrap();
    let frozen = seen(&app, "attention=frozen,failing").await;
    assert_eq!((frozen.matching, frozen.summary.frozen, frozen.summary.failing), (1, 1, 0));
    assert_eq!(frozen.items[0].environments[0].freezes[0].reason, "11.11");

    let failed = fail(&app, &stock()).await;
    let failing = seen(&app, "attention=failing&sort=attention").await;
    assert_eq!((failing.matching, failing.summary.failing), (1, 1));
    assert_eq!(failing.items[0].attention, [Attention::Failing, Attention::Frozen]);
    let told = failing.items[0].environments[0].last_failure.clone().unwrap();
    assert_eq!((told.rollout, told.to.label.as_str(), told.settled), (failed, "v1", false));
    assert_eq!(told.reason_code.as_deref(), Some("TW-ROLL-002"));
    assert!(told.reason.unwrap().contains("v1 does not run"));
    assert_eq!(names(&app, "sort=attention").await, ["stock", "ads"]);

    drop(host);
    let gone = until("the agent's absence", async || {
        let page = seen(&app, "health=unknown").await;
        (page.matching == 1).then_some(page)
    })
    .await;
    assert_eq!(
        gone.items[0].environments[0].sites[0].reason.as_deref().map(|r| r.contains("not connected")),
        Some(true)
    );
    assert_eq!(gone.summary.unknown, 1);
}

#[tokio::test]
async fn a_rollout_that_cannot_begin_is_the_one_that_is_shown() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = live(&app).await;
    until("the rollout's end", async || seen(&app, "attention=under_way").await.items.is_empty().then_some(())).await;
    let freeze = SetFreeze { service: None, env: None, all: true, reason: "11.11".into(), until: None, for_s: None };
    app.client().set_freeze(&freeze).await.unwrap();
    work.write("more", "1");
    work.commit("Second").await;
    assert!(work.push(&["main"]).await.ok);
    let cell = until("a rollout that waits", async || {
        let mut page = seen(&app, "attention=under_way").await;
        Some(page.items.pop()?.environments.remove(0))
    })
    .await;
    let rollout = cell.rollout.unwrap();
    assert_eq!((rollout.phase, rollout.wave, cell.waiting), (RolloutPhase::Queued, None, 0));
    assert_eq!((rollout.to.label.as_str(), rollout.waves), ("v2", 1));
    assert_eq!(cell.sites[0].release.as_ref().unwrap().label, "v1");
}

#[tokio::test]
async fn who_sees_one_service_sees_one_row() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    with_services(&app, &["ads", "cart"]).await;
    live(&app).await;
    let bounds = Bounds { service: Some("ads".parse().unwrap()), ..Bounds::default() };
    let theirs = account(&app.app.store, "ads-only", Some(Grant { role: Role::Viewer, bounds })).await;
    let page = asked(&app, &theirs, "").await.unwrap();
    assert_eq!(page.items.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["ads"]);
    assert_eq!((page.matching, page.summary.services, page.environments.len()), (1, 1, 0));
    assert_eq!(asked(&app, &theirs, "q=stock").await.unwrap().matching, 0);

    // Of a service that is seen, an environment that is not has no cell, no column and no filter.
    let bounds = Bounds { env: Some("staging".parse().unwrap()), ..Bounds::default() };
    let staging = account(&app.app.store, "staging-only", Some(Grant { role: Role::Viewer, bounds })).await;
    let page = asked(&app, &staging, "q=stock").await.unwrap();
    assert_eq!((page.matching, page.environments.len(), page.items[0].environments.len()), (1, 0, 0));
    assert_eq!(asked(&app, &staging, "health=healthy").await.unwrap().matching, 0);

    let nobody = account(&app.app.store, "no-one", None).await;
    assert_eq!(asked(&app, &nobody, "").await.map(|p| p.matching).unwrap_or(0), 0);
}

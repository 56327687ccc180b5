//! No two places ever claim the same host and path.

use crate::world::{World, asker, env, service};
use tradewind_control::{
    Error, Result,
    rollouts::{request, rollback},
    services,
};
use tradewind_model::{
    id::{RolloutId, ServiceName},
    rollout::plan::Kind,
};

fn spec(service: &str, route: &str) -> String {
    format!(
        "version: 1\nservice: {service}\nrun:\n  command: [serve]\n  health: {{ http: /healthz }}\n\
         environments:\n  production:\n    branch: main\n{route}"
    )
}

fn at(host: &str, path: &str) -> String {
    format!("    route: {{ hosts: [{host}], path: {path} }}\n")
}

fn erp() -> ServiceName {
    "erp".parse().unwrap()
}

async fn deploy(w: &World, service: &ServiceName, label: &str) -> Result<RolloutId> {
    request::deploy(&w.ctx, service, &env(), label, Kind::Normal, &request::Wish::default(), &asker()).await
}

fn is_taken(done: Result<RolloutId>) -> bool {
    matches!(done, Err(Error::Refused(f)) if f.code.id == "TW-CTL-007")
}

#[tokio::test]
async fn a_route_that_a_rollout_is_on_its_way_to_is_taken() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    services::create(&w.ctx, &erp(), &asker()).await.unwrap();
    let shop = w.release(1, &spec("shop", &at("a.example.com", "/api"))).await;
    let same = w.release_of(&erp(), 2, &spec("erp", &at("a.example.com", "/api/"))).await;
    let other = w.release_of(&erp(), 3, &spec("erp", &at("a.example.com", "/erp"))).await;
    let id = deploy(&w, &service(), &shop).await.unwrap();
    assert!(is_taken(deploy(&w, &erp(), &same).await), "its rollout has not come to its route yet");
    w.see_through(&stay, id).await;
    assert!(is_taken(deploy(&w, &erp(), &same).await));
    deploy(&w, &erp(), &other).await.unwrap();
}

#[tokio::test]
async fn sites_of_one_service_cannot_share_a_route() {
    let w = World::new().await;
    let sites = "    sites: [shopee-br, shopee-mx]\n";
    let shop = w.release(1, &spec("shop", sites)).await;
    assert!(is_taken(deploy(&w, &service(), &shop).await));
}

#[tokio::test]
async fn a_rollback_leaves_a_host_to_who_has_it_now_and_is_done_all_the_same() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    services::create(&w.ctx, &erp(), &asker()).await.unwrap();
    for (n, host) in [(1, "a.example.com"), (2, "b.example.com")] {
        let label = w.release(n, &spec("shop", &at(host, "/"))).await;
        let id = deploy(&w, &service(), &label).await.unwrap();
        assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    }
    let label = w.release_of(&erp(), 3, &spec("erp", &at("a.example.com", "/"))).await;
    let id = deploy(&w, &erp(), &label).await.unwrap();
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");

    let id = rollback::rollback(&w.ctx, &service(), &env(), None, "orders arrive twice", &asker()).await.unwrap();
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    assert_eq!(w.route().await.first().unwrap().0, "v1");
    let mut routes: Vec<_> = w.desired().await.routes.into_iter().map(|r| (r.place.service, r.hosts)).collect();
    routes.sort();
    let hosts = |host: &str| vec![host.to_owned()];
    assert_eq!(routes, [(erp(), hosts("a.example.com")), (service(), hosts("b.example.com"))]);
}

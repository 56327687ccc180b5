//! What is said of going back beforehand is what going back then does.

use crate::world::{World, asker, env, service};
use std::time::Duration;
use tradewind_api::v1::{Release, Stand};
use tradewind_control::{
    Error,
    releases::{self, stands::ways_back},
    rollouts::{reconcile, rollback},
};
use tradewind_model::{fault::Lang, id::RolloutId};

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n\
                    strategy: { type: blue_green }\nenvironments:\n  production: { branch: main }\n";

async fn listed(w: &World) -> Vec<Release> {
    releases::list(&w.ctx, &service(), None, 50, Lang::En).await.unwrap().items
}

/// Label, where it stands, and the code of the refusal.
async fn stands(w: &World) -> Vec<(String, Stand, Option<String>)> {
    let told = listed(w).await.into_iter().map(|r| {
        let [stand] = r.stands.try_into().unwrap();
        assert_eq!(stand.possible, stand.code.is_none());
        assert_eq!(stand.possible, stand.why.is_none());
        (r.name.label, stand.stand, stand.code)
    });
    told.collect()
}

fn of(label: &str, stand: Stand, code: Option<&str>) -> (String, Stand, Option<String>) {
    (label.into(), stand, code.map(Into::into))
}

async fn back_to(w: &World, label: &str) -> Result<RolloutId, String> {
    let asked = rollback::rollback(&w.ctx, &service(), &env(), Some(label), "orders arrive twice", &asker()).await;
    asked.map_err(|e| match e {
        Error::Refused(f) => f.code.id.to_owned(),
        Error::Store(e) => panic!("{e}"),
    })
}

#[tokio::test]
async fn where_each_release_stands_is_what_a_rollback_to_it_meets() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    w.release(1, SPEC).await;
    assert_eq!(listed(&w).await[0].stands, [], "nothing completed anywhere");
    for n in 1..=3 {
        let label = w.release(n, SPEC).await;
        let id = w.deploy(&label).await;
        w.see_through(&stay, id).await;
    }
    w.obey(&stay).await;
    w.release(4, SPEC).await;
    let expected = [
        of("v4", Stand::Never, Some("TW-ROLL-024")),
        of("v3", Stand::Live, Some("TW-ROLL-021")),
        of("v2", Stand::Warm, None),
        of("v1", Stand::Cold, None),
    ];
    assert_eq!(stands(&w).await, expected);
    let warm = listed(&w).await.remove(2).stands.remove(0);
    assert!(warm.warm_until.is_some_and(|t| t.0 > w.ctx.now()));
    for (label, _, code) in &expected[..2] {
        assert_eq!(back_to(&w, label).await.unwrap_err(), *code.as_ref().unwrap());
    }

    w.pass(Duration::from_secs(16 * 60));
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(stands(&w).await[2], of("v2", Stand::Cold, None), "it is kept, but no longer at hand");

    let id = back_to(&w, "v2").await.unwrap();
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    let left = of("v3", Stand::Left, Some("TW-ROLL-032"));
    assert_eq!(stands(&w).await[1..3], [left, of("v2", Stand::Live, Some("TW-ROLL-021"))]);
    assert_eq!(back_to(&w, "v3").await.unwrap_err(), "TW-ROLL-032");
}

#[tokio::test]
async fn the_ways_back_lead_where_a_rollback_without_a_name_leads() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let nowhere = ways_back(&w.ctx, &service(), &env(), Lang::En).await.unwrap();
    assert_eq!((nowhere.sites.len(), nowhere.possible.len()), (0, 0));
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    let first = ways_back(&w.ctx, &service(), &env(), Lang::Zh).await.unwrap();
    assert_eq!(first.sites[0].code.as_deref(), Some("TW-ROLL-020"));
    assert!(first.sites[0].why.as_ref().is_some_and(|w| w.contains("没有更早的版本")));
    assert_eq!(first.others.len(), 1);

    let v2 = w.release(2, SPEC).await;
    w.never_ready = vec![v2.clone()];
    let under_way = w.deploy(&v2).await;
    w.obey(&stay).await;
    let during = ways_back(&w.ctx, &service(), &env(), Lang::En).await.unwrap();
    assert_eq!(during.under_way, Some(under_way));
    assert_eq!(during.sites[0].to.as_ref().map(|r| r.label.as_str()), Some("v1"), "what is under way is taken back");
    assert_eq!(during.possible.iter().map(|r| r.name.label.as_str()).collect::<Vec<_>>(), ["v1"]);
    let back = w.rollback().await;
    assert_eq!(w.see_through(&stay, back).await.phase, "completed");
    assert_eq!(w.route().await, [("v1".to_owned(), 10_000)]);
}

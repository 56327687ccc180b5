//! Sites that change over whole, with nothing beside the new release: what they sell is held against other sites, or against
//! earlier weeks.

use crate::{
    judging::ended,
    world::{World, env, service},
};
use std::time::Duration;
use tradewind_control::{
    agents::Stay,
    judging::{intake, usual, view as evidence},
    rollouts::{reconcile, view},
};
use tradewind_model::{
    fault::Lang,
    id::{Place, RevisionId, RolloutId},
    protocol::{
        agent::DesiredPhase,
        scrape::{DesiredScrape, Purpose},
        trial::{Feed, UnitCounts, UnitTick},
    },
    time::Clock as _,
};
use tradewind_store::rows;

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A shop's own pages at one site; a worker at several.
fn spec(sites: &str) -> String {
    let (kind, run, of) = match sites {
        TWO => ("kind: worker\n", "{ command: [sync], port: auto, shards: 2 }", ", of: sessions_total"),
        _ => ("", "{ command: [serve], health: { http: /healthz } }", ""),
    };
    format!(
        "version: 1\nservice: shop\n{kind}run: {run}\n\
         strategy: {{ type: canary, steps: [{{ share: 100%, min: 5m }}], soak: 1s, watch: 5m }}\n\
         metrics:\n  interval: 5s\n  judge:\n    orders: {{ kind: business, count: orders_total{of} }}\n\
         \u{20}   sync failures: {{ kind: error, count: failed_total, of: cycles_total }}\n\
         environments:\n  production: {{ branch: main, sites: {sites} }}\n"
    )
}

/// What agents read at every site, of 1,000 sessions at a time.
struct Shops {
    seq: u64,
    /// Orders of a hundred sessions of each site, by its name.
    sells: fn(&str, &str) -> u64,
}

impl Shops {
    fn ticks(&mut self, w: &World, scrapes: &[DesiredScrape], label: impl Fn(RevisionId) -> String) -> Vec<UnitTick> {
        self.seq += 1;
        let tick = |s: &DesiredScrape| {
            let orders = 10 * (self.sells)(s.place.site.as_str(), &label(s.canary));
            let of = |n: u64, x: u64| {
                let all = s.scrape.metrics.iter().map(|m| if m.name == "orders" { (n, x) } else { (n, 0) });
                let (n, x) = all.unzip();
                UnitCounts { n, x, ..UnitCounts::default() }
            };
            UnitTick {
                route: s.place.to_string(),
                rollout: s.rollout.clone(),
                epoch: format!("scrape-{}", s.rollout),
                seq: self.seq,
                at: w.clock.now(),
                feed: Feed::Scrape,
                sampled: 0,
                canary: of(1_000, orders),
                baseline: of(0, 0),
            }
        };
        scrapes.iter().map(tick).collect()
    }

    /// So many rounds, 15 seconds apart.
    async fn rounds(&mut self, w: &mut World, stay: &Stay<'_>, n: usize) {
        for _ in 0..n {
            w.obey(stay).await;
            reconcile::once(&w.ctx).await.unwrap();
            let desired = w.desired().await;
            let label = |revision| {
                desired.instances.iter().find(|i| i.revision == revision).map_or_else(String::new, |i| i.label.clone())
            };
            let ticks = self.ticks(w, &desired.scrapes, label);
            intake::take_in(&w.ctx, stay, ticks.clone()).await.unwrap();
            intake::take_in(&w.ctx, stay, ticks).await.unwrap();
            w.pass(Duration::from_secs(15));
        }
    }
}

/// v1 live at these sites.
async fn live(w: &mut World, stay: &Stay<'_>, sites: &str) {
    let v1 = w.release(1, &spec(sites)).await;
    let id = w.deploy(&v1).await;
    assert_eq!(w.see_through(stay, id).await.phase, "completed");
}

async fn deploy(w: &World, sites: &str) -> RolloutId {
    let v2 = w.release(2, &spec(sites)).await;
    w.deploy(&v2).await
}

async fn until_ended(w: &mut World, stay: &Stay<'_>, shops: &mut Shops, id: RolloutId) -> String {
    for _ in 0..200 {
        shops.rounds(w, stay, 1).await;
        if let Some(phase) = ended(w, id).await {
            return phase;
        }
    }
    panic!("it does not end: {:?}", w.rollout(id).await);
}

const TWO: &str = "[my, br]";

#[tokio::test]
async fn a_region_that_changes_over_whole_is_held_against_the_others() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    live(&mut w, &stay, TWO).await;
    // Brazil sells twice as much a session.
    let mut shops = Shops { seq: 0, sells: |site, _| if site == "br" { 20 } else { 10 } };
    shops.rounds(&mut w, &stay, 30).await;
    // The whole market falls by half, and v2 has nothing to do with it.
    shops.sells = |site, _| if site == "br" { 10 } else { 5 };
    let id = deploy(&w, TWO).await;
    assert_eq!(until_ended(&mut w, &stay, &mut shops, id).await, "completed");
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    let my = shown
        .metrics
        .iter()
        .find(|m| m.name == "orders" && m.site.as_ref().is_some_and(|s| s.as_str() == "my"))
        .unwrap();
    assert!(my.baseline.units > 10_000 && my.baseline.rate.unwrap() < 0.051, "{my:#?}");

    // v3 loses half of what Malaysia sells.
    shops.rounds(&mut w, &stay, 30).await;
    shops.sells = |site, label| match (site, label) {
        ("my", "v3") => 3,
        ("br", _) => 10,
        _ => 5,
    };
    let v3 = w.release(3, &spec(TWO)).await;
    let id = w.deploy(&v3).await;
    assert_eq!(until_ended(&mut w, &stay, &mut shops, id).await, "failed");
    let reason = view::show(&w.ctx, id, Lang::En).await.unwrap().reason.unwrap();
    assert!(reason.contains("orders (my)") && reason.contains("by what the other sites sell meanwhile"), "{reason}");
    let untouched = |i: &tradewind_model::protocol::agent::DesiredInstance| {
        i.place.site.as_str() == "br" && i.label == "v3" && i.phase == DesiredPhase::Run
    };
    assert!(!w.desired().await.instances.iter().any(untouched), "Brazil was never reached");
}

#[tokio::test]
async fn the_only_site_is_held_against_earlier_weeks() {
    for (sells, expected) in [(10, "completed"), (8, "completed"), (4, "failed")] {
        let mut w = World::new().await;
        let agents = w.ctx.agents.clone();
        let (stay, _rx) = w.connect(&agents);
        live(&mut w, &stay, "[my]").await;
        // Two weeks, one of them a lean one.
        let mut shops = Shops { seq: 0, sells: |_, _| 10 };
        shops.rounds(&mut w, &stay, 30).await;
        w.pass(WEEK.saturating_sub(Duration::from_secs(30 * 15)));
        shops.sells = |_, _| 9;
        shops.rounds(&mut w, &stay, 30).await;
        w.pass(WEEK.saturating_sub(Duration::from_secs(30 * 15)));
        shops.sells = match sells {
            10 => |_, _| 10,
            8 => |_, _| 8,
            _ => |_, _| 4,
        };
        let id = deploy(&w, "[my]").await;
        assert_eq!(until_ended(&mut w, &stay, &mut shops, id).await, expected, "{sells} of 100");
        if expected == "failed" {
            let reason = view::show(&w.ctx, id, Lang::En).await.unwrap().reason.unwrap();
            assert!(reason.contains("earlier weeks"), "{reason}");
        }
    }
}

#[tokio::test]
async fn what_nobody_knows_is_not_judged_and_said_to_be_so() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    live(&mut w, &stay, "[my]").await;
    let id = deploy(&w, "[my]").await;
    let mut shops = Shops { seq: 0, sells: |_, _| 0 };
    assert_eq!(until_ended(&mut w, &stay, &mut shops, id).await, "completed");
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(
        shown.unread,
        ["orders: nothing runs beside v2, and neither other sites nor earlier weeks are known; it is not judged"]
    );
}

#[tokio::test]
async fn what_is_usual_is_read_while_nothing_is_compared() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    live(&mut w, &stay, TWO).await;
    let read = w.desired().await.scrapes;
    assert_eq!(read.iter().map(|s| s.place.site.as_str()).collect::<Vec<_>>(), ["br", "my"]);
    for scrape in &read {
        assert!(matches!(scrape.rollout.parse(), Ok(Purpose::Usual(r)) if r == scrape.canary));
        let names: Vec<_> = scrape.scrape.metrics.iter().map(|m| m.name.as_str()).collect();
        assert_eq!((names, scrape.scrape.every_ms), (vec!["orders", "sync failures"], 15_000), "not often");
    }
    let mut shops = Shops { seq: 0, sells: |_, _| 10 };
    shops.rounds(&mut w, &stay, 3).await;
    let hour = usual::hour_of(w.clock.now());
    let mut r = w.ctx.store.read().await.unwrap();
    let rows = rows::usual::between(&mut r, &service(), &env(), hour - 1, hour + 1).await.unwrap();
    drop(r);
    let of_my = rows.iter().filter(|row| row.place.site.as_str() == "my");
    let hours: Vec<usual::Hour> = of_my.map(|row| row.body.read().unwrap()).collect();
    let orders: u64 = hours.iter().map(|h| h.counts["orders"].x).sum();
    let seconds: u64 = hours.iter().map(|h| h.seconds).sum();
    assert_eq!((orders, seconds), (300, 45), "each round once, though told twice");

    // Another place's revision, another shape and no revision at all are taken and forgotten.
    let place = Place { site: "br".parse().unwrap(), ..read[1].place.clone() };
    let wrong = shops.ticks(&w, &[DesiredScrape { place, ..read[1].clone() }], |_| String::new());
    let mut short = shops.ticks(&w, &read, |_| String::new());
    short.iter_mut().for_each(|t| t.canary.n.clear());
    let mut nobody = shops.ticks(&w, &read, |_| String::new());
    nobody.iter_mut().for_each(|t| t.rollout = "usual-nobody".into());
    for ticks in [wrong, short, nobody] {
        let n = ticks.len();
        assert_eq!(intake::take_in(&w.ctx, &stay, ticks).await.unwrap().len(), n);
    }
    let mut r = w.ctx.store.read().await.unwrap();
    assert_eq!(rows::usual::between(&mut r, &service(), &env(), hour - 1, hour + 2).await.unwrap(), rows);
}

//! A canary judged by what the service itself counts, beside what the edge counts.

use crate::{
    judging::{Edge, begun, ended, second, share},
    world::{World, place},
};
use std::time::Duration;
use tradewind_api::v1::Verdict;
use tradewind_control::{
    agents::{Stay, observed},
    judging::{intake, view as evidence},
    rollouts::{PlanDoc, reconcile, view},
};
use tradewind_model::{
    fault::Lang,
    id::RolloutId,
    protocol::{
        agent::{Desired, DesiredPhase},
        scrape::ObservedScrape,
        trial::{Feed, Trip, TripCause, UnitCounts, UnitTick},
    },
    said,
    time::Clock as _,
};

const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n  instances: 2\n\
                    strategy: { type: canary, min: 5s, max: 10m, soak: 1s, watch: 2m, judge: { latency: [250ms], warmup: 0s } }\n\
                    metrics:\n  interval: 2s\n  judge:\n    orders: { kind: business, count: orders_total }\n\
                    \u{20}   sync failures: { kind: error, count: failed_total, of: cycles_total }\n\
                    environments:\n  production: { branch: main }\n";

/// Four shops; a cycle of each takes a second and finds ten orders.
const WORKER: &str = "version: 1\nservice: shop\nkind: worker\nrun: { command: [sync], port: auto, shards: [my, br, th, us] }\n\
                      strategy: { type: canary, steps: [1, 50%, 100%], min: 5s, max: 20m, soak: 1s, watch: 10s, judge: { r1: 1.2 } }\n\
                      metrics:\n  judge:\n    orders: { kind: business, count: orders_total, of: found_total, required: true }\n\
                      environments:\n  production: { branch: main }\n";

/// What an agent would read: of 200 requests a second so many in a hundred become orders; and cycles that do not fail.
struct Pages {
    epoch: &'static str,
    seq: u64,
    orders: [u64; 2],
    rests: [u64; 2],
}

impl Pages {
    fn new(canary: u64, baseline: u64) -> Self {
        Self { epoch: "scrape-1-1", seq: 0, orders: [canary, baseline], rests: [0; 2] }
    }

    fn tick(&mut self, w: &World, id: RolloutId, share: u64) -> UnitTick {
        self.seq += 1;
        let canary = 200 * share / 10_000;
        let arms = [canary, 200 - canary].into_iter().enumerate().map(|(i, n)| {
            let all = self.rests[i] + n * self.orders[i];
            self.rests[i] = all % 100;
            UnitCounts { n: vec![n, n], x: vec![all / 100, 0], ..UnitCounts::default() }
        });
        let [canary, baseline] = arms.collect::<Vec<_>>().try_into().unwrap();
        UnitTick {
            route: place().to_string(),
            rollout: id.to_string(),
            epoch: self.epoch.into(),
            seq: self.seq,
            at: w.clock.now(),
            feed: Feed::Scrape,
            sampled: 0,
            canary,
            baseline,
        }
    }
}

/// Seconds of both feeds until the rollout ends.
async fn through(w: &mut World, stay: &Stay<'_>, id: RolloutId, pages: &mut Pages) -> u32 {
    let mut edge = Edge::new();
    for n in 1..600 {
        second(w, stay, &mut edge, id).await;
        let tick = pages.tick(w, id, share(w, "v2").await);
        let taken = intake::take_in(&w.ctx, stay, vec![tick]).await.unwrap();
        assert_eq!((taken[0].epoch.as_str(), taken[0].seq), (pages.epoch, pages.seq));
        if ended(w, id).await.is_some() {
            return n;
        }
    }
    panic!("it does not end: {:?}", w.rollout(id).await);
}

#[tokio::test]
async fn a_release_that_loses_half_of_its_orders_is_taken_back() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    through(&mut w, &stay, id, &mut Pages::new(15, 30)).await;
    assert_eq!(ended(&w, id).await.as_deref(), Some("failed"));
    assert_eq!(w.route().await, [("v1".to_owned(), 10_000)]);
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.brief.verdict, Verdict::Worse);
    let blamed: Vec<_> = shown.metrics.iter().filter(|m| m.culprit).map(|m| m.name.as_str()).collect();
    assert_eq!(blamed, ["orders"]);
    let orders = shown.metrics.iter().find(|m| m.name == "orders").unwrap();
    assert!(!orders.needed && orders.canary.rate.unwrap() < 0.16 && orders.baseline.rate.unwrap() > 0.28);
    assert!(view::show(&w.ctx, id, Lang::En).await.unwrap().reason.unwrap().contains("orders"));
}

#[tokio::test]
async fn a_good_release_goes_up_by_the_counts_of_both() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    through(&mut w, &stay, id, &mut Pages::new(30, 30)).await;
    assert_eq!(ended(&w, id).await.as_deref(), Some("completed"));
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.waves.iter().map(|w| w.share).collect::<Vec<_>>(), [1_000, 5_000, 10_000]);
    assert_eq!((shown.gaps.restarts, shown.gaps.refused, shown.gaps.lost_s), (0, 0, 0), "two who count are no restart");
}

#[tokio::test]
async fn a_wave_waits_for_a_metric_that_it_needs_and_says_what_is_missing() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    for _ in 0..120 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert_eq!(share(&w, "v2").await, 1_000, "no data is no pass");

    let desired = w.desired().await;
    assert_eq!((desired.scrapes[0].rollout.clone(), desired.scrapes[0].scrape.metrics.len()), (id.to_string(), 2));
    let mut seen = w.perform(&desired);
    let missing = said!("v2: there is no `failed_total`", "v2：没有 `failed_total`");
    let of =
        |rollout: String| ObservedScrape { place: place(), rollout, notes: vec![missing.clone(), missing.clone()] };
    seen.scrapes = vec![of(id.to_string()), of("another".into())];
    observed::ingest(&w.ctx, &stay, "epoch-0", seen).await.unwrap();
    let shown = evidence::show(&w.ctx, id, Lang::Zh).await.unwrap();
    assert_eq!(shown.unread, ["v2：没有 `failed_total`"]);
    let waits: Vec<_> = shown.metrics.iter().filter(|m| m.needed).map(|m| m.name.as_str()).collect();
    assert_eq!(waits, ["errors", "slower_than_250ms", "sync failures"]);
}

#[tokio::test]
async fn whose_pages_are_read_is_never_said_under_an_old_number() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let (mut edge, mut pages) = (Edge::new(), Pages::new(30, 30));
    let mut before = w.desired().await;
    let compared = |d: &Desired| d.scrapes.iter().filter(|s| s.rollout == id.to_string()).count();
    let mut read = vec![compared(&before)];
    while ended(&w, id).await.is_none() {
        second(&mut w, &stay, &mut edge, id).await;
        let tick = pages.tick(&w, id, share(&w, "v2").await);
        intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
        let now = w.desired().await;
        if now.scrapes != before.scrapes {
            assert!(now.generation > before.generation);
            read.push(compared(&now));
        }
        before = now;
    }
    assert_eq!(read, [1, 0], "as long as both work");
}

/// A worker's rollout whose new release syncs so many of ten orders: how it ended, and how many shops it had at most.
async fn worker_that_syncs(of_ten: u64) -> (String, usize) {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, WORKER).await;
    let (mut most, mut seq, mut before) = (0, 0, w.desired().await);
    for _ in 0..600 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        let now = w.desired().await;
        assert!(now.scrapes == before.scrapes || now.generation > before.generation);
        let works = |label: &str| {
            let at_work = now.instances.iter().filter(|i| i.label == label && i.phase == DesiredPhase::Run);
            at_work.flat_map(|i| i.workload.env["TRADEWIND_SHARDS"].split(',')).count()
        };
        let [new, old] = [works("v2"), works("v1")];
        if now.scrapes.iter().any(|s| s.rollout == id.to_string()) {
            most = most.max(new);
            seq += 1;
            let arm = |shops: usize, of_ten| {
                let cycles = 10 * shops as u64;
                UnitCounts { n: vec![cycles], x: vec![cycles * of_ten / 10], ..UnitCounts::default() }
            };
            let (canary, baseline) = (arm(new, of_ten), arm(old, 10));
            let tick = UnitTick { seq, canary, baseline, ..Pages::new(0, 0).tick(&w, id, 0) };
            intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
        }
        if let Some(phase) = ended(&w, id).await {
            return (phase, most);
        }
        before = now;
        w.pass(Duration::from_secs(1));
    }
    panic!("it does not end: {:?}", w.rollout(id).await);
}

#[tokio::test]
async fn a_worker_that_skips_every_fifth_order_is_caught_on_its_first_shop() {
    assert_eq!(worker_that_syncs(8).await, ("failed".to_owned(), 1));
}

#[tokio::test]
async fn a_worker_that_skips_none_gets_one_shop_after_another() {
    assert_eq!(worker_that_syncs(10).await, ("completed".to_owned(), 4));
}

/// The labels of what runs, in the order of the shops.
async fn at_work(w: &World) -> Vec<String> {
    let desired = w.desired().await;
    let mut runs: Vec<_> = desired.instances.iter().filter(|i| i.phase == DesiredPhase::Run).collect();
    let shops = ["my", "br", "th", "us"];
    runs.sort_by_key(|i| shops.iter().position(|shop| i.workload.env["TRADEWIND_SHARDS"] == *shop));
    runs.iter().map(|i| i.label.clone()).collect()
}

#[tokio::test]
async fn shards_that_a_host_took_back_by_itself_end_the_rollout() {
    for spec in [WORKER, &WORKER.replace("canary, steps: [1, 50%, 100%], min: 5s, max: 20m", "rolling, max_surge: 1")] {
        let rolling = spec.contains("rolling");
        let spec = spec.replace("watch: 10s, judge: { r1: 1.2 }", "limits: { error_rate: 2%, min_requests: 20 }");
        let mut w = World::new().await;
        let agents = w.ctx.agents.clone();
        let (stay, _rx) = w.connect(&agents);
        let id = begun(&mut w, &stay, &spec).await;
        let mut before = w.desired().await;
        while at_work(&w).await[0] != "v2" {
            w.obey(&stay).await;
            reconcile::once(&w.ctx).await.unwrap();
            let now = w.desired().await;
            assert!(now.shard_trials == before.shard_trials || now.generation > before.generation);
            before = now;
        }
        let trial = &before.shard_trials[0];
        assert_eq!((trial.rollout.clone(), trial.lease_ms), (id.to_string(), 600_000));
        let limits = (trial.limits.error_rate, trial.limits.p99_ms, trial.limits.min_requests);
        assert_eq!(limits, (Some(200), None, 20));
        assert_eq!(before.scrapes.len(), 1, "a limit needs no judge: rolling {rolling}");

        let cause = TripCause::Events { metric: "lost".into(), failed: 9, of: 90, limit: 200, for_ms: 30_000 };
        w.trip = Some(Trip { rollout: id.to_string(), at: w.clock.now(), cause });
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        let returning = w.desired().await;
        assert_eq!(returning.shard_trials, before.shard_trials, "until the shards are back");
        w.see_through(&stay, id).await;
        assert_eq!((ended(&w, id).await.as_deref(), at_work(&w).await), (Some("failed"), vec!["v1".to_owned(); 4]));
        let over = w.desired().await;
        assert!(over.shard_trials.is_empty() && over.generation > returning.generation);
        let reason = view::show(&w.ctx, id, Lang::En).await.unwrap().reason.unwrap();
        assert_eq!(reason, "`lost` of v2 on default came to 9 of 90 within 30 s, more than 2%");
    }
}

#[tokio::test]
async fn a_rollback_takes_the_shards_out_of_the_hosts_hands() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    begun(&mut w, &stay, WORKER).await;
    while w.desired().await.shard_trials.is_empty() {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
    }
    let before = w.desired().await;
    let back = w.rollback().await;
    let now = w.desired().await;
    assert!(now.shard_trials.is_empty() && now.generation > before.generation);
    w.see_through(&stay, back).await;
    assert_eq!(at_work(&w).await, ["v1"; 4]);
}

#[tokio::test]
async fn a_round_that_is_missing_is_as_many_seconds_as_it_took() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    for _ in 0..4 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    let mut pages = Pages::new(30, 30);
    let mut ticks: Vec<UnitTick> = (0..6).map(|_| pages.tick(&w, id, 1_000)).collect();
    ticks.remove(3);
    let twice = ticks.iter().chain(&ticks).cloned().collect();
    intake::take_in(&w.ctx, &stay, twice).await.unwrap();
    intake::take_in(&w.ctx, &stay, ticks).await.unwrap();
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.gaps.lost_s, 2);
    let orders = shown.metrics.iter().find(|m| m.name == "orders").unwrap();
    assert_eq!(orders.canary.units, 5 * 20);
    // Another agent begins another count, and what it says of other metrics is no count.
    let mut other = Pages { epoch: "scrape-2-1", ..Pages::new(30, 30) };
    let sound = other.tick(&w, id, 1_000);
    let short = UnitCounts { n: vec![1], x: vec![1], ..UnitCounts::default() };
    intake::take_in(&w.ctx, &stay, vec![UnitTick { canary: short, ..other.tick(&w, id, 1_000) }]).await.unwrap();
    intake::take_in(&w.ctx, &stay, vec![sound]).await.unwrap();
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(
        (shown.metrics.iter().find(|m| m.name == "orders").unwrap().canary.units, shown.gaps.restarts),
        (6 * 20, 0)
    );
}

/// What a rollout says at its beginning where the place counted this for five minutes, of 30 cycles a second.
async fn told_beforehand(failed_of_1000: u64, orders_of_1000: u64) -> String {
    const BOTH: &str = "version: 1\nservice: shop\nkind: worker\nrun: { command: [sync], port: auto, shards: [my, br, th, us] }\n\
                        strategy: { type: canary, steps: [1, 50%, 100%], min: 5s, max: 30m }\n\
                        metrics:\n  judge:\n    failures: { kind: error, count: failed_total, of: cycles_total }\n\
                        \u{20}   orders: { kind: business, count: orders_total, of: cycles_total }\n\
                        environments:\n  production: { branch: main }\n";
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, BOTH).await;
    let id = w.deploy(&v1).await;
    assert_eq!(w.see_through(&stay, id).await.phase, "completed");
    let usual = w.desired().await.scrapes.remove(0);
    for seq in 1..=20 {
        let count = UnitCounts {
            n: vec![450; 2],
            x: [failed_of_1000, orders_of_1000].map(|x| 450 * seq * x / 1_000 - 450 * (seq - 1) * x / 1_000).to_vec(),
            ..UnitCounts::default()
        };
        let rollout = usual.rollout.clone();
        let tick = UnitTick { seq, rollout, canary: count, ..Pages::new(0, 0).tick(&w, id, 0) };
        intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
        w.pass(Duration::from_secs(15));
    }
    let v2 = w.release(2, BOTH).await;
    let id = w.deploy(&v2).await;
    let doc: PlanDoc = w.rollout(id).await.plan.read().unwrap();
    let outlook = doc.outlook.unwrap();
    let all = [outlook.text.get(Lang::En), outlook.text.get(Lang::Zh)].join("\n");
    format!("{all}\nhopeless: {}\n", outlook.hopeless)
}

#[tokio::test]
async fn what_a_worker_counts_in_ordinary_times_says_how_long_the_judge_will_need() {
    let mut told = String::new();
    for (failed, orders) in [(5, 400), (0, 400), (5, 2), (1, 0)] {
        told += &format!(
            "# {failed} failures and {orders} orders in 1,000 cycles\n{}\n",
            told_beforehand(failed, orders).await
        );
    }
    insta::assert_snapshot!("beforehand", told);
}

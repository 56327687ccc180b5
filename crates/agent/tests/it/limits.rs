//! A canary that passes its fixed limits, or whose server is silent, is given up by the host itself.

use crate::world::*;
use std::{collections::BTreeMap, time::Duration};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{DesiredInstance, DesiredRoute, InstancePhase, Observed},
        edge::{FromEdge, LATENCY_BOUNDS, SplitStats, Stats, Sticky},
        trial::{Feed, Ignore, Limits, Trial, Trip, TripCause, UnitCounts, UnitTick},
    },
    time::Timestamp,
};

const WINDOW_MS: u64 = 200;
const FOREVER_MS: u64 = 3_600_000;

struct Canary {
    w: World,
    instances: Vec<DesiredInstance>,
    route: DesiredRoute,
    counted: Counted,
}

/// What the edge says it has counted of the canary and its baseline.
#[derive(Clone, Copy, Default)]
struct Counted {
    canary: Answers,
    baseline: Answers,
}

#[derive(Clone, Copy, Default)]
struct Answers {
    fine: u64,
    failed: u64,
    slow: u64,
}

impl Canary {
    /// Revision 2 with this share beside revision 1, both with an instance that is ready.
    async fn start(share: u32, change: impl FnOnce(&mut Trial)) -> Self {
        Self::start_with(share, Sticky::None, change).await
    }

    async fn start_with(share: u32, sticky: Sticky, change: impl FnOnce(&mut Trial)) -> Self {
        let mut w = World::new().await;
        let [v1, v2] = [1, 2].map(|n| w.app_release(n));
        let instances = vec![desired_instance(1, v1, 1, workload(&[])), desired_instance(2, v2, 2, workload(&[]))];
        let mut trial = Trial {
            canary: revision(2),
            baseline: revision(1),
            counted: true,
            bounds_ms: vec![],
            ignore: Ignore::default(),
            limits: Limits { error_rate: Some(500), p99_ms: Some(3_000), for_ms: WINDOW_MS, min_requests: 50 },
            lease_ms: FOREVER_MS,
        };
        change(&mut trial);
        let route = DesiredRoute { sticky, trial: Some(trial), ..route(1, &[(1, 10_000 - share), (2, share)]) };
        w.want(|d| {
            d.instances.clone_from(&instances);
            d.routes = vec![route.clone()];
        });
        let mut this = Self { w, instances, route, counted: Counted::default() };
        this.until_shares(&[10_000 - share, share]).await;
        this
    }

    async fn until_shares(&mut self, weights: &[u32]) {
        let ready = |splits: &[(u32, usize)]| {
            splits.iter().map(|(w, _)| *w).eq(weights.iter().copied()) && splits.iter().all(|(_, n)| *n == 1)
        };
        self.w.until_table(&format!("{weights:?}"), ready).await;
    }

    /// The edge says that so many clients more have failed on the canary.
    fn say_failed_clients(&self, seq: u64, clients: u64) {
        let counts = UnitCounts { n: vec![46], x: vec![clients], ..UnitCounts::default() };
        let tick = UnitTick {
            route: place().to_string(),
            rollout: self.route.salt.clone(),
            epoch: "worker-1".into(),
            seq,
            at: Timestamp(0),
            feed: Feed::Edge,
            sampled: 0,
            canary: counts.clone(),
            baseline: counts,
        };
        self.w.edge.say(FromEdge::Units { ticks: vec![tick] });
    }

    fn say(&self) {
        let split = |of: u128, a: Answers| SplitStats {
            route: place().to_string(),
            revision: revision(of),
            label: format!("v{of}"),
            requests: a.fine + a.failed + a.slow,
            responses: [0, a.fine + a.slow, 0, 0, a.failed],
            upstream_failures: BTreeMap::new(),
            client_aborts: 0,
            latency: {
                let mut buckets = vec![0; LATENCY_BOUNDS.len() + 1];
                (buckets[0], buckets[13]) = (a.fine + a.failed, a.slow);
                buckets
            },
            latency_sum_us: 0,
            last_request_at: None,
        };
        self.w.edge.say(FromEdge::Stats(Stats {
            epoch: "worker".into(),
            at: Timestamp(0),
            table: self.w.edge.table.borrow().version,
            splits: vec![split(1, self.counted.baseline), split(2, self.counted.canary)],
            targets: vec![],
        }));
    }

    /// The edge counts on until it is given another table.
    async fn count_until_other_shares(&mut self, count: impl Fn(&mut Counted)) {
        let before = self.w.edge.shares().len();
        let counting = async {
            while self.w.edge.shares().len() == before {
                count(&mut self.counted);
                self.say();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(GUARD, counting).await.expect("another table");
    }

    /// The edge counts on for three windows and more.
    async fn count(&mut self, count: impl Fn(&mut Counted)) {
        for _ in 0..40 {
            count(&mut self.counted);
            self.say();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn tripped(&mut self) -> Trip {
        let seen = self.w.until("a trip", |o| trip(o).is_some()).await;
        trip(&seen).unwrap().clone()
    }
}

fn trip(observed: &Observed) -> Option<&Trip> {
    observed.routes.first()?.tripped.as_ref()
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_give_the_share_back_without_the_server_and_it_stays_so() {
    let mut c = Canary::start(1_000, |_| {}).await;
    c.w.server.down();
    c.count_until_other_shares(|n| n.canary.failed += 10).await;
    c.until_shares(&[10_000, 0]).await;
    // The next agent gives it nothing either.
    c.w.drop_agent().await;
    let tables = c.w.edge.shares().len();
    c.w.start_agent();
    let mut seen = c.w.edge.table.clone();
    seen.mark_unchanged();
    tokio::time::timeout(GUARD, seen.changed()).await.unwrap().unwrap();
    c.until_shares(&[10_000, 0]).await;
    assert!(c.w.edge.shares()[tables..].iter().all(|s| s[..] == [10_000, 0]), "{:?}", c.w.edge.shares());
    // The server hears of it when it is back.
    c.w.server.up().await;
    let trip = c.tripped().await;
    assert_eq!(trip.rollout, "salt");
    let TripCause::ErrorRate { failed, requests, limit: 500, for_ms: WINDOW_MS } = trip.cause else {
        panic!("{trip:?}")
    };
    assert!(failed == requests && requests >= 50, "{trip:?}");
    // It lasts through other shares of the same rollout, and no longer.
    let mut route = c.route.clone();
    route.version = 2;
    (route.splits[0].weight, route.splits[1].weight) = (5_000, 5_000);
    c.w.want(|d| d.routes = vec![route.clone()]);
    c.w.until("the new version", |o| o.routes.first().is_some_and(|r| r.version == 2 && r.tripped.is_some())).await;
    c.until_shares(&[10_000, 0]).await;
    route.version = 3;
    route.salt = "another rollout".into();
    c.w.want(|d| d.routes = vec![route]);
    c.until_shares(&[5_000, 5_000]).await;
    c.w.until("no trip", |o| o.routes.first().is_some_and(|r| r.version == 3 && r.tripped.is_none())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_give_the_share_back_but_not_few_requests_nor_the_baselines() {
    let mut c = Canary::start(1_000, |t| t.limits.min_requests = 1_000_000).await;
    let tables = c.w.edge.shares().len();
    c.count(|n| {
        n.canary.failed += 10;
        n.baseline.failed += 1_000_000;
        n.baseline.slow += 1_000_000;
    })
    .await;
    assert_eq!(c.w.edge.shares().len(), tables, "nothing was given up");
    assert_eq!(trip(&c.w.server.observed.borrow()), None);
    c.count_until_other_shares(|n| {
        n.canary.fine += 97_000_000;
        n.canary.slow += 3_000_000;
    })
    .await;
    c.until_shares(&[10_000, 0]).await;
    let trip = c.tripped().await;
    assert!(matches!(trip.cause, TripCause::P99 { limit_ms: 3_000, for_ms: WINDOW_MS, .. }), "{trip:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hits_the_baseline_too_leaves_the_canary_its_share_until_it_is_the_canarys_alone() {
    let mut c = Canary::start(1_000, |_| {}).await;
    let tables = c.w.edge.shares().len();
    c.count(|n| {
        for arm in [&mut n.canary, &mut n.baseline] {
            (arm.fine, arm.failed) = (arm.fine + 70, arm.failed + 30);
        }
    })
    .await;
    assert_eq!(c.w.edge.shares().len(), tables, "nothing was given up");
    assert_eq!(trip(&c.w.server.observed.borrow()), None);
    c.count_until_other_shares(|n| {
        n.baseline.fine += 100;
        (n.canary.fine, n.canary.failed) = (n.canary.fine + 70, n.canary.failed + 30);
    })
    .await;
    c.until_shares(&[10_000, 0]).await;
    assert!(matches!(c.tripped().await.cause, TripCause::ErrorRate { .. }));
}

fn cookie() -> Sticky {
    Sticky::Cookie { name: "tw".into(), max_age_s: 86_400, secure: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_angry_client_does_not_take_the_canary_back_but_three_do() {
    let mut c = Canary::start_with(1_000, cookie(), |_| {}).await;
    let tables = c.w.edge.shares().len();
    c.say_failed_clients(1, 1);
    for seq in 2..=4 {
        c.count(|n| (n.canary.failed, n.baseline.fine) = (n.canary.failed + 45, n.baseline.fine + 100)).await;
        c.say_failed_clients(seq, 0);
    }
    assert_eq!(c.w.edge.shares().len(), tables, "nothing was given up");
    assert_eq!(trip(&c.w.server.observed.borrow()), None);
    c.say_failed_clients(5, 2);
    c.count_until_other_shares(|n| n.canary.failed += 45).await;
    c.until_shares(&[10_000, 0]).await;
    assert!(matches!(c.tripped().await.cause, TripCause::ErrorRate { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_know_who_failed_before_goes_by_requests() {
    let mut c = Canary::start_with(1_000, cookie(), |_| {}).await;
    c.say_failed_clients(1, 46);
    c.say();
    c.w.drop_agent().await;
    let mut table = c.w.edge.table.clone();
    table.mark_unchanged();
    c.w.start_agent();
    tokio::time::timeout(GUARD, table.changed()).await.unwrap().unwrap();
    // All of them failed before, and the edge's next worker remembers them: nobody fails for the first time any more.
    let counting = async {
        while trip(&c.w.server.observed.borrow()).is_none() {
            c.say_failed_clients(1, 0);
            c.counted.canary.failed += 45;
            c.say();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(GUARD, counting).await.expect("a trip");
    c.until_shares(&[10_000, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_the_canary_its_share_even_all_of_it() {
    const LEASE_MS: u64 = 1_000;
    let mut c = Canary::start(10_000, |_| {}).await;
    c.w.server.down();
    // An agent that begins in the silence counts on where the last one was.
    let mut desired: serde_json::Value =
        serde_json::from_slice(&std::fs::read(c.w.agent_folder().join("desired.json")).unwrap()).unwrap();
    desired["routes"][0]["trial"]["lease_ms"] = LEASE_MS.into();
    c.w.drop_agent().await;
    std::fs::write(c.w.agent_folder().join("desired.json"), desired.to_string()).unwrap();
    c.w.start_agent();
    c.until_shares(&[10_000, 0]).await;
    c.route.trial.as_mut().unwrap().lease_ms = LEASE_MS;
    c.w.desired.routes = vec![c.route.clone()];
    c.w.server.up().await;
    let trip = c.tripped().await;
    assert_eq!(trip.cause, TripCause::Lease { lease_ms: LEASE_MS });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ready_baseline_the_canary_serves_on_until_there_is_one() {
    let mut c = Canary::start(10_000, |_| {}).await;
    let baseline: InstanceId = c.instances[0].id;
    c.w.want(|d| d.instances.retain(|i| i.id != baseline));
    c.w.until_table("no baseline", |s| s == [(0, 0), (10_000, 1)]).await;
    let counting = async {
        loop {
            c.counted.canary.failed += 10;
            c.say();
            tokio::time::sleep(Duration::from_millis(20)).await;
            if trip(&c.w.server.observed.borrow()).is_some() {
                return;
            }
        }
    };
    tokio::time::timeout(GUARD, counting).await.expect("a trip");
    c.w.until_table("it serves on", |s| s == [(0, 0), (10_000, 1)]).await;
    let back = DesiredInstance { id: InstanceId(unique(3)), ..c.instances[0].clone() };
    c.w.want(|d| d.instances.push(back.clone()));
    c.w.until_phase(back.id, InstancePhase::Ready).await;
    c.until_shares(&[10_000, 0]).await;
}

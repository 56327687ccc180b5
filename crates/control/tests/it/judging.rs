//! A canary from its counts to its end: promoted by evidence, stopped by evidence, whatever happens to the server.

use crate::world::{World, asker, env, service};
use std::time::Duration;
use tradewind_api::v1::{ArmTraffic, DecisionKind, Latency, ServiceKind, TrafficWindow, Verdict};
use tradewind_control::{
    Error,
    agents::Stay,
    judging::{intake, view as evidence},
    rollouts::{PlanDoc, intervene, reconcile, view},
};
use tradewind_model::{
    fault::Lang,
    id::RolloutId,
    protocol::{
        edge::{SplitStats, Stats},
        trial::{Trip, TripCause, UnitCounts, UnitTick, UnitsTaken},
    },
    time::Clock as _,
};
use tradewind_store::{events, rows};

pub const SPEC: &str = "version: 1\nservice: shop\nrun:\n  command: [serve]\n  health: { http: /healthz }\n  instances: 10\n\
                    strategy: { type: canary, min: 5s, max: 10m, soak: 1s, watch: 2m, judge: { latency: [250ms], warmup: 3s } }\n\
                    environments:\n  production: { branch: main }\n";

/// What an edge would count: clients by the second, and who of them fails.
pub struct Edge {
    epoch: &'static str,
    seq: u64,
    /// One of so many clients fails; 0: none.
    pub canary_fails: u64,
    baseline_fails: u64,
    seen: [u64; 2],
}

impl Edge {
    pub fn new() -> Self {
        Self { epoch: "worker-1", seq: 0, canary_fails: 0, baseline_fails: 1_000, seen: [0; 2] }
    }

    /// The next second of a route whose canary has `share` basis points of 200 clients a second.
    fn tick(&mut self, w: &World, id: RolloutId, share: u64) -> UnitTick {
        self.seq += 1;
        let canary = 200 * share / 10_000;
        let fails = [self.canary_fails, self.baseline_fails];
        let arms = [canary, 200 - canary].into_iter().enumerate().map(|(i, n)| {
            let before = self.seen[i];
            self.seen[i] += n;
            let failed = |seen: u64| seen.checked_div(fails[i]).unwrap_or(0);
            let x = failed(self.seen[i]) - failed(before);
            let latency = match i {
                0 => vec![0, 0, 0, 0, 0, n],
                _ => vec![0, n],
            };
            UnitCounts { n: vec![n, n], x: vec![x, 0], new: n, requests: n, failed: x, latency }
        });
        let [canary, baseline] = arms.collect::<Vec<_>>().try_into().unwrap();
        UnitTick {
            route: "shop/production/default".into(),
            rollout: id.to_string(),
            epoch: self.epoch.into(),
            seq: self.seq,
            at: w.clock.now(),
            feed: Default::default(),
            sampled: 0,
            canary,
            baseline,
        }
    }
}

/// The share the rows give the newer of two releases.
pub async fn share(w: &World, label: &str) -> u64 {
    w.route().await.iter().find(|(l, _)| l == label).map_or(0, |(_, weight)| u64::from(*weight))
}

/// A second of everything.
pub async fn second(w: &mut World, stay: &Stay<'_>, edge: &mut Edge, id: RolloutId) {
    w.obey(stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    let tick = edge.tick(w, id, share(w, "v2").await);
    let seq = tick.seq;
    let taken = intake::take_in(&w.ctx, stay, vec![tick]).await.unwrap();
    assert_eq!(taken[0].seq, seq);
    w.pass(Duration::from_secs(1));
}

/// v1 live, v2 on its way.
pub async fn begun(w: &mut World, stay: &Stay<'_>, spec: &str) -> RolloutId {
    let (v1, v2) = (w.release(1, spec).await, w.release(2, spec).await);
    let id = w.deploy(&v1).await;
    assert_eq!(w.see_through(stay, id).await.phase, "completed");
    w.deploy(&v2).await
}

pub async fn ended(w: &World, id: RolloutId) -> Option<String> {
    let row = w.rollout(id).await;
    row.finished_at.map(|_| row.phase)
}

pub async fn kinds(w: &World, id: RolloutId) -> Vec<String> {
    events::Sealer::new(w.ctx.store.clone()).seal_now().await.unwrap();
    let mut r = w.ctx.store.read().await.unwrap();
    let told = events::of_subject(&mut r, &format!("rollout/{id}"), 0, 1_000).await.unwrap();
    told.into_iter().map(|e| e.fact.kind).collect()
}

#[tokio::test]
async fn a_good_release_goes_up_by_evidence() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    let mut shares = Vec::new();
    for _ in 0..400 {
        second(&mut w, &stay, &mut edge, id).await;
        let now = share(&w, "v2").await;
        if shares.last() != Some(&now) {
            shares.push(now);
        }
        if ended(&w, id).await.is_some() {
            break;
        }
    }
    assert_eq!(ended(&w, id).await.as_deref(), Some("completed"));
    assert_eq!(shares, [1_000, 5_000, 10_000]);
    assert_eq!(kinds(&w, id).await.iter().filter(|k| *k == "rollout.promoted").count(), 2);
    assert!(w.desired().await.routes[0].trial.is_none(), "nothing is on trial any more");
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.waves.iter().map(|w| w.share).collect::<Vec<_>>(), [1_000, 5_000, 10_000]);
    assert!(!shown.over_time.is_empty() && shown.brief.e < shown.brief.e_needed);
    assert_eq!(shown.canary_requests.failed, 0);
    for wave in shown.waves.windows(2) {
        let in_it = shown.over_time.iter().filter(|p| wave[0].t <= p.t && p.t <= wave[1].t);
        assert!(
            in_it.into_iter().any(|p| p.promotion >= shown.brief.promotion_needed),
            "what let it go on is on the picture"
        );
    }
    let all = |arm: fn(&TrafficWindow) -> ArmTraffic| shown.traffic.iter().map(|w| arm(w).requests).sum::<u64>();
    assert_eq!(
        (all(|w| w.canary), all(|w| w.baseline)),
        (shown.canary_requests.requests, shown.baseline_requests.requests)
    );
    assert!((2..=61).contains(&shown.traffic.len()), "{}", shown.traffic.len());
    for w in &shown.traffic {
        let within =
            |l: Option<Latency>, low, high| l.is_none_or(|l| low < l.p50_ms && l.p50_ms < l.p99_ms && l.p99_ms <= high);
        assert!(within(w.canary.latency, 25.0, 50.0) && within(w.baseline.latency, 1.0, 2.5), "{w:?}");
        assert_eq!(
            (w.canary.latency.is_some(), w.baseline.latency.is_some()),
            (w.canary.requests > 0, w.baseline.requests > 0)
        );
    }
    let last = shown.traffic.last().unwrap();
    assert!(last.baseline.requests == 0 && last.t == shown.seconds, "on watch nothing runs beside it: {last:?}");
    let [new, old] = [shown.canary_latency, shown.baseline_latency].map(|l| l.unwrap().p95_ms);
    assert!(25.0 < new && new <= 50.0 && 1.0 < old && old <= 2.5, "{new} {old}");
    let decided: Vec<_> = shown.decisions.iter().map(|d| (d.kind, d.wave)).collect();
    assert_eq!(decided, [(DecisionKind::Promoted, Some(1)), (DecisionKind::Promoted, Some(2))]);
    let [first, second] = shown.decisions.as_slice() else { panic!("{:?}", shown.decisions) };
    assert!(0.0 < first.t && first.t < shown.waves[1].t && shown.waves[1].t < second.t && second.t <= shown.seconds);
    assert_eq!(shown.outlook, None, "nothing is judged any more");
    let told = view::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(told.service_kind, ServiceKind::Web);
    assert!(told.waves[..2].iter().all(|w| w.most_ms.is_some_and(|most| most > w.least_ms)), "{:?}", told.waves);
    let moved: Vec<_> = told.timeline.iter().filter(|e| e.kind == "rollout.traffic_moved").map(|e| e.share).collect();
    assert_eq!(moved, [Some(1_000), Some(5_000), Some(10_000)]);
    let started: Vec<_> = told.timeline.iter().filter(|e| e.kind == "rollout.wave_started").map(|e| e.wave).collect();
    assert_eq!(started, [Some(1), Some(2), Some(3)]);
}

#[tokio::test]
async fn a_bad_release_is_taken_back_and_the_evidence_is_kept() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge { canary_fails: 20, ..Edge::new() };
    for n in 0..200 {
        second(&mut w, &stay, &mut edge, id).await;
        if n == 8 {
            let now = evidence::show(&w.ctx, id, Lang::Zh).await.unwrap();
            assert!(now.outlook.is_some_and(|o| o.text.contains("流量")), "what is to be expected is said meanwhile");
        }
        if ended(&w, id).await.is_some() {
            break;
        }
    }
    assert_eq!(ended(&w, id).await.as_deref(), Some("failed"));
    assert_eq!(w.route().await, [("v1".to_owned(), 10_000)]);
    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    let brief = shown.judgement.unwrap();
    assert_eq!(brief.verdict, Verdict::Worse);
    assert!(brief.e >= 100.0);
    assert!(shown.reason.unwrap().contains("v2 is worse than v1: "));
    let zh = view::show(&w.ctx, id, Lang::Zh).await.unwrap().reason.unwrap();
    assert!(zh.contains("v2 比 v1 差："), "{zh}");
    let whole = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    let blamed: Vec<_> = whole.metrics.iter().filter(|m| m.culprit).map(|m| m.name.as_str()).collect();
    assert_eq!(blamed, ["errors"]);
    kinds(&w, id).await;
    let decided = evidence::show(&w.ctx, id, Lang::En).await.unwrap().decisions;
    let [back] = decided.as_slice() else { panic!("{decided:?}") };
    assert_eq!(back.kind, DecisionKind::Back);
    let before = whole.over_time.iter().filter(|p| p.t < back.t).all(|p| p.e < whole.brief.e_needed);
    assert!(before && back.t <= whole.seconds && back.text.contains("v2 is worse than v1"), "{back:?}");
    assert!(kinds(&w, id).await.contains(&"rollout.returning".to_owned()));
    let mut r = w.ctx.store.read().await.unwrap();
    let told = events::of_subject(&mut r, &format!("rollout/{id}"), 0, 1_000).await.unwrap();
    let back = told.iter().find(|e| e.fact.kind == "rollout.returning").unwrap().fact.after.clone().unwrap();
    assert_eq!(back["evidence"]["verdict"], "worse");
    assert!(back["evidence"]["e"].as_f64().unwrap() >= 100.0);
    let queue = rows::queues::get(&mut r, &service(), &env()).await.unwrap();
    assert!(queue.frozen.is_some());
}

#[tokio::test]
async fn a_server_that_dies_at_every_tick_comes_to_the_same_verdict_at_the_same_second() {
    let mut ends = Vec::new();
    for dies in [false, true] {
        let mut w = World::new().await;
        let mut edge = Edge { canary_fails: 25, ..Edge::new() };
        let agents = w.ctx.agents.clone();
        let (stay, _rx) = w.connect(&agents);
        let id = begun(&mut w, &stay, SPEC).await;
        drop(stay);
        let mut seconds = 0;
        while ended(&w, id).await.is_none() {
            seconds += 1;
            assert!(seconds < 300, "no verdict");
            let agents = w.ctx.agents.clone();
            let (stay, _rx) = w.connect(&agents);
            second(&mut w, &stay, &mut edge, id).await;
            drop(stay);
            if dies {
                w.restart().await;
            }
        }
        let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
        ends.push((shown.brief.verdict, seconds, shown.metrics[0].canary.events, shown.metrics[0].canary.units));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].0, Verdict::Worse);
}

#[tokio::test]
async fn a_count_is_taken_once_and_what_is_missing_is_known() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    for _ in 0..4 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    let units = async |w: &World| {
        let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
        (shown.metrics[0].canary.units, shown.gaps.lost_s)
    };
    let before = units(&w).await;
    let mut late: Vec<UnitTick> = (0..8).map(|_| edge.tick(&w, id, 1_000)).collect();
    late.remove(2);
    late.reverse();
    let twice = late.iter().cloned().chain(late.iter().cloned()).collect();
    intake::take_in(&w.ctx, &stay, twice).await.unwrap();
    let after = units(&w).await;
    assert_eq!(after, (before.0 + 7 * 20, 1));
    intake::take_in(&w.ctx, &stay, late).await.unwrap();
    assert_eq!(units(&w).await, after, "what is in the store is not taken again");

    // A new worker counts from the beginning, and has forgotten whom the one before had counted.
    let mut other = Edge { epoch: "worker-2", ..Edge::new() };
    let before = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    let tick = other.tick(&w, id, 1_000);
    intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
    assert_eq!(units(&w).await, (after.0 + 20, 1));
    let now = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(now.gaps.restarts, 1);
    assert!(now.metrics[0].promotion < before.metrics[0].promotion);
}

#[tokio::test]
async fn counts_of_nobodys_rollout_are_acknowledged_and_forgotten() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    second(&mut w, &stay, &mut edge, id).await;
    let sound = edge.tick(&w, id, 1_000);
    let foreign = [
        UnitTick { rollout: "not an id".into(), ..sound.clone() },
        UnitTick { rollout: RolloutId::at(w.clock.now()).to_string(), ..sound.clone() },
        UnitTick { route: "shop/staging/default".into(), ..sound.clone() },
        UnitTick { route: "shop/production/nowhere".into(), ..sound.clone() },
        UnitTick { route: "../../etc".into(), ..sound.clone() },
        UnitTick { canary: UnitCounts { n: vec![1], x: vec![1], ..UnitCounts::default() }, ..sound.clone() },
        UnitTick { canary: UnitCounts { latency: vec![1; 17], ..sound.canary.clone() }, ..sound.clone() },
    ];
    let stored =
        async |w: &World| rows::evidence::after(&mut w.ctx.store.read().await.unwrap(), id, 0).await.unwrap().len();
    let before = stored(&w).await;
    for tick in foreign {
        let taken = intake::take_in(&w.ctx, &stay, vec![tick.clone()]).await.unwrap();
        let expected = UnitsTaken { route: tick.route, rollout: tick.rollout, epoch: tick.epoch, seq: tick.seq };
        assert_eq!(taken, [expected]);
    }
    assert_eq!(stored(&w).await, before);

    // Impossible counts are left out, and the rest is not.
    let absurd = UnitCounts { n: vec![3, 3], x: vec![u64::MAX, 9], ..sound.canary.clone() };
    intake::take_in(&w.ctx, &stay, vec![UnitTick { canary: absurd, ..sound }]).await.unwrap();
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.gaps.refused, 2);
    assert!(shown.brief.e.is_finite());
}

#[tokio::test]
async fn a_canary_without_traffic_is_held_until_a_person_speaks() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    for _ in 0..14 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        w.pass(Duration::from_secs(60));
    }
    assert_eq!(share(&w, "v2").await, 1_000, "no data is no pass");
    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.judgement.unwrap().verdict, Verdict::Inconclusive);
    assert!(kinds(&w, id).await.contains(&"rollout.asks".to_owned()));

    intervene::promote(&w.ctx, id, 0, "seen with my own eyes", &asker()).await.unwrap();
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(share(&w, "v2").await, 5_000);
    let refused = intervene::promote(&w.ctx, id, 1, "again", &asker()).await.unwrap_err();
    match refused {
        Error::Refused(f) => assert_eq!(f.code.id, "TW-ROLL-025"),
        Error::Store(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn what_the_agent_gave_back_by_itself_ends_the_rollout() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    for _ in 0..4 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert!(w.desired().await.routes[0].trial.as_ref().is_some_and(|t| t.counted && t.limits.error_rate == Some(500)));
    let cause = TripCause::ErrorRate { failed: 61, requests: 600, limit: 500, for_ms: 30_000 };
    w.trip = Some(Trip { rollout: id.to_string(), at: w.clock.now(), cause });
    for _ in 0..5 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    assert_eq!(ended(&w, id).await.as_deref(), Some("failed"));
    let reason = view::show(&w.ctx, id, Lang::En).await.unwrap().reason.unwrap();
    assert_eq!(reason, "61 of 600 requests to v2 on default failed within 30 s, more than 5%");
    assert_eq!(view::show(&w.ctx, id, Lang::En).await.unwrap().reason_code.as_deref(), Some("TW-ROLL-011"));
    assert!(w.desired().await.routes[0].trial.is_none());
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    let told = format!("it ended for another reason: {reason}. The judge, then: not decided yet");
    assert!(shown.brief.sentence.starts_with(&told), "{}", shown.brief.sentence);
}

/// A route's traffic as an edge reports it, `requests` a second of which one in a hundred fails.
fn traffic(w: &World, stay: &Stay<'_>, requests: u64) {
    for second in [0, 10] {
        let split = SplitStats {
            route: "shop/production/default".into(),
            revision: tradewind_model::id::RevisionId::at(w.clock.now()),
            label: "v2".into(),
            requests: second * requests,
            responses: [0, second * requests * 99 / 100, 0, 0, second * requests / 100],
            upstream_failures: Default::default(),
            client_aborts: 0,
            latency: Vec::new(),
            latency_sum_us: 0,
            last_request_at: None,
        };
        let at = w.clock.now().plus(Duration::from_secs(second));
        stay.traffic(Stats { epoch: "worker".into(), at, table: 1, splits: vec![split], targets: Vec::new() });
    }
}

#[tokio::test]
async fn the_outlook_knows_from_the_last_canary_how_many_clients_there_are() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    traffic(&w, &stay, 400);
    // Each client makes four requests, and who fails once fails every time.
    let mut edge = Edge { canary_fails: 100, baseline_fails: 100, ..Edge::new() };
    for _ in 0..400 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        let mut tick = edge.tick(&w, id, share(&w, "v2").await);
        for arm in [&mut tick.canary, &mut tick.baseline] {
            (arm.requests, arm.failed) = (4 * arm.requests, 4 * arm.failed);
        }
        intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
        w.pass(Duration::from_secs(1));
        if ended(&w, id).await.is_some() {
            break;
        }
    }
    assert_eq!(ended(&w, id).await.as_deref(), Some("completed"));
    let v3 = w.release(3, SPEC).await;
    let next = w.deploy(&v3).await;
    let doc: PlanDoc = w.rollout(next).await.plan.read().unwrap();
    let told = doc.outlook.unwrap().text.en().to_owned();
    assert!(told.contains("400.0 requests a second lately, 1.00 % of them failing"), "{told}");
    assert!(told.contains("from 100.0 new customers a second as of the last canary"), "{told}");
    assert!(told.contains("2 times as many errors are found in about 2 min 44 s"), "{told}");
}

#[tokio::test]
async fn the_outlook_of_a_wave_under_way_goes_by_what_the_wave_has_brought() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    traffic(&w, &stay, 400);
    let mut edge = Edge::new();
    let mut told = Vec::new();
    while share(&w, "v2").await < 1_000 {
        second(&mut w, &stay, &mut edge, id).await;
    }
    while share(&w, "v2").await == 1_000 {
        let outlook = evidence::show(&w.ctx, id, Lang::En).await.unwrap().outlook;
        told.extend(outlook.map(|o| o.text));
        second(&mut w, &stay, &mut edge, id).await;
    }
    let left = |text: &str| -> Option<u64> {
        let (_, rest) = text.split_once("goes on after ")?;
        rest.split_once(" more customers")?.0.replace(',', "").parse().ok()
    };
    // Two hundred customers a second, a tenth of them on the canary: twenty fewer are missing each second.
    let counts: Vec<u64> = told.iter().filter_map(|t| left(t)).collect();
    assert!(counts.len() > 5 && counts.windows(2).all(|w| w[1] <= w[0] && w[0] - w[1] <= 40), "{counts:?}");
    let last = told.iter().rev().find(|t| left(t).is_some()).unwrap();
    assert!(last.contains("400.0 requests a second lately") && last.contains("new customers a second:"), "{last}");
    assert!(last.contains(&format!("{} more customers of it, in about", counts.last().unwrap())), "{last}");
}

/// 400 customers come while new instances are cold, and each again some time later.
#[tokio::test]
async fn who_came_while_it_was_cold_counts_once_it_is_warm() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    let mut counted = 0;
    for _ in 0..60 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        let share = share(&w, "v2").await;
        if share > 1_000 {
            break;
        }
        let mut tick = edge.tick(&w, id, share);
        if share > 0 {
            counted += 1;
            for arm in [&mut tick.canary, &mut tick.baseline] {
                let (n, new) = if counted == 2 { (400, 400) } else { (10, 0) };
                (arm.n, arm.x, arm.new) = (vec![n, n], vec![0, 0], new);
            }
        }
        intake::take_in(&w.ctx, &stay, vec![tick]).await.unwrap();
        w.pass(Duration::from_secs(1));
    }
    assert_eq!(share(&w, "v2").await, 5_000, "{:#?}", evidence::show(&w.ctx, id, Lang::En).await.unwrap().metrics);
}

#[tokio::test]
async fn a_rollout_that_is_not_judged_says_why() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let v1 = w.release(1, SPEC).await;
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    let why = |refused: Error| match refused {
        Error::Refused(fault) => fault.problem(Lang::En).title,
        other => panic!("{other:?}"),
    };
    let first = why(evidence::show(&w.ctx, id, Lang::En).await.unwrap_err());
    assert!(first.ends_with("it is the first release here, and there is nothing to compare it with"), "{first}");
    let blue = w
        .release(
            2,
            &SPEC.replace(
                "type: canary, min: 5s, max: 10m, soak: 1s, watch: 2m, judge: { latency: [250ms], warmup: 3s }",
                "type: blue_green, soak: 1s",
            ),
        )
        .await;
    let id = w.deploy(&blue).await;
    w.see_through(&stay, id).await;
    let other = why(evidence::show(&w.ctx, id, Lang::En).await.unwrap_err());
    assert!(other.ends_with("its strategy is no canary"), "{other}");
    let id = w.rollback().await;
    let back = why(evidence::show(&w.ctx, id, Lang::En).await.unwrap_err());
    assert!(back.ends_with("a rollback takes the shortest way and tries nothing"), "{back}");
}

//! What is counted of a trial: clients, each once.

use crate::support::*;
use http::{Request, StatusCode, header::USER_AGENT};
use http_body_util::combinators::BoxBody;
use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, sync::Semaphore};
use tradewind_edge::WorkerConfig;
use tradewind_model::protocol::{
    edge::{FULL_SHARE, FromEdge, Mode, Route, Sticky, Target, ToEdge},
    trial::{Ignore, Limits, Trial, UnitCounts, UnitTick, UnitsTaken},
};

type Ask = Request<BoxBody<bytes::Bytes, Infallible>>;

pub fn trial(bounds_ms: &[u32]) -> Trial {
    Trial {
        canary: revision(2),
        baseline: revision(1),
        counted: true,
        bounds_ms: bounds_ms.to_vec(),
        ignore: Ignore::default(),
        limits: Limits { error_rate: None, p99_ms: None, for_ms: 30_000, min_requests: 50 },
        lease_ms: 600_000,
    }
}

/// An instance that does what the path says.
async fn habits(gate: Arc<Semaphore>) -> Instance {
    Instance::start(move |request| {
        let gate = gate.clone();
        Box::pin(async move {
            let mut answer = text("ok");
            match request.uri().path() {
                "/fail" => *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
                "/hang" => gate.acquire().await.unwrap().forget(),
                _ => {}
            }
            answer
        })
    })
    .await
}

/// Who asks, by a header.
fn by(client: &str, path: &str) -> Ask {
    Request::get(path).header("host", HOST).header("x-client", client).body(full("")).unwrap()
}

/// All that was counted so far.
#[derive(Default)]
struct Counted(BTreeMap<(String, u64), UnitTick>);

impl Counted {
    fn note(&mut self, ticks: &[UnitTick]) {
        for t in ticks {
            for arm in [&t.canary, &t.baseline] {
                assert!(arm.n.iter().zip(&arm.x).all(|(n, x)| n >= x), "more fail than are active: {t:?}");
            }
            let known = self.0.insert((t.epoch.clone(), t.seq), t.clone());
            assert!(known.is_none_or(|k| k == *t), "a tick does not change");
        }
    }

    fn sum(&self, arm: impl Fn(&UnitTick) -> &UnitCounts) -> UnitCounts {
        let mut sum = UnitCounts::default();
        for t in self.0.values().map(arm) {
            sum.n.resize(t.n.len(), 0);
            sum.x.resize(t.x.len(), 0);
            sum.n.iter_mut().zip(&t.n).for_each(|(s, n)| *s += n);
            sum.x.iter_mut().zip(&t.x).for_each(|(s, x)| *s += x);
            sum.new += t.new;
            sum.requests += t.requests;
            sum.failed += t.failed;
        }
        sum
    }

    fn canary(&self) -> UnitCounts {
        self.sum(|t| &t.canary)
    }

    fn baseline(&self) -> UnitCounts {
        self.sum(|t| &t.baseline)
    }

    /// First failures of the baseline.
    fn failures(&self) -> u64 {
        self.baseline().x.first().copied().unwrap_or_default()
    }

    fn epochs(&self) -> Vec<&str> {
        let mut epochs: Vec<_> = self.0.keys().map(|(e, _)| e.as_str()).collect();
        epochs.dedup();
        epochs
    }

    fn seqs(&self, epoch: &str) -> Vec<u64> {
        self.0.keys().filter(|(e, _)| e == epoch).map(|(_, s)| *s).collect()
    }
}

struct World {
    edge: Edge,
    agent: Agent,
    client: Client,
    baseline: Instance,
    _canary: Instance,
    gate: Arc<Semaphore>,
    route: Route,
    version: u64,
    counted: Counted,
}

impl World {
    /// All traffic on the baseline; clients are named by a header.
    async fn start(bounds_ms: &[u32]) -> Self {
        Self::with(bounds_ms, |_| {}).await
    }

    async fn with(bounds_ms: &[u32], change: impl FnOnce(&mut WorkerConfig)) -> Self {
        let edge = Edge::with(change);
        let agent = edge.agent().await;
        let gate = Arc::new(Semaphore::new(0));
        let (baseline, canary) = (habits(gate.clone()).await, habits(gate.clone()).await);
        let mut route = route(vec![split(1, FULL_SHARE, &[baseline.target()]), split(2, 0, &[canary.target()])]);
        route.sticky = Sticky::Header { name: "x-client".into() };
        route.trial = Some(trial(bounds_ms));
        let client = Client::dial(edge.addr).await;
        let counted = Counted::default();
        let mut this = Self { edge, agent, client, baseline, _canary: canary, gate, route, version: 0, counted };
        this.put(|_| {}).await;
        this
    }

    async fn put(&mut self, change: impl FnOnce(&mut Route)) {
        change(&mut self.route);
        self.version += 1;
        self.agent.put(table(self.version, vec![self.route.clone()])).await;
    }

    async fn share(&mut self, canary: u32) {
        self.put(|r| (r.splits[0].weight, r.splits[1].weight) = (FULL_SHARE - canary, canary)).await;
    }

    async fn ask(&mut self, client: &str, path: &str) -> StatusCode {
        self.client.send(by(client, path)).await.unwrap().status
    }

    /// Hears ticks until the counts are so.
    async fn until(&mut self, what: &str, holds: impl Fn(&Counted) -> bool) {
        loop {
            for message in self.agent.heard.drain(..) {
                if let FromEdge::Units { ticks } = message {
                    self.counted.note(&ticks);
                }
            }
            if holds(&self.counted) {
                return;
            }
            let next = tokio::time::timeout(HANG, self.agent.next()).await;
            match next {
                Ok(Some(message)) => self.agent.heard.push(message),
                Ok(None) | Err(_) => panic!("never: {what}\n{:#?}", self.counted.0.values().collect::<Vec<_>>()),
            }
        }
    }

    /// Everything that has happened so far is in the counts.
    async fn settle(&mut self) {
        // What was said before the answer to this has been heard with it.
        self.put(|_| {}).await;
        self.until("what was said so far", |_| true).await;
        let before = self.counted.0.len();
        self.until("two more seconds", |c| c.0.len() >= before + 2).await;
    }

    /// Forgets what was counted so far.
    async fn afresh(&mut self) {
        self.settle().await;
        self.counted = Counted::default();
    }
}

#[tokio::test]
async fn a_client_fails_once_over_both_arms_and_is_at_risk_no_more() {
    let mut world = World::start(&[]).await;
    for client in ["a", "b"] {
        assert_eq!(world.ask(client, "/").await, StatusCode::OK);
    }
    for _ in 0..3 {
        assert_eq!(world.ask("a", "/fail").await, StatusCode::INTERNAL_SERVER_ERROR);
    }
    world.settle().await;
    let first = world.counted.baseline();
    assert_eq!((first.x[0], first.new, first.requests, first.failed), (1, 2, 5, 3));
    assert!(first.n[0] >= 2);
    assert_eq!(world.counted.canary(), UnitCounts { n: vec![0], x: vec![0], ..UnitCounts::default() });

    // Where it comes back to, it is nobody: neither active nor failing.
    world.share(FULL_SHARE).await;
    world.afresh().await;
    for path in ["/", "/fail", "/fail"] {
        world.ask("a", path).await;
    }
    world.settle().await;
    let again = world.counted.canary();
    assert_eq!((again.n[0], again.x[0], again.new), (0, 0, 0), "{again:?}");
    assert_eq!((again.requests, again.failed), (3, 2), "requests are counted all the same");

    // The other one has not failed; a newcomer's failure is one.
    world.ask("b", "/").await;
    world.ask("c", "/fail").await;
    world.settle().await;
    let others = world.counted.canary();
    assert_eq!((others.x[0], others.new), (1, 2), "both are new on this arm");
    assert!(others.n[0] >= 2);
    world.ask("b", "/fail").await;
    world.until("b's first failure", |c| c.canary().x == [2]).await;
    assert_eq!(world.counted.epochs().len(), 1, "one count through all shares");
}

#[tokio::test]
async fn a_client_that_fails_ten_thousand_times_is_one_failure() {
    let mut world = World::start(&[]).await;
    let addr = world.edge.addr;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::dial(addr).await;
                for _ in 0..1_250 {
                    client.send(by("one", "/fail")).await.unwrap();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((all.n[0], all.x[0], all.new, all.requests, all.failed), (1, 1, 1, 10_000, 10_000));
}

#[tokio::test]
async fn all_traffic_from_one_client_is_one_client_a_second() {
    let mut world = World::start(&[60_000]).await;
    for _ in 0..300 {
        world.ask("one", "/").await;
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((all.new, all.requests, &*all.x), (1, 300, &[0, 0][..]));
    for tick in world.counted.0.values() {
        assert!(tick.baseline.n.iter().all(|n| *n <= 1), "{tick:?}");
    }
}

#[tokio::test]
async fn a_request_without_an_id_is_a_unit_by_itself() {
    let mut world = World::start(&[60_000]).await;
    world.put(|r| r.sticky = Sticky::None).await;
    for path in ["/", "/fail", "/", "/fail", "/"] {
        world.client.get(path).await;
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((&*all.n, &*all.x, all.new), (&[5, 5][..], &[2, 0][..], 5));
}

#[tokio::test]
async fn a_minted_id_is_the_clients_from_its_first_request_on() {
    let mut world = World::start(&[]).await;
    world.put(|r| r.sticky = Sticky::Cookie { name: "tw".into(), max_age_s: 60, secure: false }).await;
    let first = world.client.get("/fail").await;
    let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    for path in ["/fail", "/"] {
        let request = Request::get(path).header("host", HOST).header("cookie", &cookie).body(full("")).unwrap();
        world.client.send(request).await.unwrap();
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((all.n[0], all.x[0], all.new, all.failed), (1, 1, 1, 2));
}

#[tokio::test]
async fn what_is_no_unit_is_not_counted() {
    let mut world = World::start(&[60_000]).await;
    world
        .put(|r| {
            let ignore = Ignore { paths: vec!["/healthz".into()], agents: vec!["bot".into()] };
            r.trial.as_mut().unwrap().ignore = ignore;
            r.limits.max_body_bytes = 10;
        })
        .await;
    world.ask("a", "/healthz/deep").await;
    let mut from_bot = by("b", "/fail");
    from_bot.headers_mut().insert(USER_AGENT, "SomeBot/1.0".parse().unwrap());
    world.client.send(from_bot).await.unwrap();
    for want in ["", &*revision(2).to_string()] {
        let mut probe = by("c", "/fail");
        probe.headers_mut().insert("x-tradewind-probe", PROBE.parse().unwrap());
        probe.headers_mut().insert("x-tradewind-want", want.parse().unwrap());
        world.client.send(probe).await.unwrap();
    }
    let mut large = by("d", "/");
    *large.body_mut() = full("eleven bytes");
    assert_eq!(Client::dial(world.edge.addr).await.send(large).await.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    world.put(|r| r.mode = Mode::Maintenance { retry_after_s: 1 }).await;
    assert_eq!(world.ask("e", "/").await, StatusCode::SERVICE_UNAVAILABLE);
    world.put(|r| r.mode = Mode::Pause { max_ms: 1, max_requests: 1 }).await;
    assert_eq!(world.ask("e", "/").await, StatusCode::SERVICE_UNAVAILABLE);
    // Nobody of the canary is there: its clients go where they did not belong.
    world
        .put(|r| {
            r.mode = Mode::Serve;
            (r.splits[0].weight, r.splits[1].weight) = (1, FULL_SHARE - 1);
            r.splits[1].targets.clear();
        })
        .await;
    world.ask("f", "/fail").await;
    world.settle().await;
    for (arm, requests) in [(world.counted.canary(), 0), (world.counted.baseline(), 4)] {
        assert_eq!((&*arm.n, &*arm.x, arm.new), (&[0, 0][..], &[0, 0][..], 0));
        assert_eq!(arm.requests, requests, "those of clients are counted as requests");
    }
}

#[tokio::test]
async fn what_an_upstream_does_not_answer_has_failed() {
    let mut world = World::start(&[]).await;
    let to = |target: Target| {
        move |r: &mut Route| {
            r.splits[0].targets = vec![target];
            r.limits.response_ms = 50;
        }
    };
    let resets = raw_instance(|mut stream| async move { drop(read_head(&mut stream).await) }).await;
    let breaks = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let hangs = world.baseline.target();
    for (client, target) in [("connect", nobody().await), ("reset", resets), ("body", breaks), ("timeout", hangs)] {
        world.put(to(target)).await;
        let answer = Client::dial(world.edge.addr).await.send(by(client, "/hang")).await;
        assert!(answer.is_ok_and(|r| r.status.is_server_error()) || client == "body", "{client}");
    }
    world.put(|r| r.splits[0].targets.clear()).await;
    assert_eq!(world.ask("no_target", "/").await, StatusCode::SERVICE_UNAVAILABLE);
    let busy = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    world
        .put(|r| {
            r.splits[0].targets = vec![busy];
            r.limits = tradewind_model::protocol::edge::RouteLimits { connect_ms: 50, max_in_flight: 1, ..r.limits };
            r.limits.response_ms = 60_000;
        })
        .await;
    let addr = world.edge.addr;
    let waiting = tokio::spawn(async move { Client::dial(addr).await.send(by("waits", "/")).await });
    world.agent.stats("it waits", |s| s.targets.iter().any(|t| t.instance == busy.instance && t.in_flight == 1)).await;
    assert_eq!(world.ask("overload", "/").await, StatusCode::SERVICE_UNAVAILABLE);
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((all.x[0], all.failed), (6, 6), "{all:?}");
    assert!((6..=7).contains(&all.n[0]), "an answer and its end may fall into two seconds: {all:?}");
    waiting.abort();
}

#[tokio::test]
async fn a_request_that_hangs_is_slow_before_it_answers() {
    let mut world = World::start(&[20, 40, 3_600_000]).await;
    world.share(FULL_SHARE).await;
    let addr = world.edge.addr;
    let hanging = tokio::spawn(async move { Client::dial(addr).await.send(by("a", "/hang")).await.unwrap().status });
    world.until("two bounds crossed", |c| c.canary().x == [0, 1, 1, 0]).await;
    let all = world.counted.canary();
    assert_eq!(all.n, [0, 1, 1, 0], "it has no outcome but these yet");
    assert_eq!(all.requests, 1);
    world.gate.add_permits(1);
    assert_eq!(hanging.await.unwrap(), StatusCode::OK);
    world.settle().await;
    let all = world.counted.canary();
    assert_eq!((&*all.n, &*all.x), (&[1, 1, 1, 1][..], &[0, 1, 1, 0][..]));
    // Slow again is no news.
    let hanging = tokio::spawn(async move { Client::dial(addr).await.send(by("a", "/hang")).await.unwrap().status });
    world.settle().await;
    world.gate.add_permits(1);
    hanging.await.unwrap();
    world.settle().await;
    assert_eq!(world.counted.canary().x, [0, 1, 1, 0]);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_no_failure_but_what_it_waited_for_was_slow() {
    let mut world = World::start(&[20, 3_600_000]).await;
    for (n, wait) in [(1, Duration::ZERO), (2, Duration::from_millis(40))] {
        let before = world.baseline.requests();
        let mut client = Client::dial(world.edge.addr).await;
        let name = format!("client-{n}");
        let mut asking = Box::pin(client.send(by(&name, "/hang")));
        tokio::select! {
            _ = &mut asking => panic!("it was to hang"),
            () = until("it is there", || world.baseline.requests() > before) => {}
        }
        let waited = tokio::time::timeout(wait, &mut asking).await;
        assert!(waited.is_err());
        drop(asking);
        drop(client);
        world.agent.stats("it is known to be gone", |s| s.splits[0].client_aborts == n).await;
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((all.n[0], all.x[0], all.n[2], all.x[2]), (0, 0, 0, 0), "{all:?}");
    // The first may have been looked at in its short life, or held up on its way.
    assert!((1..=2).contains(&all.x[1]) && all.n[1] == all.x[1], "{all:?}");
    assert_eq!((all.requests, all.failed), (2, 0));
}

#[tokio::test]
async fn ticks_have_no_gaps_and_are_sent_again_until_they_are_taken() {
    let mut world = World::start(&[100]).await;
    world.until("three seconds", |c| c.0.len() >= 3).await;
    let [epoch] = world.counted.epochs()[..] else { panic!("one epoch") };
    let epoch = epoch.to_owned();
    for (n, tick) in world.counted.0.values().enumerate() {
        assert_eq!(
            (tick.seq, tick.route.as_str(), tick.rollout.as_str()),
            (n as u64 + 1, &*world.route.id, "rollout-1")
        );
        let nothing = UnitCounts { n: vec![0, 0], x: vec![0, 0], ..UnitCounts::default() };
        assert_eq!((&tick.canary, &tick.baseline, tick.sampled), (&nothing, &nothing, 0));
    }
    // Nobody listens for a while.
    world.agent = world.edge.agent().await;
    world.counted = Counted::default();
    world.agent.send(&ToEdge::Table(table(world.version, vec![world.route.clone()]))).await;
    world.until("all of them again and one more", |c| c.0.len() >= 4).await;
    assert_eq!(world.counted.seqs(&epoch)[..4], [1, 2, 3, 4]);
    let taken =
        |route: &str, seq| UnitsTaken { route: route.into(), rollout: "rollout-1".into(), epoch: epoch.clone(), seq };
    let id = world.route.id.clone();
    world.agent.send(&ToEdge::UnitsTaken { taken: vec![taken(&id, 3), taken("other", 9_999)] }).await;
    // Answered in order: what was said before it has been heard.
    world.put(|_| {}).await;
    world.agent = world.edge.agent().await;
    world.counted = Counted::default();
    world.until("what is left", |c| c.0.len() >= 2).await;
    assert_eq!(world.counted.seqs(&epoch)[..2], [4, 5]);
}

#[tokio::test]
async fn counting_ends_with_the_trial_and_begins_anew_with_another() {
    let mut world = World::start(&[]).await;
    world.ask("a", "/fail").await;
    world.until("a's failure", |c| c.failures() == 1).await;
    world.ask("b", "/fail").await;
    let before = world.route.trial.clone();
    world.put(|r| r.trial = None).await;
    world.until("b's failure is not lost", |c| c.failures() == 2).await;
    let seen = world.counted.0.len();
    world.agent.stats("a second", |_| true).await;
    world.agent.stats("and another", |_| true).await;
    world.until("what came meanwhile", |_| true).await;
    assert_eq!(world.counted.0.len(), seen, "nothing is counted without a trial");
    let changes: [&dyn Fn(&mut Route); 4] = [
        // It was forgotten who had failed.
        &|r| r.trial.clone_from(&before),
        &|r| r.salt = "rollout-2".into(),
        &|r| r.trial.as_mut().unwrap().bounds_ms = vec![5],
        &|r| r.trial.as_mut().unwrap().counted = false,
    ];
    for (n, change) in changes.into_iter().enumerate() {
        world.put(change).await;
        let epochs = (n + 2).min(4);
        world.ask("a", "/fail").await;
        if n < 3 {
            world.until("a's failure once more", |c| c.failures() == 3 + n as u64).await;
        } else {
            world.agent.stats("a second", |_| true).await;
            world.agent.stats("and another", |_| true).await;
            world.until("what came meanwhile", |_| true).await;
        }
        assert_eq!(world.counted.epochs().len(), epochs);
    }
    assert_eq!(world.counted.baseline().x[0], 5);
    for epoch in world.counted.epochs() {
        let seqs = world.counted.seqs(epoch);
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_planned_change_of_workers_loses_no_tick_and_knows_who_had_failed() {
    let mut world = World::start(&[100]).await;
    world.ask("a", "/fail").await;
    world.until("a's failure", |c| c.failures() == 1).await;
    let first = world.counted.epochs()[0].to_owned();
    world.ask("b", "/fail").await;
    world.ask("e", "/").await;
    let addr = world.edge.addr;
    let hanging = tokio::spawn(async move { Client::dial(addr).await.send(by("c", "/hang")).await.unwrap().status });
    until("it is there", || world.baseline.requests() == 4).await;
    let next = world.edge.another(|_| {}, true);
    let old = world.edge.worker.replace(next).unwrap();
    world.agent = world.edge.agent().await;
    world.agent.send(&ToEdge::Table(table(world.version, vec![world.route.clone()]))).await;
    world.client = Client::dial(world.edge.addr).await;
    world
        .until("the old worker's last counts, and c's wait", |c| {
            let old = c.sum(|t| if t.epoch == first { &t.baseline } else { &t.canary });
            old.x == [2, 1]
        })
        .await;
    world.until("a new epoch", |c| c.epochs().len() == 2).await;
    for client in ["e", "a", "b", "d"] {
        world.ask(client, "/fail").await;
    }
    world.until("e's and d's failure", |c| c.failures() == 4).await;
    world.gate.add_permits(1);
    assert_eq!(hanging.await.unwrap(), StatusCode::OK);
    within("the old worker ends", tokio::task::spawn_blocking(|| old.join())).await.unwrap().unwrap();
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((&*all.x, all.new), (&[4, 1][..], 5), "and nobody is new twice");
    for epoch in world.counted.epochs() {
        let seqs = world.counted.seqs(epoch);
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "no gaps in {epoch}");
    }
}

#[tokio::test]
async fn where_failures_fill_the_room_fewer_clients_are_looked_at() {
    const ROOM: usize = 64;
    let mut world = World::with(&[], |c| c.trial_clients = ROOM).await;
    let kept = |page: &str| -> f64 {
        let line = page.lines().find(|l| l.starts_with("tradewind_edge_trial_clients{")).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for round in 0..5 {
        for n in 0..100 {
            world.ask(&format!("client-{round}-{n}"), "/fail").await;
        }
        world.settle().await;
        assert!(kept(&world.edge.metrics().await) <= ROOM as f64);
    }
    let sampled = world.counted.0.values().map(|t| t.sampled).collect::<Vec<_>>();
    assert!(sampled.is_sorted() && sampled.last() >= Some(&2), "{sampled:?}");
    let all = world.counted.baseline();
    assert!(all.x[0] < 500 && all.x[0] >= 32, "{all:?}");
    // Who is not looked at counts for nothing, and who is, counts.
    world.afresh().await;
    for n in 0..200 {
        world.ask(&format!("healthy-{n}"), "/").await;
    }
    world.settle().await;
    let all = world.counted.baseline();
    assert!(all.n[0] > 0 && all.n[0] <= 120 && all.x[0] == 0, "{all:?}");
}

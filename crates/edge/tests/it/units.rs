//! What is counted of a trial: clients, each once.

use crate::{
    support::*,
    trial::{World, by},
};
use http::{Request, StatusCode, header::USER_AGENT};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tradewind_model::protocol::{
    edge::{FULL_SHARE, Mode, Route, RouteLimits, Sticky, Target},
    trial::{Ignore, UnitCounts},
};

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
    assert_eq!(first.latency.iter().sum::<u64>(), 5, "every answer, once: {first:?}");
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
    assert_eq!(again.latency.iter().sum::<u64>(), 3);

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
            r.limits = RouteLimits { connect_ms: 50, max_in_flight: 1, ..r.limits };
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

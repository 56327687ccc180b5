//! Pages of real instances are read, and what they say goes up.

use crate::world::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tradewind_model::{
    fault::Lang,
    id::InstanceId,
    protocol::{
        agent::{FromAgent, InstancePhase, Observed, ToAgent},
        scrape::{DesiredScrape, Scrape},
        trial::{Feed, UnitTick, UnitsTaken},
    },
};

/// Its page is what it was last sent; before that it has none.
const COUNTING: &str = r#"
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(os.environ["PORT"]))); s.listen(64)
page = None
while True:
    c, _ = s.accept()
    data = c.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    status, answer = b"200 OK", b"ok"
    if b"GET /metrics" in head:
        if b"tradewind-scrape" not in head: answer = b"who asks?"
        elif page is None: status, answer = b"404 Not Found", b"nothing"
        else: answer = page
    elif b"POST /page" in head: page = body
    elif b"GET /die" in head: os._exit(3)
    elif b"GET /long" in head: page = b"x" * (2 << 20)
    c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: " + str(len(answer)).encode() + b"\r\nConnection: close\r\n\r\n" + answer)
    c.close()
"#;

struct Trial {
    w: World,
    canary: [InstanceId; 2],
    baseline: InstanceId,
    seen: BTreeMap<(String, u64), UnitTick>,
}

impl Trial {
    /// Revision 2 in two instances beside revision 1 in one, all ready.
    async fn start() -> Self {
        let mut w = World::new().await;
        let releases = [1, 2].map(|n| w.release_with(n, COUNTING));
        let instance = |n, of: usize| desired_instance(n, releases[of - 1], of as u128, workload(&[]));
        let instances = vec![instance(1, 2), instance(2, 2), instance(3, 1)];
        w.want(|d| d.instances.clone_from(&instances));
        for i in &instances {
            w.until_phase(i.id, InstancePhase::Ready).await;
        }
        Self { w, canary: [instances[0].id, instances[1].id], baseline: instances[2].id, seen: BTreeMap::new() }
    }

    fn addr(&self, id: InstanceId) -> SocketAddr {
        instance(&self.w.server.observed.borrow(), id).unwrap().addr.unwrap()
    }

    async fn page(&self, id: InstanceId, text: &str) {
        let mut stream = tokio::net::TcpStream::connect(self.addr(id)).await.unwrap();
        stream.write_all(format!("POST /page HTTP/1.1\r\nHost: x\r\n\r\n{text}").as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }

    async fn counts(&self, id: InstanceId, cycles: u64, failed: u64) {
        self.page(id, &format!("cycles_total {cycles}\nfailed_total {failed}\n")).await;
    }

    fn begin(&mut self, every_ms: u64) {
        let metrics = vec![crate::pages::errors(
            crate::pages::series("failed_total", &[]),
            crate::pages::series("cycles_total", &[]),
        )];
        let scrape = DesiredScrape {
            place: place(),
            rollout: "r".into(),
            canary: revision(2),
            baseline: revision(1),
            scrape: Scrape { path: "/metrics".into(), every_ms, metrics },
        };
        self.w.want(|d| d.scrapes = vec![scrape]);
    }

    async fn next(&mut self) {
        let FromAgent::Units { ticks } = self.w.heard.recv().await.unwrap() else { return };
        for tick in ticks {
            assert_eq!(
                (tick.feed, tick.route.as_str(), tick.rollout.as_str()),
                (Feed::Scrape, "shop/production/default", "r")
            );
            assert!(tick.epoch.starts_with("scrape-"));
            let key = (tick.epoch.clone(), tick.seq);
            if let Some(before) = self.seen.insert(key, tick.clone()) {
                assert_eq!(before, tick, "what is sent again is the same");
            }
        }
    }

    fn epochs(&self) -> BTreeSet<String> {
        self.seen.keys().map(|(epoch, _)| epoch.clone()).collect()
    }

    /// What all ticks come to, each once: `(n, x)` of canary and baseline.
    fn sums(&self) -> [(u64, u64); 2] {
        let mut sums = [(0, 0); 2];
        for tick in self.seen.values() {
            for (sum, arm) in sums.iter_mut().zip([&tick.canary, &tick.baseline]) {
                *sum = (sum.0 + arm.n[0], sum.1 + arm.x[0]);
            }
        }
        sums
    }

    async fn until_sums(&mut self, want: [(u64, u64); 2]) {
        let all = async {
            while self.sums() != want {
                self.next().await;
            }
        };
        if tokio::time::timeout(GUARD, all).await.is_err() {
            panic!("{:?} instead of {want:?}", self.sums());
        }
    }

    /// So many rounds more.
    async fn rounds(&mut self, more: usize) {
        let want = self.seen.len() + more;
        let all = async {
            while self.seen.len() < want {
                self.next().await;
            }
        };
        tokio::time::timeout(GUARD, all).await.expect("a round");
    }

    async fn until_said(&mut self, want: &[&str]) {
        let said = |o: &Observed| -> Vec<String> {
            o.scrapes.iter().flat_map(|s| &s.notes).map(|n| n.get(Lang::En).to_owned()).collect()
        };
        self.w.until(&format!("{want:?}"), |o| said(o) == want).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_instances_count_goes_up_through_restarts_and_gaps() {
    let mut t = Trial::start().await;
    let [one, two] = t.canary;
    t.begin(40);
    t.until_said(&["v1: GET /metrics answered 404 Not Found", "v2: GET /metrics answered 404 Not Found"]).await;
    t.counts(one, 1_000, 10).await;
    t.counts(two, 500, 5).await;
    t.counts(t.baseline, 9_000, 9).await;
    t.until_said(&[]).await;
    t.rounds(2).await;
    assert_eq!(t.sums(), [(0, 0); 2], "what was counted before is nobody's");

    t.counts(one, 1_040, 12).await;
    t.counts(two, 507, 5).await;
    t.counts(t.baseline, 9_300, 10).await;
    t.until_sums([(47, 2), (300, 1)]).await;

    // It dies and comes back: its counters begin at 0.
    let before = instance(&t.w.server.observed.borrow(), one).unwrap().pid;
    let _ = tokio::time::timeout(GUARD, get_nothing(t.addr(one), "/die")).await.unwrap();
    t.w.until("another process", |o| {
        instance(o, one).is_some_and(|i| i.phase == InstancePhase::Ready && i.pid != before)
    })
    .await;
    t.until_said(&["v2, 1 of 2 instances: GET /metrics answered 404 Not Found"]).await;
    t.counts(one, 3, 1).await;
    t.until_sums([(50, 3), (300, 1)]).await;

    // While its page is longer than any, it is not read; what it counted meanwhile comes after.
    let _ = get(t.addr(two), "/long").await;
    t.until_said(&["v2, 1 of 2 instances: /metrics is longer than 1 MiB"]).await;
    t.page(two, "cycles_total -1\nfailed_total 5\n").await;
    t.until_said(&["v2, 1 of 2 instances: `cycles_total` is -1, which no counter can be"]).await;
    t.counts(two, 600, 6).await;
    t.until_sums([(143, 4), (300, 1)]).await;
    t.until_said(&[]).await;

    // The old release goes away, and the new one counts on.
    t.w.want(|d| d.instances.retain(|i| i.revision != revision(1)));
    t.counts(one, 13, 1).await;
    t.until_sums([(153, 4), (300, 1)]).await;

    // Another trial is another count.
    assert_eq!(t.epochs().len(), 1);
    t.w.want(|d| d.scrapes.clear());
    t.begin(50);
    t.rounds(2).await;
    assert_eq!(t.epochs().len(), 2);
    assert_eq!(t.sums(), [(153, 4), (300, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_not_taken_it_hears_again() {
    let mut t = Trial::start().await;
    for id in [t.canary[0], t.canary[1], t.baseline] {
        t.counts(id, 0, 0).await;
    }
    t.begin(40);
    t.until_said(&[]).await;
    t.rounds(2).await;
    let (epoch, seq) = t.seen.keys().next_back().unwrap().clone();
    let taken = UnitsTaken { route: "shop/production/default".into(), rollout: "r".into(), epoch, seq };
    t.w.server.ask(ToAgent::UnitsTaken { taken: vec![taken] });
    t.rounds(1).await;

    t.w.server.down();
    t.counts(t.canary[0], 25, 1).await;
    t.w.server.up().await;
    t.until_sums([(25, 1), (0, 0)]).await;
    let numbers: Vec<u64> = t.seen.keys().map(|(_, seq)| *seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "none is missing");
    // The next agent begins another count.
    t.w.drop_agent().await;
    t.w.start_agent();
    let before = t.epochs();
    while t.epochs() == before {
        t.rounds(1).await;
    }
    t.counts(t.canary[0], 30, 2).await;
    t.until_sums([(30, 2), (0, 0)]).await;
}

/// One that dies answers nothing.
async fn get_nothing(addr: SocketAddr, path: &str) -> std::io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(addr).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

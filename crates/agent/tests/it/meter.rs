//! Looks at instances in, ticks out.

use crate::{
    pages::{errors, metric, orders, series, slow},
    world::{place, revision},
};
use std::collections::BTreeMap;
use tradewind_agent::scrape::meter::{Arm, Meter, Target};
use tradewind_model::{
    fault::Lang,
    id::InstanceId,
    protocol::{
        edge::{SplitStats, Stats},
        scrape::{DesiredScrape, MetricKind, Read, Scrape, ScrapedMetric},
        trial::{Feed, UnitTick},
    },
    said,
    said::Said,
    time::Timestamp,
};
use uuid::Uuid;

/// Two instances of the canary and one of the baseline, with pages of one's own.
struct Trial {
    meter: Meter,
    targets: Vec<Target>,
    pages: BTreeMap<u128, Result<String, Said>>,
    said: Vec<Said>,
    sent: [u64; 2],
}

fn id(n: u128) -> InstanceId {
    InstanceId(Uuid::from_u128(n))
}

impl Trial {
    fn new(metrics: Vec<ScrapedMetric>) -> Self {
        let scrape = DesiredScrape {
            place: place(),
            rollout: "r".into(),
            canary: revision(2),
            baseline: revision(1),
            scrape: Scrape { path: "/metrics".into(), every_ms: 5_000, metrics },
        };
        let target = |n: u128, arm, label: &str| Target {
            instance: id(n),
            arm,
            label: label.into(),
            runs: Some(("127.0.0.1:1".parse().unwrap(), 100 + n as u32)),
            serves: true,
        };
        let targets = vec![target(1, Arm::Canary, "v2"), target(2, Arm::Canary, "v2"), target(3, Arm::Baseline, "v1")];
        let meter = Meter::new(scrape, "scrape-a-1".into());
        Self { meter, targets, pages: BTreeMap::new(), said: Vec::new(), sent: [0; 2] }
    }

    fn target(&mut self, n: u128) -> &mut Target {
        self.targets.iter_mut().find(|t| t.instance == id(n)).unwrap()
    }

    fn page(&mut self, n: u128, text: &str) {
        self.pages.insert(n, Ok(text.to_owned()));
    }

    fn no_page(&mut self, n: u128) {
        self.pages.insert(n, Err(said!("no answer", "没有应答")));
    }

    fn count(&mut self, canary: u64, baseline: u64) {
        self.sent = [self.sent[0] + canary, self.sent[1] + baseline];
        self.stats("worker-1");
    }

    fn stats(&mut self, worker: &str) {
        let split = |(of, requests)| SplitStats {
            route: place().to_string(),
            revision: revision(of),
            label: format!("v{of}"),
            requests,
            responses: [0; 5],
            upstream_failures: BTreeMap::new(),
            client_aborts: 0,
            latency: vec![],
            latency_sum_us: 0,
            last_request_at: None,
        };
        let splits = [(2, self.sent[0]), (1, self.sent[1])].map(split).to_vec();
        let stats = Stats { epoch: worker.into(), at: Timestamp(0), table: 1, splits, targets: vec![] };
        self.meter.counted(&stats);
    }

    fn tick(&mut self) -> UnitTick {
        for target in self.targets.clone() {
            let n = target.instance.0.as_u128();
            let page = self.pages.get(&n).cloned().unwrap_or(Ok(String::new()));
            self.meter.looked(&target, page.as_deref().map_err(Clone::clone));
        }
        let (tick, observed) = self.meter.close(&self.targets.clone(), Timestamp(7));
        self.said = observed.notes;
        tick
    }

    /// The canary's and the baseline's `n` and `x` of each metric.
    fn round(&mut self) -> [Vec<(u64, u64)>; 2] {
        let tick = self.tick();
        [tick.canary, tick.baseline].map(|c| c.n.into_iter().zip(c.x).collect())
    }

    fn said(&self) -> Vec<&str> {
        self.said.iter().map(|s| s.get(Lang::En)).collect()
    }
}

fn cycles() -> ScrapedMetric {
    errors(series("failed_total", &[]), series("cycles_total", &[]))
}

fn page(cycles: u64, failed: u64) -> String {
    format!("cycles_total {cycles}\nfailed_total {failed}\n")
}

#[test]
fn differences_of_all_instances_are_summed_for_each_revision() {
    let mut t = Trial::new(vec![cycles()]);
    t.page(1, &page(1_000, 10));
    t.page(2, &page(2_000, 20));
    t.page(3, &page(9_000, 0));
    let first = t.tick();
    assert_eq!((first.canary.n, first.canary.x), (vec![0], vec![0]), "since when is not known");
    assert_eq!(
        (first.route.as_str(), first.rollout.as_str(), first.epoch.as_str()),
        ("shop/production/default", "r", "scrape-a-1")
    );
    assert_eq!((first.seq, first.at, first.feed), (1, Timestamp(7), Feed::Scrape));
    t.page(1, &page(1_030, 11));
    t.page(2, &page(2_012, 21));
    t.page(3, &page(9_100, 3));
    let second = t.tick();
    assert_eq!((second.canary.n, second.canary.x, second.canary.requests), (vec![42], vec![2], 0));
    assert_eq!((second.baseline.n, second.baseline.x, second.seq), (vec![100], vec![3], 2));
    assert_eq!(t.round(), [vec![(0, 0)], vec![(0, 0)]], "nothing happened, and that is said, too");
    assert_eq!(t.said(), [""; 0]);
}

#[test]
fn an_instance_that_begins_again_counts_from_0_and_one_that_is_gone_no_more() {
    let mut t = Trial::new(vec![cycles()]);
    for n in 1..=3 {
        t.page(n, &page(100, 10));
    }
    t.round();
    // Another process, with more on its counter than the one before.
    t.target(1).runs = Some(("127.0.0.1:1".parse().unwrap(), 77));
    t.page(1, &page(120, 11));
    // The same process began its counters again.
    t.page(2, &page(5, 1));
    t.targets.retain(|t| t.instance != id(3));
    assert_eq!(t.round(), [vec![(125, 12)], vec![(0, 0)]]);
    // It is between two lives.
    t.target(1).runs = None;
    assert_eq!(t.round()[0], [(0, 0)]);
    t.target(1).runs = Some(("127.0.0.1:1".parse().unwrap(), 78));
    t.page(1, &page(3, 0));
    assert_eq!(t.round()[0], [(3, 0)]);
    // Behind one id of a process its page says that it is another.
    t.page(2, "process_start_time_seconds 1000\ncycles_total 6\nfailed_total 1\n");
    assert_eq!(t.round()[0], [(1, 0)]);
    t.page(2, "process_start_time_seconds 2000.5\ncycles_total 8\nfailed_total 2\n");
    assert_eq!(t.round()[0], [(8, 2)]);
    t.page(2, "process_start_time_seconds 1000\ncycles_total 9\nfailed_total 2\n");
    assert_eq!(t.round()[0], [(0, 0)]);
    assert!(t.said()[0].starts_with("v2, 1 of 2 instances: several processes answer in turn"), "{:?}", t.said());
}

#[test]
fn a_look_that_failed_is_made_good_by_the_next_and_said_meanwhile() {
    let mut t = Trial::new(vec![cycles()]);
    for n in 1..=3 {
        t.page(n, &page(100, 10));
    }
    t.round();
    t.no_page(1);
    t.page(3, "<html>sign in</html>");
    assert_eq!(t.round(), [vec![(0, 0)], vec![(0, 0)]]);
    assert_eq!(
        t.said(),
        ["v1: line 1 of /metrics is not in the text format of Prometheus", "v2, 1 of 2 instances: no answer"]
    );
    assert_eq!(t.said[1].get(Lang::Zh), "v2，2 个实例中的 1 个：没有应答");
    t.page(1, &page(160, 13));
    t.page(3, &page(200, 10));
    assert_eq!(t.round(), [vec![(60, 3)], vec![(100, 0)]]);
    assert_eq!(t.said(), [""; 0]);
    // One that only begins has no page yet, and nobody wonders.
    t.target(1).serves = false;
    t.no_page(1);
    t.round();
    assert_eq!(t.said(), [""; 0]);
}

#[test]
fn a_counter_of_errors_that_is_not_there_holds_its_metric_back() {
    let mut t = Trial::new(vec![cycles()]);
    t.page(3, &page(100, 1));
    let without = "cycles_total 50\n";
    t.page(1, without);
    t.page(2, without);
    t.round();
    let without = "cycles_total 90\n";
    t.page(1, without);
    t.page(2, without);
    assert_eq!(t.round()[0], [(0, 0)], "90 cycles without a failure may be 90 of another counter");
    let there_is_none =
        "v2: there is no `failed_total`; nothing is counted before there is one (give it the value 0 from the start)";
    assert_eq!(t.said(), [there_is_none]);
    t.page(1, &page(100, 2));
    t.page(2, "# TYPE failed_total counter\ncycles_total 100\n");
    assert_eq!(t.round()[0], [(100, 2)], "all since the first look");
}

#[test]
fn a_counter_of_orders_that_was_renamed_is_no_shop_without_orders() {
    let of_cycles = Read::Counters { count: series("orders_total", &[]), of: Some(series("cycles_total", &[])) };
    let mut t = Trial::new(vec![metric(MetricKind::Business, of_cycles)]);
    let with = |cycles: u64, orders: u64| format!("cycles_total {cycles}\norders_total {orders}\n");
    let renamed = |cycles: u64, orders: u64| format!("cycles_total {cycles}\nsynced_total {orders}\n");
    t.page(1, &renamed(0, 0));
    t.page(2, &renamed(0, 0));
    t.page(3, &with(100, 50));
    t.round();
    t.page(1, &renamed(50, 25));
    t.page(2, &renamed(50, 25));
    t.page(3, &with(200, 100));
    assert_eq!(t.round(), [vec![(0, 0)], vec![(100, 50)]]);
    let there_is_none =
        "there is no `orders_total`; nothing is counted before there is one (give it the value 0 from the start)";
    assert_eq!(t.said(), [format!("v2: {there_is_none}")]);
    // Each instance by itself: one that has it counts, with all since it was first looked at.
    t.page(1, &with(60, 30));
    assert_eq!(t.round()[0], [(60, 30)]);
    assert_eq!(t.said(), [format!("v2, 1 of 2 instances: {there_is_none}")]);
    // Another process has to show it again.
    t.target(1).runs = Some(("127.0.0.1:1".parse().unwrap(), 77));
    t.page(1, &renamed(10, 5));
    assert_eq!(t.round()[0], [(0, 0)]);
    t.page(1, &with(20, 0));
    assert_eq!(t.round()[0], [(20, 0)], "it begins at 0, and 0 is what it says");
    assert_eq!(t.said(), [format!("v2, 1 of 2 instances: {there_is_none}")]);
}

#[test]
fn a_counter_that_vanishes_is_missing_and_no_new_beginning() {
    let mut t = Trial::new(vec![errors(series("synced_total", &[("status", "failed")]), series("cycles_total", &[]))]);
    let with = |cycles: u64, failed: u64| {
        format!(
            "cycles_total {cycles}\nsynced_total{{status=\"fine\"}} 1\nsynced_total{{status=\"failed\"}} {failed}\n"
        )
    };
    let still_named = |cycles: u64| format!("cycles_total {cycles}\nsynced_total{{status=\"fine\"}} 1\n");
    for n in 1..=3 {
        t.page(n, &still_named(100));
    }
    t.round();
    t.page(1, &still_named(110));
    assert_eq!(t.round()[0], [(10, 0)], "no failure yet");
    t.page(1, &with(120, 2));
    assert_eq!(t.round()[0], [(10, 2)]);
    for page in [still_named(130), "cycles_total 140\n".to_owned()] {
        t.page(1, &page);
        assert_eq!(t.round()[0], [(0, 0)]);
        let gone = "there is no `synced_total{status=\"failed\"}` any more; nothing is counted until it is back";
        assert!(t.said().contains(&&*format!("v2, 1 of 2 instances: {gone}")), "{:?}", t.said());
    }
    assert_eq!(t.said.iter().filter(|s| s.get(Lang::Zh).contains("不见了；重新出现之前不计数")).count(), 1);
    t.page(1, &with(150, 3));
    assert_eq!(t.round()[0], [(30, 1)], "all that came meanwhile, and nothing twice");
}

#[test]
fn orders_are_counted_out_of_the_requests_the_edge_sent() {
    let mut t = Trial::new(vec![orders(series("orders_total", &[]))]);
    let o = |n: u64| format!("orders_total {n}\n");
    t.round();
    assert_eq!(
        t.said(),
        [
            "v1: the edge has not said what it sent",
            "v1: there is no `orders_total`; nothing is counted before there is one (give it the value 0 from the start)",
            "v2: the edge has not said what it sent",
            "v2: there is no `orders_total`; nothing is counted before there is one (give it the value 0 from the start)",
        ]
    );
    // What was sent before is not this trial's, and what was ordered neither.
    t.count(5_000, 90_000);
    for n in 1..=3 {
        t.page(n, &o(0));
    }
    t.round();
    t.count(200, 1_800);
    t.page(1, &o(4));
    t.page(2, &o(6));
    t.page(3, &o(90));
    assert_eq!(t.round(), [vec![(200, 10)], vec![(1_800, 90)]]);
    // Orders come behind their requests: they wait for some.
    t.page(1, &o(5));
    assert_eq!(t.round()[0], [(0, 0)]);
    t.count(20, 0);
    assert_eq!(t.round()[0], [(20, 1)]);
    // A new worker of the edge counts from 0.
    t.sent = [7, 0];
    t.stats("worker-2");
    assert_eq!(t.round()[0], [(7, 0)]);
    t.page(1, &o(9));
    for _ in 0..5 {
        assert_eq!(t.round()[0], [(0, 0)]);
    }
    assert_eq!(t.said(), [""; 0]);
    t.round();
    assert_eq!(t.said(), ["v2: 4 of `it` came without anything they are out of"]);
}

#[test]
fn requests_are_not_held_against_orders_that_nobody_could_count() {
    let mut t = Trial::new(vec![orders(series("orders_total", &[]))]);
    let o = |n: u64| format!("orders_total {n}\n");
    t.count(0, 0);
    for n in 1..=3 {
        t.page(n, &o(0));
    }
    t.round();
    // One of the canary's two does not answer: what both are sent waits.
    t.no_page(2);
    t.page(1, &o(3));
    t.count(100, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    t.page(2, &o(2));
    t.count(10, 0);
    assert_eq!(t.round()[0], [(110, 5)]);
    // Its page is without them, and then it is another process: nobody knows what it sold.
    t.page(2, "");
    t.count(100, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    t.target(2).runs = Some(("127.0.0.1:1".parse().unwrap(), 8));
    t.page(2, &o(2));
    t.count(100, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    // It does not answer, and then it is gone: what it had counted is lost, and the requests with it.
    t.no_page(2);
    t.page(1, &o(4));
    t.count(100, 0);
    t.round();
    t.target(2).runs = Some(("127.0.0.1:1".parse().unwrap(), 9));
    t.page(2, &o(1));
    t.count(100, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    t.page(2, &o(3));
    t.count(50, 0);
    assert_eq!(t.round()[0], [(50, 2)]);
    t.no_page(2);
    t.count(50, 0);
    t.round();
    t.targets.retain(|t| t.instance != id(2));
    t.count(50, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    // One that comes has orders from before; the requests of that round are let go.
    let newcomer = Target { instance: id(4), ..t.target(1).clone() };
    t.targets.push(newcomer);
    t.page(4, &o(500));
    t.count(50, 0);
    assert_eq!(t.round()[0], [(0, 0)]);
    t.page(4, &o(501));
    t.count(50, 0);
    assert_eq!(t.round()[0], [(50, 1)]);
}

#[test]
fn failures_never_outnumber_what_they_are_out_of() {
    let mut t = Trial::new(vec![cycles(), slow(series("sync_seconds", &[]), 5_000)]);
    let page = |cycles: u64, failed: u64, all: u64, fast: u64| {
        format!("{}sync_seconds_bucket{{le=\"5\"}} {fast}\nsync_seconds_count {all}\n", page(cycles, failed))
    };
    t.page(1, &page(100, 0, 1_000, 1_000));
    t.page(2, &page(0, 0, 0, 0));
    t.page(3, &page(0, 0, 0, 0));
    t.round();
    // A failure is counted before the cycle it ends, and a bucket before the count.
    t.page(1, &page(100, 1, 1_003, 999));
    assert_eq!(t.round()[0], [(0, 0), (3, 3)]);
    t.page(1, &page(101, 1, 1_006, 1_005));
    assert_eq!(t.round()[0], [(1, 1), (3, 0)]);
    assert_eq!(t.said(), [""; 0]);
}

#[test]
fn what_is_usual_is_counted_once_as_the_canarys() {
    let mut t = Trial::new(vec![orders(series("orders_total", &[]))]);
    let mut scrape = t.meter.scrape().clone();
    scrape.baseline = scrape.canary;
    t.meter = Meter::new(scrape, "scrape-a-2".into());
    t.targets.pop();
    t.stats("worker-1");
    t.page(1, "orders_total 0\n");
    t.page(2, "orders_total 0\n");
    t.round();
    t.count(100, 0);
    t.page(1, "orders_total 4\n");
    t.page(2, "orders_total 5\n");
    let [counted, baseline] = t.round();
    assert_eq!((counted, baseline[0].1), (vec![(100, 9)], 0));
    assert_eq!(t.said(), [""; 0]);
}

//! Workers by shard: nobody begins beside another that does the same work, and a release on trial that passes its limits, or
//! whose server is silent, gives its shards back without the server.

use crate::{
    pages::{errors, series},
    world::*,
};
use std::{fs, path::PathBuf, time::Duration};
use tradewind_model::{
    id::{InstanceId, Place},
    protocol::{
        agent::{DesiredInstance, DesiredPhase, InstancePhase, Observed},
        scrape::{DesiredScrape, Scrape},
        trial::{Limits, ShardTrial, Trip, TripCause},
    },
    shards::SHARDS_VARIABLE,
    workload::{ServiceKind, StopPolicy, Workload},
};

/// Works its shards in quick cycles and leaves a line for each. Of release 2 every cycle fails once the file `ill` is there.
const WORKER: &str = r#"
import http.server, os, signal, threading, time
version, folder = open("version").read(), os.environ["TRADEWIND_DATA_DIR"]
shards = os.environ["TRADEWIND_SHARDS"].split(",")
going, cycles, failed = [True], 0, 0
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(b"cycles_total %d\nfailed_total %d\n" % (cycles, failed))
    def log_message(self, *args): pass
signal.signal(signal.SIGTERM, lambda *a: going.clear())
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
def told(what):
    for shard in shards:
        with open(folder + "/" + shard, "a") as trace: trace.write("%s %s %d\n" % (what, version, os.getpid()))
told("begin")
while going:
    time.sleep(0.01)
    cycles += 1
    failed += version == "2" and os.path.exists(folder + "/ill")
# It takes its time: whoever began now would be two.
time.sleep(float(os.environ.get("LINGER", "0.7")))
told("end")
os._exit(0)
"#;

const WINDOW_MS: u64 = 300;
const FOREVER_MS: u64 = 3_600_000;
const SHOPS: [&str; 3] = ["br", "my", "us"];

/// Release 2 with the first of three shops, release 1 with the others.
struct Sync {
    w: World,
    old: Vec<DesiredInstance>,
    new: Vec<DesiredInstance>,
    trial: ShardTrial,
}

fn sync() -> Place {
    Place { service: "sync".parse().unwrap(), ..place() }
}

fn worker(shop: &str, env: &[(&str, &str)]) -> Workload {
    let mut worker = workload(env);
    worker.kind = ServiceKind::Worker;
    worker.command = ["python3", "-S", "app.py"].map(String::from).to_vec();
    worker.env.insert(SHARDS_VARIABLE.into(), shop.into());
    worker.stop = StopPolicy { signal: 15, drain_ms: 0, grace_ms: 30_000 };
    worker
}

impl Sync {
    async fn start(change: impl FnOnce(&mut ShardTrial)) -> Self {
        let mut w = World::new().await;
        let releases = [1, 2].map(|n| w.release_with(n, WORKER));
        let carrier = |n: usize, of: usize| DesiredInstance {
            place: sync(),
            ..desired_instance((10 * of + n) as u128, releases[of - 1], of as u128, worker(SHOPS[n], &[]))
        };
        let [old, new] = [1, 2].map(|of| (0..SHOPS.len()).map(|n| carrier(n, of)).collect::<Vec<_>>());
        let mut trial = ShardTrial {
            place: sync(),
            rollout: "r".into(),
            canary: revision(2),
            baseline: revision(1),
            limits: Limits { error_rate: Some(500), p99_ms: None, for_ms: WINDOW_MS, min_requests: 10 },
            lease_ms: FOREVER_MS,
        };
        change(&mut trial);
        let mut this = Self { w, old, new, trial };
        this.want(&[0, 1, 2], &[]);
        this.until_at_work("111").await;
        let scrape = DesiredScrape {
            place: sync(),
            rollout: "r".into(),
            canary: revision(2),
            baseline: revision(1),
            scrape: Scrape {
                path: "/metrics".into(),
                every_ms: 50,
                metrics: vec![errors(series("failed_total", &[]), series("cycles_total", &[]))],
            },
        };
        let trial = this.trial.clone();
        this.w.desired.scrapes.push(scrape);
        this.w.desired.shard_trials.push(trial);
        // Both at once: which comes first is the host's affair.
        this.want(&[1, 2], &[0]);
        this.until_at_work("211").await;
        this
    }

    /// What the server wants running of each release.
    fn want(&mut self, old: &[usize], new: &[usize]) {
        let phased = |all: &[DesiredInstance], run: &[usize]| {
            let phase = |n| if run.contains(&n) { DesiredPhase::Run } else { DesiredPhase::Stopped };
            all.iter().enumerate().map(|(n, i)| DesiredInstance { phase: phase(n), ..i.clone() }).collect::<Vec<_>>()
        };
        let all = [phased(&self.old, old), phased(&self.new, new)].concat();
        self.w.want(|d| d.instances = all);
    }

    fn trace(&self, shop: &str) -> String {
        let folder: PathBuf = self.w.agent_folder().join("data/sync/production/default");
        fs::read_to_string(folder.join(shop)).unwrap_or_default()
    }

    /// The release at work in each shop: `211`. Whether the server is there or not.
    async fn until_at_work(&self, want: &str) {
        let at_work = |shop: &str| {
            let trace = self.trace(shop);
            let mut last = trace.lines().last().unwrap_or("").split(' ');
            if last.next() == Some("begin") { last.next().unwrap_or("").to_owned() } else { "-".into() }
        };
        let all = async {
            while SHOPS.map(at_work).concat() != want {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(GUARD, all).await.is_err() {
            panic!("{} instead of {want}: {:#?}", SHOPS.map(at_work).concat(), self.w.server.observed.borrow());
        }
    }

    async fn fall_ill(&self) {
        fs::write(self.w.agent_folder().join("data/sync/production/default/ill"), "").unwrap();
    }

    async fn tripped(&mut self) -> Trip {
        let seen = self.w.until("a trip", |o| trip(o).is_some()).await;
        trip(&seen).unwrap().clone()
    }

    /// In no shop did anybody begin before the one before had ended.
    fn assert_one_at_a_time(&self) {
        for shop in SHOPS {
            let trace = self.trace(shop);
            let lines: Vec<Vec<&str>> = trace.lines().map(|l| l.split(' ').collect()).collect();
            for pair in lines.windows(2) {
                let ends = pair[0][0] == "begin" && pair[1] == [&["end"], &pair[0][1..]].concat();
                assert!(ends || pair[0][0] == "end" && pair[1][0] == "begin", "{shop}:\n{trace}");
            }
        }
    }

    fn begun(&self, shop: &str) -> usize {
        self.trace(shop).matches("begin").count()
    }
}

fn trip(observed: &Observed) -> Option<&Trip> {
    observed.shard_trips.first().map(|s| &s.trip)
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_cycles_give_the_shard_back_without_the_server_and_it_stays_so() {
    let mut s = Sync::start(|_| {}).await;
    s.w.server.down();
    s.fall_ill().await;
    s.until_at_work("111").await;
    // The next agent gives it nothing either.
    s.w.drop_agent().await;
    s.w.start_agent();
    s.w.server.up().await;
    let tripped = s.tripped().await;
    assert_eq!(tripped.rollout, "r");
    let TripCause::Events { metric, failed, of, limit: 500, for_ms: WINDOW_MS } = &tripped.cause else {
        panic!("{tripped:?}")
    };
    assert!(metric == "it" && *of >= 10 && failed * 20 > *of, "{tripped:?}");
    // It lasts through whatever the server decided before it knew.
    s.want(&[2], &[0, 1]);
    s.until_at_work("111").await;
    s.w.until("the new wish", |o| trip(o).is_some()).await;
    // Then the server follows: what works already is left alone.
    s.want(&[0, 1, 2], &[]);
    let (all, place) = (SHOPS.map(|shop| s.begun(shop)), sync());
    s.w.want(|d| d.shard_trials.retain(|t| t.place != place));
    s.w.until("no trip", |o| trip(o).is_none()).await;
    s.until_at_work("111").await;
    assert_eq!(SHOPS.map(|shop| s.begun(shop)), all);
    assert_eq!(all, [3, 1, 1], "shops that were not tried never noticed");
    s.assert_one_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_the_release_its_shards() {
    const LEASE_MS: u64 = 1_000;
    let mut s = Sync::start(|_| {}).await;
    s.w.server.down();
    // In the middle of a wave: the second shop has been given up, and nobody has taken it.
    let file = s.w.agent_folder().join("desired.json");
    let mut desired: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    desired["shard_trials"][0]["lease_ms"] = LEASE_MS.into();
    desired["instances"][1]["phase"] = "stopped".into();
    s.w.drop_agent().await;
    fs::write(&file, desired.to_string()).unwrap();
    s.w.start_agent();
    s.until_at_work("111").await;
    s.trial.lease_ms = LEASE_MS;
    s.w.desired.shard_trials = vec![s.trial.clone()];
    s.want(&[2], &[0]);
    s.w.server.up().await;
    assert_eq!(s.tripped().await.cause, TripCause::Lease { lease_ms: LEASE_MS });
    // The rollout was taken over meanwhile: what the server wants counts again, one after the other.
    let place = sync();
    s.w.desired.shard_trials.retain(|t| t.place != place);
    s.want(&[1, 2], &[0]);
    s.until_at_work("211").await;
    s.assert_one_at_a_time();
}

#[tokio::test(flavor = "multi_thread")]
async fn few_cycles_prove_nothing_nor_do_the_baselines() {
    let s = Sync::start(|t| t.limits.min_requests = 1_000_000).await;
    s.fall_ill().await;
    tokio::time::sleep(Duration::from_millis(3 * WINDOW_MS)).await;
    assert_eq!(trip(&s.w.server.observed.borrow()), None);
    s.until_at_work("211").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_would_do_the_same_work_waits_for_the_other_to_be_gone() {
    let mut w = World::new().await;
    let releases = [1, 2].map(|n| w.release_with(n, WORKER));
    let carrier = |n, of: usize, linger| DesiredInstance {
        place: sync(),
        ..desired_instance(n, releases[of - 1], of as u128, worker("br", &[("LINGER", linger)]))
    };
    let (old, new) = (carrier(1, 1, "1"), carrier(2, 2, "0"));
    w.want(|d| d.instances = vec![old.clone()]);
    w.until_phase(old.id, InstancePhase::Ready).await;
    let stopping =
        |id: InstanceId| move |o: &Observed| instance(o, id).is_some_and(|i| i.phase == InstancePhase::Stopping);
    // It is not even listed any more, and its end takes a while.
    w.want(|d| d.instances = vec![new.clone()]);
    let seen = w.until("the old one to end", stopping(old.id)).await;
    assert_eq!(instance(&seen, new.id).and_then(|i| i.pid), None);
    w.until_phase(new.id, InstancePhase::Ready).await;
    assert!(instance(&w.server.observed.borrow(), old.id).is_none_or(|i| i.pid.is_none()));
    // Both wanted at once, which no server does: one works, and the other when it may.
    w.want(|d| d.instances = vec![old.clone(), new.clone()]);
    w.until("one of both", |o| instance(o, old.id).is_some_and(|i| i.phase == InstancePhase::Stopped)).await;
    let back = DesiredInstance { phase: DesiredPhase::Stopped, ..new.clone() };
    w.want(|d| d.instances = vec![old.clone(), back]);
    w.until_phase(old.id, InstancePhase::Ready).await;
    let trace = fs::read_to_string(w.agent_folder().join("data/sync/production/default/br")).unwrap();
    let words: Vec<&str> = trace.lines().map(|l| l.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(words, ["begin 1", "end 1", "begin 2", "end 2", "begin 1"]);
}

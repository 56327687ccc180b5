//! Runs of real cron services, counted through restarts of the agent and of the server.

use crate::world::*;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{DesiredInstance, DesiredPhase, FromAgent, InstancePhase, Observed, ToAgent},
        trial::{CountedRuns, Feed, UnitTick, UnitsTaken},
    },
    workload::{Port, Schedule, ServiceKind, Workload},
};

/// Leaves a line for each of its runs before it ends. Without shards of its own no release runs beside another.
fn every_second(shard: &str, code: u32) -> Workload {
    let mut cron = workload(&[("TRADEWIND_SHARDS", shard)]);
    cron.kind = ServiceKind::Cron;
    cron.port = Port::None;
    cron.health = None;
    let script = format!("echo $TRADEWIND_RELEASE >> $TRADEWIND_DATA_DIR/ran; exit {code}");
    cron.command = vec!["sh".into(), "-c".into(), script];
    cron.schedule = Some(Schedule { expression: "* * * * * *".into(), timezone: "UTC".into(), timeout_ms: 10_000 });
    cron
}

struct Trial {
    w: World,
    instances: [DesiredInstance; 2],
    seen: BTreeMap<(String, u64), UnitTick>,
}

impl Trial {
    /// Revision 2, which fails, beside revision 1.
    async fn begin() -> Self {
        let mut w = World::new().await;
        let instance = |n, release| {
            desired_instance(n, release, n, if n == 2 { every_second("br", 3) } else { every_second("my", 0) })
        };
        let instances = [1, 2].map(|n| instance(n, w.app_release(u8::try_from(n).unwrap().into())));
        w.want(|d| {
            d.instances = instances.to_vec();
            d.counted_runs =
                vec![CountedRuns { place: place(), rollout: "r".into(), canary: revision(2), baseline: revision(1) }];
        });
        Self { w, instances, seen: BTreeMap::new() }
    }

    /// Listens until the runs of canary and baseline that were told are at least so many.
    async fn until(&mut self, canary: u64, baseline: u64) {
        let enough = async {
            while self.sums()[0].0 < canary || self.sums()[1].0 < baseline {
                let FromAgent::Units { ticks } = self.w.heard.recv().await.unwrap() else { continue };
                for tick in ticks {
                    assert_eq!((tick.feed, tick.route.as_str()), (Feed::Runs, "shop/production/default"));
                    let before = self.seen.insert((tick.epoch.clone(), tick.seq), tick.clone());
                    assert!(before.is_none_or(|before| before == tick), "what is sent again is the same");
                }
            }
        };
        if tokio::time::timeout(GUARD, enough).await.is_err() {
            panic!("{:?} instead of {canary} and {baseline}", self.sums());
        }
    }

    fn sums(&self) -> [(u64, u64); 2] {
        let arm =
            |of: fn(&UnitTick) -> (u64, u64)| self.seen.values().map(of).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        [arm(|t| (t.canary.n[0], t.canary.x[0])), arm(|t| (t.baseline.n[0], t.baseline.x[0]))]
    }

    /// What the runs themselves say, by release.
    fn ran(&self) -> BTreeMap<String, u64> {
        let data = self.w.agent_folder().join("data/shop/production/default/ran");
        let mut ran = BTreeMap::new();
        for line in std::fs::read_to_string(data).unwrap_or_default().lines() {
            *ran.entry(line.to_owned()).or_default() += 1;
        }
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_is_told_once_through_restarts_of_agent_and_server() {
    let mut t = Trial::begin().await;
    t.until(2, 2).await;
    for _ in 0..2 {
        t.w.drop_agent().await;
        t.w.start_agent();
        let [canary, baseline] = t.sums();
        t.until(canary.0 + 1, baseline.0 + 1).await;
    }
    let (epoch, seq) = t.seen.keys().next_back().unwrap().clone();
    let taken = UnitsTaken { route: "shop/production/default".into(), rollout: "r".into(), epoch, seq };
    t.w.server.ask(ToAgent::UnitsTaken { taken: vec![taken] });
    t.w.server.down();
    t.w.server.up().await;
    let [canary, baseline] = t.sums();
    t.until(canary.0 + 1, baseline.0 + 1).await;

    // Nothing runs any more: what was told is what has run.
    t.w.want(|d| d.instances.iter_mut().for_each(|i| i.phase = DesiredPhase::Stopped));
    for id in t.instances.each_ref().map(|i| i.id) {
        t.w.until_phase(id, InstancePhase::Stopped).await;
    }
    let observed = t.w.server.observed.borrow().clone();
    let stopped = |id: InstanceId| instance(&observed, id).unwrap().runs.iter().filter(|r| r.stopped).count() as u64;
    let [left_old, left_new] = t.instances.each_ref().map(|i| stopped(i.id));
    let ran = t.ran();
    t.until(ran["v2"] - left_new, ran["v1"] - left_old).await;
    let [canary, baseline] = t.sums();
    assert!(canary.0 <= ran["v2"] && baseline.0 <= ran["v1"], "{:?} of {ran:?}", t.sums());
    assert_eq!((canary.1, baseline.1), (canary.0, 0));
    let epochs: BTreeSet<&String> = t.seen.keys().map(|(epoch, _)| epoch).collect();
    assert_eq!(epochs.len(), 1, "an agent that begins anew counts on");
    assert_eq!(t.seen.keys().next_back().unwrap().1, t.seen.len() as u64, "no number is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_said_to_rest_begins_nothing_any_more() {
    let mut t = Trial::begin().await;
    for _ in 0..3 {
        t.until(1, 1).await;
        t.w.want(|d| d.instances[1].phase = DesiredPhase::Stopped);
        // The very first report under that wish in which it is not alive.
        let id = t.instances[1].id;
        let rests = |o: &Observed| instance(o, id).is_some_and(|i| i.phase == InstancePhase::Stopped);
        t.w.until("it to rest", rests).await;
        let ran = t.ran().get("v2").copied();
        let [canary, baseline] = t.sums();
        t.until(canary.0, baseline.0 + 2).await;
        assert_eq!(t.ran().get("v2").copied(), ran);
        t.w.want(|d| d.instances[1].phase = DesiredPhase::Run);
    }
}

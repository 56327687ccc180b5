//! Random lives: reports are late, doubled, lost; the server dies at any step. What was done is done once.

use super::world::{World, exit, good, name, user, word};
use std::collections::{BTreeMap, HashMap};
use tradewind_model::{
    fault::Lang,
    id::TaskId,
    protocol::agent::{ObservedTask, Work},
};

const PIPELINE: &str = "
stages: [build, test, ship]
build: { stage: build, script: x, artifacts: { paths: [dist] } }
docs: { stage: build, script: x, allow_failure: true }
unit: { stage: test, script: x }
flaky: { stage: test, script: x, retry: 2 }
early: { stage: ship, script: x, needs: [build] }
ship: { stage: ship, script: x }
";

/// A small generator (xorshift64*), so that a seed names a schedule.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

/// One life; `cancel` is the step at which someone cancels the run.
async fn live(seed: u64, cancel: Option<usize>) {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    let mut under_way: Vec<Vec<ObservedTask>> = Vec::new();
    let mut given: HashMap<TaskId, Work> = HashMap::new();
    let mut flaky_left = 2;
    let mut steps = 0;
    while w.view(run).await.finished_at.is_none() {
        steps += 1;
        assert!(steps < 3000, "seed {seed}: stuck at {}", w.shows(run).await);
        if cancel == Some(steps) {
            w.runs.cancel(run, &user()).await.expect("a cancel");
        }
        match chance.below(12) {
            0 => w.restart().await,
            1 => {
                w.runs.reconcile().await.expect("a look");
            }
            2 => {
                let here = chance.below(2) == 0;
                w.set_present(here).await;
            }
            3 | 4 => {
                w.tell().await;
                for job in w.agent.running_jobs() {
                    given.insert(w.agent.task(&job), w.agent.work(&job));
                }
            }
            5 | 6 => {
                let running = w.agent.running_jobs();
                if !running.is_empty() {
                    let job = running[chance.below(running.len())].clone();
                    let fails = (job == "flaky" && flaky_left > 0) || job == "docs";
                    flaky_left -= i32::from(job == "flaky" && flaky_left > 0);
                    let result = if fails { exit(1) } else { good(&w.agent.work(&job)) };
                    w.agent.finish(&job, result);
                }
            }
            7 | 8 => under_way.push(w.agent.seen()),
            9 => {
                // Lost on the way.
                under_way.pop();
            }
            _ if under_way.is_empty() => {}
            _ => {
                let at = chance.below(under_way.len());
                let seen = under_way[at].clone();
                w.deliver(&seen).await;
                // Half of them come again later.
                if chance.below(2) == 0 {
                    under_way.remove(at);
                }
            }
        }
    }
    settle(&mut w, under_way).await;

    let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
    for job in &w.agent.begun {
        *begun.entry(job).or_default() += 1;
    }
    let view = w.view(run).await;
    let announced = w.rollouts().await.len();
    if word(&view.state) == "canceled" {
        assert!(cancel.is_some() && view.release.is_none() && announced == 0, "seed {seed}");
    } else {
        assert_eq!(word(&view.state), "success_with_warnings", "seed {seed}: {}", w.shows(run).await);
        let once = [("build", 1), ("docs", 1), ("early", 1), ("flaky", 3), ("ship", 1), ("unit", 1), (".package", 1)];
        assert_eq!(begun, once.into(), "seed {seed}");
        assert_eq!(announced, 1, "seed {seed}");
        assert_eq!(view.release.as_ref().map(|r| r.label.as_str()), Some("v1"));
        for work in given.values().filter(|w| ["ship", "unit", "early", ".package"].contains(&name(w).as_str())) {
            let source = match work {
                Work::Job(job) => &job.source,
                Work::Package(package) => &package.source,
                Work::Verify(_) => panic!("runs verify nothing"),
            };
            assert_eq!(source.artifacts.len(), 1, "seed {seed}: {}", name(work));
        }
    }
    log_agrees(&w, &view, seed).await;
}

/// Whatever was still under way arrives; it changes nothing of a run that has ended, and the host ends with nothing to do.
async fn settle(w: &mut World, under_way: Vec<Vec<ObservedTask>>) {
    w.set_present(true).await;
    let runs = w
        .runs
        .list(&"shop".parse().expect("a name"), None, tradewind_store::rows::Page::first(10), Lang::En)
        .await
        .expect("runs");
    let mut whole = Vec::new();
    for run in runs.items {
        whole.push(w.view(run.id).await);
    }
    for seen in under_way {
        w.deliver(&seen).await;
    }
    w.exchange().await;
    w.runs.reconcile().await.expect("a look");
    w.tell().await;
    assert!(w.agent.seen().is_empty(), "the host still has {:?}", w.agent.running_jobs());
    for before in whole {
        assert_eq!(w.view(before.id).await, before);
    }
}

/// What the log says last of each job and of the run is what the rows say.
async fn log_agrees(w: &World, view: &tradewind_api::v1::Run, seed: u64) {
    let mut last: HashMap<String, String> = HashMap::new();
    let events = w.events().await;
    for event in &events {
        if let Some(state) = event.fact.after.as_ref().and_then(|a| a["state"].as_str()) {
            if let Some(before) = event.fact.before.as_ref().and_then(|b| b["state"].as_str()) {
                let known = last.get(&event.fact.subject).map_or("created", String::as_str);
                let first = !last.contains_key(&event.fact.subject);
                assert!(first || known == before, "seed {seed}: {} {}", event.fact.subject, event.fact.kind);
            }
            last.insert(event.fact.subject.clone(), state.to_owned());
        }
    }
    for job in &view.jobs {
        let said =
            last.get(&format!("job/{}", job.id)).unwrap_or_else(|| panic!("seed {seed}: nothing of {}", job.name));
        assert_eq!(*said, word(&job.state), "seed {seed}: {}", job.name);
    }
    let of_run = &last[&format!("run/{}", view.id)];
    assert_eq!(of_run, word(&view.state).trim_end_matches("_with_warnings"), "seed {seed}");
}

#[tokio::test]
async fn any_schedule_ends_in_one_release() {
    for seed in 0..8 {
        Box::pin(live(seed, None)).await;
    }
}

#[tokio::test]
async fn any_schedule_with_a_cancel_ends() {
    for seed in 0..25 {
        Box::pin(live(1000 + seed, Some(1 + seed as usize * 3))).await;
    }
}

/// After every single exchange the server dies; at each point the run goes on from its rows.
#[tokio::test]
async fn a_server_that_dies_after_every_step_still_gets_there() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    for _ in 0..100 {
        w.restart().await;
        w.tell().await;
        w.restart().await;
        let Some(job) = w.agent.running_jobs().into_iter().next() else { break };
        w.report().await;
        w.restart().await;
        let result = good(&w.agent.work(&job));
        w.agent.finish(&job, result);
        w.report().await;
        w.report().await;
    }
    assert_eq!(word(&w.view(run).await.state), "success");
    assert_eq!(w.agent.begun.len(), 7);
}

/// The loop itself: nothing but signals and rows.
#[tokio::test]
async fn the_reconciler_picks_up_what_others_left() {
    let mut w = World::new().await;
    w.set_present(false).await;
    let run = w.enqueue("one", "").await;
    w.restart().await;
    let reconciler = tokio::spawn(w.runs.clone().reconciler());
    w.set_present(true).await;
    let mut commits = w.ctx.store.commits();
    let handed_out = async {
        while w.view(run).await.reason.is_some() {
            commits.changed().await.expect("the store is open");
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), handed_out).await.expect("it was handed out");
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: .package=success");
    reconciler.abort();
}

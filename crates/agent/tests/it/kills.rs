//! The agent is killed again and again, at moments that wander through everything it does.

use crate::{
    server::KEY,
    tasks::{has_source, job, task},
    world::*,
};
use std::{
    process::{Child, Command},
    time::Duration,
};
use tradewind_model::{
    id::{InstanceId, TaskId},
    protocol::agent::{DesiredPhase, InstancePhase, JobOutcome, TaskResult, TaskState},
};

struct Killed(Child);

impl Killed {
    fn start(w: &World) -> Self {
        let agent = Command::new(shim().0)
            .arg("agent")
            .arg(w.agent_folder())
            .arg(format!("http://{}", w.server.addr))
            .arg(KEY)
            .arg(w.dir.path().join("edge.sock"))
            .stderr(std::process::Stdio::null())
            .spawn();
        Self(agent.unwrap())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Processes that have this in their environment, shims apart.
fn processes(with: &str) -> Vec<i32> {
    let wanted = format!("{with}\0");
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            String::from_utf8_lossy(&environ).contains(&wanted)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_moment_it_dies_nothing_runs_twice_and_everything_gets_done() {
    let mut w = World::without_agent().await;
    has_source(&w, &[("a", "")]);
    let (v1, v2) = (w.app_release(1), w.app_release(2));
    let old = [1, 2].map(|n| desired_instance(n, v1, 1, workload(&[])));
    let new = [3, 4].map(|n| desired_instance(n, v2, 2, workload(&[])));
    let ids: Vec<InstanceId> = old.iter().chain(&new).map(|i| i.id).collect();
    // Milliseconds an agent lives: short ones die in their first breath, long ones in the middle of things.
    let mut lives = [3, 40, 11, 90, 25, 160, 7, 60, 30, 220, 15, 110].into_iter().cycle();
    let mut served = 0;
    for round in 0..4_u128 {
        w.want(|d| {
            let (live, warm) = if round % 2 == 0 { (&old, &new) } else { (&new, &old) };
            let stopped = |mut i: tradewind_model::protocol::agent::DesiredInstance| {
                i.phase = DesiredPhase::Stopped;
                i
            };
            d.instances = live.iter().cloned().chain(warm.iter().cloned().map(stopped)).collect();
            let (to, from) = (1 + round % 2, 2 - round % 2);
            d.routes = vec![route(round as u64 + 1, &[(to, 10_000), (from, 0)])];
            d.tasks.push(task(round + 1, job(&["echo run", "sleep 0.1", "echo ran"])));
        });
        for _ in 0..6 {
            let _agent = Killed::start(&w);
            tokio::time::sleep(Duration::from_millis(lives.next().unwrap())).await;
            for id in &ids {
                let with = format!("TRADEWIND_INSTANCE={id}");
                // One that was signalled may still be ending beside its successor; two that stay are two.
                let once = async {
                    while processes(&with).len() > 1 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                };
                assert!(tokio::time::timeout(GUARD, once).await.is_ok(), "{id} runs twice");
            }
        }
        let _agent = Killed::start(&w);
        let seen = w
            .until("all as desired", |o| {
                let ready = o.instances.iter().filter(|i| i.phase == InstancePhase::Ready).count();
                let stopped = o.instances.iter().filter(|i| i.phase == InstancePhase::Stopped).count();
                let done = o.tasks.iter().filter(|t| matches!(t.state, TaskState::Done(_))).count();
                (ready, stopped, done as u128) == (2, 2, round + 1)
                    && o.routes.first().is_some_and(|r| r.version == round as u64 + 1 && r.splits[0].ready_targets == 2)
            })
            .await;
        served += seen.instances.iter().filter(|i| i.addr.is_some()).count();
        for done in &seen.tasks {
            let TaskState::Done(result) = &done.state else { unreachable!() };
            assert!(matches!(**result, TaskResult::Job { outcome: JobOutcome::Success, .. }), "{result:?}");
        }
    }
    assert_eq!(served, 8);
    for n in 1..=4 {
        let stored = w.server.stored.lock().unwrap();
        let log = String::from_utf8_lossy(&stored.logs[&TaskId(unique(n))]).into_owned();
        assert_eq!(log.lines().filter(|l| *l == "run" || *l == "ran").count(), 2, "{log}");
    }
    let versions = w.edge.versions();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

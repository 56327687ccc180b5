//! Logs, and following a run.

use super::world::{World, exit};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::time::Duration;
use tradewind_api::v1::RunUpdate;
use tradewind_control::runs::LOG_LIMIT;
use tradewind_model::{
    fault::Lang,
    id::{HostId, RunId, TaskId},
};
use tradewind_store::logs::Appended;

/// A guard against a hang, far beyond what anything here takes.
const HANG: Duration = Duration::from_secs(60);

fn shown(update: &RunUpdate) -> String {
    match update {
        RunUpdate::Log { name, offset, text, .. } => format!("{name} @{offset} {text:?}"),
        RunUpdate::Job { job } => format!("{} {}", job.name, super::world::word(&job.state)),
        RunUpdate::Released { release } => format!("released {}", release.label),
        RunUpdate::RolloutStarted { env, .. } => format!("rollout to {env}"),
        RunUpdate::Finished { run } => format!("finished {}", super::world::word(&run.state)),
    }
}

async fn say(w: &World, task: TaskId, offset: u64, text: &str) -> Appended {
    w.runs.append_log(w.host, task, offset, text.to_owned().into()).await.expect("a place for it")
}

async fn whole(w: &World, run: RunId) -> Vec<String> {
    let all = w.runs.follow(run, None, Lang::En).map_ok(|u| shown(&u)).try_collect();
    tokio::time::timeout(HANG, all).await.expect("an end").expect("updates")
}

#[tokio::test]
async fn a_log_grows_once_and_is_read_from_anywhere() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x }").await;
    w.exchange().await;
    let (task, job) = (w.agent.task("a"), w.job_id(run, "a").await);
    assert_eq!(say(&w, task, 0, "one\n").await, Appended::Upto(4));
    assert_eq!(say(&w, task, 0, "one\ntwo\n").await, Appended::Upto(8));
    assert_eq!(say(&w, task, 20, "late\n").await, Appended::Gap { size: 8 });
    w.restart().await;
    let piece = w.runs.log(run, job, 4, 100).await.expect("a log");
    assert_eq!((&piece.bytes[..], piece.offset, piece.last), (&b"two\n"[..], 4, false));
    w.finish("a", exit(0)).await;
    assert!(w.runs.log(run, job, 8, 100).await.expect("a log").last);
    assert_eq!(w.job(run, "a").await.log_bytes, 8);

    // Sent again after the end, because the answer was lost.
    assert_eq!(say(&w, task, 4, "two\n").await, Appended::Upto(8));
    let stranger = HostId::at(Default::default());
    assert!(w.runs.append_log(stranger, task, 8, "x".into()).await.is_err());
    assert!(w.runs.append_log(w.host, TaskId::at(Default::default()), 0, "x".into()).await.is_err());
    assert!(w.runs.append_log(w.host, task, LOG_LIMIT + (1 << 20), "x".into()).await.is_err());
}

#[tokio::test]
async fn who_comes_late_hears_the_whole_story_in_order() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x }\nb: { script: x, retry: 1 }").await;
    w.exchange().await;
    say(&w, w.agent.task("a"), 0, "building 信风\n").await;
    w.finish("a", exit(0)).await;
    say(&w, w.agent.task("b"), 0, "first\n").await;
    w.finish("b", exit(1)).await;
    w.exchange().await;
    say(&w, w.agent.task("b"), 0, "second\n").await;
    w.succeed().await;
    insta::assert_snapshot!(whole(&w, run).await.join("\n"));
}

#[tokio::test]
async fn who_follows_hears_each_thing_when_it_happens() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x }").await;
    let mut updates = Box::pin(w.runs.follow(run, None, Lang::En));
    let mut next = async || {
        let update = tokio::time::timeout(HANG, updates.next()).await.expect("an update");
        update.map(|u| shown(&u.expect("an update")))
    };
    assert_eq!(next().await.as_deref(), Some("a pending"));
    assert_eq!(next().await.as_deref(), Some(".package created"));
    w.exchange().await;
    assert_eq!(next().await.as_deref(), Some("a running"));
    let task = w.agent.task("a");
    say(&w, task, 0, "half a character: \u{4fe1}").await;
    assert_eq!(next().await.as_deref(), Some("a @0 \"half a character: 信\""));
    let (head, tail) = "风".as_bytes().split_at(2);
    w.runs.append_log(w.host, task, 21, head.to_vec().into()).await.expect("a place for it");
    w.runs.append_log(w.host, task, 23, tail.to_vec().into()).await.expect("a place for it");
    assert_eq!(next().await.as_deref(), Some("a @21 \"风\""));
    w.finish("a", exit(3)).await;
    assert_eq!(next().await.as_deref(), Some("a failed"));
    assert_eq!(next().await.as_deref(), Some(".package skipped"));
    assert_eq!(next().await.as_deref(), Some("finished failed"));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_long_log_is_told_whole() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x }").await;
    w.exchange().await;
    let text: String = (0..40_000).map(|n| format!("line {n} ü\n")).collect();
    let mut offset = 0;
    for piece in text.as_bytes().chunks(100_000) {
        w.runs.append_log(w.host, w.agent.task("a"), offset, piece.to_vec().into()).await.expect("a place for it");
        offset += piece.len() as u64;
    }
    w.finish("a", exit(1)).await;
    let updates: Vec<RunUpdate> = w.runs.follow(run, None, Lang::En).try_collect().await.expect("updates");
    let mut told = String::new();
    for update in &updates {
        if let RunUpdate::Log { offset, text, .. } = update {
            assert_eq!(*offset, told.len() as u64);
            told += text;
        }
    }
    assert_eq!(told, text);
}

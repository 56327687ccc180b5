//! Lives of single runs.

use super::world::{SPEC, World, canceled, commit, exit, good, lost, push, user, word};
use std::time::Duration;
use tradewind_control::{
    Error,
    runs::{self, Push, RunError, Runs, check},
    tasks,
};
use tradewind_model::{
    fault::{Fault, Lang},
    id::{Digest, RunId},
    protocol::agent::{Exit, JobOutcome, ObservedTask, TaskResult, TaskState, Work},
    said::Said,
    time::Clock as _,
};
use tradewind_store::{Logs, rows, transact};

const PIPELINE: &str = "
stages: [build, test]
variables: { WHO: $CI_PROJECT_NAME }
build:
  stage: build
  script: [make]
  artifacts: { paths: [dist], expire_in: 2 days }
unit:
  stage: test
  script: [make test]
lint:
  stage: test
  needs: []
  script: [make lint]
  allow_failure: true
";

fn refused<T: std::fmt::Debug>(answer: Result<T, RunError>) -> Vec<Fault> {
    match answer {
        Err(RunError::Refused(faults)) => faults,
        other => panic!("not refused: {other:?}"),
    }
}

fn codes<T: std::fmt::Debug>(answer: Result<T, RunError>) -> Vec<&'static str> {
    refused(answer).iter().map(|f| f.code.id).collect()
}

#[tokio::test]
async fn a_push_becomes_a_release() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    assert_eq!(w.shows(run).await, "pending: build=pending unit=created lint=pending .package=created");

    w.exchange().await;
    assert_eq!(w.shows(run).await, "running: build=running unit=created lint=running .package=created");
    let build = w.agent.script("build");
    assert_eq!(build.script, ["make"]);
    assert_eq!(build.variables["WHO"], "shop");
    assert_eq!(build.variables["CI_PIPELINE_ID"], run.to_string());
    assert_eq!(build.variables["CI_JOB_ID"], build.job.to_string());
    assert_eq!(build.artifacts.expect("a rule").paths, ["dist", "dist/**"]);
    assert_eq!(build.source.commit, commit("one"));

    let built = good(&w.agent.work("build"));
    w.finish("build", built).await;
    w.finish("lint", exit(1)).await;
    w.exchange().await;
    let kept = rows::artifact_terms::of(&mut w.ctx.store.read().await.unwrap(), &Digest::of(b"build")).await.unwrap();
    let Some(rows::artifact_terms::Kept::Until(until)) = kept else { panic!("{kept:?}") };
    assert!(
        until > w.clock.now().plus(Duration::from_secs(86_400))
            && until <= w.clock.now().plus(Duration::from_secs(2 * 86_400)),
        "as the file says"
    );
    assert_eq!(w.shows(run).await, "running: build=success unit=running lint=failed .package=created");
    assert_eq!(w.agent.script("unit").source.artifacts, [Digest::of(b"build")]);

    w.finish("unit", exit(0)).await;
    w.tell().await;
    let Work::Package(package) = w.agent.work(".package") else { panic!("not a packaging") };
    assert_eq!(package.source.artifacts, [Digest::of(b"build")]);
    assert_eq!((package.paths.join(" "), package.spec.as_str()), ("**".into(), SPEC));
    w.succeed().await;

    let view = w.view(run).await;
    assert_eq!(w.shows(run).await, "success_with_warnings: build=success unit=success lint=failed .package=success");
    assert_eq!((view.release.expect("a release").label, view.rollout.is_some()), ("v1".into(), true));
    assert_eq!((view.title.as_deref(), view.requested_by.as_str(), view.number), (Some("Change one"), "lin", 1));
    assert!(view.started_at <= view.finished_at && view.finished_at.is_some());
    assert_eq!(w.rollouts().await, ["v1"]);

    let kinds: Vec<String> = w.events().await.into_iter().map(|e| e.fact.kind).collect();
    insta::assert_snapshot!(kinds.join("\n"));
}

#[tokio::test]
async fn without_a_pipeline_the_commit_is_packaged_as_it_is() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "").await;
    assert_eq!(w.shows(run).await, "pending: .package=pending");
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: .package=success");

    // The same content again is the same release; it is on its way already, which is said and nothing more.
    let again = Push { id: "again".into(), ..push("one", "") };
    let (second, new) = w.runs.enqueue(&again).await.expect("a run");
    assert!(new && second != run);
    w.succeed().await;
    assert_eq!(w.view(second).await.release.expect("a release").label, "v1");
    assert_eq!(w.rollouts().await, ["v1", "v1"]);
}

#[tokio::test]
async fn a_push_asks_once_however_often_it_is_told() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    assert_eq!(w.runs.enqueue(&push("one", PIPELINE)).await.expect("the run"), (run, false));
    w.restart().await;
    let newer = w.enqueue("two", "").await;
    // Told late, after a newer push of the branch: still the run that was made, not a new one of an old commit.
    assert_eq!(w.runs.enqueue(&push("one", PIPELINE)).await.expect("the run"), (run, false));
    assert_eq!(w.view(newer).await.number, 2);
}

#[tokio::test]
async fn a_failed_job_leaves_no_release_and_says_why() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    w.finish("build", exit(2)).await;
    w.succeed().await;
    assert_eq!(w.shows(run).await, "failed: build=failed unit=skipped lint=success .package=skipped");
    let build = w.job(run, "build").await;
    assert_eq!((build.exit_code, build.message.as_deref()), (Some(2), Some("exit code 2")));
    assert!(w.view(run).await.release.is_none());
    assert!(w.rollouts().await.is_empty());
}

#[tokio::test]
async fn what_an_agent_cannot_carry_out_fails_the_job_with_its_reason() {
    let timed_out = TaskResult::Job {
        outcome: JobOutcome::TimedOut,
        exit: Exit::Signal { signal: 9 },
        artifacts: None,
        message: None,
        commands: Vec::new(),
    };
    let foreign = TaskResult::Package { result: Err(Said::plain("not a job")) };
    for (result, message, zh) in [
        (lost(), "the host was restarted under it (host_restarted)", "主机在其运行期间重启（host_restarted）"),
        (timed_out, "stopped after its timeout of 3600s", "超过时限 3600s，已被停止"),
        (foreign, "the agent answered with a result of another kind", "agent 返回了另一种结果"),
    ] {
        let mut w = World::new().await;
        let run = w.enqueue("one", "a: { script: x }").await;
        w.finish("a", result).await;
        assert_eq!(w.shows(run).await, "failed: a=failed .package=skipped");
        assert_eq!(w.job(run, "a").await.message.as_deref(), Some(message));
        let told = w.runs.get(run, Lang::Zh).await.expect("the run").jobs.remove(0);
        assert_eq!(told.message.as_deref(), Some(zh));
    }
}

#[tokio::test]
async fn a_release_of_another_run_is_not_taken() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "").await;
    for _ in 0..2 {
        w.tell().await;
        let TaskResult::Package { result: Ok(manifest) } = good(&w.agent.work(".package")) else {
            panic!("no manifest")
        };
        let manifest = tradewind_model::release::ReleaseManifest { commit: commit("other"), ..manifest };
        w.finish(".package", TaskResult::Package { result: Ok(manifest) }).await;
    }
    assert_eq!(w.shows(run).await, "failed: .package=failed");
    let message = w.job(run, ".package").await.message.expect("a reason");
    assert!(message.contains("not of this run"), "{message}");
}

#[tokio::test]
async fn what_is_live_already_is_not_rolled_out_again_and_the_run_says_so() {
    let mut live = crate::world::World::new().await;
    let agents = live.ctx.agents.clone();
    let (stay, _to_agent) = live.connect(&agents);
    let label = live.release(1, SPEC).await;
    let rollout = live.deploy(&label).await;
    live.see_through(&stay, rollout).await;

    let folder = tempfile::tempdir().expect("a folder");
    let runs = Runs::new(live.ctx.clone(), Logs::open(folder.path()).expect("logs"));
    let push = Push { commit: format!("{:040}", 1).parse().expect("a commit"), ..push("one", "") };
    let (run, _) = runs.enqueue(&push).await.expect("a run");
    let task = live.desired().await.tasks.remove(0);
    let state = TaskState::Done(Box::new(good(&task.work)));
    let seen =
        ObservedTask { id: task.id, state, started_at: None, finished_at: None, log_bytes: 0, commands: Vec::new() };
    let told: Result<(), Error> = transact!(live.ctx.store, tx => {
        let news = tasks::note(tx, live.host, &seen).await?;
        runs::reported(tx, &live.ctx, news.as_slice()).await
    });
    told.expect("a report");
    let view = runs.get(run, Lang::En).await.expect("the run");
    assert_eq!((word(&view.state).as_str(), view.rollout), ("success", None));
    assert_eq!(view.release.expect("a release").label, label);
    let reason = view.reason.expect("a reason");
    assert!(reason.contains("v1"), "{reason}");
}

#[tokio::test]
async fn a_branch_that_leads_nowhere_makes_a_release_and_no_rollout() {
    let mut w = World::new().await;
    let push = Push { git_ref: "refs/heads/feature".into(), ..push("one", "") };
    let (run, _) = w.runs.enqueue(&push).await.expect("a run");
    w.succeed().await;
    let view = w.view(run).await;
    assert_eq!((view.env, view.rollout, view.branch.as_str()), (None, None, "feature"));
    assert_eq!(view.release.expect("a release").label, "v1");
    assert!(w.rollouts().await.is_empty());
}

#[tokio::test]
async fn cancel_reaches_what_runs_and_waits_for_its_end() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    w.exchange().await;
    w.runs.cancel(run, &user()).await.expect("a cancel");
    assert_eq!(w.shows(run).await, "canceling: build=canceling unit=canceled lint=canceling .package=canceled");
    w.restart().await;
    w.exchange().await;
    assert_eq!(w.shows(run).await, "canceled: build=canceled unit=canceled lint=canceled .package=canceled");
    assert_eq!(w.view(run).await.reason.as_deref(), Some("because"));
    assert_eq!(codes(w.runs.cancel(run, &user()).await), ["TW-RUN-002"]);
    w.tell().await;
    assert!(w.agent.seen().is_empty(), "the host is told to forget what has ended");

    w.runs.retry_failed(run, &user()).await.expect("a retry");
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: build=success unit=success lint=success .package=success");
}

#[tokio::test]
async fn a_job_that_succeeded_before_its_cancel_arrived_brings_no_release() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "").await;
    w.exchange().await;
    let result = good(&w.agent.work(".package"));
    w.agent.finish(".package", result);
    w.runs.cancel(run, &user()).await.expect("a cancel");
    w.report().await;
    assert_eq!(w.shows(run).await, "canceled: .package=canceled");
    assert!(w.rollouts().await.is_empty());
}

#[tokio::test]
async fn a_job_cancelled_before_it_was_seen_to_run_is_stopped_on_its_host() {
    let mut w = World::new().await;
    let run = w.enqueue("one", PIPELINE).await;
    w.tell().await;
    let lint = w.job_id(run, "lint").await;
    w.runs.cancel_job(run, lint, &user()).await.expect("a cancel");
    assert_eq!(w.shows(run).await, "pending: build=pending unit=created lint=canceled .package=created");
    w.exchange().await;
    assert_eq!(w.agent.running_jobs(), ["build"]);
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success_with_warnings: build=success unit=success lint=canceled .package=success");
}

#[tokio::test]
async fn people_start_manual_jobs_and_retry_failed_ones() {
    let mut w = World::new().await;
    let pipeline = "
ask: { stage: build, script: x, when: manual, allow_failure: false }
flaky: { script: x, retry: 1 }
";
    let run = w.enqueue("one", pipeline).await;
    assert_eq!(w.shows(run).await, "manual: ask=manual flaky=created .package=created");
    let (ask, flaky) = (w.job_id(run, "ask").await, w.job_id(run, "flaky").await);
    assert_eq!(codes(w.runs.play(run, flaky, &user()).await), ["TW-RUN-003"]);
    assert_eq!(codes(w.runs.retry(run, ask, &user()).await), ["TW-RUN-004"]);
    assert_eq!(codes(w.runs.retry_failed(run, &user()).await), ["TW-RUN-004"]);
    let nobody = RunId::at(Default::default());
    assert_eq!(codes(w.runs.cancel(nobody, &user()).await), ["TW-CTL-012"]);

    w.runs.play(run, ask, &user()).await.expect("a start");
    w.finish("ask", exit(0)).await;
    w.finish("flaky", exit(1)).await;
    assert_eq!(w.shows(run).await, "running: ask=success flaky=pending .package=created");
    w.finish("flaky", exit(1)).await;
    assert_eq!(w.shows(run).await, "failed: ask=success flaky=failed .package=skipped");
    assert!(w.view(run).await.finished_at.is_some());

    w.runs.retry(run, flaky, &user()).await.expect("a retry");
    assert!(w.view(run).await.finished_at.is_none());
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: ask=success flaky=success .package=success");
    assert_eq!(w.agent.begun, ["ask", "flaky", "flaky", "flaky", ".package"]);
}

#[tokio::test]
async fn a_newer_push_takes_the_place_of_a_run_that_has_not_begun() {
    let mut w = World::new().await;
    let older = w.enqueue("one", PIPELINE).await;
    let newer = w.enqueue("two", PIPELINE).await;
    assert_eq!(word(&w.view(older).await.state), "canceled");
    assert_eq!(w.view(older).await.reason.as_deref(), Some("superseded by run 2"));
    w.exchange().await;
    let third = w.enqueue("three", PIPELINE).await;
    w.succeed().await;
    assert_eq!(word(&w.view(newer).await.state), "success");
    assert_eq!(word(&w.view(third).await.state), "success");
}

#[tokio::test]
async fn rules_may_leave_nothing_to_run() {
    let w = World::new().await;
    let run = w.enqueue("one", "a: { script: x, rules: [{ if: $CI_COMMIT_TAG }] }").await;
    let view = w.view(run).await;
    assert_eq!((word(&view.state).as_str(), view.jobs.len()), ("skipped", 0));
    assert!(view.finished_at.is_some() && view.reason.is_some());
}

#[tokio::test]
async fn all_that_is_wrong_with_a_push_is_said_at_once() {
    let w = World::new().await;
    let broken = Push { spec: "version: 2\n".into(), ..push("one", "a: { scirpt: x }") };
    let said = refused(w.runs.enqueue(&broken).await);
    assert_eq!(check(&broken).expect_err("refused"), said);
    assert!(
        said.iter().any(|f| f.code.id.starts_with("TW-SPEC")) && said.iter().any(|f| f.code.id.starts_with("TW-PIPE"))
    );
    let missing = Push { spec: format!("{SPEC}pipeline: ci.yml\n"), ..push("one", "") };
    assert_eq!(codes(w.runs.enqueue(&missing).await), ["TW-RUN-005"]);
    assert!(check(&push("one", PIPELINE)).is_ok());
}

#[tokio::test]
async fn jobs_wait_for_a_host_and_go_on_when_one_comes() {
    let mut w = World::new().await;
    w.set_present(false).await;
    let run = w.enqueue("one", "").await;
    assert_eq!(w.view(run).await.reason.as_deref(), Some("waits for a host with an agent"));
    w.tell().await;
    assert!(w.agent.begun.is_empty());
    w.set_present(true).await;
    w.runs.reconcile().await.expect("a look");
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: .package=success");
}

#[tokio::test]
async fn a_host_that_went_away_for_good_does_not_keep_a_run_for_ever() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x, timeout: 20m }").await;
    w.exchange().await;
    w.set_present(false).await;
    w.clock.advance(Duration::from_secs(15 * 60));
    w.runs.reconcile().await.expect("a look");
    assert_eq!(w.shows(run).await, "running: a=running .package=created");
    w.clock.advance(Duration::from_secs(15 * 60));
    // A server that has just come back cannot know yet who is away.
    w.restart().await;
    w.runs.reconcile().await.expect("a look");
    assert_eq!(w.shows(run).await, "running: a=running .package=created");
    w.clock.advance(Duration::from_secs(15 * 60));
    w.runs.reconcile().await.expect("a look");
    assert_eq!(w.shows(run).await, "failed: a=failed .package=skipped");
    assert!(w.job(run, "a").await.message.expect("a reason").contains("host-1 has not reported"));
    // It comes back after all: what it still runs is stopped, and changes nothing any more.
    w.set_present(true).await;
    w.exchange().await;
    assert!(w.agent.running_jobs().is_empty());
    assert_eq!(w.shows(run).await, "failed: a=failed .package=skipped");
}

#[tokio::test]
async fn delayed_jobs_start_by_themselves() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "a: { script: x, when: delayed, start_in: 10m }").await;
    let wake = w.runs.reconcile().await.expect("a look").expect("a time to look again");
    assert_eq!(w.shows(run).await, "pending: a=created .package=created");
    w.clock.advance(wake.since(w.ctx.now()));
    w.runs.reconcile().await.expect("a look");
    w.succeed().await;
    assert_eq!(w.shows(run).await, "success: a=success .package=success");
}

#[tokio::test]
async fn reports_of_strangers_and_about_strangers_change_nothing() {
    let mut w = World::new().await;
    let run = w.enqueue("one", "").await;
    w.tell().await;
    let mut seen = w.agent.seen();
    seen[0].id = tradewind_model::id::TaskId::at(Default::default());
    w.deliver(&seen).await;
    w.host = tradewind_model::id::HostId::at(Default::default());
    let result = canceled();
    w.agent.finish(".package", result);
    w.report().await;
    assert_eq!(w.shows(run).await, "pending: .package=pending");
}

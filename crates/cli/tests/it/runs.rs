use crate::{
    fake::{Answer, Fake, json, list, stream},
    samples::*,
};
use tradewind_api::v1::*;
use tradewind_cli::exit::Exit;

fn updates(end: RunState) -> Vec<RunUpdate> {
    let log = |job: &Job, offset: u64, text: &str| RunUpdate::Log {
        job: job.id,
        name: job.name.clone(),
        offset,
        text: text.into(),
    };
    let running = job("unit tests", JobState::Running);
    let ended = run(end);
    let mut all = vec![
        RunUpdate::Job { job: Box::new(running.clone()) },
        log(&running, 0, "collecting\nte"),
        log(&running, 13, "st_stock ok\nno newline at the end"),
        RunUpdate::Job { job: Box::new(ended.jobs[1].clone()) },
    ];
    if end.is_success() {
        all.push(RunUpdate::Released { release: release_ref("v4") });
        all.push(RunUpdate::RolloutStarted {
            id: ROLLOUT.parse().unwrap(),
            env: "production".parse().unwrap(),
            url: String::new(),
            outlook: Some("350 requests a second lately".into()),
            waits_for: None,
        });
    }
    all.push(RunUpdate::Finished { run: Box::new(ended) });
    all
}

#[tokio::test]
async fn a_run_is_followed_line_by_line() {
    let fake = Fake::start().await;
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Running)));
    fake.on(&format!("GET /runs/{RUN}/follow"), stream(&updates(RunState::Success)));
    fake.on(&format!("GET /runs/{RUN}/follow"), stream(&updates(RunState::Failed)));
    insta::assert_snapshot!("follow", fake.run(&format!("run logs {RUN} -f")).await);
    insta::assert_snapshot!("follow_failed_zh", fake.run_zh(&format!("run logs {RUN} -f")).await);
}

#[tokio::test]
async fn one_jobs_log_is_printed_as_it_was_written() {
    let fake = Fake::start().await;
    let lint = job("lint", JobState::Success);
    fake.on("GET /services/shop/runs", list(&[run(RunState::Success)]));
    fake.on(&format!("GET /runs/{RUN}/jobs/{}/log", lint.id), Answer::Text("a\r\nb".into()));
    assert_eq!(fake.run("run logs 12 --service shop --job lint").await.out, "a\r\nb");
    insta::assert_snapshot!("no_such_job", fake.run("run logs #12 --service shop --job deploy").await);
    insta::assert_snapshot!("no_such_run", fake.run_zh("run logs 13 --service shop").await);
    insta::assert_snapshot!("not_a_run", fake.run("run show twelve --service shop").await);
}

#[tokio::test]
async fn runs_are_listed_and_shown() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop/runs", list(&[run(RunState::Success), run(RunState::Failed)]));
    fake.on("GET /services/new/runs", list::<Run>(&[]));
    insta::assert_snapshot!("run_list", fake.run("run list shop").await);
    insta::assert_snapshot!("run_list_zh", fake.run_zh("run list shop").await);
    insta::assert_snapshot!("run_list_empty", fake.run("run list new").await);
    insta::assert_snapshot!("run_show", fake.run("run show --service shop").await);
    let mut failed = run(RunState::Failed);
    failed.jobs[1].commands = serde_json::from_value(serde_json::json!([
        { "text": "npm ci", "started_at": "2026-11-11T00:08:00Z", "duration_ms": 1_840, "exit_code": 0, "line": 2 },
        { "text": "npm test", "started_at": "2026-11-11T00:08:01.840Z", "duration_ms": 1_360, "exit_code": 2, "line": 31 },
        { "text": "npm run build", "started_at": null, "duration_ms": null, "exit_code": null, "line": null },
    ]))
    .unwrap();
    fake.on(&format!("GET /runs/{RUN}"), json(failed));
    insta::assert_snapshot!("run_show_commands", fake.run(&format!("run show {RUN}")).await);
    insta::assert_snapshot!("run_show_commands_zh", fake.run_zh(&format!("run show {RUN}")).await);
}

#[tokio::test]
async fn what_failed_is_run_again_and_what_waits_is_started() {
    let fake = Fake::start().await;
    let lint = job("lint", JobState::Success).id;
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Failed)));
    for what in [
        format!("/runs/{RUN}/retry"),
        format!("/runs/{RUN}/jobs/{lint}/retry"),
        format!("/runs/{RUN}/jobs/{lint}/start"),
    ] {
        fake.on(&format!("POST {what}"), json(run(RunState::Running)));
    }
    fake.on(&format!("GET /runs/{RUN}/follow"), stream(&updates(RunState::Success)));
    let lines = |said: &crate::fake::Said| said.out.lines().count();
    let again = fake.run(&format!("run retry {RUN} --reason flaky")).await;
    assert_eq!((again.exit, lines(&again) > 3), (Exit::Ok, true), "{again}");
    assert_eq!(fake.run(&format!("run retry {RUN} --job lint --no-wait")).await.out, "run #12 of shop: running\n");
    assert_eq!(fake.run(&format!("run start {RUN} --job lint --no-wait")).await.exit, Exit::Ok);
    assert_eq!(fake.run(&format!("run start {RUN} --job none --no-wait")).await.exit, Exit::Refused);
    assert_eq!(fake.seen()[1].body, serde_json::json!({ "reason": "flaky" }));
}

#[tokio::test]
async fn a_cancel_waits_for_the_end() {
    let fake = Fake::start().await;
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Running)));
    fake.on(&format!("POST /runs/{RUN}/cancel"), json(run(RunState::Canceling)));
    fake.on(
        &format!("GET /runs/{RUN}/follow"),
        stream(&[RunUpdate::Finished { run: Box::new(run(RunState::Canceled)) }]),
    );
    let said = fake.run(&format!("run cancel {RUN}")).await;
    assert_eq!((said.out.as_str(), said.exit), ("run #12 of shop: canceled (12.1 s)\n", Exit::Ok));
}

#[tokio::test]
async fn one_job_is_cancelled_and_its_end_waited_for() {
    let fake = Fake::start().await;
    let lint = job("lint", JobState::Success).id;
    let mut ended = run(RunState::Running);
    ended.jobs[0].state = JobState::Canceled;
    let mut canceling = ended.clone();
    canceling.jobs[0].state = JobState::Canceling;
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Running)));
    fake.on(&format!("GET /runs/{RUN}"), json(ended.clone()));
    fake.on(&format!("POST /runs/{RUN}/jobs/{lint}/cancel"), json(canceling));
    let update = RunUpdate::Job { job: Box::new(ended.jobs[0].clone()) };
    fake.on(&format!("GET /runs/{RUN}/follow"), stream(&[update]));
    let said = fake.run(&format!("run cancel {RUN} --job lint --reason hangs")).await;
    insta::assert_snapshot!("cancel_job", said);
    assert_eq!(fake.seen()[1].body, serde_json::json!({ "reason": "hangs" }));
    assert_eq!(fake.run(&format!("run cancel {RUN} --job none")).await.exit, Exit::Refused);
}

#[tokio::test]
async fn what_jobs_left_is_listed_and_brought_here_once() {
    let fake = Fake::start().await;
    let lint = job("lint", JobState::Success).id;
    let digest = release_ref("v3").digest;
    let artifacts: Vec<Artifact> = serde_json::from_value(serde_json::json!([
        { "job": lint, "name": "lint", "file": "shop-12-lint.tar.zst", "digest": digest, "size": 2_048_000,
          "expires_at": "2026-11-18T00:08:12Z" },
        { "job": job("unit tests", JobState::Success).id, "name": "unit tests", "file": "shop-12-unit-tests.tar.zst",
          "digest": digest, "size": null, "expires_at": null },
    ]))
    .unwrap();
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Success)));
    fake.on(&format!("GET /runs/{RUN}/artifacts"), list(&artifacts));
    fake.on(&format!("GET /runs/{RUN}/jobs/{lint}/artifacts"), Answer::Text("archive".into()));
    insta::assert_snapshot!("artifacts", fake.run(&format!("run artifacts {RUN}")).await);
    insta::assert_snapshot!("artifacts_zh", fake.run_zh(&format!("run artifacts {RUN} --job lint --save here")).await);
    assert_eq!(std::fs::read_to_string(fake.dir.join("here/shop-12-lint.tar.zst")).unwrap(), "archive");
    assert_eq!(fake.run(&format!("run artifacts {RUN} --save here")).await.exit, Exit::Refused);
    assert!(!fake.dir.join("here/shop-12-lint.tar.zst.part").exists());
}

#[tokio::test]
async fn runs_in_one_state_and_the_log_of_an_earlier_attempt() {
    let fake = Fake::start().await;
    let lint = job("lint", JobState::Success).id;
    fake.on("GET /services/shop/runs", list(&[run(RunState::SuccessWithWarnings)]));
    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Failed)));
    fake.on(&format!("GET /runs/{RUN}/jobs/{lint}/log"), Answer::Text("first time".into()));
    assert_eq!(fake.run("run list shop --state success_with_warnings").await.exit, Exit::Ok);
    assert_eq!(fake.seen()[0].line, "GET /services/shop/runs?limit=20&state=success_with_warnings");
    insta::assert_snapshot!("no_such_state", fake.run("run list shop --state green").await);
    assert_eq!(fake.run(&format!("run logs {RUN} --job lint --attempt 1")).await.out, "first time");
    assert!(fake.seen().last().unwrap().line.ends_with("/log?attempt=1"));
}

#[tokio::test]
async fn the_checkout_names_the_service() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop/runs", list::<Run>(&[]));
    insta::assert_snapshot!("which_service", fake.run("run list").await);
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\n").unwrap();
    assert_eq!(fake.run("run list").await.exit, Exit::Ok);
    assert_eq!(fake.seen()[0].line, "GET /services/shop/runs?limit=20");
}

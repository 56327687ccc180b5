//! Logs of jobs by their lines, what jobs leave behind, and what becomes of one job.

use crate::{
    app::{TestApp, code_of, http, until},
    host::Host,
    runs::{shop, work},
};
use std::collections::BTreeMap;
use tradewind_api::{
    Client, Paging,
    v1::{Artifact, JobState, LogHits, LogIndex, Page, Reason, Run, RunUpdate, Scope},
};

const ONE: &str =
    "unit tests: { script: [print first line, 'print \u{1b}[31mer\u{1b}[0mror: stock', leave an archive, fail] }\n";

/// The last run, when it has ended.
async fn ended(client: &Client) -> Run {
    until("a run that ended", async || {
        let run = client.runs(&shop(), &Paging::default()).await.ok()?.items.into_iter().next()?;
        if run.state.is_finished() { client.run(run.id).await.ok() } else { None }
    })
    .await
}

async fn get(app: &TestApp, path: &str, range: Option<&str>) -> (u16, BTreeMap<String, String>, String) {
    let token = app.token(Scope::Read).await;
    let request = http().get(app.url(path)).bearer_auth(token);
    let request = match range {
        Some(range) => request.header("range", range),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let text = |v: &::http::HeaderValue| v.to_str().unwrap().to_owned();
    let headers = answer.headers().iter().map(|(k, v)| (k.to_string(), text(v))).collect();
    (answer.status().as_u16(), headers, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_log_is_read_by_its_lines_and_searched() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    work(&app, ONE).await.push(&["main"]).await;
    let run = ended(&app.client()).await;
    let log = format!("/api/v1/runs/{}/jobs/{}/log", run.id, run.jobs[0].id);

    let index: LogIndex = serde_json::from_str(&get(&app, &format!("{log}/index"), None).await.2).unwrap();
    assert_eq!((index.lines, index.size, index.ended), (2, run.jobs[0].log_bytes, true));
    assert_eq!((index.places[0].line, index.places[0].offset), (1, 0));
    assert_eq!(get(&app, &format!("{log}?offset=6&limit=4"), None).await.2, "line");
    assert_eq!(get(&app, &format!("{log}?offset=9999&limit=4"), None).await.2, "");
    let (_, headers, _) = get(&app, &log, None).await;
    assert_eq!(
        (headers["content-security-policy"].as_str(), headers["x-content-type-options"].as_str()),
        ("sandbox", "nosniff")
    );

    let found: LogHits = serde_json::from_str(&get(&app, &format!("{log}/search?search=ERROR"), None).await.2).unwrap();
    assert_eq!((found.hits.len(), found.hits[0].line, found.next), (1, 2, None), "colours are not in the way");
    for (query, lines) in
        [("search=ERROR&case=true", 0), ("search=r&limit=1", 1), ("search=r&after=1", 1), ("search=r&after=2", 0)]
    {
        let found: LogHits = serde_json::from_str(&get(&app, &format!("{log}/search?{query}"), None).await.2).unwrap();
        assert_eq!(found.hits.len(), lines, "{query}");
    }
    let (status, _, text) = get(&app, &format!("{log}/search?search="), None).await;
    assert!(status == 400 && text.contains("TW-RUN-011"), "{text}");
}

#[tokio::test]
async fn what_a_job_left_is_listed_and_taken_away_but_never_opened() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    work(&app, ONE).await.push(&["main"]).await;
    let run = ended(&app.client()).await;
    let all: Page<Artifact> = app.client().artifacts(run.id).await.unwrap();
    let one = &all.items[0];
    assert_eq!(
        (all.items.len(), one.name.as_str(), one.file.as_str(), one.size),
        (1, "unit tests", "shop-1-unit-tests.tar.zst", Some(10))
    );
    assert!(one.expires_at.is_some(), "the run is over");

    let path = format!("/api/v1/runs/{}/jobs/{}/artifacts", run.id, one.job);
    let (status, headers, text) = get(&app, &path, None).await;
    assert_eq!((status, text.as_str(), headers["content-length"].as_str()), (200, "an archive", "10"));
    assert_eq!(headers["content-disposition"], "attachment; filename=\"shop-1-unit-tests.tar.zst\"");
    assert_eq!(
        (headers["content-type"].as_str(), headers["x-content-type-options"].as_str()),
        ("application/zstd", "nosniff")
    );
    let (status, headers, text) = get(&app, &path, Some("bytes=3-5")).await;
    assert_eq!((status, text.as_str(), headers["content-range"].as_str()), (206, "arc", "bytes 3-5/10"));
    let (status, headers, _) = get(&app, &path, Some("bytes=10-")).await;
    assert_eq!((status, headers["content-range"].as_str()), (416, "bytes */10"));

    let (status, _, text) =
        get(&app, &format!("/api/v1/runs/{}/jobs/{}/artifacts", run.id, run.jobs[1].id), None).await;
    assert!(status == 404 && text.contains("TW-RUN-009"), "{text}");
    app.app.blobs.delete(&one.digest).await.unwrap();
    let (status, _, text) = get(&app, &path, None).await;
    assert!(status == 410 && text.contains("TW-RUN-010"), "{text}");
    assert_eq!(app.client().artifacts(run.id).await.unwrap().items[0].size, None);
}

#[tokio::test]
async fn what_was_before_a_job_ran_again_can_still_be_seen() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    work(&app, ONE).await.push(&["main"]).await;
    let client = app.client();
    let first = ended(&client).await;
    assert_eq!((first.jobs[0].attempt, first.jobs[0].attempts.len()), (1, 0));
    client.retry_job(first.id, first.jobs[0].id, &Reason::default()).await.unwrap();
    let again = until("its second end", async || {
        let run = client.run(first.id).await.ok()?;
        (run.state.is_finished() && run.jobs[0].attempt == 2).then_some(run)
    })
    .await;
    let before = &again.jobs[0].attempts[0];
    assert_eq!((before.attempt, before.state, before.exit_code), (1, JobState::Failed, Some(3)));
    assert_eq!((before.commands.len(), before.log_bytes), (4, first.jobs[0].log_bytes));
    let log = format!("/api/v1/runs/{}/jobs/{}/log", first.id, first.jobs[0].id);
    assert!(get(&app, &format!("{log}?attempt=1"), None).await.2.starts_with("first line"));
    assert!(get(&app, &format!("{log}?attempt=2"), None).await.2.starts_with("first line"));
    for attempt in [0, 3] {
        let (status, _, text) = get(&app, &format!("{log}/index?attempt={attempt}"), None).await;
        assert!(status == 404 && text.contains("TW-RUN-008"), "{text}");
    }
}

#[tokio::test]
async fn one_job_is_cancelled_and_the_others_go_on() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "slow: { script: [print one, hang] }\nother: { script: [hang] }\nafter: { stage: deploy, needs: [other], script: [print x] }\n").await;
    let client = app.client();
    let push = tokio::spawn(async move { work.push(&["main"]).await });
    let run = until("two running jobs", async || {
        let run = client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()?;
        (run.jobs.iter().filter(|j| j.state == JobState::Running).count() == 2).then_some(run)
    })
    .await;
    assert_eq!(run.jobs[2].needs.as_deref(), Some(&["other".to_owned()][..]));
    assert_eq!(run.jobs[0].needs, None);
    let slow = run.jobs[0].id;
    client.cancel_job(run.id, slow, &Reason { reason: "hangs".into() }).await.unwrap();
    let mut follow = client.follow_job(run.id, slow, 2);
    let mut log = String::new();
    let mut last = None;
    while let Some(update) = follow.next().await {
        match update.unwrap() {
            RunUpdate::Log { job, text, offset, .. } => {
                assert_eq!((job, offset), (slow, 2));
                log.push_str(&text);
            }
            RunUpdate::Job { job } => last = Some((job.id, job.state)),
            other @ (RunUpdate::Released { .. } | RunUpdate::RolloutStarted { .. } | RunUpdate::Finished { .. }) => {
                panic!("{other:?}")
            }
        }
    }
    assert_eq!((log.as_str(), last), ("e\n", Some((slow, JobState::Canceled))));
    host.go_on();
    push.await.unwrap();
    let run = ended(&client).await;
    let states: Vec<_> = run.jobs.iter().map(|j| j.state).collect();
    assert_eq!(states[..3], [JobState::Canceled, JobState::Success, JobState::Success]);
    let again = client.cancel_job(run.id, slow, &Reason::default()).await;
    assert_eq!(code_of(again), "TW-RUN-002");
}

#[tokio::test]
async fn runs_are_listed_by_their_state() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = work(&app, ONE).await;
    work.push(&["main"]).await;
    work.write(".gitlab-ci.yml", "lint: { script: [fail], allow_failure: true }\n");
    work.commit("Warn").await;
    work.push(&["main"]).await;
    for (state, numbers) in
        [("failed", vec![1]), ("success_with_warnings", vec![2]), ("success", vec![]), ("running", vec![])]
    {
        let (status, _, text) = get(&app, &format!("/api/v1/services/shop/runs?state={state}"), None).await;
        assert_eq!(status, 200, "{text}");
        let page: Page<Run> = serde_json::from_str(&text).unwrap();
        assert_eq!(page.items.iter().map(|r| r.number).collect::<Vec<_>>(), numbers, "{state}");
    }
    assert_eq!(get(&app, "/api/v1/services/shop/runs?state=green", None).await.0, 422);
}

//! From a push to a rollout, as the pusher and the API's callers see it.

use crate::{
    app::{TestApp, code_of, until},
    git::{Pushed, Work},
    host::Host,
};
use std::time::Duration;
use tradewind_api::{
    LogQuery, Paging,
    v1::{self, PromoteWave, Reason, RolloutPhase, RunState, RunUpdate, Scope, SetFreeze},
};
use tradewind_model::{
    fault::Lang,
    id::{EnvName, ServiceName},
};

pub fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

const WORKER: &str = "version: 1\nservice: shop\nkind: worker\nrun: { command: [./serve] }\n";

/// A folder with a spec and a pipeline, ready to be pushed.
pub async fn work(app: &TestApp, pipeline: &str) -> Work {
    let work = Work::new(app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", WORKER);
    work.write(".gitlab-ci.yml", pipeline);
    work.commit("Sell faster").await;
    work
}

/// What the pusher read, without what differs from run to run.
fn told(pushed: &Pushed) -> String {
    let known = |word: &str| {
        if word.chars().all(|c| c.is_ascii_digit() || c == '.') && word.contains('.') {
            "N.N".to_owned()
        } else if word.len() == 36 && word.parse::<uuid::Uuid>().is_ok() {
            "ID".to_owned()
        } else if let Some((before, _)) = word.split_once("…").filter(|_| word.contains("…")) {
            format!("{}DIGEST…)", before.trim_end_matches(|c: char| c.is_ascii_hexdigit()))
        } else {
            word.to_owned()
        }
    };
    let line = |l: &str| l.split(' ').map(known).collect::<Vec<_>>().join(" ");
    pushed.remote().lines().map(|l| line(l) + "\n").collect()
}

const GOOD: &str = "stages: [build, test]\ncompile: { stage: build, script: [print compiling, print 信风] }\n\
                    unit tests: { stage: test, script: [print 12 passed] }\n";

#[tokio::test]
async fn a_push_is_told_its_whole_way_to_the_rollout() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let mut work = work(&app, GOOD).await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "{}", pushed.said);
    insta::assert_snapshot!("good_push", told(&pushed));

    let client = app.client();
    let run = client.runs(&shop(), &Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((run.number, run.state), (1, RunState::Success));
    assert_eq!((run.requested_by.as_str(), run.title.as_deref()), ("deploy@test", Some("Sell faster")));
    let rollout = run.rollout.unwrap();
    let mut follow = client.follow_rollout(rollout);
    let mut phase = None;
    while let Some(update) = follow.next().await {
        phase = Some(update.unwrap().phase);
    }
    assert_eq!(phase, Some(RolloutPhase::Completed));
    assert_eq!(code_of(client.judgement(rollout).await), "TW-CTL-013", "a first release is compared with nothing");
    let late =
        client.promote_wave(rollout, &PromoteWave { wave: std::num::NonZeroU32::MIN, reason: "seen".into() }).await;
    assert_eq!(code_of(late), "TW-ROLL-022");
    let status = client.status(Some(&shop())).await.unwrap();
    assert_eq!(status[0].release.as_ref().unwrap().label, "v1");
    let releases = client.releases(&shop(), &Paging::default()).await.unwrap().items;
    let shown: Vec<_> = releases.iter().map(|r| (r.name.label.as_str(), r.title.as_deref(), &*r.created_by)).collect();
    assert_eq!(shown, [("v1", Some("Sell faster"), "deploy@test")]);

    work.lang = "zh_CN";
    work.commit("第二次").await;
    insta::assert_snapshot!("good_push_zh", told(&work.push(&["main"]).await));
    work.commit("elsewhere").await;
    insta::assert_snapshot!("push_of_a_branch_that_leads_nowhere", told(&work.push(&["main:feature"]).await));
}

#[tokio::test]
async fn a_failed_build_is_stored_said_and_releases_nothing() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let pipeline = "lint: { script: [print two warnings, fail], allow_failure: true }\n\
                    unit tests: { script: [print 1 failed, fail] }\n";
    let work = work(&app, pipeline).await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "git has stored it: {}", pushed.said);
    let mut lines: Vec<_> = told(&pushed).lines().map(str::to_owned).collect();
    // The two jobs run at once: their lines come in either order.
    lines[2..].sort();
    insta::assert_snapshot!("failed_build", lines.join("\n"));
    assert!(app.client().releases(&shop(), &Paging::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_run_tells_of_each_command_and_of_those_that_were_never_begun() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = work(&app, "unit tests: { script: [print a, fail, print b] }\n").await;
    work.push(&["main"]).await;
    let client = app.client();
    let brief = client.runs(&shop(), &Paging::default()).await.unwrap().items.remove(0);
    assert!(brief.jobs[0].commands.is_empty(), "a list of runs is brief");
    let run = client.run(brief.id).await.unwrap();
    let told: Vec<_> =
        run.jobs[0].commands.iter().map(|c| (c.text.as_str(), c.exit_code, c.duration_ms, c.line)).collect();
    assert_eq!(
        told,
        [
            ("print a", Some(0), Some(1000), Some(1)),
            ("fail", Some(3), Some(1000), Some(2)),
            ("print b", None, None, None)
        ]
    );
    assert!(run.jobs[1].commands.is_empty(), "the packaging has no script");
}

#[tokio::test]
async fn who_reads_chinese_is_told_in_chinese_and_another_in_english() {
    let app = TestApp::start().await;
    let mut work = work(&app, "unit tests: { script: [print 1 failed, fail] }\n").await;
    work.lang = "zh_CN";
    let (chinese, english) = (app.client().with_lang(Lang::Zh), app.client());
    let push = tokio::spawn(async move { work.push(&["main"]).await });
    let run = until("a run", async || chinese.runs(&shop(), &Paging::default()).await.ok()?.items.pop()).await;
    assert_eq!(run.reason.as_deref(), Some("等待有 agent 的主机"));
    assert_eq!(english.run(run.id).await.unwrap().reason.as_deref(), Some("waits for a host with an agent"));
    let mut follow = chinese.follow_run(run.id);
    let _host = Host::start(&app).await;
    let mut told = Vec::new();
    while let Some(update) = follow.next().await {
        if let RunUpdate::Job { job } = update.unwrap() {
            told.extend(job.message);
        }
    }
    assert_eq!(told, ["退出码 3"]);
    assert_eq!(english.run(run.id).await.unwrap().jobs[0].message.as_deref(), Some("exit code 3"));
    let pushed = push.await.unwrap();
    assert!(pushed.said.contains("=> unit tests：失败") && pushed.said.contains("：退出码 3"), "{}", pushed.said);
}

#[tokio::test]
async fn a_pusher_who_goes_away_ends_the_telling_and_not_the_run() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "slow: { script: [print working, hang] }\n").await;
    let mut git = work.command(&["push", &work.remote, "main"]).process_group(0).spawn().unwrap();
    let client = app.client();
    let run = until("a running job", async || {
        let run = client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()?;
        (run.state == RunState::Running).then_some(run)
    })
    .await;
    // As Ctrl-C does: git and the helper that holds the connection.
    let group = format!("-{}", git.id().unwrap());
    assert!(tokio::process::Command::new("kill").args(["-9", "--", &group]).status().await.unwrap().success());
    git.wait().await.unwrap();
    until("the push to be over", async || app.app.git.pushes.is_empty().then_some(())).await;
    assert_eq!(client.run(run.id).await.unwrap().state, RunState::Running);
    host.go_on();
    let mut follow = client.follow_run(run.id);
    let mut last = None;
    while let Some(update) = follow.next().await {
        last = Some(update.unwrap());
    }
    assert!(matches!(last, Some(RunUpdate::Finished { run }) if run.state == RunState::Success));
}

#[tokio::test]
async fn a_run_is_followed_read_and_cancelled_over_the_api() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = work(&app, "slow: { script: [print one, print two, hang] }\n").await;
    let client = app.client();
    let push = tokio::spawn(async move { work.push(&["main"]).await });
    let run = until("a run", async || client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()).await;
    let mut follow = client.follow_run(run.id);
    let mut log = String::new();
    while log != "one\ntwo\n" {
        if let RunUpdate::Log { text, .. } = follow.next().await.unwrap().unwrap() {
            log.push_str(&text);
        }
    }
    let job = run.jobs.iter().find(|j| j.name == "slow").unwrap().id;
    assert_eq!(client.job_log(run.id, job, 4).await.unwrap(), "two\n");
    let canceled = client.cancel_run(run.id).await.unwrap();
    assert!(matches!(canceled.state, RunState::Canceling | RunState::Canceled), "{:?}", canceled.state);
    let end = loop {
        if let RunUpdate::Finished { run } = follow.next().await.unwrap().unwrap() {
            break run;
        }
    };
    assert_eq!(end.state, RunState::Canceled);
    assert!(follow.next().await.is_none());
    let pushed = push.await.unwrap();
    assert!(pushed.ok && pushed.said.contains("The run was cancelled"), "{}", pushed.said);
    let again = client.cancel_run(run.id).await.unwrap_err();
    assert_eq!(again.problem().unwrap().code, "TW-RUN-002");
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_what_it_left_is_taken_up_again() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "slow: { script: [hang] }\n").await;
    let client = app.client();
    let push = tokio::spawn(async move { work.push(&["main"]).await });
    let run = until("a running job", async || {
        let run = client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()?;
        (run.state == RunState::Running).then_some(run)
    })
    .await;
    drop(host);
    let folder = app.stop().await;
    let pushed = push.await.unwrap();
    assert!(pushed.ok && pushed.said.contains("The server restarts."), "{}", pushed.said);

    let app = TestApp::start_in(folder).await;
    let host = Host::start(&app).await;
    host.go_on();
    until("the run's end", async || {
        let run = app.client().run(run.id).await.unwrap();
        (run.state == RunState::Success).then_some(())
    })
    .await;
    assert_eq!(app.client().runs(&shop(), &Paging::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_branch_that_moved_without_a_run_gets_one() {
    let app = TestApp::start().await;
    let work = work(&app, "pipeline: { script: [print x] }\n").await;
    let host = Host::start(&app).await;
    assert!(work.push(&["main"]).await.ok);
    drop(host);
    let folder = app.stop().await;
    // As if the server had been killed between the ref and the run.
    let lost = work.commit("lost between two steps").await;
    let repository = folder.path().join("data/git/shop.git");
    work.git(&["push", "-q", repository.to_str().unwrap(), "main"]).await;

    let app = TestApp::start_in(folder).await;
    let found = until("the run", async || {
        let runs = app.client().runs(&shop(), &Paging::default()).await.unwrap().items;
        runs.into_iter().find(|r| r.commit.as_str() == lost)
    })
    .await;
    assert_eq!(found.number, 2);
    assert_eq!(found.requested_by, "Li Wei", "the ref's log knows who moved it");
}

#[tokio::test]
async fn going_back_and_forth_makes_a_run_each_time() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = work(&app, "pipeline: { script: [print x] }\n").await;
    assert!(work.push(&["main"]).await.ok);
    work.commit("second").await;
    assert!(work.push(&["main"]).await.ok);
    assert!(work.push(&["--force", "main~1:main"]).await.ok);
    let runs = app.client().runs(&shop(), &Paging::default()).await.unwrap().items;
    assert_eq!(runs.iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(runs[0].commit, runs[2].commit);
}

#[tokio::test]
async fn what_instances_write_is_read_through_their_host() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "pipeline: { script: [print x] }\n").await;
    assert!(work.push(&["main"]).await.ok);
    let client = app.client();
    let env = "production".parse().unwrap();
    until("a live release", async || {
        let status = client.status(Some(&shop())).await.unwrap();
        status.first()?.release.as_ref().map(drop)
    })
    .await;
    let read = async |release: Option<&str>| {
        let mut logs = client.logs(&shop(), &LogQuery { release: release.map(str::to_owned), ..asked(&env, false) });
        let mut lines = Vec::new();
        while let Some(update) = logs.next().await {
            lines.push(match update.unwrap() {
                v1::LogUpdate::Line(l) => format!("{} {} {}", l.at, l.label, l.text),
                v1::LogUpdate::Notice { text } => text.split(": ").last().unwrap().to_owned(),
            });
        }
        lines
    };
    let lines = read(None).await;
    assert_eq!(lines[0], "1970-01-01T00:00:01.000000Z v1 ready");
    assert!(lines.iter().any(|l| l.ends_with("v1 order 1")));
    // Instances of releases that went are read by their release.
    for title in ["second", "third"] {
        work.commit(title).await;
        assert!(work.push(&["main"]).await.ok);
    }
    until("v3", async || {
        let status = client.status(Some(&shop())).await.unwrap();
        status.first()?.release.as_ref().filter(|r| r.label == "v3").map(drop)
    })
    .await;
    assert!(read(None).await.iter().all(|l| !l.contains(" v1 ")));
    assert!(read(Some("v1")).await.iter().any(|l| l.ends_with("v1 order 1")));
    let id = host.id;
    drop(host);
    until("absence", async || (!app.app.ctx.agents.is_present(id)).then_some(())).await;
    assert_eq!(read(None).await[0], "its host h1 is not connected, so its log cannot be read now");
}

fn asked(env: &EnvName, follow: bool) -> LogQuery {
    LogQuery { env: env.clone(), site: None, release: None, tail: 10, follow }
}

#[tokio::test]
async fn a_start_by_hand_and_a_retry_are_asked_for_over_the_api() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "check: { script: [hang, fail] }\n").await;
    let client = app.client();
    let push = tokio::spawn(async move { work.push(&["main"]).await });
    let run = until("a run", async || client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()).await;
    host.go_on();
    push.await.unwrap();
    assert_eq!(client.run(run.id).await.unwrap().state, RunState::Failed);
    let job = run.jobs[0].id;
    let why = Reason { reason: "the network was down".into() };
    let again = client.retry_job(run.id, job, &why).await.unwrap();
    assert!(!again.state.is_finished(), "{:?}", again.state);
    let mut follow = client.follow_run(run.id);
    while let Some(update) = follow.next().await {
        update.unwrap();
    }
    assert_eq!(client.start_job(run.id, job, &why).await.unwrap_err().problem().unwrap().code, "TW-RUN-003");
    assert!(!client.retry_run(run.id, &why).await.unwrap().state.is_finished());
}

#[tokio::test]
async fn a_log_with_a_gap_or_of_another_hosts_task_is_refused() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = work(&app, "slow: { script: [print x, hang] }\n").await;
    let _push = tokio::spawn(async move { work.push(&["main"]).await });
    let client = app.client();
    let run = until("a run", async || client.runs(&shop(), &Paging::default()).await.ok()?.items.pop()).await;
    until("its log", async || {
        let log = client.job_log(run.id, run.jobs[0].id, 0).await.unwrap();
        (log == "x\n").then_some(())
    })
    .await;
    let other = tradewind_server::admin::enrol_host(&app.app.store, "h2").await.unwrap().token;
    let unknown = "01930000-0000-7000-8000-000000000000".parse().unwrap();
    let refused = app.client_as(&other).append_task_log(unknown, 0, "x".into()).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, "TW-RUN-006");
}

#[tokio::test]
async fn a_follower_of_logs_sees_instances_that_start_later_and_hosts_that_come_back() {
    let app = TestApp::start().await;
    let host = Host::start(&app).await;
    let work = work(&app, "pipeline: { script: [print x] }\n").await;
    assert!(work.push(&["main"]).await.ok);
    let client = app.client();
    let env = "production".parse().unwrap();
    let live = async |label: &str| {
        let status = client.status(Some(&shop())).await.unwrap();
        status.first()?.release.as_ref().filter(|r| r.label == label).map(drop)
    };
    until("v1", async || live("v1").await).await;
    let mut logs = client.logs(&shop(), &asked(&env, true));
    let mut next = async || {
        let update = tokio::time::timeout(Duration::from_secs(60), logs.next()).await.expect("no more lines");
        match update.unwrap().unwrap() {
            v1::LogUpdate::Line(l) => format!("{} {}", l.label, l.text),
            v1::LogUpdate::Notice { text } => text.split(": ").last().unwrap().to_owned(),
        }
    };
    assert_eq!((next().await, next().await), ("v1 ready".into(), "v1 order 1".into()));
    work.commit("second").await;
    assert!(work.push(&["main"]).await.ok);
    assert_eq!((next().await, next().await), ("v2 ready".into(), "v2 order 1".into()));
    drop(host);
    let lost = "the connection to its host h1 broke, so lines may be missing";
    assert_eq!((next().await, next().await), (lost.into(), lost.into()));
    let _host = Host::start_with(&app, &["ready", "order 1", "order 2"]).await;
    let mut came = [next().await, next().await];
    came.sort();
    assert_eq!(came, ["v1 order 2", "v2 order 2"], "what was told is not told again");
}

#[tokio::test]
async fn under_a_freeze_a_push_builds_and_says_what_its_rollout_waits_for() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let client = app.client_as(&app.token(Scope::Deploy).await);
    let all = SetFreeze { service: None, env: None, all: true, reason: "11.11".into(), until: None, for_s: None };
    let freeze = client.set_freeze(&all).await.unwrap();
    let work = work(&app, GOOD).await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "{}", pushed.said);
    let told = pushed.remote();
    assert!(told.contains("Rollout to production waits: frozen by deploy@test since "), "{told}");
    assert!(told.contains(": 11.11.") && !told.contains("has begun"), "{told}");

    let run = client.runs(&shop(), &Paging::default()).await.unwrap().items.remove(0);
    assert_eq!(run.state, RunState::Success);
    let waits = client.rollout(run.rollout.unwrap()).await.unwrap();
    assert_eq!(waits.phase, RolloutPhase::Queued);
    assert!(waits.reason.unwrap().starts_with("frozen by deploy@test"));
    client.lift_freeze(freeze.id, &Reason { reason: "sales are over".into() }).await.unwrap();
    let mut follow = client.follow_rollout(waits.id);
    let mut phase = None;
    while let Some(update) = follow.next().await {
        phase = Some(update.unwrap().phase);
    }
    assert_eq!(phase, Some(RolloutPhase::Completed), "it goes on by itself");
}

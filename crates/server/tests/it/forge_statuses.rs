//! What a forge shows beside a commit, as it is told.

use crate::{
    app::until,
    forge::Told,
    forges::{World, here, shop},
};
use serde_json::Value;
use std::collections::BTreeMap;
use tradewind_api::v1::{ForgeDeliveryState as State, ForgeKind, RollbackRequest};
use tradewind_outbound::Guard;

const TOKEN: &str = "a-token-of-the-forge";

/// Which line a request is about, and the word it has for its state.
fn line(told: &Told) -> (String, String) {
    let text = |name: &str| told.body[name].as_str().unwrap_or_default().to_owned();
    let context = ["context", "name"].iter().map(|n| text(n)).find(|t| !t.is_empty()).unwrap_or_default();
    let state = [text("state"), text("status"), text("conclusion")].concat();
    (context, state)
}

fn newest(told: &[Told]) -> BTreeMap<String, (String, Told)> {
    told.iter().map(|t| (line(t).0, (line(t).1, t.clone()))).collect()
}

/// Until both lines say so.
async fn succeeds(w: &World, word: &str) -> BTreeMap<String, (String, Told)> {
    until(word, async || {
        let lines = newest(&w.forge.told());
        (lines.len() == 2 && lines.values().all(|(state, _)| state.ends_with(word))).then_some(lines)
    })
    .await
}

#[tokio::test]
async fn each_forge_hears_of_run_and_rollout_to_their_end() {
    let mut shown = String::new();
    for kind in ForgeKind::ALL {
        let w = World::with(kind, here(), Some(TOKEN)).await;
        let commit = w.push("main").await;
        let (status, answer) = w.deliver("d", "main", &commit).await;
        assert_eq!(status, 202, "{kind}: {answer}");
        let run = w.newest_run().await;
        let word = match kind {
            ForgeKind::Bitbucket => "SUCCESSFUL",
            ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea | ForgeKind::Gitee => "success",
        };
        let lines = succeeds(&w, word).await;
        for (context, (state, told)) in lines {
            let mut body = told.body.to_string().replace(&run.id.to_string(), "RUN");
            if let Some(rollout) = run_rollout(&w).await {
                body = body.replace(&rollout, "ROLLOUT");
            }
            // Gitee hears of a line that it knows in another way, and how often it heard before depends on how fast all went.
            let path = told.line.replace(&commit, "COMMIT").replace("PATCH", "POST").replace("/815", "");
            let body = body.replace(&commit, "COMMIT").replace(r#","head_sha":"COMMIT""#, "");
            shown += &format!("{kind} {context}: {state}\n{path}\n{}\n{body}\n\n", told.token);
        }
        // What is told does not come twice.
        let told = w.forge.told();
        for context in newest(&told).keys() {
            let states: Vec<_> = told.iter().map(line).filter(|(c, _)| c == context).map(|(_, s)| s).collect();
            let mut once = states.clone();
            once.dedup();
            let told_alike = matches!(kind, ForgeKind::Github | ForgeKind::Gitea | ForgeKind::Bitbucket);
            assert!(states == once || told_alike, "{kind} {context}: {states:?}");
            if kind == ForgeKind::Gitee {
                let ways = told.iter().filter(|t| line(t).0 == *context).map(|t| t.line.split_once(' ').unwrap().0);
                assert!(ways.enumerate().all(|(n, way)| way == if n == 0 { "POST" } else { "PATCH" }));
            }
        }
        assert_eq!(w.link().await.status_problem, None);
    }
    insta::assert_snapshot!(shown);
}

async fn run_rollout(w: &World) -> Option<String> {
    let all = w.app.client().rollouts(&shop(), &Default::default()).await.unwrap();
    all.items.first().map(|r| r.id.to_string())
}

#[tokio::test]
async fn only_the_newest_state_is_sent_once_the_forge_is_back() {
    let w = World::with(ForgeKind::Gitlab, here(), Some(TOKEN)).await;
    w.forge.answers(503);
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    assert_eq!(w.ended("d").await.state, State::Done);
    until("the rollout's end", async || {
        let all = w.app.client().rollouts(&shop(), &Default::default()).await.unwrap();
        all.items.first().filter(|r| r.finished_at.is_some()).map(|_| ())
    })
    .await;
    let problem = until("a problem", async || w.link().await.status_problem).await;
    assert_eq!(problem, "503: not [31m now", "as the forge says it, and nothing that does something to a terminal");
    let before = w.forge.told().len();
    w.forge.answers(0);
    w.app.clock.forward(std::time::Duration::from_secs(3_600));
    succeeds(&w, "success").await;
    let since: Vec<_> = w.forge.told()[before..].iter().map(line).collect();
    let wanted = ["tradewind/shop", "tradewind/shop/production"].map(|c| (c.to_owned(), "success".to_owned()));
    assert_eq!(since, wanted);
    assert_eq!(w.link().await.status_problem, None);
}

#[tokio::test]
async fn what_the_forge_will_not_have_is_said_and_not_repeated() {
    let w = World::with(ForgeKind::Github, here(), Some(TOKEN)).await;
    w.forge.answers(404);
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    until("a problem", async || w.link().await.status_problem).await;
    until("an end", async || (newest(&w.forge.told()).len() == 2).then_some(())).await;
    let words = |told: Vec<Told>| told.iter().map(line).collect::<Vec<_>>();
    let told = until("nothing more", async || {
        let told = words(w.forge.told());
        told.contains(&("tradewind/shop/production".into(), "success".into())).then_some(told)
    })
    .await;
    w.app.clock.forward(std::time::Duration::from_secs(24 * 3_600));
    // Something that makes everybody look again.
    w.app.token(tradewind_api::v1::Scope::Read).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(words(w.forge.told()), told);
}

#[tokio::test]
async fn a_later_rollout_of_what_the_run_made_is_told_too() {
    let w = World::with(ForgeKind::Gitea, here(), Some(TOKEN)).await;
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    succeeds(&w, "success").await;
    let next = w.push("main").await;
    w.deliver("next", "main", &next).await;
    let live = |told: &[Told], commit: &str| {
        let of =
            |t: &&Told| t.line.ends_with(commit) && line(t) == ("tradewind/shop/production".into(), "success".into());
        told.iter().filter(of).count()
    };
    until("the next is live", async || (live(&w.forge.told(), &next) == 1).then_some(())).await;
    let before = w.forge.told().len();
    let back = RollbackRequest { env: "production".parse().unwrap(), to: Some("v1".into()), reason: "a test".into() };
    w.app.client().rollback(&shop(), &back).await.unwrap();
    until("the first is live again", async || (live(&w.forge.told()[before..], &commit) == 1).then_some(())).await;
}

#[tokio::test]
async fn statuses_lead_nowhere_inside_either() {
    let w = World::with(ForgeKind::Github, Guard::default(), Some(TOKEN)).await;
    // What is pushed here, to the very commit a delivery names: its run is that of the delivery.
    let direct = w.app.token(tradewind_api::v1::Scope::Deploy).await;
    let commit = w.push("main").await;
    let remote = format!("http://x:{direct}@{}/git/shop.git", w.app.addr);
    w.work.git(&["push", "-q", &remote, "HEAD:main"]).await;
    w.deliver("d", "main", &commit).await;
    assert_eq!(w.ended("d").await.state, State::Done);
    let problem = until("a problem", async || w.link().await.status_problem).await;
    assert!(problem.contains("TW-OUT-003"), "{problem}");
    assert_eq!(w.forge.told(), []);
    let value: Value = serde_json::to_value(w.link().await).unwrap();
    assert!(!value.to_string().contains(TOKEN));
}

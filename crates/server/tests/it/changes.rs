//! What will change, asked beforehand: commits, sources as text, and the plan; and what changed meanwhile.

use crate::{
    app::{TestApp, code_of, http, until},
    git::Work,
    host::Host,
};
use tradewind_api::{
    Paging,
    v1::{FileChangeKind, Scope},
};
use tradewind_model::id::{EnvName, ServiceName};

const SPEC: &str = "version: 1\nservice: shop\nkind: worker\npipeline: none\nrun: { command: [./serve] }\n";

fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

#[tokio::test]
async fn what_lies_between_two_releases_is_told_by_commit_and_as_text() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let client = app.client();
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    let pushed = async |message: &str, n: usize| {
        work.commit(message).await;
        let pushed = work.push(&["main"]).await;
        assert!(pushed.ok, "{}", pushed.said);
        until("a release that is live", async || {
            let live = client.status(Some(&shop())).await.ok()?.pop()?.release?;
            (live.label == format!("v{n}")).then_some(())
        })
        .await;
    };
    work.write("tradewind.yaml", SPEC);
    work.write("app.py", "print('one')\n");
    work.write("old 文件.txt", "gone soon\n");
    pushed("First", 1).await;
    work.write("app.py", "print('two')\n");
    work.write("logo.png", [0, 159, 146, 150, 0, 1]);
    work.git(&["rm", "-q", "old 文件.txt"]).await;
    work.commit("Sell <b>faster</b>").await;
    pushed("修复重复下单", 2).await;

    let diff = client.diff(&shop(), "v1", "v2", None, true).await.unwrap();
    let history = diff.history.unwrap();
    let told: Vec<_> = history.added.iter().map(|c| (c.subject.as_str(), c.author.as_str())).collect();
    assert_eq!(told, [("修复重复下单", "Li Wei"), ("Sell <b>faster</b>", "Li Wei")]);
    assert_eq!((history.undone.len(), history.more), (0, false));
    let sources = diff.sources.unwrap().files;
    let told: Vec<_> = sources.iter().map(|f| (f.path.as_str(), f.change, f.binary)).collect();
    assert_eq!(
        told,
        [
            ("app.py", FileChangeKind::Changed, false),
            ("logo.png", FileChangeKind::Added, true),
            ("old 文件.txt", FileChangeKind::Removed, false),
        ]
    );
    assert!(sources[0].text.as_ref().is_some_and(|t| t.contains("-print('one')\n+print('two')\n")));

    let env: EnvName = "production".parse().unwrap();
    let back = client.diff(&shop(), "live", "v1", Some(&env), false).await.unwrap();
    assert_eq!((back.from.label.as_str(), back.sources), ("v2", None));
    assert_eq!(back.history.unwrap().undone.len(), 2);

    let plan = client.plan(&shop(), &env, &[("kind", "rollback".into())]).await.unwrap();
    assert_eq!((plan.from.unwrap().label.as_str(), plan.to.label.as_str()), ("v2", "v1"));
    assert_eq!(client.rollouts(&shop(), &Paging::default()).await.unwrap().items.len(), 2, "nothing was made");
    assert_eq!(code_of(client.plan(&shop(), &env, &[]).await), "TW-API-005");
    assert_eq!(code_of(client.plan(&shop(), &env, &[("kind", "drill".into())]).await), "TW-API-014");
    let reader = app.client_as(&app.token(Scope::Read).await);
    let refused = reader.plan(&shop(), &env, &[("release", "v1".into())]).await.unwrap().refused.unwrap();
    assert_eq!(refused.code, "TW-ACC-002", "whoever may only read is told that it is not theirs to do");
}

/// Both policies: written by two people who read the same.
#[tokio::test]
async fn who_wrote_a_policy_first_is_named_to_who_comes_second() {
    let app = TestApp::start().await;
    let mei = app.token(Scope::Admin).await;
    let send = async |request: reqwest::RequestBuilder| {
        let answer = request.header("accept-language", "zh").send().await.unwrap();
        let tag = answer.headers().get("etag").map(|t| t.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag, answer.json::<serde_json::Value>().await.unwrap())
    };
    let policy = app.url("/api/v1/environments/production/policy");
    let write = |text: &str| serde_json::json!({ "text": text, "reason": "11.11" });
    let (status, ..) = send(http().put(&policy).bearer_auth(&mei).json(&write("branches: [main]"))).await;
    assert_eq!(status, 200);
    let (_, read, _) = send(http().get(&policy).bearer_auth(&mei)).await;
    let read = read.unwrap();
    let put = |text: &str, tag: &str| http().put(&policy).bearer_auth(&mei).header("if-match", tag).json(&write(text));
    let (status, written, told) = send(put("branches: [main, hotfix]", &read)).await;
    assert_eq!((status, told["set_by"].as_str()), (200, Some("admin@test")));
    let (status, _, refused) = send(put("branches: [develop]", &read)).await;
    assert_eq!((status, refused["code"].as_str()), (412, Some("TW-POL-016")));
    let title = refused["title"].as_str().unwrap();
    assert!(title.contains("admin@test 已于 20") && title.contains("修改"), "{title}");
    let (status, ..) = send(put("branches: [develop]", &written.unwrap())).await;
    assert_eq!(status, 200, "the tag of what was put is that of what is there");
    let (status, ..) = send(put("branches: [main]", "*")).await;
    assert_eq!(status, 200);

    let access = app.url("/api/v1/access-policy");
    let (_, read, _) = send(http().get(&access).bearer_auth(&mei)).await;
    let read = read.unwrap();
    let put = |roles: &[&str], tag: &str| {
        let body = serde_json::json!({ "second_factor": roles });
        http().put(&access).bearer_auth(&app.admin.token).header("if-match", tag).json(&body)
    };
    assert_eq!(send(put(&["auditor"], &read)).await.0, 200);
    let (status, _, refused) = send(put(&["viewer"], &read)).await;
    assert_eq!((status, refused["code"].as_str()), (412, Some("TW-ACC-017")));
    assert!(refused["title"].as_str().unwrap().contains("admin 已于 20"), "{refused}");
}

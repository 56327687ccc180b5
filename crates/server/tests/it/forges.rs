//! Services whose code is on a forge: from its delivery to a run, and what does not get in.

use crate::{
    app::{TestApp, code_of, http, until},
    events::all,
    forge::{Forge, mac},
    git::{SPEC, Work},
    host::Host,
};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tradewind_api::{
    Paging,
    v1::{self, CreateService, ForgeDeliveryState as State, ForgeKind, LinkForge, SetHookSecret},
};
use tradewind_control::audit::Settings;
use tradewind_model::{id::ServiceName, time::Clock as _};
use tradewind_outbound::Guard;

pub fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

pub fn here() -> Guard {
    Guard::allowing(vec!["127.0.0.1".parse().unwrap()])
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("tw").tempdir().unwrap()
}

/// A server, a forge, and a service that is linked to it.
pub struct World {
    pub app: TestApp,
    pub forge: Forge,
    pub work: Work,
    pub link: v1::LinkedForge,
    kind: ForgeKind,
    _host: Host,
}

pub fn wish(forge: &Forge, kind: ForgeKind) -> LinkForge {
    LinkForge { url: forge.url(), kind: Some(kind), api: Some(forge.origin()), token: None, secret: None }
}

impl World {
    pub async fn new() -> Self {
        Self::with(ForgeKind::Github, here(), None).await
    }

    pub async fn with(kind: ForgeKind, guard: Guard, token: Option<&str>) -> Self {
        let app = TestApp::start_with(folder(), Settings::default(), guard).await;
        let host = Host::start(&app).await;
        let forge = Forge::start().await;
        app.client().create_service(&CreateService { name: shop() }).await.unwrap();
        let asked = LinkForge { token: token.map(str::to_owned), ..wish(&forge, kind) };
        let link = app.client().link_forge(&shop(), &asked).await.unwrap();
        let mut work = Work::new(&app, "shop", "unused").await;
        work.remote = forge.path().to_str().unwrap().to_owned();
        work.write("tradewind.yaml", SPEC);
        Self { app, forge, work, link, kind, _host: host }
    }

    fn hook(&self) -> String {
        self.app.url(self.link.link.hook_path.as_ref().unwrap())
    }

    fn secret(&self) -> &str {
        self.link.secret.as_ref().unwrap()
    }

    /// Commits, pushes to the forge, and says where it is.
    pub async fn push(&self, branch: &str) -> String {
        let commit = self.work.commit("A change").await;
        let pushed = self.work.push(&["--force", &format!("HEAD:refs/heads/{branch}")]).await;
        assert!(pushed.ok, "{}", pushed.said);
        commit
    }

    fn body(branch: &str, after: &str) -> String {
        let before = "0".repeat(40);
        let repository = json!({ "full_name": "haixin/shop" });
        let pusher = json!({ "name": "li-wei\u{202e}" });
        json!({ "ref": format!("refs/heads/{branch}"), "before": before, "after": after, "repository": repository, "pusher": pusher })
            .to_string()
    }

    async fn post(&self, headers: &[(&str, &str)], body: String) -> (u16, Value) {
        let mut request = http().post(self.hook()).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// As GitHub delivers.
    async fn sign_and_post(&self, id: &str, secret: &str, body: &str) -> (u16, Value) {
        let signature = format!("sha256={}", mac(secret, body));
        let headers = [("x-github-event", "push"), ("x-github-delivery", id), ("x-hub-signature-256", &signature)];
        self.post(&headers, body.to_owned()).await
    }

    /// As the link's forge delivers.
    pub async fn deliver(&self, id: &str, branch: &str, after: &str) -> (u16, Value) {
        let (secret, body) = (self.secret(), Self::body(branch, after));
        let lab = json!({
            "ref": format!("refs/heads/{branch}"), "before": "0".repeat(40), "after": after, "user_username": "li-wei",
            "project": { "path_with_namespace": "haixin/shop" }
        })
        .to_string();
        match self.kind {
            ForgeKind::Github => self.sign_and_post(id, secret, &body).await,
            ForgeKind::Gitea => {
                let signature = mac(secret, &body);
                let headers =
                    [("x-forgejo-event", "push"), ("x-forgejo-delivery", id), ("x-forgejo-signature", &signature)];
                self.post(&headers, body).await
            }
            ForgeKind::Gitlab => {
                let headers = [("x-gitlab-event", "Push Hook"), ("x-gitlab-token", secret), ("idempotency-key", id)];
                self.post(&headers, lab).await
            }
            ForgeKind::Gitee => {
                let at = self.app.clock.now().as_millis().to_string();
                let headers = [("x-gitee-event", "Push Hook"), ("x-gitee-token", secret), ("x-gitee-timestamp", &at)];
                self.post(&headers, lab).await
            }
            ForgeKind::Bitbucket => {
                let new = json!({ "type": "branch", "name": branch, "target": { "hash": after } });
                let body = json!({
                    "actor": { "nickname": "li-wei" }, "repository": { "full_name": "haixin/shop" },
                    "push": { "changes": [{ "old": null, "new": new }] }
                })
                .to_string();
                let signature = format!("sha256={}", mac(secret, &body));
                let headers =
                    [("x-event-key", "repo:push"), ("x-request-uuid", id), ("x-hub-signature", signature.as_str())];
                self.post(&headers, body).await
            }
        }
    }

    pub async fn newest_run(&self) -> v1::Run {
        until("a run", async || {
            self.app.client().runs(&shop(), &Paging::default()).await.unwrap().items.into_iter().next()
        })
        .await
    }

    pub async fn delivery(&self, id: &str) -> Option<v1::ForgeDelivery> {
        let all = self.app.client().forge_deliveries(&shop(), &Paging::default()).await.unwrap();
        all.items.into_iter().find(|d| d.delivery == id)
    }

    pub async fn ended(&self, id: &str) -> v1::ForgeDelivery {
        until(id, async || self.delivery(id).await.filter(|d| d.state != State::Waiting)).await
    }

    /// What it says while it waits to be tried again.
    async fn complains(&self, id: &str) -> String {
        until(id, async || self.delivery(id).await.filter(|d| d.tries > 0)?.why).await
    }

    pub async fn link(&self) -> v1::ForgeLink {
        self.app.client().forge(&shop()).await.unwrap()
    }
}

#[tokio::test]
async fn a_push_on_the_forge_runs_as_a_push_here_does() {
    let w = World::new().await;
    let commit = w.push("main").await;
    let (status, answer) = w.deliver("first", "main", &commit).await;
    assert_eq!((status, &answer["outcome"]), (202, &json!("accepted")));
    let ended = w.ended("first").await;
    assert_eq!((ended.state, ended.why, ended.pusher.as_str()), (State::Done, None, "li-wei"));
    let run = w.app.client().run(ended.run.unwrap()).await.unwrap();
    assert_eq!((run.commit.as_str(), run.branch.as_str()), (commit.as_str(), "main"));
    let account = w.link.link.account.clone();
    assert!(account.starts_with("forge.github."), "{account}");
    assert_eq!(run.requested_by, account, "it acts as the link's own account");
    let push = run.forge.unwrap();
    assert_eq!((push.kind, push.delivery.as_str(), push.pusher.as_str()), (ForgeKind::Github, "first", "li-wei"));
    let events = all(&w.app, 6).await;
    let of = |kind: &str| events.iter().filter(|e| e.kind == kind).collect::<Vec<_>>();
    assert_eq!(of("run.created")[0].cause.as_deref(), Some("forge/github/first/li-wei"));
    assert_eq!((of("forge.linked").len(), of("forge.delivered").len(), of("forge.fetched").len()), (1, 1, 1));

    // The same again, under its own name or another, does nothing.
    for id in ["first", "second"] {
        let (status, answer) = w.deliver(id, "main", &commit).await;
        assert_eq!((status, &answer["outcome"]), (200, &json!("already")), "{id}");
    }
    // What was pushed here meanwhile, and what was removed there.
    let next = w.push("main").await;
    assert_eq!(w.deliver("third", "main", &next).await.0, 202);
    assert_eq!(w.ended("third").await.state, State::Done);
    assert_eq!(w.deliver("gone", "main", &"0".repeat(40)).await.0, 202);
    assert_eq!(w.ended("gone").await.state, State::Ignored);
    let runs = w.app.client().runs(&shop(), &Paging::default()).await.unwrap();
    assert_eq!(runs.items.len(), 2);
    assert_eq!(w.link().await.refused, 0);
}

#[tokio::test]
async fn a_commit_that_a_push_would_not_bring_is_not_brought() {
    let w = World::new().await;
    w.work.write("tradewind.yaml", "version: 1\nservice: shop\nrun: { comand: [x] }\n");
    let broken = w.push("main").await;
    w.deliver("broken", "main", &broken).await;
    let ended = w.ended("broken").await;
    assert_eq!(ended.state, State::Failed);
    assert!(ended.why.as_ref().unwrap().contains("comand"), "{ended:?}");

    w.work.write("tradewind.yaml", SPEC);
    w.work.write("config.py", format!("KEY = \"{}{}\"\n", "AKIA", "Z7XQ4M2N5P3R6T5W"));
    let keyed = w.push("main").await;
    w.deliver("keyed", "main", &keyed).await;
    let ended = w.ended("keyed").await;
    assert_eq!(ended.state, State::Failed);
    assert!(ended.why.as_ref().unwrap().contains("TW-GIT-009"), "{ended:?}");
    assert!(w.app.client().runs(&shop(), &Paging::default()).await.unwrap().items.is_empty());
    let kept = std::fs::read_dir(w.app.data().join("git")).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(kept, ["shop.git"], "what was fetched and not taken is gone");
    assert!(!w.app.data().join("git/shop.git/refs/heads/main").exists());
}

#[tokio::test]
async fn what_does_not_prove_itself_does_not_get_in_and_is_counted() {
    let w = World::new().await;
    let commit = w.push("main").await;
    let body = World::body("main", &commit);
    let good = format!("sha256={}", mac(w.secret(), &body));
    let event = ("x-github-event", "push");
    let id = ("x-github-delivery", "d");
    let attempts: [&[(&str, &str)]; 6] = [
        &[event, id],
        &[event, id, ("x-hub-signature-256", "sha256=00")],
        &[event, id, ("x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6")],
        &[event, id, ("x-hub-signature-256", &good), ("x-gitea-event", "push")],
        &[("x-gitlab-event", "Push Hook"), ("x-gitlab-token", w.secret()), ("idempotency-key", "d")],
        &[("x-event-key", "repo:push"), ("x-request-uuid", "d"), ("x-hub-signature", &good)],
    ];
    for headers in attempts {
        let (status, answer) = w.post(headers, body.clone()).await;
        assert_eq!((status, &answer["code"]), (401, &json!("TW-FORGE-010")), "{headers:?}");
    }
    let (status, answer) = w.sign_and_post("d", "another secret, as long as that", &body).await;
    assert_eq!((status, &answer["code"]), (401, &json!("TW-FORGE-010")), "nothing says what was wrong");
    let other = body.replace("haixin/shop", "haixin/other");
    assert_eq!(w.sign_and_post("d", w.secret(), &other).await.0, 401, "of another repository");
    let (status, answer) = w.sign_and_post("d", w.secret(), "payload=%7B%7D").await;
    assert_eq!((status, &answer["code"]), (422, &json!("TW-FORGE-011")));
    let tricks = World::body("a\u{202e}b", &commit);
    assert_eq!(w.sign_and_post("d", w.secret(), &tricks).await.0, 422);

    let link = w.link().await;
    assert_eq!((link.refused, link.last), (10, None), "counted, and none of them kept");
    assert!(link.refused_why.unwrap().contains("JSON"), "the last of them");
    let told = |events: Vec<v1::Event>| events.into_iter().filter(|e| e.kind == "forge.delivery_refused").count();
    // What was noted first is told first: with this event all before it are sealed.
    w.app.token(v1::Scope::Read).await;
    let events = until("everything told", async || {
        let events = all(&w.app, 4).await;
        (events.iter().filter(|e| e.kind == "token.created").count() == 2).then_some(events)
    })
    .await;
    assert_eq!(told(events), 1, "ten of them, one event");
    w.app.clock.forward(Duration::from_secs(2 * 3_600));
    w.post(&[event, id], body.clone()).await;
    until("told once more", async || (told(all(&w.app, 4).await) == 2).then_some(())).await;

    for hook in ["0".repeat(48), "x".repeat(48), "..%2f..".into(), "%00".into()] {
        let answer = http().post(w.app.url(&format!("/hooks/{hook}"))).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{hook}");
    }
    // Another secret, and the one before is worth nothing.
    let fresh = w.app.client().set_forge_secret(&shop(), &SetHookSecret::default()).await.unwrap();
    assert_eq!(w.deliver("old", "main", &commit).await.0, 401);
    assert_eq!(w.sign_and_post("new", fresh.secret.as_ref().unwrap(), &body).await.0, 202);
    let ping = json!({ "zen": "x" }).to_string();
    let signature = format!("sha256={}", mac(fresh.secret.as_ref().unwrap(), &ping));
    let headers = [("x-github-event", "ping"), id, ("x-hub-signature-256", signature.as_str())];
    assert_eq!(w.post(&headers, ping).await, (200, json!({ "outcome": "pong" })));
}

#[tokio::test]
async fn bodies_have_an_end_and_a_few_are_read_at_once() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let w = World::new().await;
    let path = w.link.link.hook_path.clone().unwrap();
    let begin = async |length: usize| {
        let mut stream = tokio::net::TcpStream::connect(w.app.addr).await.unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{{");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let read = async |mut stream: tokio::net::TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(read(begin(26 << 20).await).await.contains("TW-FORGE-012"), "refused before it is read");
    // Whoever sends slowly holds up their own link at most, and not for ever.
    let slow = [begin(100).await, begin(100).await];
    until("no room", async || read(begin(1).await).await.contains("TW-FORGE-014").then_some(())).await;
    drop(slow);
    until("room", async || read(begin(1).await).await.contains("TW-FORGE-010").then_some(())).await;
}

#[tokio::test]
async fn what_the_repository_does_not_hold_is_not_run() {
    let w = World::new().await;
    let first = w.push("main").await;
    let second = w.push("main").await;
    w.deliver("late", "main", &first).await;
    let ended = w.ended("late").await;
    assert_eq!(ended.state, State::Stale);
    assert!(ended.why.unwrap().contains(&second[..10]));
    w.deliver("absent", "nothing", &first).await;
    assert_eq!(w.ended("absent").await.state, State::Stale);
    w.deliver("invented", "main", &"a".repeat(40)).await;
    assert_eq!(w.ended("invented").await.state, State::Stale);
    assert!(w.app.client().runs(&shop(), &Paging::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn names_that_mean_something_to_a_shell_are_names() {
    let w = World::new().await;
    let marks = folder();
    let mark = marks.path().join("mark").display().to_string();
    for (n, branch) in [
        format!("$(touch${{IFS}}{mark})"),
        format!("`touch${{IFS}}{mark}`"),
        format!("a;touch${{IFS}}{mark}"),
        format!("a|touch${{IFS}}{mark}"),
        format!("a&&touch${{IFS}}{mark}"),
        "功能/价格".into(),
        "a/--upload-pack=touch".into(),
        "%2e%2e/%2e%2e".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("n{n}");
        let commit = w.push(&branch).await;
        assert_eq!(w.deliver(&id, &branch, &commit).await.0, 202, "{branch}");
        let ended = w.ended(&id).await;
        assert_eq!(ended.state, State::Done, "{branch}: {ended:?}");
        assert_eq!(w.app.client().run(ended.run.unwrap()).await.unwrap().branch, branch);
    }
    assert!(!marks.path().join("mark").exists());
}

#[tokio::test]
async fn a_link_leads_nowhere_inside_and_is_sent_nowhere_else() {
    let inside = World::with(ForgeKind::Github, Guard::default(), Some("a-token")).await;
    let commit = inside.push("main").await;
    inside.deliver("d", "main", &commit).await;
    assert!(inside.complains("d").await.contains("TW-OUT-003"));

    // A redirect is followed nowhere, and the token goes nowhere.
    let w = World::with(ForgeKind::Github, here(), Some("a-token")).await;
    let other = Forge::start().await;
    w.forge.sends_on_to(Some(other.origin()));
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    let why = w.complains("d").await;
    assert!(why.contains("could not be fetched") && !why.contains("a-token"), "{why}");
    w.forge.sends_on_to(None);
    w.app.clock.forward(Duration::from_secs(60));
    assert_eq!(w.ended("d").await.state, State::Done);
    for (url, code) in [
        ("file:///etc", "TW-FORGE-002"),
        ("ssh://git@example.com/a/b", "TW-FORGE-002"),
        ("https://x:y@example.com/a/b", "TW-FORGE-002"),
        ("ext::sh -c id", "TW-FORGE-002"),
        ("https://git.example.com/a/b", "TW-FORGE-003"),
    ] {
        let asked = LinkForge { url: url.into(), kind: None, api: None, token: None, secret: None };
        assert_eq!(code_of(w.app.client().link_forge(&shop(), &asked).await), code, "{url}");
    }
}

#[tokio::test]
async fn plain_http_is_for_networks_that_were_named() {
    // Everything public may be reached, and this address is not named: http would show the token on its way.
    let w = World::with(ForgeKind::Github, here(), None).await;
    w.app.client().unlink_forge(&shop()).await.unwrap();
    let asked = LinkForge { url: "http://1.1.1.1/haixin/shop".into(), ..wish(&w.forge, ForgeKind::Github) };
    let link = w.app.client().link_forge(&shop(), &asked).await.unwrap();
    let w = World { link, ..w };
    w.deliver("d", "main", &"a".repeat(40)).await;
    assert!(w.complains("d").await.contains("TW-OUT-011"));
}

#[tokio::test]
async fn a_token_opens_the_repository_and_is_nowhere_in_the_clear() {
    let token = "glpat-horse-battery-staple";
    let w = World::with(ForgeKind::Github, here(), Some(token)).await;
    w.forge.wants("x-access-token", token);
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    assert_eq!(w.ended("d").await.state, State::Done);
    let secret = w.secret().to_owned();
    for path in ["forges", "services/shop/forge", "services/shop/forge/deliveries", "events?limit=100"] {
        let asked = http().get(w.app.url(&format!("/api/v1/{path}"))).bearer_auth(&w.app.admin.token);
        let text = asked.send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("horse") && !text.contains(&secret), "{path}: {text}");
    }
    let folder = w.app.stop().await;
    let grep =
        std::process::Command::new("grep").args(["-rlF", "-e", token, "-e", &secret]).arg(folder.path()).output();
    assert_eq!(String::from_utf8(grep.unwrap().stdout).unwrap(), "");
}

#[tokio::test]
async fn a_new_key_of_the_vault_seals_what_a_link_keeps() {
    let w = World::with(ForgeKind::Gitlab, here(), Some("a-token")).await;
    w.forge.wants("oauth2", "another-token");
    let keys = w.app.app.config.vault.clone();
    let done = tradewind_server::admin::rotate_key(&w.app.app.store, keys, false).await.unwrap();
    assert_eq!((done.resealed, done.damaged), (1, 0));
    let commit = w.push("main").await;
    assert_eq!(w.deliver("d", "main", &commit).await.0, 202);
    w.complains("d").await;
    // Another token, and what waited is tried at once.
    let asked = LinkForge { token: Some("another-token".into()), ..wish(&w.forge, ForgeKind::Gitlab) };
    let changed = w.app.client().link_forge(&shop(), &asked).await.unwrap();
    assert_eq!(changed.secret, None);
    assert_eq!(w.ended("d").await.state, State::Done);
}

#[tokio::test]
async fn a_forge_that_is_away_is_asked_again_also_after_a_restart() {
    let w = World::new().await;
    w.forge.wants("nobody", "knows");
    let commit = w.push("main").await;
    w.deliver("d", "main", &commit).await;
    let why = w.complains("d").await;
    assert!(why.contains("git fetch"), "{why}");
    let World { app, forge, work, link, kind, _host } = w;
    let app = TestApp::start_with(app.stop().await, Settings::default(), here()).await;
    let w = World { app, forge, work, link, kind, _host };
    assert_eq!(w.delivery("d").await.unwrap().state, State::Waiting);
    w.forge.wants_nothing();
    w.app.clock.forward(Duration::from_secs(3_600));
    assert_eq!(w.ended("d").await.state, State::Done);
    // With its account's rights, as they are now.
    let client = w.app.client();
    client.disable_user(&w.link.link.account, "").await.unwrap();
    let commit = w.push("main").await;
    w.deliver("off", "main", &commit).await;
    let ended = w.ended("off").await;
    assert!(ended.state == State::Failed && ended.why.as_ref().unwrap().contains("TW-FORGE-015"), "{ended:?}");
    client.unlink_forge(&shop()).await.unwrap();
    assert_eq!(w.deliver("after", "main", &commit).await.0, 404);
    assert_eq!(code_of(client.forge(&shop()).await), "TW-FORGE-001");
    // Linked anew, it acts as another account.
    let anew = client.link_forge(&shop(), &wish(&w.forge, ForgeKind::Github)).await.unwrap();
    assert_ne!(anew.link.account, w.link.link.account);
    assert_ne!(anew.link.hook_path, w.link.link.hook_path);
}

#[tokio::test]
async fn who_may_let_people_in_links_and_nobody_gives_more_than_they_have() {
    let w = World::new().await;
    w.app.client().unlink_forge(&shop()).await.unwrap();
    let asked = wish(&w.forge, ForgeKind::Gitea);
    let deployer = w.app.client_as(&w.app.token(v1::Scope::Deploy).await);
    assert_eq!(code_of(deployer.link_forge(&shop(), &asked).await), "TW-ACC-002");
    let linked = w.app.client().link_forge(&shop(), &asked).await.unwrap();
    assert!(linked.secret.as_ref().unwrap().starts_with("whsec_"));
    let seen = deployer.forge(&shop()).await.unwrap();
    assert_eq!(seen.hook_path, None, "its address is for who may change it");
    // Said again it is the same link, and its secret is not told again.
    let again = w.app.client().link_forge(&shop(), &asked).await.unwrap();
    assert_eq!((again.link.account, again.secret), (linked.link.account, None));
    let other = LinkForge { kind: Some(ForgeKind::Gitlab), ..asked };
    assert_eq!(code_of(w.app.client().link_forge(&shop(), &other).await), "TW-FORGE-008");
    for secret in ["short", "with\nline break in it"] {
        let asked = SetHookSecret { secret: Some(secret.into()) };
        assert_eq!(code_of(w.app.client().set_forge_secret(&shop(), &asked).await), "TW-FORGE-006");
    }
    let roles = w.app.client().users().await.unwrap();
    let account = roles.iter().find(|u| u.handle == seen.account).unwrap();
    let held: Vec<_> = account.roles.iter().map(|g| (g.role.as_str(), g.service.clone(), g.env.clone())).collect();
    assert_eq!(held, [("developer", Some(shop()), None)]);
}

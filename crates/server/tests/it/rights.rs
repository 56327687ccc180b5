//! Every route, asked by every role, by who has a role elsewhere, and by another organisation: made from the declarations,
//! so that a route of tomorrow is walked too.

use crate::{
    app::{TestApp, http, until},
    git::Work,
    host::Host,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tradewind_api::{
    Paging,
    v1::{self, CreateToken, Scope, SetFreeze},
};
use tradewind_model::{
    access::{Action, Bounds, Grant, Role},
    event::Actor,
    id::{Digest, GrantId, TokenId, UserId},
};
use tradewind_server::{
    auth::secret::Secret,
    http::route::{Permission, Route},
    routes,
};
use tradewind_store::{
    Store, StoreError,
    rows::{self, grants::Holder},
    transact,
};

const SPEC: &str = "version: 1\nservice: harbour\nkind: worker\nrun: { command: [./serve] }\n";
const PIPELINE: &str = "stages: [build]\ncompile: { stage: build, script: [print compiling] }\n";

/// What the walk must never see in an answer to somebody it is not for.
const MARK: &str = "harbour";
const SECRET: &str = "HARBOUR_KEY";

pub struct World {
    pub app: TestApp,
    pub ids: BTreeMap<&'static str, String>,
    _host: Host,
}

/// An account with one grant, and a token of its own that reaches as far as the account does.
pub async fn account(store: &Store, handle: &str, grant: Option<Grant>) -> String {
    let secret = Secret::mint(TokenId::at(store.now()).0).unwrap();
    let done: Result<(), StoreError> = transact!(store, tx => {
        let by = Actor::named("setup");
        let user = rows::users::NewUser {
            id: UserId::at(tx.now()),
            handle: handle.into(),
            is_service: true,
            name: handle.into(),
            email: None,
            password: None,
            created_by: by.clone(),
        };
        let user = rows::users::insert(tx, user).await?;
        if let Some(grant) = grant.clone() {
            rows::grants::insert(tx, GrantId::at(tx.now()), Holder::User(user.id), grant, &by).await?;
        }
        let token = rows::tokens::NewToken {
            id: TokenId(secret.id),
            name: handle.into(),
            scopes: vec!["admin".into()],
            hash: secret.hash(),
            created_by: by,
            expires_at: None,
            owner: Some(user.id),
            bounds: Bounds::default(),
        };
        rows::tokens::insert(tx, token).await?;
        tx.without_event("a test's setup");
        Ok(())
    });
    done.unwrap();
    secret.reveal()
}

fn everywhere(role: Role) -> Grant {
    Grant { role, bounds: Bounds::default() }
}

impl World {
    /// Something of each kind an id in a path can name.
    pub async fn new() -> Self {
        let app = TestApp::start().await;
        let host = Host::start(&app).await;
        let client = app.client();
        let work = Work::new(&app, MARK, &app.token(Scope::Deploy).await).await;
        work.write("tradewind.yaml", SPEC);
        work.write(".gitlab-ci.yml", PIPELINE);
        work.commit("First").await;
        assert!(work.push(&["main"]).await.ok);
        let service = MARK.parse().unwrap();
        let run = client.runs(&service, &Paging::default()).await.unwrap().items.remove(0);
        let rollout = until("a rollout", async || {
            client.rollouts(&service, &Paging::default()).await.unwrap().items.into_iter().next()
        })
        .await;
        let freeze = SetFreeze {
            service: Some(service.clone()),
            env: None,
            all: false,
            reason: MARK.into(),
            until: None,
            for_s: None,
        };
        let freeze = client.set_freeze(&freeze).await.unwrap();
        account(&app.app.store, "the-bot", Some(everywhere(Role::Viewer))).await;
        let post = async |path: &str, body: Value| -> Value {
            let answer = http().post(app.url(path)).bearer_auth(&app.admin.token).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 201, "{path}: {}", answer.text().await.unwrap());
            answer.json().await.unwrap()
        };
        let asked = CreateToken { name: "harbour-token".into(), scopes: vec![Scope::Read], ..CreateToken::default() };
        let token = client.create_token(&asked).await.unwrap();
        let secret = v1::SetSecret {
            scope: v1::SecretScope { service: Some(service.clone()), ..v1::SecretScope::default() },
            value: "the harbour's key".into(),
        };
        client.set_secret(&SECRET.parse().unwrap(), &secret).await.unwrap();
        post("/api/v1/groups", json!({ "name": "the-crew" })).await;
        let grant = json!({ "group": "the-crew", "role": "viewer", "service": MARK });
        let grant = post("/api/v1/grants", grant).await;
        let invitation = json!({ "handle": "the-guest", "email": "guest@example.com" });
        let invitation = post("/api/v1/invitations", invitation).await;
        let text = |v: &Value| v["id"].as_str().unwrap().to_owned();
        let forge = v1::LinkForge {
            url: "https://github.com/harbour/harbour".into(),
            kind: None,
            api: None,
            token: None,
            secret: None,
        };
        let link = client.link_forge(&service, &forge).await.unwrap().link;
        let hook = link.hook_path.unwrap().strip_prefix("/hooks/").unwrap().to_owned();
        let ids = BTreeMap::from([
            ("service", MARK.to_owned()),
            ("repository", format!("{MARK}.git")),
            ("release", "v1".to_owned()),
            ("run", run.id.to_string()),
            ("job", run.jobs[0].id.to_string()),
            ("rollout", rollout.id.to_string()),
            ("secret", SECRET.to_owned()),
            ("freeze", freeze.id.to_string()),
            ("token", token.info.id.to_string()),
            ("user", "the-bot".to_owned()),
            ("member", "the-bot".to_owned()),
            ("group", "the-crew".to_owned()),
            ("grant", text(&grant)),
            ("invitation", text(&invitation)),
            ("host", "h1".to_owned()),
            ("hook", hook),
            ("session", "01930000-0000-7000-8000-000000000000".to_owned()),
            ("digest", Digest::of(b"x").to_string()),
            ("env", "production".to_owned()),
            ("code", "TW-ACC-001".to_owned()),
            ("commit", "0123456789abcdef0123456789abcdef01234567".to_owned()),
            ("task", "01930000-0000-7000-8000-000000000000".to_owned()),
        ]);
        Self { app, ids, _host: host }
    }

    pub fn path(&self, route: &Route) -> String {
        let part = |part: &str| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => self.ids.get(name).unwrap_or_else(|| panic!("no {name} for {route:?}")).clone(),
            None => part.to_owned(),
        };
        let path = route.path.split('/').map(part).collect::<Vec<_>>().join("/");
        match route.doc.id {
            "git_refs" => format!("{path}?service=git-upload-pack"),
            "read_logs" => format!("{path}?env=production"),
            "list_secret_versions" | "remove_secret" => format!("{path}?service={MARK}"),
            "diff_releases" => format!("{path}?from=v1&to=v1"),
            "plan_rollout" => format!("{path}?env=production&release=v1"),
            "list_ways_back" => format!("{path}?env=production"),
            "search_job_log" => format!("{path}?search=x"),
            _ => path,
        }
    }

    /// Status and text; of one that lasts, the status alone.
    async fn ask(&self, route: &Route, token: &str) -> (u16, String) {
        let request = http().request(route.method.clone(), self.app.url(&self.path(route))).bearer_auth(token);
        let request = match body(route) {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let lasts = answer.headers().get("content-type").is_some_and(|t| t == "text/event-stream");
        (status, if lasts { String::new() } else { answer.text().await.unwrap() })
    }

    /// Nothing in the log was done by a caller whose name begins so.
    async fn did_nothing(&self, who: &str) {
        let client = self.app.client();
        until("a sealed log", async || (client.verify_audit().await.unwrap().unsealed == 0).then_some(())).await;
        let events = client.events(&Default::default(), &Paging::limit(200)).await.unwrap();
        assert!(events.next.is_none(), "the log fits into one page");
        let theirs = |e: &&v1::Event| matches!(&e.actor, v1::Actor::User { name } if name.starts_with(who));
        let done: Vec<_> = events.items.iter().filter(theirs).collect();
        assert!(done.is_empty(), "{who} did {done:?}");
    }
}

/// A body each route understands: a refusal is then about rights and not about form.
pub fn body(route: &Route) -> Option<Value> {
    let reason = json!({ "reason": "walk" });
    Some(match route.doc.id {
        "make_session_link" => json!({}),
        "create_service" => json!({ "name": "quay" }),
        "start_rollout" => json!({ "env": "production", "release": "v1" }),
        "rollback" => json!({ "env": "production", "reason": "walk" }),
        "promote" => json!({ "from": "production", "to": "production" }),
        "acknowledge" => json!({ "env": "production", "note": "walk" }),
        "promote_wave" => json!({ "wave": 1, "reason": "walk" }),
        "set_share" => json!({ "wave": 1, "share": 100, "reason": "walk" }),
        "set_freeze" => json!({ "all": true, "reason": "walk" }),
        "set_secret" => json!({ "scope": { "service": MARK }, "value": "another key" }),
        "restore_secret" => json!({ "scope": { "service": MARK }, "version": 1 }),
        "create_token" => json!({ "name": "walk", "scopes": ["agent"] }),
        "create_service_account" => json!({ "handle": "walk" }),
        "invite" => json!({ "handle": "walk", "email": "walk@example.com" }),
        "create_group" => json!({ "name": "walk" }),
        "grant_role" => json!({ "user": "the-bot", "role": "admin" }),
        "set_access_policy" => json!({ "second_factor": [] }),
        "link_forge" => json!({ "url": "https://github.com/harbour/harbour", "token": "walk" }),
        "set_forge_secret" => json!({}),
        "set_owner" => json!({ "owner": "the-bot" }),
        "set_policy" => json!({ "text": "# harbour", "reason": "walk" }),
        "change_password" => json!({ "current": "x", "new": "y" }),
        _ if route.method == http::Method::POST && route.doc.body.is_some() => reason,
        _ => return None,
    })
}

fn wanted(route: &Route) -> Option<Action> {
    match route.permission {
        Permission::May(action) | Permission::Git(action) => Some(action),
        Permission::Public | Permission::Host | Permission::Own | Permission::Known => None,
    }
}

#[tokio::test]
async fn no_role_does_what_it_does_not_allow() {
    let world = World::new().await;
    for role in Role::ALL {
        let token = account(&world.app.app.store, &format!("a-{role}"), Some(everywhere(role))).await;
        for route in routes::all() {
            let Some(action) = wanted(&route) else { continue };
            if role.allows(action) {
                continue;
            }
            let (status, text) = world.ask(&route, &token).await;
            assert_eq!(status, 403, "{role} at {route:?}: {text}");
            assert!(text.contains("TW-ACC-001"), "{role} at {route:?}: {text}");
        }
    }
    world.did_nothing("a-").await;
}

#[tokio::test]
async fn each_role_reads_what_it_may() {
    let world = World::new().await;
    for role in Role::ALL {
        let token = account(&world.app.app.store, &format!("a-{role}"), Some(everywhere(role))).await;
        for route in routes::all() {
            let Some(action) = wanted(&route).filter(|a| role.allows(*a)) else { continue };
            // What would change the world, or has nothing to show in it, is for other tests.
            if route.method != http::Method::GET
                || matches!(route.doc.id, "get_judgement" | "draw_judgement" | "get_artifact")
            {
                continue;
            }
            let (status, text) = world.ask(&route, &token).await;
            assert_eq!(status, 200, "{role} ({action}) at {route:?}: {text}");
        }
    }
}

/// Walks everything as somebody for whom nothing here is.
async fn sees_nothing(world: &World, who: &str, handle: &str, token: &str) {
    for route in routes::all() {
        if matches!(route.permission, Permission::Public | Permission::Host) {
            continue;
        }
        // These make something of the caller's own, where they may; they name nothing of anybody else's.
        let own = [
            "create_service",
            "set_freeze",
            "set_secret",
            "create_token",
            "create_service_account",
            "invite",
            "create_group",
        ];
        if own.contains(&route.doc.id) || matches!(route.doc.id, "set_access_policy" | "close_session") {
            continue;
        }
        // Another organisation's environment of the same name is its own.
        if route.doc.id == "set_policy" && handle == "a-" {
            continue;
        }
        let (status, text) = world.ask(&route, token).await;
        // An environment is many services': whoever has a role in one of them may read what it demands.
        let shared = route.doc.id == "get_policy";
        let named = !shared && tradewind_server::http::openapi::params_of(route.path).next().is_some();
        if named {
            assert!(matches!(status, 403 | 404), "{who} at {route:?}: {status} {text}");
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_answer = status < 400;
        assert!(!(is_answer && text.contains(MARK)), "{who} at {route:?} is shown {told}");
    }
    world.did_nothing(handle).await;
}

#[tokio::test]
async fn who_has_a_role_elsewhere_has_none_here() {
    let world = World::new().await;
    for role in Role::ALL {
        let bounds = Bounds { service: Some("quay".parse().unwrap()), ..Bounds::default() };
        let token = account(&world.app.app.store, &format!("quay-{role}"), Some(Grant { role, bounds })).await;
        sees_nothing(&world, &format!("{role} of another service"), "quay-", &token).await;
    }
    let nobody = account(&world.app.app.store, "nobody", None).await;
    sees_nothing(&world, "an account without a role", "nobody", &nobody).await;
}

#[tokio::test]
async fn another_organisation_sees_nothing_of_this_one() {
    let world = World::new().await;
    let other = "other".parse().unwrap();
    let store = world.app.app.store.for_org(other);
    let made: Result<(), StoreError> = transact!(store, tx => {
        tx.without_event("a test's setup");
        rows::orgs::insert(tx, store.org()).await
    });
    made.unwrap();
    for role in Role::ALL {
        let token = account(&store, &format!("a-{role}"), Some(everywhere(role))).await;
        sees_nothing(&world, &format!("{role} of another organisation"), "a-", &token).await;
    }
}

/// A privileged action whose event cannot be written does not happen.
#[tokio::test]
async fn nothing_is_done_that_cannot_be_told() {
    let world = World::new().await;
    let store = &world.app.app.store;
    let key = || std::fs::read(world.app.data().join("keys/audit.key")).unwrap();
    let before = key();
    store.refuse_events(true);
    let mut refused = Vec::new();
    for route in routes::all() {
        if route.method == http::Method::GET || matches!(route.permission, Permission::Host) {
            continue;
        }
        let (status, _) = world.ask(&route, &world.app.admin.token).await;
        // A request that finds nothing to change has nothing to tell.
        if status >= 500 {
            refused.push(route.doc.id);
        }
    }
    // Rollouts are looked at again by the server itself meanwhile, whatever is asked.
    let mut untold = store.changed_untold();
    untold.retain(|(_, reason)| *reason != "only the time of the next look changed");
    assert_eq!(untold, []);
    assert_eq!(key(), before);
    assert!(refused.len() >= 12, "most got as far as their event: {refused:?}");
    for id in
        ["create_token", "grant_role", "invite", "set_freeze", "create_service", "replace_audit_key", "revoke_token"]
    {
        assert!(refused.contains(&id), "{id}: {refused:?}");
    }

    // And with it again, all is as it was.
    store.refuse_events(false);
    let client = world.app.client();
    assert!(client.create_group("walk").await.is_ok(), "it was not made before");
    assert!(client.verify_audit().await.unwrap().ok);
}

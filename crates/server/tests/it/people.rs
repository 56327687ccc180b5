//! Coming in, staying in, and being sent away.

use crate::app::{TestApp, code_of, http};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_api::{
    Client, EventQuery, Paging,
    v1::{
        AcceptInvitation, AccessPolicy, CreateAccount, CreateToken, GrantRole, Invite, MakeSessionLink, RoleWish,
        Scope, SecondFactorCode, SignIn, User,
    },
};
use tradewind_model::access::Role;

const PASSWORD: &str = "four words in a row";

fn anyone(app: &TestApp) -> Client {
    Client::new(&app.base()).unwrap()
}

fn role(role: Role, env: Option<&str>) -> RoleWish {
    RoleWish { role, service: None, env: env.map(|e| e.parse().unwrap()), site: None }
}

async fn join(app: &TestApp, handle: &str, roles: Vec<RoleWish>) -> User {
    let email = format!("{handle}@example.com");
    let asked = Invite { handle: handle.into(), email: email.clone(), name: None, roles };
    let made = app.client().invite(&asked).await.unwrap();
    let accept = AcceptInvitation { code: made.code, email, password: PASSWORD.into() };
    anyone(app).accept_invitation(&accept).await.unwrap()
}

fn sign_in(handle: &str, password: &str) -> SignIn {
    SignIn { handle: handle.into(), password: password.into(), code: None, name: None }
}

async fn signed_in(app: &TestApp, handle: &str) -> Client {
    let made = anyone(app).sign_in(&sign_in(handle, PASSWORD)).await.unwrap();
    app.client_as(&made.token)
}

#[tokio::test]
async fn an_invitation_is_for_one_person_once() {
    let app = TestApp::start().await;
    let asked = Invite {
        handle: "li.wei".into(),
        email: "Li.Wei@example.com".into(),
        name: Some("李伟".into()),
        roles: vec![role(Role::Developer, Some("staging"))],
    };
    let made = app.client().invite(&asked).await.unwrap();
    assert_eq!(app.client().invitations().await.unwrap().len(), 1);
    let accept =
        |email: &str| AcceptInvitation { code: made.code.clone(), email: email.into(), password: PASSWORD.into() };
    assert_eq!(code_of(anyone(&app).accept_invitation(&accept("ma@example.com")).await), "TW-ACC-010");
    let weak = AcceptInvitation { password: "li.wei".into(), ..accept("li.wei@example.com") };
    assert_eq!(code_of(anyone(&app).accept_invitation(&weak).await), "TW-AUTH-016");
    let user = anyone(&app).accept_invitation(&accept("li.wei@example.com")).await.unwrap();
    assert_eq!((user.handle.as_str(), user.name.as_str(), user.roles.len()), ("li.wei", "李伟", 1));
    assert_eq!(code_of(anyone(&app).accept_invitation(&accept("li.wei@example.com")).await), "TW-ACC-010");
    assert_eq!(app.client().invitations().await.unwrap(), []);

    let late = Invite { handle: "ma".into(), email: "ma@example.com".into(), name: None, roles: vec![] };
    let late = app.client().invite(&late).await.unwrap();
    app.clock.forward(Duration::from_secs(7 * 86_400 + 1));
    let accept = AcceptInvitation { code: late.code, email: "ma@example.com".into(), password: PASSWORD.into() };
    assert_eq!(code_of(anyone(&app).accept_invitation(&accept).await), "TW-ACC-010");
}

#[tokio::test]
async fn neither_codes_nor_passwords_nor_addresses_are_in_the_log() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", "wrong wrong wrong")).await), "TW-AUTH-013");
    signed_in(&app, "li.wei").await;
    let events = crate::events::all(&app, 8).await;
    let kinds: Vec<_> = events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "audit.key_introduced",
            "token.created",
            "user.invited",
            "user.joined",
            "role.granted",
            "user.sign_in_failed",
            "user.signed_in",
            "token.created"
        ]
    );
    let told = serde_json::to_string(&events).unwrap();
    assert!(!told.contains("example.com") && !told.contains(PASSWORD) && !told.contains("twi_"), "{told}");
}

#[tokio::test]
async fn passwords_are_guessed_slowly_wherever_from() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![]).await;
    for _ in 0..5 {
        assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", "wrong")).await), "TW-AUTH-013");
    }
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", PASSWORD)).await), "TW-AUTH-005");
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("nobody", "wrong")).await), "TW-AUTH-005");
    app.clock.forward(Duration::from_secs(61));
    assert!(anyone(&app).sign_in(&sign_in("li.wei", PASSWORD)).await.is_ok());
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("nobody", "wrong")).await), "TW-AUTH-013");
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let client = signed_in(&app, "li.wei").await;
    assert_eq!(client.me().await.unwrap().name, "li.wei");
    app.client().disable_user("li.wei", "").await.unwrap();
    assert_eq!(code_of(client.me().await), "TW-AUTH-002");
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", PASSWORD)).await), "TW-AUTH-013");
    app.client().enable_user("li.wei", "").await.unwrap();
    assert_eq!(code_of(client.me().await), "TW-AUTH-002", "what ended stays ended");
    signed_in(&app, "li.wei").await.me().await.unwrap();
}

#[tokio::test]
async fn who_is_erased_leaves_a_handle_and_nothing_else() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let client = signed_in(&app, "li.wei").await;
    let before = app.client().users().await.unwrap().into_iter().find(|u| u.handle == "li.wei").unwrap();
    assert!(before.email.is_some() && !before.name.is_empty());
    for _ in 0..2 {
        let erased = app.client().erase_user("li.wei", "").await.unwrap();
        assert_eq!((erased.id, erased.email, erased.name.as_str()), (before.id, None, ""));
        assert!(erased.disabled_at.is_some());
    }
    assert_eq!(code_of(client.me().await), "TW-AUTH-002");
    // Let in again, they have nothing to sign in with; and nobody else becomes them.
    app.client().enable_user("li.wei", "").await.unwrap();
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", PASSWORD)).await), "TW-AUTH-013");
    let again = Invite { handle: "li.wei".into(), email: "other@example.com".into(), name: None, roles: vec![] };
    assert!(app.client().invite(&again).await.is_err());
    let tokens = app.client().tokens(&Paging::default()).await.unwrap().items;
    assert!(tokens.iter().filter(|t| t.owner.as_deref() == Some("li.wei")).all(|t| t.name == "li.wei"), "{tokens:?}");
    let of_kind = EventQuery { kind: Some("user.erased".into()), ..EventQuery::default() };
    let told = app.client().events(&of_kind, &Paging::default()).await.unwrap().items;
    assert!(told.iter().all(|e| e.subject == format!("user/{}", before.id)) && told.len() == 2, "{told:?}");
    let machine = CreateAccount { handle: "robot".into(), name: None };
    app.client().create_service_account(&machine).await.unwrap();
    assert_eq!(code_of(app.client().erase_user("robot", "").await), "TW-ACC-013");
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_have() {
    let app = TestApp::start().await;
    join(&app, "boss", vec![role(Role::Admin, None)]).await;
    join(&app, "lead", vec![role(Role::Admin, Some("staging"))]).await;
    join(&app, "dev", vec![]).await;
    let lead = signed_in(&app, "lead").await;
    let give = |role, env: Option<&str>| GrantRole {
        user: Some("dev".into()),
        group: None,
        role,
        service: None,
        env: env.map(|e| e.parse().unwrap()),
        site: None,
    };
    let given = lead.grant_role(&give(Role::Developer, Some("staging"))).await.unwrap();
    assert_eq!(code_of(lead.grant_role(&give(Role::Developer, Some("staging"))).await), "TW-ACC-015");
    assert_eq!(code_of(lead.grant_role(&give(Role::Viewer, Some("production"))).await), "TW-ACC-001");
    assert_eq!(code_of(lead.grant_role(&give(Role::Viewer, None)).await), "TW-ACC-001");
    assert_eq!(lead.grants().await.unwrap().len(), 2, "their own and the one they gave");
    lead.withdraw_role(given.id, "").await.unwrap();
    assert_eq!(code_of(lead.withdraw_role(given.id, "").await), "TW-ACC-006");
    let boss = app.client().grants().await.unwrap().into_iter().find(|g| g.user.as_deref() == Some("boss")).unwrap();
    assert_eq!(code_of(lead.withdraw_role(boss.id, "").await), "TW-ACC-006", "not theirs to know of");
    assert_eq!(code_of(app.client().withdraw_role(boss.id, "").await), "TW-ACC-012");
    assert_eq!(code_of(app.client().disable_user("boss", "").await), "TW-ACC-012");

    // A token reaches no further than the token it was made with.
    let narrow = CreateToken {
        name: "narrow".into(),
        scopes: vec![Scope::Read],
        env: Some("staging".parse().unwrap()),
        ..CreateToken::default()
    };
    let narrow = app.client_as(&lead.create_token(&narrow).await.unwrap().token);
    let wider = CreateToken { name: "wider".into(), scopes: vec![Scope::Deploy], ..CreateToken::default() };
    assert_eq!(code_of(narrow.create_token(&wider).await), "TW-AUTH-009");
    assert_eq!(code_of(narrow.grant_role(&give(Role::Developer, Some("staging"))).await), "TW-ACC-002");
    let anothers = CreateToken { owner: Some("dev".into()), ..wider };
    assert_eq!(code_of(app.client().create_token(&anothers).await), "TW-AUTH-017");
}

#[tokio::test]
async fn a_session_is_a_cookie_and_a_word_beside_it() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let open = json!({ "handle": "li.wei", "password": PASSWORD });
    let foreign = http().post(app.url("/api/v1/session")).header("sec-fetch-site", "cross-site").json(&open);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let answer = http().post(app.url("/api/v1/session")).json(&open).send().await.unwrap();
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for word in ["__Host-tradewind=tw_", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    let cookie = set.split(';').next().unwrap().to_owned();
    let told: Value = answer.json().await.unwrap();
    let csrf = told["csrf"].as_str().unwrap().to_owned();
    let get = async |path: &str| {
        let answer = http().get(app.url(path)).header("cookie", &cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, me) = get("/api/v1/me").await;
    assert_eq!((status, me["csrf"].as_str(), me["name"].as_str()), (200, Some(csrf.as_str()), Some("li.wei")));
    assert_eq!(get("/api/v1/me/sessions").await.1["items"][0]["current"], true);
    assert!(me["user"]["last_seen_at"].is_string(), "they were seen as they came in: {me}");

    let change = |csrf: Option<&str>, site: Option<&str>| {
        let body = json!({ "current": PASSWORD, "new": "another four words here" });
        let mut request = http().post(app.url("/api/v1/me/password")).header("cookie", &cookie).json(&body);
        if let Some(csrf) = csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        async { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(change(None, None).await, 403);
    assert_eq!(change(Some("0123456789abcdef0123456789abcdef"), None).await, 403);
    assert_eq!(change(Some(&csrf), Some("same-site")).await, 403);
    assert_eq!(change(Some(&csrf), Some("same-origin")).await, 204);
    assert_eq!(get("/api/v1/me").await.0, 200, "the session that changed it goes on");

    let out = http().delete(app.url("/api/v1/session")).header("cookie", &cookie).header("x-csrf-token", &csrf);
    assert_eq!(out.send().await.unwrap().status(), 204);
    let (status, refused) = get("/api/v1/me").await;
    assert_eq!((status, refused["code"].as_str()), (401, Some("TW-AUTH-011")));
}

#[tokio::test]
async fn a_session_nobody_uses_ends() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![]).await;
    let open = json!({ "handle": "li.wei", "password": PASSWORD });
    let answer = http().post(app.url("/api/v1/session")).json(&open).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    app.clock.forward(Duration::from_secs(12 * 3600 + 1));
    let answer = http().get(app.url("/api/v1/me")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_group_holds_roles_for_who_is_in_it() {
    let app = TestApp::start().await;
    let admin = app.client();
    join(&app, "li.wei", vec![]).await;
    let client = signed_in(&app, "li.wei").await;
    let sees = async || client.services(&Paging::default()).await.is_ok();
    assert!(!sees().await);
    admin.create_group("oncall").await.unwrap();
    let give = GrantRole {
        user: None,
        group: Some("oncall".into()),
        role: Role::Viewer,
        service: None,
        env: None,
        site: None,
    };
    admin.grant_role(&give).await.unwrap();
    assert!(!sees().await);
    assert_eq!(admin.add_group_member("oncall", "li.wei").await.unwrap().members, ["li.wei"]);
    assert!(sees().await);
    assert_eq!(client.me().await.unwrap().user.unwrap().groups, ["oncall"]);
    admin.remove_group_member("oncall", "li.wei").await.unwrap();
    assert!(!sees().await);
    admin.add_group_member("oncall", "li.wei").await.unwrap();
    admin.remove_group("oncall").await.unwrap();
    assert!(!sees().await);
    assert_eq!(code_of(admin.create_group("li.wei").await), "TW-ACC-007");
    assert_eq!(code_of(admin.create_group("Li Wei").await), "TW-ACC-008");
}

fn six_digits(secret: &str, app: &TestApp) -> String {
    use tradewind_model::time::Clock as _;
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(app.clock.now().0 / 1_000_000).unwrap()).to_string()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_is_good_once() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Admin, None)]).await;
    let client = signed_in(&app, "li.wei").await;
    let begun = client.begin_second_factor().await.unwrap();
    assert!(begun.uri.starts_with("otpauth://totp/Tradewind:li.wei?"), "{}", begun.uri);
    let show = |code: String, password: &str| SecondFactorCode {
        code,
        password: password.into(),
        ticket: Some(begun.ticket.clone()),
    };
    assert_eq!(code_of(client.confirm_second_factor(&show("000000".into(), PASSWORD)).await.map(drop)), "TW-AUTH-013");
    let right = six_digits(&begun.secret, &app);
    assert_eq!(code_of(client.confirm_second_factor(&show(right.clone(), "wrong")).await.map(drop)), "TW-AUTH-013");
    let codes = client.confirm_second_factor(&show(right.clone(), PASSWORD)).await.unwrap().codes;
    assert_eq!(codes.len(), 10);

    let with = |code: Option<String>| SignIn { code, ..sign_in("li.wei", PASSWORD) };
    assert_eq!(code_of(anyone(&app).sign_in(&with(None)).await), "TW-AUTH-014");
    assert_eq!(code_of(anyone(&app).sign_in(&with(Some(right))).await), "TW-AUTH-013", "a code is good once");
    app.clock.forward(Duration::from_secs(61));
    let next = six_digits(&begun.secret, &app);
    anyone(&app).sign_in(&with(Some(next))).await.unwrap();
    let recovery = codes[3].to_lowercase();
    anyone(&app).sign_in(&with(Some(recovery.clone()))).await.unwrap();
    assert_eq!(code_of(anyone(&app).sign_in(&with(Some(recovery))).await), "TW-AUTH-013");
    assert_eq!(client.me().await.unwrap().recovery_codes_left, Some(9));

    let stored = std::fs::read(app.data().join("tradewind.db")).unwrap();
    let plain = totp_rs::Secret::try_from_base32(&begun.secret).unwrap();
    let needle = plain.as_bytes();
    assert!(!stored.windows(needle.len()).any(|w| w == needle), "the secret is stored sealed");

    // Other keys, and the earlier one is gone: it is sealed with the new one.
    let by = tradewind_control::ctx::Asker::system("test");
    let rotated = tradewind_control::secrets::rotate::rotate(&app.app.ctx, false, &by).await.unwrap();
    assert_eq!((rotated.resealed, rotated.dropped.len(), rotated.damaged), (1, 1, 0));
    app.clock.forward(Duration::from_secs(61));
    let after = six_digits(&begun.secret, &app);
    anyone(&app).sign_in(&with(Some(after))).await.unwrap();

    app.client().reset_second_factor("li.wei").await.unwrap();
    anyone(&app).sign_in(&with(None)).await.unwrap();
}

#[tokio::test]
async fn a_policy_lets_nobody_do_anything_before_there_is_a_second_factor() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Admin, None)]).await;
    let policy = AccessPolicy { second_factor: vec![Role::Admin] };
    app.client().set_access_policy(&policy).await.unwrap();
    assert_eq!(code_of(anyone(&app).sign_in(&sign_in("li.wei", PASSWORD)).await), "TW-AUTH-015");
    let open = json!({ "handle": "li.wei", "password": PASSWORD });
    let answer = http().post(app.url("/api/v1/session")).json(&open).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told["second_factor_needed"], true);
    let get = async |path: &str| {
        let answer = http().get(app.url(path)).header("cookie", &cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, refused) = get("/api/v1/services").await;
    assert_eq!((status, refused["code"].as_str()), (403, Some("TW-AUTH-015")));
    assert_eq!(get("/api/v1/tokens").await.0, 403, "no way round it by a token");
    let post = async |path: &str, body: Value| {
        let request = http().post(app.url(path)).header("cookie", &cookie).json(&body);
        let answer = request.header("x-csrf-token", told["csrf"].as_str().unwrap()).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (_, begun) = post("/api/v1/me/second-factor", json!({})).await;
    let code = six_digits(begun["secret"].as_str().unwrap(), &app);
    let confirm = json!({ "code": code, "password": PASSWORD, "ticket": begun["ticket"] });
    assert_eq!(post("/api/v1/me/second-factor/confirm", confirm).await.0, 200);
    assert_eq!(get("/api/v1/services").await.0, 200);
}

/// A browser that opens a link: the answer, and the cookie it was given.
async fn enter(app: &TestApp, code: &str, second_factor: Option<&str>) -> (u16, Value, Option<String>) {
    let body = json!({ "code": code, "second_factor": second_factor });
    let answer = http().post(app.url("/api/v1/session/enter")).json(&body).send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned());
    (answer.status().as_u16(), answer.json().await.unwrap(), cookie)
}

async fn me_with(app: &TestApp, cookie: &str) -> Value {
    let answer = http().get(app.url("/api/v1/me")).header("cookie", cookie).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_link_signs_its_owner_in_once() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let client = signed_in(&app, "li.wei").await;
    let link = client.make_session_link(&Default::default()).await.unwrap();
    assert_eq!((link.handle.as_str(), link.path.clone()), ("li.wei", format!("/enter#{}", link.code)));
    let (status, told, cookie) = enter(&app, &link.code, None).await;
    assert_eq!((status, told["handle"].as_str()), (200, Some("li.wei")));
    assert_eq!(me_with(&app, &cookie.unwrap()).await["name"], "li.wei");
    assert_eq!(enter(&app, &link.code, None).await.1["code"], "TW-AUTH-022", "it was used");
    assert_eq!(enter(&app, "tw_made_up", None).await.1["code"], "TW-AUTH-022");

    let late = client.make_session_link(&Default::default()).await.unwrap();
    app.clock.forward(Duration::from_secs(601));
    assert_eq!(enter(&app, &late.code, None).await.1["code"], "TW-AUTH-022");
    let of_one_gone = client.make_session_link(&Default::default()).await.unwrap();
    app.client().disable_user("li.wei", "").await.unwrap();
    assert_eq!(enter(&app, &of_one_gone.code, None).await.1["code"], "TW-AUTH-022");
    let events = serde_json::to_string(&crate::events::all(&app, 8).await).unwrap();
    assert!(events.contains("user.link_made") && !events.contains(&link.code));
}

#[tokio::test]
async fn a_token_with_limits_makes_no_link() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Admin, None)]).await;
    let client = signed_in(&app, "li.wei").await;
    let narrow = |scopes: Vec<Scope>, env: Option<&str>| CreateToken {
        name: "narrow".into(),
        scopes,
        env: env.map(|e| e.parse().unwrap()),
        ..CreateToken::default()
    };
    for wish in [narrow(vec![Scope::Read], None), narrow(vec![Scope::Admin], Some("staging"))] {
        let token = client.create_token(&wish).await.unwrap().token;
        assert_eq!(code_of(app.client_as(&token).make_session_link(&Default::default()).await), "TW-AUTH-023");
    }
}

#[tokio::test]
async fn the_machines_owner_gets_an_account_and_nobody_elses() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let named = |handle: &str| MakeSessionLink { handle: Some(handle.into()) };
    let owner = app.client();
    assert_eq!(code_of(owner.make_session_link(&named("li.wei")).await), "TW-AUTH-024");
    assert!(owner.make_session_link(&named("Li Wei!")).await.is_err());
    for _ in 0..2 {
        let link = owner.make_session_link(&Default::default()).await.unwrap();
        assert_eq!(link.handle, "owner");
        let (_, _, cookie) = enter(&app, &link.code, None).await;
        let me = me_with(&app, &cookie.unwrap()).await;
        assert_eq!(
            (me["has_password"].as_bool(), me["user"]["roles"][0]["role"].as_str()),
            (Some(false), Some("admin"))
        );
    }
    let users = owner.users().await.unwrap();
    assert_eq!(users.iter().filter(|u| u.handle == "owner").count(), 1);
    // An erased person has no password either, and is nobody's to be.
    owner.erase_user("li.wei", "").await.unwrap();
    owner.enable_user("li.wei", "").await.unwrap();
    assert_eq!(code_of(owner.make_session_link(&named("li.wei")).await), "TW-AUTH-024");
}

/// What the log keeps of one kind of event, newest last.
async fn told(app: &TestApp, kind: &str, n: usize) -> Vec<tradewind_api::v1::Event> {
    let of_kind = EventQuery { kind: Some(kind.into()), ..EventQuery::default() };
    crate::app::until("its events", async || {
        let found = app.client().events(&of_kind, &Paging::limit(50)).await.unwrap().items;
        (found.len() >= n).then_some(found)
    })
    .await
}

#[tokio::test]
async fn a_reason_given_for_what_is_taken_away_is_kept() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![role(Role::Viewer, None)]).await;
    let client = app.client();
    let token = CreateToken { name: "old".into(), scopes: vec![Scope::Read], ..CreateToken::default() };
    let token = client.create_token(&token).await.unwrap().info.id;
    client.revoke_token(token, "found in a chat").await.unwrap();
    let grant = client.grants().await.unwrap().into_iter().find(|g| g.user.as_deref() == Some("li.wei")).unwrap();
    client.withdraw_role(grant.id, "changed teams").await.unwrap();
    client.disable_user("li.wei", "on leave\nfor a year").await.unwrap();
    client.enable_user("li.wei", "").await.unwrap();
    let erased = client.erase_user("li.wei", "asked for it").await.unwrap();
    assert!(erased.erased_at.is_some());
    let again = client.erase_user("li.wei", "").await.unwrap();
    assert_eq!(again.erased_at, erased.erased_at, "the first time counts");
    let why = async |kind: &str| {
        let event = told(&app, kind, 1).await.remove(0);
        event.after.and_then(|after| Some(after.get("reason")?.as_str()?.to_owned()))
    };
    assert_eq!(why("token.revoked").await.as_deref(), Some("found in a chat"));
    assert_eq!(why("role.withdrawn").await.as_deref(), Some("changed teams"));
    assert_eq!(why("user.disabled").await.as_deref(), Some("on leave for a year"));
    assert_eq!(why("user.enabled").await, None);
    assert_eq!(why("user.erased").await.as_deref(), Some("asked for it"));
    let role = told(&app, "role.withdrawn", 1).await.remove(0).after.unwrap();
    assert_eq!((&role["who"], &role["role"]), (&json!("li.wei"), &json!("viewer")), "beside what it was");
}

#[tokio::test]
async fn events_about_one_thing_are_chosen_by_its_name() {
    let app = TestApp::start().await;
    join(&app, "li.wei", vec![]).await;
    join(&app, "wang.fang", vec![]).await;
    app.client().disable_user("li.wei", "gone").await.unwrap();
    told(&app, "user.disabled", 1).await;
    let about = |subject: &str| EventQuery { subject: Some(subject.into()), ..EventQuery::default() };
    let kinds = async |query: &EventQuery| -> Vec<String> {
        let found = app.client().events(query, &Paging::limit(50)).await.unwrap().items;
        found.into_iter().map(|e| e.kind).collect()
    };
    let of_li = kinds(&about("user/li.wei")).await;
    assert_eq!(of_li.last().map(String::as_str), Some("user.disabled"), "{of_li:?}");
    assert!(!kinds(&about("user/wang.fang")).await.contains(&"user.disabled".to_owned()));
    assert_eq!(kinds(&about("user/li")).await, Vec::<String>::new(), "a whole name, not its beginning");
    let both = EventQuery { kind: Some("user.dis".into()), ..about("user/li.wei") };
    assert_eq!(kinds(&both).await, ["user.disabled"]);
}

#[tokio::test]
async fn what_may_be_done_where_is_told_as_the_server_decides_it() {
    let app = TestApp::start().await;
    join(&app, "dev", vec![role(Role::Viewer, None), role(Role::Developer, Some("staging"))]).await;
    let client = signed_in(&app, "dev").await;
    let reach = client.me().await.unwrap().reach;
    let envs = |action: &str| -> Vec<Option<String>> {
        let with = reach.iter().filter(|r| r.actions.iter().any(|a| a == action));
        let mut envs: Vec<_> = with.map(|r| r.env.as_ref().map(ToString::to_string)).collect();
        envs.sort();
        envs
    };
    assert_eq!(envs("deploy"), [Some("staging".to_owned())]);
    assert_eq!(envs("read"), [None, Some("staging".to_owned())]);
    assert!(envs("freeze").is_empty());
    // A token takes its part of that, and no more.
    let read = CreateToken {
        name: "reader".into(),
        scopes: vec![Scope::Read],
        env: Some("production".parse().unwrap()),
        ..CreateToken::default()
    };
    let token = client.create_token(&read).await.unwrap().token;
    let reach = app.client_as(&token).me().await.unwrap().reach;
    assert_eq!(reach.len(), 1, "{reach:?}");
    assert_eq!(reach[0].env.as_ref().map(ToString::to_string).as_deref(), Some("production"));
    assert!(reach[0].actions.iter().all(|a| a.starts_with("read")), "{reach:?}");
}

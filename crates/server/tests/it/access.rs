use crate::app::{TestApp, code_of, http, until};
use std::time::Duration;
use tradewind_api::{
    Client, Paging,
    v1::{CreateToken, Login, Scope},
};
use tradewind_server::admin;

fn anyone(app: &TestApp) -> Client {
    Client::new(&app.base()).unwrap()
}

fn login(code: &str) -> Login {
    Login { code: code.into(), name: "li.wei@laptop".into() }
}

#[tokio::test]
async fn a_login_code_is_good_once_and_for_ten_minutes() {
    let app = TestApp::start().await;
    let code = admin::login_code(&app.app.store).await.unwrap().reveal();
    let made = anyone(&app).login(&login(&code.to_lowercase().replace('-', " "))).await.unwrap();
    assert_eq!(made.info.scopes, [Scope::Admin]);
    assert_eq!(made.info.name, "li.wei@laptop");
    assert!(app.client_as(&made.token).tokens(&Paging::default()).await.is_ok());
    assert_eq!(code_of(anyone(&app).login(&login(&code)).await), "TW-AUTH-004");

    let late = admin::login_code(&app.app.store).await.unwrap().reveal();
    app.clock.forward(Duration::from_secs(601));
    assert_eq!(code_of(anyone(&app).login(&login(&late)).await), "TW-AUTH-004");
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_a_right_one_in_time_is_not() {
    let app = TestApp::start().await;
    let code = admin::login_code(&app.app.store).await.unwrap().reveal();
    for _ in 0..5 {
        assert_eq!(code_of(anyone(&app).login(&login("0000-0000-0000")).await), "TW-AUTH-004");
    }
    assert_eq!(code_of(anyone(&app).login(&login(&code)).await), "TW-AUTH-005");
    app.clock.forward(Duration::from_secs(61));
    assert!(anyone(&app).login(&login(&code)).await.is_ok());
}

#[tokio::test]
async fn a_code_and_its_token_are_facts_without_their_secrets() {
    let app = TestApp::start().await;
    let code = admin::login_code(&app.app.store).await.unwrap().reveal();
    let made = anyone(&app).login(&login(&code)).await.unwrap();
    let events = crate::events::all(&app, 5).await;
    let kinds: Vec<_> = events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["audit.key_introduced", "token.created", "login_code.created", "login_code.used", "token.created"]
    );
    let told = serde_json::to_string(&events).unwrap();
    assert!(!told.contains(made.token.rsplit('_').next().unwrap()));
    assert!(!told.contains(&code));
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_its_time_is_over() {
    let app = TestApp::start().await;
    let make = async |seconds| {
        let asked = CreateToken {
            name: "ci".into(),
            scopes: vec![Scope::Read],
            expires_in_s: seconds,
            ..CreateToken::default()
        };
        app.client().create_token(&asked).await.unwrap()
    };
    let (short, long) = (make(Some(60)).await, make(None).await);
    let works = async |token: &str| app.client_as(token).events(&Default::default(), &Paging::limit(1)).await.is_ok();
    assert!(works(&short.token).await && works(&long.token).await);
    app.clock.forward(Duration::from_secs(60));
    assert!(!works(&short.token).await && works(&long.token).await);
    app.client().revoke_token(long.info.id, "").await.unwrap();
    app.client().revoke_token(long.info.id, "").await.unwrap();
    assert!(!works(&long.token).await);
    let listed = app.client().tokens(&Paging::default()).await.unwrap();
    assert_eq!(listed.items.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["admin"]);
}

#[tokio::test]
async fn an_answer_that_lasts_ends_with_its_token() {
    let app = TestApp::start().await;
    let asked =
        CreateToken { name: "ci".into(), scopes: vec![Scope::Read], expires_in_s: None, ..CreateToken::default() };
    let token = app.client().create_token(&asked).await.unwrap();
    let follow = async |token: &str| {
        let answer = http().get(app.url("/api/v1/events/stream")).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    };
    let (theirs, mut ours) = (follow(&token.token).await, follow(&app.admin.token).await);
    app.client().revoke_token(token.info.id, "").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), theirs.text()).await;
    ended.expect("it goes on").unwrap();
    assert!(ours.chunk().await.unwrap().is_some(), "another's goes on");
}

#[tokio::test]
async fn what_a_token_may_be_is_checked() {
    let app = TestApp::start().await;
    let client = app.client();
    let make = async |name: &str, scopes: &[Scope], seconds| {
        let asked =
            CreateToken { name: name.into(), scopes: scopes.to_vec(), expires_in_s: seconds, ..CreateToken::default() };
        code_of(client.create_token(&asked).await)
    };
    assert_eq!(make(" ", &[Scope::Read], None).await, "TW-AUTH-006");
    assert_eq!(make("a\nb", &[Scope::Read], None).await, "TW-AUTH-006");
    assert_eq!(make("a", &[], None).await, "TW-AUTH-007");
    assert_eq!(make("a", &[Scope::Agent, Scope::Read], None).await, "TW-AUTH-007");
    assert_eq!(make("a", &[Scope::Read], Some(5)).await, "TW-AUTH-008");
}

#[tokio::test]
async fn a_host_that_enrols_again_has_only_its_new_key() {
    let app = TestApp::start().await;
    let asked =
        CreateToken { name: "h1".into(), scopes: vec![Scope::Agent], expires_in_s: None, ..CreateToken::default() };
    let first = app.client().create_token(&asked).await.unwrap();
    let (mut agent, _) = crate::agent::FakeAgent::connect(&app, &first.token).await;
    let second = admin::enrol_host(&app.app.store, "h1").await.unwrap();
    assert_eq!(first.info.id, second.info.id);
    let status = async |key: &str| {
        let answer = http().get(app.url("/api/v1/tokens")).bearer_auth(key).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status(&first.token).await, 401);
    assert_eq!(status(&second.token).await, 403, "it is known, and may not read tokens");
    while agent.hear().await.is_some() {}
}

#[tokio::test]
async fn use_is_noted_and_tokens_come_in_pages() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        app.token(Scope::Read).await;
    }
    let client = app.client();
    let first = client.tokens(&Paging::limit(2)).await.unwrap();
    assert_eq!(first.items.len(), 2);
    let rest = client.tokens(&Paging { after: first.next.clone(), limit: Some(10) }).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    assert_eq!(code_of(client.tokens(&Paging { after: Some("x".into()), limit: None }).await), "TW-API-011");
    until("a noted use", async || {
        let all = client.tokens(&Paging::default()).await.unwrap().items;
        all.iter().find(|t| t.name == "admin").and_then(|t| t.last_used_at)
    })
    .await;
}

use crate::fake::{Answer, Fake};
use serde_json::{Value, json};
use tradewind_cli::exit::Exit;
use tradewind_model::fault::{Lang, Problem};

fn refused() -> Answer {
    Answer::Json(
        409,
        json!({ "type": "/help/TW-ROLL-014", "code": "TW-ROLL-014", "status": 409,
                "title": "nothing earlier completed in production", "fix": "name a release with --to" }),
    )
}

#[tokio::test]
async fn a_refusal_is_code_what_and_what_to_do() {
    let fake = Fake::start().await;
    fake.on("POST /services/shop/rollback", refused());
    insta::assert_snapshot!("refused", fake.run("rollback shop --env production --reason x").await);
    insta::assert_snapshot!("refused_zh", fake.run_zh("rollback shop --env production --reason x").await);
    let said = fake.run("rollback shop --env production --reason x --json").await;
    let problem: Problem = serde_json::from_str(&said.err).unwrap();
    assert_eq!((problem.code.as_str(), said.out.as_str(), said.exit), ("TW-ROLL-014", "", Exit::Refused));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_with_what_to_do() {
    let fake = Fake::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let said = fake.call(Lang::En, "status", &[("TRADEWIND_SERVER", &addr)]).await;
    insta::assert_snapshot!("unreachable", said.to_string().replace(&addr, "http://ADDR"));
    let said = fake.call(Lang::Zh, &format!("status --server {addr}"), &[]).await;
    insta::assert_snapshot!("unreachable_zh", said.to_string().replace(&addr, "http://ADDR"));
}

#[tokio::test]
async fn what_answers_but_is_not_tradewind_is_told_apart() {
    let fake = Fake::start().await;
    insta::assert_snapshot!("not_tradewind", fake.run("status").await);
    fake.on("GET /status", Answer::Json(200, Value::from("hello")));
    insta::assert_snapshot!("garbled", fake.run("status").await);
    insta::assert_snapshot!("bad_server", fake.call(Lang::En, "status --server ftp://x", &[]).await);
    insta::assert_snapshot!("bad_token", fake.call(Lang::En, "status", &[("TRADEWIND_TOKEN", "a\nb")]).await);
}

#[tokio::test]
async fn several_environments_without_a_production_have_to_be_named() {
    let fake = Fake::start().await;
    let mut service = crate::samples::service();
    service.environments[1].name = "prod-eu".parse().unwrap();
    fake.on("GET /services/shop", crate::fake::json(&service));
    insta::assert_snapshot!("which_env", fake.run("rollback shop --reason x").await);
    service.environments.clear();
    let fake = Fake::start().await;
    fake.on("GET /services/shop", crate::fake::json(&service));
    insta::assert_snapshot!("no_env_zh", fake.run_zh("rollback shop --reason x").await);
    insta::assert_snapshot!("bad_name", fake.run("rollback Shop --reason x").await);
}

#[tokio::test]
async fn text_from_a_server_cannot_steer_the_terminal() {
    let fake = Fake::start().await;
    fake.on(
        "GET /status",
        Answer::Json(
            500,
            json!({ "type": "x", "code": "TW-X-001", "status": 500, "title": "a\u{1b}[2Jb", "fix": "c\u{7}" }),
        ),
    );
    let said = fake.run("status").await;
    assert!(!said.err.contains(['\u{1b}', '\u{7}']), "{:?}", said.err);
}

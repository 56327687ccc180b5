//! Secrets on the command line: typed or piped, never an argument, never shown.

use crate::fake::{Fake, json, list};
use serde_json::json as value;
use tradewind_api::v1::*;

fn secret(name: &str, scope: serde_json::Value, version: i64) -> Secret {
    serde_json::from_value(value!({
        "id": "01930000-0000-7000-8000-000000000001", "name": name, "scope": scope, "version": version,
        "fingerprint": "5f0c1e7a", "set_at": "2026-11-10T22:00:00Z", "set_by": "li.wei@laptop",
        "used_at": if version > 1 { value!("2026-11-11T00:00:00Z") } else { value!(null) },
    }))
    .unwrap()
}

fn done(changed: bool, maskable: bool, stale: usize) -> SecretSet {
    let holder = |i: usize| {
        value!({ "instance": format!("01930000-0000-7000-8000-00000000000{i}"), "service": "shop", "env": "production",
                 "site": if i == 2 { "br" } else { "us" }, "version": 1 })
    };
    let stale = serde_json::from_value((0..stale).map(holder).collect()).unwrap();
    let scope = value!({ "service": "shop", "env": "production" });
    SecretSet { secret: secret("DB_PASSWORD", scope, 2), changed, maskable, stale }
}

#[tokio::test]
async fn a_value_is_read_from_standard_input_and_shown_nowhere() {
    let fake = Fake::start().await;
    fake.on("PUT /secrets/DB_PASSWORD", json(done(true, true, 3)));
    *fake.input.lock().unwrap() = "horse-battery\n".into();
    let said = fake.run("secret set DB_PASSWORD --service shop --env production").await;
    insta::assert_snapshot!("secret_set", said);
    assert_eq!(
        fake.seen()[0].body,
        value!({ "scope": { "service": "shop", "env": "production" }, "value": "horse-battery" })
    );
    fake.on("PUT /secrets/KEY", json(done(true, false, 0)));
    *fake.input.lock().unwrap() = "line one\nline two\r\n".into();
    insta::assert_snapshot!("secret_set_short_zh", fake.run_zh("secret set KEY").await);
    assert_eq!(fake.seen()[1].body, value!({ "scope": {}, "value": "line one\nline two" }));
    fake.on("PUT /secrets/KEY", json(done(false, true, 0)));
    *fake.input.lock().unwrap() = "same".into();
    insta::assert_snapshot!("secret_set_again", fake.run("secret set KEY --env production --site br").await);
}

#[tokio::test]
async fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let fake = Fake::start().await;
    for args in ["secret set DB_PASSWORD hunter2-hunter2", "secret set DB_PASSWORD=hunter2-hunter2"] {
        *fake.input.lock().unwrap() = "unused".into();
        let said = fake.run(args).await.to_string();
        assert!(said.contains("TW-CLI-061") && !said.contains("hunter2"), "{said}");
    }
    insta::assert_snapshot!("secret_as_argument_zh", fake.run_zh("secret set DB_PASSWORD hunter2-hunter2").await);
    *fake.input.lock().unwrap() = "\n".into();
    insta::assert_snapshot!("secret_empty", fake.run("secret set DB_PASSWORD").await);
    insta::assert_snapshot!("secret_bad_name", fake.run("secret set db-password").await);
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn secrets_are_listed_without_their_values() {
    let fake = Fake::start().await;
    let all = [
        secret("DB_PASSWORD", value!({ "service": "shop", "env": "production" }), 3),
        secret("SHOPEE_KEY", value!({ "env": "production", "site": "br" }), 1),
        secret("WEBHOOK", value!({}), 2),
    ];
    fake.on("GET /secrets", list(&all)).on("GET /secrets", list(&all)).on("GET /secrets", list::<Secret>(&[]));
    insta::assert_snapshot!("secrets", fake.run("secrets").await);
    insta::assert_snapshot!("secrets_zh", fake.run_zh("secrets").await);
    insta::assert_snapshot!("secrets_none", fake.run("secrets").await);
    fake.on("GET /secrets?service=shop", list::<Secret>(&[]));
    assert_eq!(fake.run("secrets --service shop").await.exit.code(), 0);
}

#[tokio::test]
async fn a_secret_has_a_history_and_comes_back() {
    let fake = Fake::start().await;
    let version = |n: i64, in_force: bool| SecretVersion {
        version: n,
        in_force,
        fingerprint: format!("5f0c1e7{n}"),
        set_at: serde_json::from_value("2026-11-10T22:00:00Z".into()).unwrap(),
        set_by: "li.wei@laptop".into(),
        used_at: None,
    };
    fake.on("GET /secrets/DB_PASSWORD/versions", list(&[version(2, true), version(1, false)]));
    insta::assert_snapshot!("secret_history", fake.run("secret history DB_PASSWORD --service shop").await);
    fake.on("POST /secrets/DB_PASSWORD/restore", json(done(true, true, 0)));
    insta::assert_snapshot!("secret_restore", fake.run("secret restore DB_PASSWORD --service shop --version 1").await);
    assert_eq!(fake.seen()[1].body, value!({ "scope": { "service": "shop" }, "version": 1 }));
    fake.on("DELETE /secrets/DB_PASSWORD", json(value!(null)));
    insta::assert_snapshot!(
        "secret_remove_zh",
        fake.run_zh("secret remove DB_PASSWORD --service shop --env production").await
    );
}

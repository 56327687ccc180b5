//! Secrets over HTTP.

use crate::app::{TestApp, code_of, http};
use tradewind_api::v1::{RestoreSecret, SecretScope, SetSecret};
use tradewind_model::secret::SecretName;

fn name() -> SecretName {
    "SHOPEE_KEY".parse().unwrap()
}

fn value(text: &str) -> SetSecret {
    SetSecret { scope: SecretScope::default(), value: text.into() }
}

#[tokio::test]
async fn a_secret_is_set_listed_removed_and_brought_back_and_no_answer_holds_its_value() {
    let app = TestApp::start().await;
    let client = app.client();
    let first = client.set_secret(&name(), &value("horse-battery")).await.unwrap();
    assert_eq!((first.secret.version, first.changed), (1, true));
    assert!(!client.set_secret(&name(), &value("horse-battery")).await.unwrap().changed);
    client.set_secret(&name(), &value("staple-correct")).await.unwrap();
    let everywhere = SecretScope::default();
    assert_eq!(client.secret_versions(&name(), &everywhere).await.unwrap().len(), 2);
    client.remove_secret(&name(), &everywhere).await.unwrap();
    assert_eq!(client.secrets(None).await.unwrap(), []);
    assert_eq!(code_of(client.remove_secret(&name(), &everywhere).await), "TW-SEC-009");
    let back = RestoreSecret { scope: everywhere, version: 1 };
    assert_eq!(client.restore_secret(&name(), &back).await.unwrap().secret.version, 3);
    for path in ["secrets", "secrets/SHOPEE_KEY/versions", "events?limit=50"] {
        let asked = http().get(app.url(&format!("/api/v1/{path}"))).bearer_auth(&app.admin.token).send().await.unwrap();
        assert_eq!(asked.status(), 200, "{path}");
        let text = asked.text().await.unwrap();
        assert!(!text.contains("horse") && !text.contains("staple"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_value_is_nowhere_on_disk_and_what_is_wrong_with_one_is_told_without_it() {
    let app = TestApp::start().await;
    let client = app.client();
    client.set_secret(&name(), &value("horse-battery-staple")).await.unwrap();
    assert_eq!(code_of(client.set_secret(&name(), &value(" ")).await), "TW-SEC-005");
    let body = r#"{"value": "horse-battery-staple", "kind": 1}"#;
    let asked = http().put(app.url("/api/v1/secrets/A")).bearer_auth(&app.admin.token).body(body);
    let answer = asked.header("content-type", "application/json").send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("TW-API-004") && !answer.contains("horse"), "{answer}");
    let folder = app.stop().await;
    let mut looked = 0;
    for file in walk(folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(20).any(|w| w == b"horse-battery-staple"), "{}", file.display());
        looked += 1;
    }
    assert!(looked > 1, "the database and the key, at least");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else if path.is_file() {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

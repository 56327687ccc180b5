use crate::{
    fake::{Answer, Fake, json},
    samples::*,
};
use serde_json::json as value;
use std::{os::unix::fs::MetadataExt, process::Command};
use tradewind_cli::exit::Exit;
use tradewind_model::fault::Lang;

fn made() -> Answer {
    json(value!({ "token": "tw_0193_verysecret", "id": RUN, "name": "li.wei@laptop", "scopes": ["admin"],
                  "created_at": "2026-11-11T00:10:00Z", "expires_at": "2027-02-09T00:10:00Z", "last_used_at": null }))
}

fn git(fake: &Fake, args: &[&str]) -> String {
    let out = Command::new("git")
        .arg("-C")
        .arg(&fake.dir)
        .args(args)
        .env("HOME", fake.home.path())
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_login_is_kept_for_its_owner_and_makes_git_push_work() {
    let fake = Fake::start().await;
    fake.on("POST /login", made()).on("GET /services", crate::fake::list::<()>(&[]));
    fake.on(&format!("DELETE /tokens/{RUN}"), json(()));
    git(&fake, &["init", "-q", "-b", "main"]);
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\n").unwrap();

    let url = fake.url.clone();
    let said = fake.call(Lang::En, &format!("login --server {url}/ --code K7QW-3MZP-X2HD"), &[]).await;
    let exe = std::env::current_exe().unwrap().display().to_string();
    insta::assert_snapshot!("login", said.to_string().replace(&exe, "EXE"));
    assert_eq!(fake.seen()[0].token, None);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(fake.seen()[0].body, value!({ "code": "K7QW-3MZP-X2HD", "name": format!("li.wei@{}", host.trim()) }));

    let kept = fake.home.path().join(".config/tradewind/credentials.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
    assert_eq!(git(&fake, &["remote", "get-url", "tradewind"]), format!("{url}/git/shop.git"));
    let helpers = git(&fake, &["config", "--global", "--get-all", &format!("credential.{url}.helper")]);
    assert_eq!(helpers, format!("{exe} git-credential"), "the empty entry before it resets other helpers");

    // From now on neither the server nor the token has to be named.
    assert_eq!(fake.call(Lang::En, "service list", &[]).await.exit, Exit::Ok);
    assert_eq!(fake.seen()[1].token.as_deref(), Some("Bearer tw_0193_verysecret"));

    insta::assert_snapshot!("logout", fake.call(Lang::En, "logout", &[]).await);
    assert_eq!(fake.seen()[2].line, format!("DELETE /tokens/{RUN}"));
    assert!(!std::fs::read_to_string(&kept).unwrap().contains("verysecret"));
    assert_eq!(git(&fake, &["config", "--global", "--get-all", &format!("credential.{url}.helper")]), "");
    let again = fake.call(Lang::Zh, &format!("logout --server {url}"), &[]).await;
    insta::assert_snapshot!("logout_again_zh", again);
}

#[tokio::test]
async fn a_code_that_is_refused_leaves_no_trace() {
    let fake = Fake::start().await;
    fake.on(
        "POST /login",
        Answer::Json(
            401,
            value!({ "type": "/help/TW-AUTH-004", "code": "TW-AUTH-004", "status": 401,
        "title": "the code is used up or too old", "fix": "`tradewind admin code` makes another" }),
        ),
    );
    insta::assert_snapshot!("login_refused", fake.run("login --code X").await);
    assert!(!fake.home.path().join(".config").exists() && !fake.home.path().join(".gitconfig").exists());
}

#[tokio::test]
async fn a_foreign_remote_is_left_alone() {
    let fake = Fake::start().await;
    fake.on("POST /login", made());
    git(&fake, &["init", "-q", "-b", "main"]);
    git(&fake, &["remote", "add", "tradewind", "ssh://elsewhere/shop.git"]);
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\n").unwrap();
    let said = fake.run("login --code K7QW").await;
    assert!(said.out.contains("ssh://elsewhere/shop.git"), "{said}");
    assert_eq!(git(&fake, &["remote", "get-url", "tradewind"]), "ssh://elsewhere/shop.git");
}

#[tokio::test]
async fn a_service_made_in_its_checkout_gets_its_remote() {
    let fake = Fake::start().await;
    let mut new = service();
    new.environments.clear();
    fake.on("POST /services", json(new));
    insta::assert_snapshot!("service_created_elsewhere", fake.run("service create shop").await);
    git(&fake, &["init", "-q", "-b", "main"]);
    std::fs::write(fake.dir.join("tradewind.yaml"), "version: 1\nservice: shop\n").unwrap();
    insta::assert_snapshot!("service_created_here_zh", fake.run_zh("service create shop").await);
}

#[tokio::test]
async fn the_console_is_opened_by_a_link() {
    let fake = Fake::start().await;
    let link =
        value!({ "code": "tw_x", "path": "/enter#tw_x", "handle": "owner", "expires_at": "2026-11-11T00:20:00Z" });
    fake.on("POST /session/links", json(link));
    let url = fake.url.clone();
    let said = fake.run("console").await;
    insta::assert_snapshot!("console", said.to_string().replace(&url, "URL"));
    let named = fake.run("console --user li.wei --json").await;
    insta::assert_snapshot!("console_json", named.to_string().replace(&url, "URL"));
    assert_eq!(fake.seen()[0].body, value!({}));
    assert_eq!(fake.seen()[1].body, value!({ "handle": "li.wei" }));
}

//! The git program against the server.

use crate::{
    app::{TestApp, http},
    host::Host,
};
use std::{path::Path, process::Stdio};
use tempfile::TempDir;
use tokio::process::Command;
use tradewind_api::v1::Scope;

/// A pusher's folder.
pub struct Work {
    folder: TempDir,
    pub remote: String,
    pub lang: &'static str,
}

pub struct Pushed {
    pub ok: bool,
    pub said: String,
}

impl Pushed {
    /// What the server said, without git's padding and what differs from run to run.
    pub fn remote(&self) -> String {
        let lines = self.said.lines().filter_map(|l| l.strip_prefix("remote: ").or(l.strip_prefix("remote:")));
        let kept: Vec<_> = lines.map(|l| l.trim_end().to_owned()).collect();
        kept.join("\n").trim().to_owned()
    }
}

impl Work {
    pub async fn new(app: &TestApp, service: &str, token: &str) -> Self {
        let remote = format!("http://x:{token}@{}/git/{service}.git", app.addr);
        let work = Self { folder: TempDir::new().unwrap(), remote, lang: "C" };
        work.git(&["init", "-q", "-b", "main"]).await;
        work
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args(args)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LANGUAGE", self.lang)
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Li Wei")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "li.wei@example.com")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z")))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        git
    }

    pub async fn git(&self, args: &[&str]) -> String {
        let done = self.command(args).output().await.unwrap();
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub async fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]).await;
        self.git(&["commit", "-q", "--allow-empty", "-m", message]).await;
        self.git(&["rev-parse", "HEAD"]).await
    }

    pub async fn push(&self, what: &[&str]) -> Pushed {
        let args = [&["push", self.remote.as_str()], what].concat();
        let done = self.command(&args).output().await.unwrap();
        Pushed { ok: done.status.success(), said: String::from_utf8(done.stderr).unwrap() }
    }
}

pub const SPEC: &str = "version: 1\nservice: shop\npipeline: none\nrun:\n  command: [python3, -m, http.server]\n";

fn repository(app: &TestApp) -> std::path::PathBuf {
    app.data().join("git/shop.git")
}

fn tip(repository: &Path, branch: &str) -> Option<String> {
    std::fs::read_to_string(repository.join("refs/heads").join(branch)).ok().map(|t| t.trim().to_owned())
}

#[tokio::test]
async fn a_push_is_stored_and_can_be_cloned() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    let commit = work.commit("first").await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "{}", pushed.said);
    assert_eq!(tip(&repository(&app), "main"), Some(commit));
    let reader = app.token(Scope::Read).await;
    let from = format!("http://x:{reader}@{}/git/shop.git", app.addr);
    work.git(&["clone", "-q", &from, "copy"]).await;
    assert_eq!(std::fs::read_to_string(work.folder.path().join("copy/tradewind.yaml")).unwrap(), SPEC);
}

#[tokio::test]
async fn a_push_of_many_megabytes_comes_in_chunks_and_whole() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    // What does not compress, and more than git sends at once (http.postBuffer, 1 MiB).
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u8
    })
    .take(5 << 20)
    .collect();
    work.write("noise.bin", &noise);
    work.commit("large").await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "{}", pushed.said);
    work.git(&["clone", "-q", &work.remote, "copy"]).await;
    assert!(std::fs::read(work.folder.path().join("copy/noise.bin")).unwrap() == noise);
}

#[tokio::test]
async fn a_push_without_a_spec_changes_nothing_and_says_what_to_do() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let mut work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("README", "hello");
    work.commit("no spec").await;
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok && pushed.said.contains("pre-receive hook declined"), "{}", pushed.said);
    assert_eq!(tip(&repository(&app), "main"), None);
    insta::assert_snapshot!("push_without_spec", pushed.remote());
    work.lang = "zh_CN";
    insta::assert_snapshot!("push_without_spec_zh", work.push(&["main"]).await.remote());
}

#[tokio::test]
async fn a_push_with_a_broken_spec_names_every_place() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", "version: 1\nservice: shop\nrun:\n  comand: [x]\n  instances: many\n");
    work.commit("broken").await;
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok, "{}", pushed.said);
    insta::assert_snapshot!("push_with_broken_spec", pushed.remote());

    work.write("tradewind.yaml", SPEC.replace("shop", "stock"));
    work.commit("another service").await;
    insta::assert_snapshot!("push_of_another_service", work.push(&["main"]).await.remote());
}

#[tokio::test]
async fn a_push_with_a_broken_or_missing_pipeline_is_rejected_too() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC.replace("pipeline: none\n", ""));
    work.write(".gitlab-ci.yml", "test:\n  scrip: make test\n");
    work.commit("broken pipeline").await;
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok, "{}", pushed.said);
    insta::assert_snapshot!("push_with_broken_pipeline", pushed.remote());

    work.write("tradewind.yaml", SPEC.replace("none", "ci/build.yml"));
    work.commit("missing pipeline").await;
    insta::assert_snapshot!("push_with_missing_pipeline", work.push(&["main"]).await.remote());
}

#[tokio::test]
async fn branches_and_tags_may_be_pushed_and_other_refs_may_not() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    work.commit("first").await;
    assert!(work.push(&["main:main", "main:refs/tags/v1"]).await.ok);
    let odd = work.push(&["main:refs/odd/thing"]).await;
    assert!(!odd.ok && odd.said.contains("TW-GIT-005"), "{}", odd.said);
    // One bad ref rejects the push as a whole.
    let mixed = work.push(&["main:other", "main:refs/odd/thing"]).await;
    assert!(!mixed.ok);
    assert_eq!(tip(&repository(&app), "other"), None);
    assert!(work.push(&[":main"]).await.ok, "a branch may be deleted");
}

#[tokio::test]
async fn who_may_push_and_fetch_is_told_by_the_token() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let deployer = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    deployer.write("tradewind.yaml", SPEC);
    deployer.commit("first").await;
    for (token, said) in [("tw_wrong".to_owned(), "TW-AUTH-002"), (app.token(Scope::Read).await, "TW-ACC-002")] {
        let work = Work { remote: format!("http://x:{token}@{}/git/shop.git", app.addr), ..deployer.lent() };
        let pushed = work.push(&["main"]).await;
        assert!(!pushed.ok && pushed.said.contains(said), "{}", pushed.said);
    }
    assert!(!repository(&app).exists(), "a refused push leaves nothing behind");
    let reader = app.token(Scope::Read).await;
    let from = format!("http://x:{reader}@{}/git/shop.git", app.addr);
    let done = deployer.command(&["clone", "-q", &from, "copy"]).output().await.unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("TW-GIT-001"), "{said}");

    let challenge = http().get(app.url("/git/shop.git/info/refs?service=git-upload-pack")).send().await.unwrap();
    assert_eq!(challenge.status(), 401);
    assert!(challenge.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
}

impl Work {
    /// A copy of the folder.
    fn lent(&self) -> Self {
        let folder = TempDir::new().unwrap();
        let copied =
            std::process::Command::new("cp").arg("-a").arg(self.folder.path().join(".git")).arg(folder.path()).status();
        assert!(copied.unwrap().success());
        Self { folder, remote: self.remote.clone(), lang: self.lang }
    }
}

#[tokio::test]
async fn a_repositorys_own_hooks_and_settings_are_never_obeyed() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    work.commit("first").await;
    assert!(work.push(&["main"]).await.ok);
    use std::os::unix::fs::PermissionsExt as _;
    let hooks = repository(&app).join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    let trap = app.data().join("trap");
    for name in ["pre-receive", "post-receive", "update"] {
        std::fs::write(hooks.join(name), format!("#!/bin/sh\ntouch {}\nexit 0\n", trap.display())).unwrap();
        std::fs::set_permissions(hooks.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let config = repository(&app).join("config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[core]\n\thooksPath = hooks\n[receive]\n\tfsckObjects = false\n")).unwrap();
    std::fs::remove_file(work.folder.path().join("tradewind.yaml")).unwrap();
    work.commit("no spec").await;
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok && pushed.said.contains("TW-GIT-002"), "{}", pushed.said);
    assert!(!trap.exists());
}

#[tokio::test]
async fn a_data_folder_may_lie_deeper_than_a_sockets_address_is_long() {
    let folder = tempfile::Builder::new().prefix(&"deep-".repeat(30)).tempdir().unwrap();
    let app = TestApp::start_in(folder).await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    work.commit("first").await;
    let pushed = work.push(&["main"]).await;
    assert!(pushed.ok, "{}", pushed.said);
}

#[tokio::test]
async fn a_pusher_who_hangs_up_in_the_middle_leaves_nothing_behind() {
    use tokio::io::AsyncWriteExt as _;
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let token = app.token(Scope::Deploy).await;
    let work = Work::new(&app, "shop", &token).await;
    work.write("tradewind.yaml", SPEC);
    work.commit("first").await;
    assert!(work.push(&["main"]).await.ok);
    let mut raw = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let head = format!(
        "POST /git/shop.git/git-receive-pack HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/x-git-receive-pack-request\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    let line = format!("{} {} refs/heads/half\0 report-status", "0".repeat(40), "1".repeat(40));
    let pkt = format!("{:04x}{line}0000PACK", line.len() + 4);
    raw.write_all(format!("{:x}\r\n{pkt}\r\n", pkt.len()).as_bytes()).await.unwrap();
    raw.flush().await.unwrap();
    crate::app::until("the push under way", async || (!app.app.git.pushes.is_empty()).then_some(())).await;
    drop(raw);
    crate::app::until("git to end", async || app.app.git.pushes.is_empty().then_some(())).await;
    assert_eq!(tip(&repository(&app), "half"), None);
    work.commit("second").await;
    assert!(work.push(&["main"]).await.ok, "the repository is as it was");
}

/// Put together here, so that no line of this file looks like one.
fn key(letter: char) -> String {
    format!("glpat-{}7Q{letter}x3Lm9Tz2Kw8Rb5Vn46", "")
}

#[tokio::test]
async fn a_key_in_what_is_pushed_rejects_the_push_until_somebody_answers_for_it() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", "version: 1\nservice: shop\nkind: worker\nrun: { command: [./serve] }\n");
    work.write("settings.py", format!("import os\nTOKEN = '{}'\n", key('a')));
    work.commit("First").await;
    work.write("settings.py", "import os\nTOKEN = os.environ['TOKEN']\n");
    work.commit("Not any more").await;
    // It is in the history all the same.
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok && pushed.said.contains("TW-GIT-009"), "{}", pushed.said);
    assert!(pushed.said.contains("settings.py:2:1") && !pushed.said.contains(&key('a')), "{}", pushed.said);
    assert!(pushed.said.contains("tradewind secret set"), "{}", pushed.said);
    assert!(app.client().service(&"shop".parse().unwrap()).await.is_err(), "nothing was made of it");

    let empty = work.push(&["-o", "tradewind.allow-secrets=", "main"]).await;
    assert!(!empty.ok, "{}", empty.said);
    let taken = work.push(&["-o", "tradewind.allow-secrets=revoked an hour ago", "main"]).await;
    assert!(taken.ok && taken.said.contains("Let through: settings.py:2"), "{}", taken.said);

    // What is here already is not looked at again; what is new is.
    work.write("fixtures/answer.json", format!("{{\"t\": \"{}\"}}\n", key('b')));
    work.write("mock.py", format!("T = '{}'  # tradewind:allow-secret of the mock\n", key('c')));
    work.commit("Fixtures").await;
    let pushed = work.push(&["main"]).await;
    assert!(!pushed.ok && pushed.said.contains("fixtures/answer.json:1:1"), "{}", pushed.said);
    assert!(!pushed.said.contains("settings.py"), "{}", pushed.said);
    work.write(".tradewind-allow-secrets", "fixtures/** recorded answers\n");
    work.commit("Fixtures are no secrets").await;
    let pushed = work.push(&["main"]).await;
    assert!(
        pushed.ok && pushed.said.contains("recorded answers") && pushed.said.contains("of the mock"),
        "{}",
        pushed.said
    );

    let told = crate::app::until("both events", async || {
        let events = crate::events::all(&app, 1).await;
        let told: Vec<_> = events.into_iter().filter(|e| e.kind == "push.keys_allowed").collect();
        (told.len() == 2).then_some(told)
    })
    .await;
    let text = serde_json::to_string(&told).unwrap();
    assert!(
        text.contains("revoked an hour ago") && text.contains("settings.py") && text.contains("gitlab-token"),
        "{text}"
    );
    for letter in ['a', 'b', 'c'] {
        assert!(!text.contains(&key(letter)), "{text}");
    }
}

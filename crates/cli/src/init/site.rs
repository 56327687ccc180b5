//! Files and nothing else. Tradewind has no server for them of its own: each release runs one.

use super::{Job, Kind, Recipe, Step, files::Files};
use tradewind_model::{said, workload::ServiceKind};

/// Where pages stand, the built ones first.
const FOLDERS: [&str; 5] = ["dist", "public", "_site", "site", "www"];

fn folder(files: &dyn Files) -> Option<&'static str> {
    let holds_a_page = |folder: &&str| files.has(&format!("{folder}/index.html"));
    FOLDERS.into_iter().find(holds_a_page).or(files.has("index.html").then_some("."))
}

pub fn signs(files: &dyn Files) -> Vec<String> {
    match folder(files) {
        Some(".") => vec!["index.html".into()],
        Some(folder) => vec![format!("{folder}/index.html")],
        None => Vec::new(),
    }
}

pub fn recipe(files: &dyn Files) -> Recipe {
    built(folder(files).unwrap_or("."), Kind::Static)
}

/// Pages in `folder`; who made them says so.
pub fn built(folder: &str, kind: Kind) -> Recipe {
    let page = if folder == "." { "index.html".to_owned() } else { format!("{folder}/index.html") };
    Recipe {
        kind,
        flavour: kind.name().into(),
        name: None,
        service: ServiceKind::Web,
        paths: if folder == "." { Vec::new() } else { vec![format!("{folder}/**")] },
        exclude: if folder == "." {
            vec!["*.yaml".into(), ".gitlab-ci.yml".into(), ".gitignore".into()]
        } else {
            Vec::new()
        },
        prepare: None,
        run: Step::exec(
            &format!("python3 -m http.server --bind 127.0.0.1 --directory {folder} \"$PORT\""),
            said!(
                "Python's file server is on nearly every host and is enough to begin with. It does not compress, sends no caching rules, lists folders without an index.html, and knows no fallback for a single-page application. For many visitors put Caddy on the host: [sh, -c, 'exec caddy file-server --root {folder} --listen \"127.0.0.1:$PORT\"']",
                "几乎每台主机上都有 Python 的文件服务器，起步够用：它不压缩、不发缓存头、会列出没有 index.html 的目录，也不支持单页应用的回退。访问量大时请在主机上安装 Caddy：[sh, -c, 'exec caddy file-server --root {folder} --listen \"127.0.0.1:$PORT\"']",
                folder = folder
            ),
        ),
        env: Vec::new(),
        health: Some("/".into()),
        start_timeout: None,
        job: Job {
            name: "test",
            why: said!("Nothing is built here: only that there is a page.", "这里不构建，只确认首页存在。"),
            script: vec![format!("test -s {page}")],
            artifacts: Vec::new(),
        },
        notes: Vec::new(),
    }
}

//! A server with canned answers, and a command line whose surroundings a test provides.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use clap::Command;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tradewind_api::v1::Time;
use tradewind_cli::{Surroundings, exit::Exit, help, out::Out};
use tradewind_model::{
    fault::Lang,
    time::{Clock, Timestamp},
};

/// The time at which all of it happens.
pub const NOW: &str = "2026-11-11T00:10:00Z";

#[derive(Clone, Debug)]
pub enum Answer {
    Json(u16, Value),
    Text(String),
    /// Events of a stream that ends by itself.
    Stream(Vec<Value>),
}

pub fn json<T: Serialize>(value: T) -> Answer {
    Answer::Json(200, serde_json::to_value(value).unwrap())
}

pub fn list<T: Serialize>(items: &[T]) -> Answer {
    Answer::Json(200, serde_json::json!({ "items": items, "next": null }))
}

pub fn stream<T: Serialize>(items: &[T]) -> Answer {
    Answer::Stream(items.iter().map(|i| serde_json::to_value(i).unwrap()).collect())
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub token: Option<String>,
    pub lang: String,
    pub body: Value,
}

#[derive(Clone, Default)]
struct Shared {
    /// Several answers to one request are given in order; the last one stays.
    answers: Arc<Mutex<HashMap<String, Vec<Answer>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

pub struct Fake {
    pub url: String,
    shared: Shared,
    pub home: tempfile::TempDir,
    pub dir: PathBuf,
    /// For the next call's stdin.
    pub input: Mutex<Vec<u8>>,
}

impl Fake {
    pub async fn start() -> Self {
        let shared = Shared::default();
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("work");
        std::fs::create_dir(&dir).unwrap();
        Self { url, shared, home, dir, input: Mutex::default() }
    }

    /// `"GET /status"` or `"GET /services/shop/runs?limit=20"`, below `/api/v1`.
    pub fn on(&self, request: &str, answer: Answer) -> &Self {
        self.shared.answers.lock().unwrap().entry(request.to_owned()).or_default().push(answer);
        self
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Runs `tradewind ARGS` in English, as an administrator.
    pub async fn run(&self, args: &str) -> Said {
        self.call(Lang::En, args, &[("TRADEWIND_TOKEN", "tw_secret"), ("TRADEWIND_SERVER", &self.url)]).await
    }

    pub async fn run_zh(&self, args: &str) -> Said {
        self.call(Lang::Zh, args, &[("TRADEWIND_TOKEN", "tw_secret"), ("TRADEWIND_SERVER", &self.url)]).await
    }

    /// The same with something on stdin.
    pub async fn fed(&self, lang: Lang, args: &str, input: impl Into<Vec<u8>>) -> Said {
        *self.input.lock().unwrap() = input.into();
        self.call(lang, args, &[]).await
    }

    pub async fn call(&self, lang: Lang, args: &str, vars: &[(&str, &str)]) -> Said {
        let mut vars: HashMap<String, String> = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        vars.insert("HOME".into(), self.home.path().to_str().unwrap().to_owned());
        vars.insert("USER".into(), "li.wei".into());
        let input = self.input.lock().unwrap().split_off(0);
        let said = run(lang, &words(args), vars, self.dir.clone(), input).await;
        // The port is the kernel's choice.
        let hide =
            |s: String| s.replace(&self.url, "http://SERVER").replace(self.home.path().to_str().unwrap(), "HOME");
        Said { out: hide(said.out), err: hide(said.err), exit: said.exit }
    }
}

/// Blanks separate words; single quotes keep them together.
fn words(args: &str) -> Vec<String> {
    args.split('\'')
        .enumerate()
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub exit: Exit,
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.out)?;
        if !self.err.is_empty() {
            write!(f, "--- stderr\n{}", self.err)?;
        }
        write!(f, "--- exit {}", self.exit.code())
    }
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub fn grammar(lang: Lang) -> Command {
    help::localize(tradewind_cli::grammar(Command::new("tradewind"), lang), &[help::VERBS], lang)
}

async fn run(lang: Lang, args: &[String], vars: HashMap<String, String>, dir: PathBuf, input: Vec<u8>) -> Said {
    let matches = match grammar(lang).try_get_matches_from(std::iter::once("tradewind".to_owned()).chain(args.to_vec()))
    {
        Ok(m) => m,
        Err(e) => return Said { out: String::new(), err: help::usage_error(&e, lang), exit: Exit::Usage },
    };
    let verb = tradewind_cli::parse(&matches).unwrap().unwrap();
    let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let now: Time = serde_json::from_value(NOW.into()).unwrap();
    let around = Surroundings {
        typed: None,
        var: Box::new(move |k| vars.get(k).cloned()),
        clock: Arc::new(Fixed(now.0)),
        zone: tradewind_cli::when::utc(),
        dir,
        out: Out::piped(out.clone(), err.clone()),
        input: Mutex::new(Box::new(std::io::Cursor::new(input))),
        grammar,
        patience: Duration::ZERO,
        audit_folder: |_| Box::pin(async { unreachable!("no data folder here") }),
    };
    let exit = tradewind_cli::run(verb, &matches, lang, around).await;
    let text = |b: Arc<Mutex<Vec<u8>>>| String::from_utf8(b.lock().unwrap().clone()).unwrap();
    Said { out: text(out), err: text(err), exit }
}

async fn answer(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let full = uri.path_and_query().map_or("", |p| p.as_str());
    let full = full.strip_prefix("/api/v1").unwrap_or(full);
    let line = format!("{method} {full}");
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    shared.seen.lock().unwrap().push(Seen {
        line: line.clone(),
        token: header(header::AUTHORIZATION),
        lang: header(header::ACCEPT_LANGUAGE).unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let bare = line.split('?').next().unwrap_or_default().to_owned();
    let mut answers = shared.answers.lock().unwrap();
    let key = if answers.contains_key(&line) { line.clone() } else { bare };
    let answer = match answers.get_mut(&key) {
        Some(all) if all.len() > 1 => all.remove(0),
        Some(all) => all[0].clone(),
        None => return (StatusCode::NOT_IMPLEMENTED, format!("no answer for {line}")).into_response(),
    };
    match answer {
        Answer::Json(status, value) => {
            let kind = if status < 400 { "application/json" } else { "application/problem+json" };
            (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], value.to_string()).into_response()
        }
        Answer::Text(text) => text.into_response(),
        Answer::Stream(items) => {
            let mut text = String::new();
            for (n, item) in items.iter().enumerate() {
                text += &format!("id: {n}\ndata: {item}\n\n");
            }
            text += "event: end\ndata: {}\n\n";
            ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
        }
    }
}

//! What a forge is told of a commit: how the run and the rollouts of it stand.

use crate::{Kind, Repository, text::plain};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt;
use tradewind_model::id::Commit;
use zeroize::Zeroizing;

/// How something stands that a forge shows beside a commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    Pending,
    Running,
    Success,
    Failure,
    Canceled,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Success, Self::Failure, Self::Canceled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Canceled => "canceled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// GitHub and Gitea know neither what is under way nor what was called off.
    fn of_hub(self) -> &'static str {
        match self {
            Self::Pending | Self::Running => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Canceled => "error",
        }
    }

    fn of_gitlab(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failed",
            Self::Canceled => "canceled",
        }
    }

    fn of_bitbucket(self) -> &'static str {
        match self {
            Self::Pending | Self::Running => "INPROGRESS",
            Self::Success => "SUCCESSFUL",
            Self::Failure => "FAILED",
            Self::Canceled => "STOPPED",
        }
    }

    /// A check's status, and its conclusion where it has come to one.
    fn of_gitee(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Pending => ("queued", None),
            Self::Running => ("in_progress", None),
            Self::Success => ("completed", Some("success")),
            Self::Failure => ("completed", Some("failure")),
            Self::Canceled => ("completed", Some("cancelled")),
        }
    }
}

/// One line beside a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub state: State,
    /// What the line is about, the same each time: `tradewind/shop`, `tradewind/shop/production`.
    pub context: String,
    /// A sentence.
    pub text: String,
    /// Where there is more of it.
    pub link: Option<String>,
}

/// Where it goes.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    pub kind: Kind,
    pub repository: &'a Repository,
    /// Without a slash at its end.
    pub api: &'a str,
    pub commit: &'a Commit,
    /// By which the forge knows the line, where it was told of it before and gave it a number.
    pub known: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Post,
    Patch,
}

/// A request to a forge. Shown by nothing: it holds the token.
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    pub body: Zeroizing<String>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {})", self.method, self.url)
    }
}

/// Characters: the least that any of them takes.
const TEXT: usize = 140;

pub fn request(target: &Target<'_>, token: &str, report: &Report) -> Request {
    let Target { kind, repository, api, commit, known } = *target;
    let (name, text) = (repository.name(), plain(&report.text, TEXT));
    let state = report.state;
    let hub = || {
        let mut body = json!({ "state": state.of_hub(), "context": report.context, "description": text });
        add(&mut body, "target_url", report.link.as_deref());
        body
    };
    let bearer = || ("authorization", Zeroizing::new(format!("Bearer {token}")));
    let (method, url, auth, body) = match kind {
        Kind::Github => (Method::Post, format!("{api}/repos/{name}/statuses/{commit}"), Some(bearer()), hub()),
        Kind::Gitea => {
            let auth = ("authorization", Zeroizing::new(format!("token {token}")));
            (Method::Post, format!("{api}/repos/{name}/statuses/{commit}"), Some(auth), hub())
        }
        Kind::Gitlab => {
            let mut body = json!({ "state": state.of_gitlab(), "name": report.context, "description": text });
            add(&mut body, "target_url", report.link.as_deref());
            let auth = ("private-token", Zeroizing::new(token.to_owned()));
            let project = name.replace('/', "%2F");
            (Method::Post, format!("{api}/projects/{project}/statuses/{commit}"), Some(auth), body)
        }
        Kind::Bitbucket => {
            let page = || repository.page_of(kind, commit.as_str());
            let body = json!({
                "key": key(&report.context),
                "state": state.of_bitbucket(),
                "name": report.context,
                "description": text,
                // It has to be told one.
                "url": report.link.clone().unwrap_or_else(page),
            });
            (Method::Post, format!("{api}/repositories/{name}/commit/{commit}/statuses/build"), Some(bearer()), body)
        }
        Kind::Gitee => {
            let (status, conclusion) = state.of_gitee();
            let output = json!({ "title": text, "summary": text });
            let mut body = json!({ "access_token": token, "name": report.context, "status": status, "output": output });
            add(&mut body, "conclusion", conclusion);
            add(&mut body, "details_url", report.link.as_deref());
            let checks = format!("{api}/repos/{name}/check-runs");
            match known {
                Some(id) => (Method::Patch, format!("{checks}/{id}"), None, body),
                None => {
                    add(&mut body, "head_sha", Some(commit.as_str()));
                    (Method::Post, checks, None, body)
                }
            }
        }
    };
    let accept = if kind == Kind::Github { "application/vnd.github+json" } else { "application/json" };
    let plain_header = |name, value: &str| (name, Zeroizing::new(value.to_owned()));
    let mut headers = vec![plain_header("accept", accept), plain_header("content-type", "application/json")];
    if kind == Kind::Github {
        headers.push(plain_header("x-github-api-version", "2022-11-28"));
    }
    headers.extend(auth);
    Request { method, url, headers, body: Zeroizing::new(body.to_string()) }
}

fn add(body: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

/// Bitbucket knows a line by at most 40 characters.
fn key(context: &str) -> String {
    format!("tradewind-{}", hex::encode(&Sha256::digest(context)[..10]))
}

/// What became of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The forge shows it; by which number it knows the line from now on.
    Taken { known: Option<String> },
    /// It did not work this time.
    Again(String),
    /// It will not work next time either.
    Never(String),
}

/// What a forge's answer means.
pub fn answer(kind: Kind, status: u16, body: &[u8]) -> Answer {
    let said = || {
        let text = String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned();
        let value: Option<Value> = serde_json::from_slice(body).ok();
        let message = value.and_then(|v| Some(v.get("message")?.as_str()?.to_owned()));
        format!("{status}: {}", plain(&message.unwrap_or(text), 200))
    };
    match status {
        200..=299 if kind == Kind::Gitee => {
            let value: Option<Value> = serde_json::from_slice(body).ok();
            let id = value.and_then(|v| v.get("id")?.as_u64());
            Answer::Taken { known: id.map(|id| id.to_string()) }
        }
        200..=299 => Answer::Taken { known: None },
        // GitLab refuses to be told what it shows already.
        400 if kind == Kind::Gitlab && said().contains("Cannot transition status") => Answer::Taken { known: None },
        408 | 425 | 429 | 500..=599 => Answer::Again(said()),
        // Where a forge counts too many requests it says so in this way too.
        403 if kind == Kind::Github && said().contains("rate limit") => Answer::Again(said()),
        _ => Answer::Never(said()),
    }
}

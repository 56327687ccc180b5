//! What a delivery says: the few fields that matter, of whatever else is there.

use crate::{BadBranch, Branch, Kind, text::plain};
use serde::Deserialize;
use serde_json::from_slice;
use tradewind_model::id::Commit;

/// Branches that one delivery may move.
const MOST: usize = 50;
const NAME: usize = 80;

/// A branch that moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// `group/name`, as the forge says it.
    pub repository: String,
    pub branch: Branch,
    /// None: the branch is new.
    pub before: Option<Commit>,
    /// None: the branch is gone.
    pub after: Option<Commit>,
    /// Who pushed, as the forge calls them: for people, never for rights.
    pub pusher: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// At least one.
    Pushes(Vec<Push>),
    /// The forge tries whether somebody is there.
    Ping,
    /// Nothing that concerns us, in the forge's words.
    Other(String),
}

#[derive(Debug, thiserror::Error)]
pub enum BadPayload {
    #[error("its body is not the JSON that was expected")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Branch(#[from] BadBranch),
    #[error("`{0}` is not a commit")]
    Commit(String),
    #[error("it moves {0} branches at once")]
    TooMany(usize),
}

/// # Errors
/// Where it is not what this forge sends.
pub fn read(kind: Kind, event: &str, body: &[u8]) -> Result<Event, BadPayload> {
    match (kind, event) {
        (Kind::Github | Kind::Gitea, "push") => from_slice::<Hub>(body)?.event(),
        (Kind::Gitlab | Kind::Gitee, "Push Hook") => from_slice::<Lab>(body)?.event(),
        (Kind::Bitbucket, "repo:push") => from_slice::<Bucket>(body)?.event(),
        (Kind::Github | Kind::Gitea, "ping") | (Kind::Bitbucket, "diagnostics:ping") => Ok(Event::Ping),
        (Kind::Github | Kind::Gitlab | Kind::Gitea | Kind::Gitee | Kind::Bitbucket, other) => {
            Ok(Event::Other(plain(other, NAME)))
        }
    }
}

/// GitHub's, and Gitea's after it.
#[derive(Deserialize)]
struct Hub {
    #[serde(rename = "ref")]
    reference: String,
    before: String,
    after: String,
    repository: FullName,
    #[serde(default)]
    pusher: Person,
    #[serde(default)]
    sender: Person,
}

#[derive(Deserialize)]
struct FullName {
    full_name: String,
}

#[derive(Default, Deserialize)]
struct Person {
    login: Option<String>,
    username: Option<String>,
    nickname: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
}

impl Person {
    fn called(self) -> Option<String> {
        let Self { login, username, nickname, name, display_name } = self;
        [login, username, nickname, name, display_name]
            .into_iter()
            .flatten()
            .map(|n| plain(&n, NAME))
            .find(|n| !n.is_empty())
    }
}

impl Hub {
    fn event(self) -> Result<Event, BadPayload> {
        let pusher = self.pusher.called().or_else(|| self.sender.called()).unwrap_or_default();
        one(self.repository.full_name, &self.reference, &self.before, &self.after, pusher)
    }
}

/// GitLab's, and Gitee's after it.
#[derive(Deserialize)]
struct Lab {
    #[serde(rename = "ref")]
    reference: String,
    before: String,
    after: String,
    project: Project,
    user_username: Option<String>,
    user_name: Option<String>,
    #[serde(default)]
    pusher: Person,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
}

impl Lab {
    fn event(self) -> Result<Event, BadPayload> {
        let Self { user_username, user_name, pusher, .. } = self;
        let named = Person { username: user_username, name: user_name, ..Person::default() };
        let pusher = pusher.called().or_else(|| named.called()).unwrap_or_default();
        one(self.project.path_with_namespace, &self.reference, &self.before, &self.after, pusher)
    }
}

fn one(repository: String, reference: &str, before: &str, after: &str, pusher: String) -> Result<Event, BadPayload> {
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        return Ok(Event::Other(if reference.starts_with("refs/tags/") {
            "tag".into()
        } else {
            plain(reference, NAME)
        }));
    };
    let repository = plain(&repository, 400);
    let (before, after) = (commit(before)?, commit(after)?);
    Ok(Event::Pushes(vec![Push { repository, branch: branch.parse()?, before, after, pusher }]))
}

/// None: all zeros.
fn commit(text: &str) -> Result<Option<Commit>, BadPayload> {
    let commit: Commit = text.parse().map_err(|_| BadPayload::Commit(plain(text, NAME)))?;
    Ok((!commit.as_str().bytes().all(|b| b == b'0')).then_some(commit))
}

/// Bitbucket's: several branches at once.
#[derive(Deserialize)]
struct Bucket {
    #[serde(default)]
    actor: Person,
    repository: FullName,
    push: Changes,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    new: Option<Side>,
    old: Option<Side>,
}

#[derive(Deserialize)]
struct Side {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    hash: String,
}

impl Bucket {
    fn event(self) -> Result<Event, BadPayload> {
        let pusher = self.actor.called().unwrap_or_default();
        if self.push.changes.len() > MOST {
            return Err(BadPayload::TooMany(self.push.changes.len()));
        }
        let repository = plain(&self.repository.full_name, 400);
        let mut pushes = Vec::new();
        for change in self.push.changes {
            let Some(either) = change.new.as_ref().or(change.old.as_ref()).filter(|s| s.kind == "branch") else {
                continue;
            };
            let side = |s: &Option<Side>| s.as_ref().map(|s| commit(&s.target.hash)).transpose().map(Option::flatten);
            pushes.push(Push {
                repository: repository.clone(),
                branch: either.name.parse()?,
                before: side(&change.old)?,
                after: side(&change.new)?,
                pusher: pusher.clone(),
            });
        }
        Ok(if pushes.is_empty() { Event::Other("tag".into()) } else { Event::Pushes(pushes) })
    }
}

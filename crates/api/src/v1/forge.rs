use super::Time;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use tradewind_model::id::{Commit, DeliveryId, RunId, ServiceName};
use utoipa::ToSchema;

/// Where a service's code lives, where that is elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForgeKind {
    Github,
    Gitlab,
    /// Forgejo too.
    Gitea,
    Gitee,
    Bitbucket,
}

impl ForgeKind {
    pub const ALL: [Self; 5] = [Self::Github, Self::Gitlab, Self::Gitea, Self::Gitee, Self::Bitbucket];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::Gitee => "gitee",
            Self::Bitbucket => "bitbucket",
        }
    }
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ForgeKind {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let named = if s == "forgejo" { "gitea" } else { s };
        let found = Self::ALL.into_iter().find(|k| k.as_str() == named);
        found.ok_or_else(|| "expected github, gitlab, gitea, forgejo, gitee or bitbucket".into())
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkForge {
    /// The repository's address, without a user.
    #[schema(example = "https://github.com/haixin/shop")]
    pub url: String,
    /// Left out: by the host, where it is a public forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ForgeKind>,
    /// Where the forge answers programs. Left out: by the repository's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://git.example.com/api/v4")]
    pub api: Option<String>,
    /// With which the repository is read and commit statuses are set. Left out: as it was, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What deliveries prove themselves with, where the forge or somebody chose it: 16 to 200 printable characters. Left out: as it
    /// was, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for LinkForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkForge").field("url", &self.url).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHookSecret {
    /// Left out: a new one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for SetHookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetHookSecret").finish_non_exhaustive()
    }
}

/// A service's link to its repository: without what it proves itself with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgeLink {
    #[schema(value_type = String)]
    pub service: ServiceName,
    pub kind: ForgeKind,
    pub url: String,
    /// Where commit statuses are set.
    pub api: String,
    /// Where the forge sends its deliveries to, below this server's address. Only for who may change the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/hooks/3q2-7w…")]
    pub hook_path: Option<String>,
    /// The same in full, where this server was told how clients reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_url: Option<String>,
    /// The service account that its pushes act as: what it may is what they may.
    #[schema(example = "forge.github.1f3a5c2b")]
    pub account: String,
    /// The repository is read, and statuses are set, with a token.
    pub has_token: bool,
    pub linked_at: Time,
    pub linked_by: String,
    /// Deliveries that were not let in, whoever sent them.
    pub refused: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Time>,
    /// Why the last of them was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_why: Option<String>,
    /// The newest of those that were let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ForgeDelivery>,
    /// What the forge said when it did not take a commit status, of the newest that it was to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_problem: Option<String>,
}

/// A link, with what is told once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkedForge {
    pub link: ForgeLink,
    /// What to give the forge as the webhook's secret; where it was just made or set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for LinkedForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkedForge").field("link", &self.link).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForgeDeliveryState {
    /// To be fetched, now or when `next_at` comes.
    Waiting,
    /// Its run was started.
    Done,
    /// It could not be run; `why` says what is wrong.
    Failed,
    /// The branch had moved on when it was fetched; the delivery of that move brings it.
    Stale,
    /// Nothing follows from it.
    Ignored,
}

/// A branch that moved on the forge, as it was delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgeDelivery {
    #[schema(value_type = uuid::Uuid)]
    pub id: DeliveryId,
    /// As the forge calls it.
    pub delivery: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub before: Option<Commit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub after: Option<Commit>,
    /// Who pushed, as the forge calls them: it says nothing about rights here.
    pub pusher: String,
    pub state: ForgeDeliveryState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub run: Option<RunId>,
    /// How often it did not work so far.
    pub tries: u32,
    pub received_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// A push on a forge that a run came of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgePush {
    pub kind: ForgeKind,
    /// As the forge calls its delivery.
    pub delivery: String,
    /// Who pushed, as the forge calls them: it says nothing about rights here.
    pub pusher: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookOutcome {
    /// It is worked on.
    Accepted,
    /// It came before; nothing was done.
    Already,
    /// Nothing follows from it.
    Ignored,
    /// It only tried whether somebody is there.
    Pong,
}

/// What a forge is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HookAnswer {
    pub outcome: HookOutcome,
}

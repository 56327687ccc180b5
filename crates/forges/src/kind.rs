use crate::text::plain;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Which forge a repository is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Github,
    Gitlab,
    /// Forgejo too: it speaks as Gitea does.
    Gitea,
    Gitee,
    /// Bitbucket Cloud; Data Center speaks otherwise.
    Bitbucket,
}

impl Kind {
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

    /// As it calls itself.
    pub fn title(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Gitlab => "GitLab",
            Self::Gitea => "Gitea",
            Self::Gitee => "Gitee",
            Self::Bitbucket => "Bitbucket",
        }
    }

    /// By the names of public forges; for an own one somebody has to say it.
    pub fn of_host(host: &str) -> Option<Self> {
        match host {
            "github.com" => Some(Self::Github),
            "gitlab.com" | "jihulab.com" => Some(Self::Gitlab),
            "gitea.com" | "codeberg.org" => Some(Self::Gitea),
            "gitee.com" => Some(Self::Gitee),
            "bitbucket.org" => Some(Self::Bitbucket),
            _ => None,
        }
    }

    /// The user that a token is the password of, where code is fetched over HTTPS.
    pub fn token_user(self) -> &'static str {
        match self {
            Self::Github => "x-access-token",
            Self::Bitbucket => "x-token-auth",
            Self::Gitlab | Self::Gitea | Self::Gitee => "oauth2",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a forge: expected github, gitlab, gitea (also for Forgejo), gitee or bitbucket")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(s: &str) -> Result<Self, UnknownKind> {
        match s {
            "forgejo" => Ok(Self::Gitea),
            other => Self::ALL.into_iter().find(|k| k.as_str() == other).ok_or_else(|| UnknownKind(plain(s, 40))),
        }
    }
}

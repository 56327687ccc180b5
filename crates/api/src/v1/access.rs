use super::Time;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use tradewind_model::id::TokenId;
use utoipa::ToSchema;

/// What a token may do. `deploy` includes `read`, `admin` includes both; `agent` stands by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Read,
    Deploy,
    Admin,
    Agent,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Read, Self::Deploy, Self::Admin, Self::Agent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    /// Whether a token with this scope may do what needs `wanted`.
    pub fn includes(self, wanted: Self) -> bool {
        match self {
            Self::Read => wanted == Self::Read,
            Self::Deploy => matches!(wanted, Self::Read | Self::Deploy),
            Self::Admin => matches!(wanted, Self::Read | Self::Deploy | Self::Admin),
            Self::Agent => wanted == Self::Agent,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a scope: expected read, deploy, admin or agent")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(s: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|x| x.as_str() == s).ok_or_else(|| UnknownScope(s.to_owned()))
    }
}

/// A token, without its secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    #[schema(value_type = uuid::Uuid)]
    pub id: TokenId,
    /// Stands for the person or machine in the event log.
    #[schema(example = "li.wei@laptop")]
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: Time,
    /// None: it does not expire.
    pub expires_at: Option<Time>,
    /// To the minute.
    pub last_used_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// 1 to 80 characters.
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Seconds from now; 90 days when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

/// A token just made. The secret is shown this once and stored only as a hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    #[schema(example = "tw_0193a1b2c3d47e8f90a1b2c3d4e5f607_…")]
    pub token: String,
    #[serde(flatten)]
    pub info: Token,
}

/// Exchanges a one-time code for a token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// As printed by `tradewind up`: single use, valid for ten minutes. Case, spaces and dashes do not matter.
    #[schema(example = "K7QW-3MZP-X2HD")]
    pub code: String,
    /// The new token's name: who is at which machine.
    #[schema(example = "li.wei@laptop")]
    pub name: String,
}

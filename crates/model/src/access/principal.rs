use crate::id::{TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Whose rights something is done with, so that they can be looked up again when it goes on later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Principal {
    /// A person in a session, or a service account.
    User(UserId),
    /// A token, and through it its owner.
    Token(TokenId),
    /// Whoever owns the data folder.
    Owner,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` names nobody: expected user/ID, token/ID or owner")]
pub struct BadPrincipal(pub String);

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user/{id}"),
            Self::Token(id) => write!(f, "token/{id}"),
            Self::Owner => f.write_str("owner"),
        }
    }
}

impl FromStr for Principal {
    type Err = BadPrincipal;
    fn from_str(s: &str) -> Result<Self, BadPrincipal> {
        let bad = || BadPrincipal(s.to_owned());
        match s.split_once('/') {
            None if s == "owner" => Ok(Self::Owner),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| bad()),
            Some(("token", id)) => id.parse().map(Self::Token).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}
impl TryFrom<String> for Principal {
    type Error = BadPrincipal;
    fn try_from(s: String) -> Result<Self, BadPrincipal> {
        s.parse()
    }
}
impl From<Principal> for String {
    fn from(p: Principal) -> Self {
        p.to_string()
    }
}

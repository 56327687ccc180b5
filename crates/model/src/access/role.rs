use super::Action;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Viewer,
    Developer,
    ReleaseManager,
    Admin,
    /// Sees everything that happened, and changes nothing.
    Auditor,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Developer, Self::ReleaseManager, Self::Admin, Self::Auditor];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::ReleaseManager => "release-manager",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    pub fn allows(self, action: Action) -> bool {
        use Action as A;
        match self {
            Self::Viewer => matches!(action, A::Read | A::ReadLogs),
            Self::Developer => {
                Self::Viewer.allows(action) || matches!(action, A::Push | A::Run | A::Deploy | A::Revert)
            }
            Self::ReleaseManager => {
                Self::Developer.allows(action) || matches!(action, A::Steer | A::Freeze | A::Approve | A::Secrets)
            }
            Self::Admin => true,
            Self::Auditor => matches!(action, A::Read | A::ReadAudit),
        }
    }

    /// Everything the other allows, and more or the same.
    pub fn includes(self, other: Self) -> bool {
        Action::ALL.into_iter().all(|a| self.allows(a) || !other.allows(a))
    }

    /// The least role that allows an action: what to ask for.
    pub fn least(action: Action) -> Self {
        let wide = |r: &Self| Action::ALL.into_iter().filter(|a| r.allows(*a)).count();
        Self::ALL.into_iter().filter(|r| r.allows(action)).min_by_key(wide).unwrap_or(Self::Admin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a role: expected viewer, developer, release-manager, admin or auditor")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(s: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or_else(|| UnknownRole(s.to_owned()))
    }
}

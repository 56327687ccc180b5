use super::Time;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use tradewind_model::{
    access::{Bounds, Ceiling, Role},
    id::{EnvName, GrantId, InvitationId, ServiceName, SessionId, SiteName, TokenId, UserId},
};
use utoipa::ToSchema;

/// How far a token reaches at most, whatever its owner may. `deploy` includes `read`, `admin` includes both; `agent` stands by itself.
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

    /// A host's key reaches nothing that people do.
    pub fn ceiling(self) -> Option<Ceiling> {
        match self {
            Self::Read => Some(Ceiling::Read),
            Self::Deploy => Some(Ceiling::Deploy),
            Self::Admin => Some(Ceiling::Admin),
            Self::Agent => None,
        }
    }

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
    /// Whose rights it has a part of. None: the machine's owner made it, and it reaches as far as its scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// It reaches no further than this service, environment and site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
    pub created_at: Time,
    /// None: it does not expire.
    pub expires_at: Option<Time>,
    /// To the minute.
    pub last_used_at: Option<Time>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// 1 to 80 characters.
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Seconds from now; 90 days when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// The service account it is for; the caller's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
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

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    Person,
    /// A machine: it has tokens and no password.
    Service,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    #[schema(value_type = uuid::Uuid)]
    pub id: UserId,
    /// Stands for them in commands and in the event log.
    #[schema(example = "li.wei")]
    pub handle: String,
    pub name: String,
    pub email: Option<String>,
    pub kind: UserKind,
    pub second_factor: bool,
    pub groups: Vec<String>,
    /// Their own, and those of their groups.
    pub roles: Vec<Granted>,
    pub created_by: String,
    pub created_at: Time,
    pub last_seen_at: Option<Time>,
    /// Since when they may nothing.
    pub disabled_at: Option<Time>,
    /// When what was known of them was taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// 1 to 64 of a-z, 0-9, `.`, `_`, `-`, beginning with a letter.
    #[schema(example = "ci-shop")]
    pub handle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Group {
    pub name: String,
    /// Handles, in order.
    pub members: Vec<String>,
    pub created_at: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    #[schema(example = "oncall")]
    pub name: String,
}

/// A role and where it holds; what is left out is not narrowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleWish {
    #[schema(value_type = String, example = "developer")]
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
}

/// To a user or to a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRole {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[schema(value_type = String, example = "developer")]
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
}

/// A role somebody has somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Granted {
    #[schema(value_type = uuid::Uuid)]
    pub id: GrantId,
    pub user: Option<String>,
    pub group: Option<String>,
    #[schema(value_type = String, example = "developer")]
    pub role: Role,
    /// None: of every service.
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
    pub by: String,
    pub at: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    #[schema(example = "li.wei")]
    pub handle: String,
    /// Who accepts has to name it: the code alone opens nothing.
    #[schema(example = "li.wei@example.com")]
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they will be able to do; nothing when left out.
    #[serde(default)]
    pub roles: Vec<RoleWish>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    #[schema(value_type = uuid::Uuid)]
    pub id: InvitationId,
    pub handle: String,
    pub name: String,
    pub email: String,
    pub roles: Vec<RoleWish>,
    pub by: String,
    pub at: Time,
    pub expires_at: Time,
}

/// An invitation just made. The code is shown this once and stored only as a hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    pub code: String,
    #[serde(flatten)]
    pub info: Invitation,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    pub code: String,
    /// The address it was sent to.
    pub email: String,
    /// At least 12 characters.
    pub password: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub handle: String,
    pub password: String,
    /// The second factor's six digits, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The name of the token that is made, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A link that signs a browser in.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeSessionLink {
    /// For the machine's owner, whose token belongs to nobody: the account to be, made where it is missing. It has no password
    /// until it is given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "li.wei")]
    pub handle: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionLink {
    /// Good once.
    pub code: String,
    /// The console's address with the code, relative to the server.
    #[schema(example = "/enter#CODE")]
    pub path: String,
    pub handle: String,
    pub expires_at: Time,
}

impl fmt::Debug for SessionLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLink").field("handle", &self.handle).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterByLink {
    pub code: String,
    /// The second factor's six digits, or a recovery code, where the account has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<String>,
}

/// A browser's session; its secret is in the cookie.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    pub handle: String,
    /// To be sent as `X-CSRF-Token` with everything but GET.
    pub csrf: String,
    pub expires_at: Time,
    /// The policy asks this person for a second factor, and there is none yet: until then nothing but setting one up is answered.
    pub second_factor_needed: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionInfo {
    #[schema(value_type = uuid::Uuid)]
    pub id: SessionId,
    /// What the browser called itself.
    pub agent: String,
    pub address: String,
    pub created_at: Time,
    pub seen_at: Time,
    pub expires_at: Time,
    /// The one that asks.
    pub current: bool,
}

/// Who the caller is, and what they may.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub org: String,
    /// The user's handle, or the token's name where it belongs to nobody.
    pub name: String,
    pub user: Option<User>,
    /// The token that was used.
    pub token: Option<Token>,
    /// What may be done somewhere.
    pub actions: Vec<String>,
    /// What may be done where: an action is allowed on a thing where one of them has it and holds there.
    #[serde(default)]
    pub reach: Vec<Reach>,
    pub second_factor_needed: bool,
    pub recovery_codes_left: Option<u64>,
    /// Whether there is a password to sign in with.
    #[serde(default)]
    pub has_password: bool,
    /// In a session: to be sent as `X-CSRF-Token` with everything but GET.
    pub csrf: Option<String>,
}

/// Actions, and where they are allowed. What is left out is not narrowed: with `env` alone, every service in that
/// environment; what concerns all environments of a service is not allowed by it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reach {
    pub actions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    pub current: String,
    /// At least 12 characters.
    pub new: String,
}

/// A second factor that is being set up; it counts once a code of it was shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorSecret {
    /// Base32, to type into an authenticator.
    pub secret: String,
    /// The same as `otpauth://`, to draw as a QR code.
    pub uri: String,
    /// To be sent back with the first code.
    pub ticket: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorCode {
    /// Six digits, or, to remove it, a recovery code.
    pub code: String,
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Each stands in once for a lost second factor. Shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

/// What is asked of those who sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessPolicy {
    /// Who has one of these roles anywhere signs in with a second factor.
    #[schema(value_type = Vec<String>)]
    pub second_factor: Vec<Role>,
}

macro_rules! bounded {
    ($($of:ty),*) => {$(
        impl $of {
            /// Where it holds, or how far it reaches.
            pub fn bounds(&self) -> Bounds {
                Bounds { service: self.service.clone(), env: self.env.clone(), site: self.site.clone() }
            }
        }
    )*};
}
bounded!(CreateToken, GrantRole, Granted, RoleWish, Token);

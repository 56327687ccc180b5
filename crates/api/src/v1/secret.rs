use super::Time;
use serde::{Deserialize, Serialize};
use std::fmt;
use tradewind_model::{
    id::{EnvName, InstanceId, SecretId, ServiceName, SiteName},
    secret::{self, SecretName},
};
use utoipa::ToSchema;

/// Where a secret holds; what is left out holds everywhere. Where several of one name cover a place, the one that names
/// its site is given, then the one that names its environment, then its service.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretScope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "order-sync")]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "production")]
    pub env: Option<EnvName>,
    /// Only with `env`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "shopee-br")]
    pub site: Option<SiteName>,
}

impl From<SecretScope> for secret::Scope {
    fn from(s: SecretScope) -> Self {
        Self { service: s.service, env: s.env, site: s.site }
    }
}
impl From<secret::Scope> for SecretScope {
    fn from(s: secret::Scope) -> Self {
        Self { service: s.service, env: s.env, site: s.site }
    }
}

/// A secret as it can be seen: never its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    #[schema(value_type = uuid::Uuid)]
    pub id: SecretId,
    #[schema(value_type = String, example = "SHOPEE_PARTNER_KEY")]
    pub name: SecretName,
    pub scope: SecretScope,
    /// The version in force, from 1.
    pub version: i64,
    /// By which an equal value is recognised here; made with the vault's key, so nothing can be told from it.
    #[schema(example = "5f0c1e7a")]
    pub fingerprint: String,
    pub set_at: Time,
    /// Who set this version: a token's name.
    pub set_by: String,
    /// When a process was last given this version.
    pub used_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretVersion {
    pub version: i64,
    /// Given to what begins now.
    pub in_force: bool,
    pub fingerprint: String,
    pub set_at: Time,
    pub set_by: String,
    pub used_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    #[serde(default)]
    pub scope: SecretScope,
    /// Text without NUL, of at most 24 KiB.
    pub value: String,
}

impl fmt::Debug for SetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecret").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreSecret {
    #[serde(default)]
    pub scope: SecretScope,
    /// Whose value is to be in force again.
    pub version: i64,
}

/// What setting a secret did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretSet {
    pub secret: Secret,
    /// False: it had this value already.
    pub changed: bool,
    /// False: it is too short to be masked in logs.
    pub maskable: bool,
    /// Running instances that have an earlier version, and keep it until they begin anew.
    pub stale: Vec<StaleHolder>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StaleHolder {
    #[schema(value_type = uuid::Uuid)]
    pub instance: InstanceId,
    #[schema(value_type = String)]
    pub service: ServiceName,
    #[schema(value_type = String)]
    pub env: EnvName,
    #[schema(value_type = String)]
    pub site: SiteName,
    pub version: i64,
}

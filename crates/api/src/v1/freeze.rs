use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::{EnvName, FreezeId, ServiceName};
use utoipa::ToSchema;

/// Set by a person: no wave of what it covers begins, and nothing leaves its queue. What runs goes on, and a rollback is
/// never held up. Several may cover the same place; each is lifted by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Freeze {
    #[schema(value_type = uuid::Uuid)]
    pub id: FreezeId,
    /// None: every service.
    #[schema(value_type = Option<String>, example = "shop")]
    pub service: Option<ServiceName>,
    /// None: every environment.
    #[schema(value_type = Option<String>, example = "production")]
    pub env: Option<EnvName>,
    #[schema(example = "11.11")]
    pub reason: String,
    /// Who set it: a token's name.
    #[schema(example = "li.wei@laptop")]
    pub by: String,
    pub since: Time,
    /// When it lifts itself; none: when a person does.
    pub until: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFreeze {
    /// Only this service; left out with `env`: every service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceName>,
    /// Only this environment; left out with `service`: every environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<EnvName>,
    /// Everything: said outright, so that a field left out does not say it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// For everyone to see.
    pub reason: String,
    /// When it lifts itself; left out: when a person does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The same in seconds from now; with both, the earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<u64>,
}

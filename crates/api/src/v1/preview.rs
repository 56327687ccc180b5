use super::{ReleaseRef, RolloutKind, ServiceKind};
use serde::{Deserialize, Serialize};
use tradewind_model::{
    id::{EnvName, SiteName},
    secret::SecretName,
};
use utoipa::ToSchema;

/// What a rollout or a rollback would do, asked beforehand: planned as it would be, and nothing is made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    pub kind: RolloutKind,
    pub service_kind: ServiceKind,
    /// What is live, of the first site that has something; none before a first rollout.
    pub from: Option<ReleaseRef>,
    pub to: ReleaseRef,
    /// It would be refused for this; what follows says what it would change all the same.
    #[schema(value_type = Option<super::Problem>)]
    pub refused: Option<tradewind_model::fault::Problem>,
    /// What it would wait for before it begins, in order.
    pub waits: Vec<PreviewWait>,
    #[schema(example = "canary")]
    pub strategy: String,
    /// Whether waves wait for the judge.
    pub judged: bool,
    /// What the judge can be expected to find, in a sentence.
    pub outlook: Option<String>,
    pub sites: Vec<PreviewSite>,
    /// In order; of a rollback all at once.
    pub waves: Vec<PreviewWave>,
    /// Every instance and the way through the edge are asked after traffic moved.
    pub verified: bool,
    /// Milliseconds that the new release is watched at full share before it is done.
    pub soak_ms: u64,
    /// Milliseconds that the release before it is kept warm.
    pub warm_ms: u64,
    /// Variables of the environment, by name.
    pub variables: Vec<Difference>,
    /// What instances get, and how many there are.
    pub limits: Vec<Difference>,
    /// All that instances are given, by variable.
    pub secrets: Vec<SecretDifference>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitKind {
    /// People have to agree.
    Approval,
    /// A person froze it.
    Freeze,
    /// A failure closed the queue.
    ClosedQueue,
    /// Other rollouts are before it.
    Behind,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewWait {
    pub kind: WaitKind,
    /// A sentence.
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewSite {
    #[schema(value_type = String)]
    pub site: SiteName,
    pub from: Option<ReleaseRef>,
    pub to: ReleaseRef,
    /// It runs it already.
    pub stays: bool,
    /// Not known of a release whose spec cannot be read any more.
    pub instances_before: Option<u32>,
    pub instances: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewWave {
    /// From 1.
    pub number: u32,
    #[schema(value_type = String)]
    pub site: SiteName,
    /// Basis points.
    pub share: u32,
    /// Of the new release.
    pub instances: u32,
    /// Milliseconds that it takes at least.
    pub least_ms: u64,
    /// Milliseconds until it ends without a verdict; none where no verdict is waited for.
    pub most_ms: Option<u64>,
}

/// A value that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    #[schema(example = "LOG_LEVEL")]
    pub name: String,
    /// None where it was or is absent.
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretChange {
    Added,
    Removed,
    /// Another secret under the same variable.
    Replaced,
    /// What starts is given a later version than what runs has.
    Renewed,
    Same,
}

/// By name and version; there is no way to its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretDifference {
    pub variable: String,
    #[schema(value_type = String, example = "SHOPEE_PARTNER_KEY")]
    pub name: SecretName,
    pub change: SecretChange,
    /// What runs has; told to whoever may see secrets.
    pub running: Option<i64>,
    /// In force; told to whoever may see secrets.
    pub version: Option<i64>,
}

//! Rollouts as rows: requested ([`request`], [`rollback`]), begun in their turn ([`queue`]), advanced by decisions of the
//! model ([`advance`]), stopped by people ([`intervene`]).

pub mod advance;
mod claims;
pub(crate) mod earlier;
pub(crate) mod events;
pub mod intervene;
pub mod places;
pub mod preview;
pub mod queue;
pub mod reconcile;
pub mod request;
pub mod rollback;
pub(crate) mod told;
pub mod view;
pub(crate) mod ways;

use crate::{Result, faults, judging::outlook::Outlook};
use serde::{Deserialize, Serialize};
use tradewind_model::{
    fault::Fault,
    id::{Digest, EnvName, RolloutId, ServiceName},
    rollout::plan::{Kind, Plan},
    spec::{ResolvedSpec, Spec},
};
use tradewind_store::{Json, Reader, StoreError, rows};

/// The `plan` column: the model's plan, and what it was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanDoc {
    pub plan: Plan,
    pub release: Digest,
    pub label: String,
    pub resolved: ResolvedSpec,
    /// What was to be expected of the judge when it began.
    #[serde(default)]
    pub outlook: Option<Outlook>,
}

/// A release as this environment runs it.
#[derive(Clone, Debug)]
pub struct Target {
    pub release: rows::releases::Release,
    pub resolved: ResolvedSpec,
}

/// Reads a release's own spec for an environment.
pub async fn target(r: &mut impl Reader, service: &ServiceName, env: &EnvName, name: &str) -> Result<Target> {
    let missing = |e: StoreError| match e {
        StoreError::NotFound { .. } => {
            Fault::new(&faults::NO_RELEASE).with("service", service).with("release", name).into()
        }
        other => crate::Error::from(other),
    };
    let release = rows::releases::named(r, service, name).await.map_err(missing)?;
    let resolved = resolve(r, service, env, &release.digest).await?;
    Ok(Target { release, resolved })
}

pub async fn resolve(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    release: &Digest,
) -> Result<ResolvedSpec> {
    let manifest = rows::releases::manifest(r, service, release).await?;
    Ok(resolve_text(&manifest.spec, env, release)?)
}

/// The same of a spec that has been read already.
pub(crate) fn resolve_text(spec: &str, env: &EnvName, release: &Digest) -> Result<ResolvedSpec, Fault> {
    let spec = Spec::parse("tradewind.yaml", spec).map_err(|faults| {
        let detail = faults.first().map(ToString::to_string).unwrap_or_default();
        Fault::new(&faults::BROKEN_RELEASE).with("release", release.short()).with("detail", detail)
    })?;
    spec.resolve(env)
}

pub(crate) fn kind_str(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "normal",
        Kind::Hotfix => "hotfix",
        Kind::Rollback => "rollback",
        Kind::Drill => "drill",
    }
}

pub(crate) async fn get(r: &mut impl Reader, id: RolloutId) -> Result<rows::rollouts::Rollout> {
    rows::rollouts::get(r, id).await.map_err(|e| match e {
        StoreError::NotFound { .. } => Fault::new(&faults::NO_ROLLOUT).with("rollout", id).into(),
        other => other.into(),
    })
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T> {
    Ok(json.read()?)
}

//! What an id in a request's path is about. It never changes for an id, so it may be looked up before the request is
//! carried out.

use crate::{Result, faults, rollouts::PlanDoc};
use tradewind_model::{
    access::{Part, Subject},
    fault::Fault,
    id::{RolloutId, RunId},
};
use tradewind_store::{Reader, rows};

/// One subject a site of the plan.
///
/// # Errors
/// [`faults::NO_ROLLOUT`].
pub async fn rollout(r: &mut impl Reader, id: RolloutId) -> Result<Vec<Subject>> {
    let row = crate::rollouts::get(r, id).await?;
    let doc: PlanDoc = row.plan.read()?;
    let whole = Subject::env(row.service, row.env);
    Ok(doc.plan.sites.into_iter().map(|s| whole.clone().at(s.site)).collect())
}

pub fn no_rollout(id: RolloutId) -> Fault {
    Fault::new(&faults::NO_ROLLOUT).with("rollout", id)
}

/// A run leads to the environment of its branch, or to none.
///
/// # Errors
/// [`faults::NO_RUN`].
pub async fn run(r: &mut impl Reader, id: RunId) -> Result<Subject> {
    let row = rows::runs::find(r, id).await?.ok_or_else(|| no_run(id))?;
    Ok(Subject { env: Part::if_any(row.env), ..Subject::service(row.service) })
}

pub fn no_run(id: RunId) -> Fault {
    Fault::new(&faults::NO_RUN).with("run", id)
}

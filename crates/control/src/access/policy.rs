//! What the organisation asks of those who sign in.

use super::{fact, faults};
use crate::{Ctx, Result, ctx::Asker, policies::Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_model::{
    access::{Action, Rights, Role, Subject},
    fault::Fault,
};
use tradewind_store::{Json, Reader, rows, transact};

const KEY: &str = "access";

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Who has one of these anywhere signs in with a second factor.
    #[serde(default)]
    pub second_factor: Vec<Role>,
}

/// The setting: the policy, whose it is, and since when.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<Set>,
}

async fn stored(r: &mut impl Reader) -> Result<Stored> {
    Ok(rows::settings::get(r, KEY).await?.map(|p| p.read()).transpose()?.unwrap_or_default())
}

pub async fn policy(r: &mut impl Reader) -> Result<Policy> {
    Ok(stored(r).await?.policy)
}

/// # Errors
/// [`faults::POLICY_CHANGED`] where `still` does not know what is there.
pub async fn set_policy(
    ctx: &Ctx,
    wish: Policy,
    still: impl Fn(&Policy) -> bool + Send + Sync,
    by: &Asker,
) -> Result<Policy> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    let mut wish = wish;
    wish.second_factor.sort_unstable();
    wish.second_factor.dedup();
    transact!(ctx.store, tx => {
        let Stored { policy: before, set } = stored(tx).await?;
        if !still(&before) {
            return Err(Fault::new(&faults::POLICY_CHANGED).with("who", Set::told(set.as_ref())).into());
        }
        if before != wish {
            let new = Stored { policy: wish.clone(), set: Some(Set::by(by, tx.now())) };
            rows::settings::put(tx, KEY, &Json::of(&new)).await?;
            let mut event = fact("access.policy_set", "access".into(), by, Some(json!(wish)));
            event.before = Some(json!(before));
            tx.event(event).await?;
        }
        Ok(wish.clone())
    })
}

pub fn needs_second_factor(policy: &Policy, rights: &Rights) -> bool {
    rights.roles().any(|r| policy.second_factor.contains(&r))
}

//! What the organisation asks of those who sign in.

use super::fact;
use crate::{Ctx, Result, ctx::Asker};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_model::access::{Action, Rights, Role, Subject};
use tradewind_store::{Json, Reader, rows, transact};

const KEY: &str = "access";

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Who has one of these anywhere signs in with a second factor.
    #[serde(default)]
    pub second_factor: Vec<Role>,
}

pub async fn policy(r: &mut impl Reader) -> Result<Policy> {
    Ok(rows::settings::get(r, KEY).await?.map(|p| p.read()).transpose()?.unwrap_or_default())
}

pub async fn set_policy(ctx: &Ctx, wish: Policy, by: &Asker) -> Result<Policy> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    let mut wish = wish;
    wish.second_factor.sort_unstable();
    wish.second_factor.dedup();
    transact!(ctx.store, tx => {
        let before = policy(tx).await?;
        if before != wish {
            rows::settings::put(tx, KEY, &Json::of(&wish)).await?;
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

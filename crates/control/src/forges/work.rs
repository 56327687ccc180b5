//! What is to be done for deliveries that were let in, in the order they came, one of a link at a time, until it is done.

use super::{Linked, cause, faults, links, statuses};
use crate::{Ctx, Error, Result, access, ctx::Asker};
use serde_json::json;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tradewind_forges::Branch;
use tradewind_model::{
    access::Principal,
    event::Actor,
    fault::Fault,
    id::{Commit, LinkId, RunId, UserId},
    said::Said,
};
use tradewind_store::{
    Json, StoreError,
    rows::{
        self,
        forges::{Delivery, Link, deliveries},
    },
    transact,
};
use zeroize::Zeroizing;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// About two hours after the first.
const MOST_TRIES: u32 = 14;

/// One branch to bring here and run.
#[derive(Clone, Debug)]
pub struct Work {
    pub delivery: Delivery,
    pub row: Link,
    pub linked: Linked,
    pub branch: Branch,
    pub after: Commit,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    Done(RunId),
    /// It will not work next time either.
    Failed(Said),
    /// The branch was elsewhere by then.
    Stale(Said),
}

/// What can be begun now: the first of each link, unless that waits for its time or is in `busy`.
///
/// # Errors
/// Those of the store.
pub async fn due(ctx: &Ctx, busy: &HashSet<LinkId>) -> Result<Vec<Work>> {
    let now = ctx.now();
    let mut r = ctx.store.read().await?;
    let mut found = Vec::new();
    for row in rows::forges::links::list(&mut r).await?.into_iter().filter(|row| !busy.contains(&row.id)) {
        let first = deliveries::first_waiting(&mut r, row.id).await?;
        let Some(delivery) = first.filter(|d| d.next_at.is_some_and(|at| at <= now)) else { continue };
        let linked = Linked::of(&row)?;
        let branch = delivery.branch.as_deref().and_then(|b| b.parse().ok());
        let (Some(branch), Some(after)) = (branch, delivery.after.clone()) else {
            let what = format!("delivery {} waits for nothing", delivery.id);
            return Err(StoreError::Corrupt { what, source: None }.into());
        };
        found.push(Work { delivery, row, linked, branch, after });
    }
    Ok(found)
}

/// The account a link's pushes act as, and what it may now.
#[derive(Clone, Debug)]
pub struct Actee {
    pub user: UserId,
    pub by: Asker,
}

impl Work {
    pub fn cause(&self) -> String {
        cause(self.linked.kind, &self.delivery.delivery, &self.delivery.pusher)
    }

    /// # Errors
    /// [`faults::ACCOUNT_OFF`].
    pub async fn account(&self, ctx: &Ctx) -> Result<Actee> {
        let mut r = ctx.store.read().await?;
        let user = rows::users::find(&mut r, self.row.account).await?;
        let off = |name: &str| Fault::new(&faults::ACCOUNT_OFF).with("account", name);
        let user = user.ok_or_else(|| off(&self.row.account.to_string()))?;
        let rights = access::of_user(&mut r, &user).await?;
        if rights.grants().is_empty() {
            return Err(off(&user.handle).into());
        }
        let actor = Actor::User { name: user.handle, principal: Some(Principal::User(user.id)) };
        Ok(Actee {
            user: user.id,
            by: Asker { actor, cause: Some(self.cause()), reason: None, rights: Arc::new(rights) },
        })
    }

    /// # Errors
    /// Where it does not open.
    pub fn token(&self, ctx: &Ctx) -> Result<Option<Zeroizing<String>>> {
        links::token(ctx, &self.row)
    }

    /// It did not work: once more later, or never again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn again(&self, ctx: &Ctx, why: Said) -> Result<()> {
        if self.delivery.tries + 1 >= MOST_TRIES {
            return self.ended(ctx, End::Failed(why)).await;
        }
        let next_at = ctx.now().plus(pause(self.delivery.tries));
        transact!(ctx.store, tx => {
            deliveries::again(tx, self.delivery.id, next_at, &Json::of(&why)).await?;
            Ok::<(), Error>(())
        })
    }

    /// # Errors
    /// Those of the store.
    pub async fn ended(&self, ctx: &Ctx, end: End) -> Result<()> {
        let (state, why, run) = match &end {
            End::Done(run) => ("done", None, Some(*run)),
            End::Failed(why) => ("failed", Some(why), None),
            End::Stale(why) => ("stale", Some(why), None),
        };
        transact!(ctx.store, tx => {
            if !deliveries::end(tx, self.delivery.id, state, why.map(Json::of), run).await? {
                tx.without_event("it had ended before");
                return Ok(());
            }
            if let Some(run) = run {
                statuses::begin(tx, &self.row, run, &self.after).await?;
            }
            let kind = match &end {
                End::Done(_) => "forge.fetched",
                End::Failed(_) => "forge.failed",
                End::Stale(_) => "forge.superseded",
            };
            let by = Asker { cause: Some(self.cause()), ..Asker::system("forge") };
            let after = json!({
                "delivery": self.delivery.delivery, "branch": self.branch, "commit": self.after, "run": run, "why": why
            });
            tx.event(links::about(&self.row, kind, &by, after)).await?;
            Ok::<(), Error>(())
        })
    }
}

/// 5 s, 10 s, … a quarter of an hour.
fn pause(tries: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.pow(tries.min(16))).min(LONGEST_PAUSE)
}

//! What a forge sends: checked, written down, and answered. What follows from it is [`work`](super::work).

use super::{Linked, cause, faults, links};
use crate::{Ctx, Result, ctx::Asker};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tradewind_api::v1::HookOutcome;
use tradewind_forges::{Event, Head, Push, Refused, Verified, read, verify};
use tradewind_model::{
    event::Actor,
    fault::Fault,
    id::{DeliveryId, LinkId},
    said,
    said::Said,
};
use tradewind_store::{
    Json, StoreError,
    rows::forges::{Link, NewDelivery, deliveries, links as rows},
    transact,
};

/// Between two events about deliveries that were not let in: a flood of them fills no log.
const TOLD_EVERY: Duration = Duration::from_secs(3_600);

/// The link that an address belongs to, whichever tenant's it is.
///
/// # Errors
/// [`faults::NO_HOOK`].
pub async fn find(ctx: &Ctx, hook: &str) -> Result<Link> {
    let none = || Fault::new(&faults::NO_HOOK);
    // An address is looked up only where it could be one.
    let fits = hook.len() == 48 && hook.bytes().all(|b| b.is_ascii_hexdigit());
    if !fits {
        return Err(none().into());
    }
    let found = rows::of_hook(&mut ctx.store.read().await?, hook).await?;
    Ok(found.ok_or_else(none)?)
}

/// Takes a delivery in. Its body is as it came. What is returned before [`faults::NOT_LET_IN`] is written nowhere but in `refusals`.
///
/// # Errors
/// [`faults::NOT_LET_IN`], whatever it lacks; [`faults::UNREADABLE`] where it was let in.
pub async fn receive(ctx: &Ctx, link: &Link, head: &Head, body: &[u8], refusals: &Refusals) -> Result<HookOutcome> {
    let ctx = Ctx { store: ctx.store.for_org(link.org.clone()), ..ctx.clone() };
    let linked = Linked::of(link)?;
    let secret = links::hook_secret(&ctx, link)?;
    let not_let_in = |why: &'static str| {
        refusals.note(link, why);
        Fault::new(&faults::NOT_LET_IN)
    };
    let verified = verify(linked.kind, head, body, &secret, ctx.now()).map_err(|why| not_let_in(why.as_str()))?;
    let event = read(linked.kind, &verified.event, body).map_err(|why| {
        refusals.note(link, PAYLOAD);
        Fault::new(&faults::UNREADABLE).with("why", tradewind_forges::plain(&why.to_string(), 200))
    })?;
    let pushes = match event {
        Event::Ping => return Ok(HookOutcome::Pong),
        Event::Other(_) => return Ok(HookOutcome::Ignored),
        Event::Pushes(pushes) => pushes,
    };
    if pushes.iter().any(|p| !linked.repository.is_named(&p.repository)) {
        return Err(not_let_in(OTHER_REPOSITORY).into());
    }
    keep(&ctx, link, &linked, &verified, &pushes).await
}

/// Writes down what is new of it.
async fn keep(ctx: &Ctx, link: &Link, linked: &Linked, verified: &Verified, pushes: &[Push]) -> Result<HookOutcome> {
    let name = verified.delivery.as_str();
    let new: u32 = transact!(ctx.store, tx => {
        let mut new = 0;
        let mut told = Vec::new();
        for (push, part) in pushes.iter().zip(0_u32..) {
            let gone = push.after.is_none();
            let delivery = NewDelivery {
                id: DeliveryId::at(tx.now()),
                link: link.id,
                delivery: name.to_owned(),
                part,
                essence: verified.essence.clone(),
                branch: Some(push.branch.to_string()),
                before: push.before.clone(),
                after: push.after.clone(),
                pusher: push.pusher.clone(),
                state: if gone { "ignored" } else { "waiting" }.into(),
                waits: !gone,
                why: gone.then(|| Json::of(&said!(
                    "the branch was removed; what is live stays as it is",
                    "分支已删除；线上保持不变"
                ))),
            };
            if deliveries::insert(tx, &delivery).await? {
                new += 1;
                told.push(json!({ "branch": push.branch, "before": push.before, "after": push.after, "by": push.pusher }));
            }
        }
        if new == 0 {
            tx.without_event("it came before");
        } else {
            deliveries::hurry(tx, link.id).await?;
            let by = Asker { cause: Some(cause(linked.kind, name, &pushes[0].pusher)), ..Asker::system("forge") };
            let after = json!({ "kind": link.kind, "delivery": name, "branches": told });
            tx.event(links::about(link, "forge.delivered", &by, after)).await?;
        }
        Ok::<u32, StoreError>(new)
    })?;
    Ok(if new == 0 { HookOutcome::Already } else { HookOutcome::Accepted })
}

const PAYLOAD: &str = "payload";
const OTHER_REPOSITORY: &str = "other_repository";

/// Why a delivery was not let in, for who may know.
pub(super) fn why(stored: &str) -> Said {
    let refused =
        [Refused::Unsigned, Refused::Signature, Refused::Weak, Refused::Stale, Refused::OtherForge, Refused::Malformed];
    let Some(refused) = refused.into_iter().find(|r| r.as_str() == stored) else {
        return match stored {
            PAYLOAD => said!(
                "its body was not what this forge sends (is the webhook set to JSON?)",
                "内容不是该平台的格式（webhook 是否设为 JSON？）"
            ),
            OTHER_REPOSITORY => said!("it was about another repository", "属于另一个仓库"),
            other => Said::plain(other),
        };
    };
    match refused {
        Refused::Unsigned => said!("it bore neither signature nor token", "没有签名或令牌"),
        Refused::Signature => {
            said!("its signature or token was not that of the link's secret", "签名或令牌与关联的密钥不符")
        }
        Refused::Weak => said!("it was signed with SHA-1 only", "仅有 SHA-1 签名"),
        Refused::Stale => said!("its time was more than five minutes from ours", "时间与本机相差超过五分钟"),
        Refused::OtherForge => said!("it was none of this forge's kind", "不是该类代码平台发出的"),
        Refused::Malformed => said!("a header of it could not be read", "请求头无法读取"),
    }
}

/// Deliveries that were not let in, counted here and written down now and then: a flood of them costs neither rows nor events.
#[derive(Default, Debug)]
pub struct Refusals(Mutex<HashMap<LinkId, (Link, u32, &'static str)>>);

impl Refusals {
    fn note(&self, link: &Link, why: &'static str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, n, last) = all.entry(link.id).or_insert_with(|| (link.clone(), 0, why));
        *n = n.saturating_add(1);
        *last = why;
    }

    /// Writes down what was counted since, with an event where none told of any for an hour.
    ///
    /// # Errors
    /// Those of the store; what was not written down is lost.
    pub async fn write_down(&self, ctx: &Ctx) -> Result<()> {
        let counted: Vec<_> = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.drain().map(|(_, counted)| counted).collect()
        };
        for (link, n, last) in counted {
            let store = ctx.store.for_org(link.org.clone());
            transact!(store, tx => {
                // It may be unlinked by now.
                let Some(known) = rows::find(tx, link.id).await? else {
                    tx.without_event("there is no such link any more");
                    return Ok(());
                };
                rows::refuse(tx, known.id, n, last).await?;
                if known.told_at.is_none_or(|at| tx.now().since(at) >= TOLD_EVERY) {
                    rows::tell(tx, known.id).await?;
                    let by = Asker::trusted(Actor::System { part: "forge".into() });
                    let after = json!({ "kind": known.kind, "refused": known.refused + u64::from(n), "last": last });
                    tx.event(links::about(&known, "forge.delivery_refused", &by, after)).await?;
                }
                Ok::<(), StoreError>(())
            })?;
        }
        Ok(())
    }
}

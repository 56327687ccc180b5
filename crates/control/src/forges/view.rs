//! Links and deliveries as the API shows them.

use super::{Linked, links};
use crate::{Ctx, Result, ctx::Asker, services};
use tradewind_api::v1;
use tradewind_forges::Kind;
use tradewind_model::{
    access::{Action, Bounds, Subject},
    fault::Lang,
    id::{DeliveryId, ServiceName},
    said::Said,
};
use tradewind_store::{
    Reader, StoreError,
    rows::{
        self, Page,
        forges::{Delivery, Link, deliveries, statuses},
    },
};

pub(super) fn kind_of(kind: v1::ForgeKind) -> Kind {
    match kind {
        v1::ForgeKind::Github => Kind::Github,
        v1::ForgeKind::Gitlab => Kind::Gitlab,
        v1::ForgeKind::Gitea => Kind::Gitea,
        v1::ForgeKind::Gitee => Kind::Gitee,
        v1::ForgeKind::Bitbucket => Kind::Bitbucket,
    }
}

fn shown_kind(kind: Kind) -> v1::ForgeKind {
    match kind {
        Kind::Github => v1::ForgeKind::Github,
        Kind::Gitlab => v1::ForgeKind::Gitlab,
        Kind::Gitea => v1::ForgeKind::Gitea,
        Kind::Gitee => v1::ForgeKind::Gitee,
        Kind::Bitbucket => v1::ForgeKind::Bitbucket,
    }
}

/// By service; of those the asker sees.
pub async fn list(ctx: &Ctx, by: &Asker, lang: Lang) -> Result<Vec<v1::ForgeLink>> {
    let mut r = ctx.store.read().await?;
    let mut shown = Vec::new();
    for row in rows::forges::links::list(&mut r).await? {
        if ctx.sees(&Subject::service(row.service.clone())) {
            shown.push(link(&mut r, &row, by, lang).await?);
        }
    }
    Ok(shown)
}

/// # Errors
/// [`super::faults::NO_LINK`].
pub async fn show(ctx: &Ctx, service: &ServiceName, by: &Asker, lang: Lang) -> Result<v1::ForgeLink> {
    let mut r = ctx.store.read().await?;
    let row = links::get(&mut r, service).await?;
    link(&mut r, &row, by, lang).await
}

pub(super) async fn link(r: &mut impl Reader, row: &Link, by: &Asker, lang: Lang) -> Result<v1::ForgeLink> {
    let linked = Linked::of(row)?;
    let whole = Bounds { service: Some(row.service.clone()), ..Bounds::default() }.whole();
    let changes = by.rights.may(Action::Access, &whole);
    let account = rows::users::find(r, row.account).await?.map_or_else(String::new, |u| u.handle);
    let last = deliveries::list(r, row.id, Page::first(1)).await?.first().map(|d| delivery(d, lang)).transpose()?;
    let told = statuses::of_link(r, row.id, 1).await?;
    let status_problem = told.first().map(super::statuses::problem).transpose()?.flatten();
    Ok(v1::ForgeLink {
        service: row.service.clone(),
        kind: shown_kind(linked.kind),
        url: row.url.clone(),
        api: linked.api(row),
        hook_path: changes.then(|| format!("/hooks/{}", row.hook)),
        hook_url: None,
        account,
        has_token: row.token.is_some(),
        linked_at: row.created_at.into(),
        linked_by: services::who(&row.created_by),
        refused: row.refused,
        refused_at: row.refused_at.map(Into::into),
        refused_why: row.refused_why.as_deref().map(|why| super::intake::why(why).get(lang).to_owned()),
        last,
        status_problem,
    })
}

/// Newest first; the cursor is a delivery's id.
///
/// # Errors
/// [`super::faults::NO_LINK`].
pub async fn list_deliveries(
    ctx: &Ctx,
    service: &ServiceName,
    page: Page<DeliveryId>,
    lang: Lang,
) -> Result<v1::Page<v1::ForgeDelivery>> {
    let mut r = ctx.store.read().await?;
    let row = links::get(&mut r, service).await?;
    let limit = page.limit as usize;
    let rows = deliveries::list(&mut r, row.id, page).await?;
    let next = (rows.len() == limit).then(|| rows.last().map(|d| d.id.to_string())).flatten();
    let items = rows.iter().map(|d| delivery(d, lang)).collect::<Result<_>>()?;
    Ok(v1::Page { items, next })
}

fn delivery(row: &Delivery, lang: Lang) -> Result<v1::ForgeDelivery> {
    let why: Option<Said> = row.why.as_ref().map(tradewind_store::Json::read).transpose()?;
    Ok(v1::ForgeDelivery {
        id: row.id,
        delivery: row.delivery.clone(),
        branch: row.branch.clone(),
        before: row.before.clone(),
        after: row.after.clone(),
        pusher: row.pusher.clone(),
        state: state(&row.state)?,
        why: why.map(|w| w.get(lang).to_owned()),
        run: row.run,
        tries: row.tries,
        received_at: row.received_at.into(),
        next_at: row.next_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
    })
}

fn state(stored: &str) -> Result<v1::ForgeDeliveryState> {
    Ok(match stored {
        "waiting" => v1::ForgeDeliveryState::Waiting,
        "done" => v1::ForgeDeliveryState::Done,
        "failed" => v1::ForgeDeliveryState::Failed,
        "stale" => v1::ForgeDeliveryState::Stale,
        "ignored" => v1::ForgeDeliveryState::Ignored,
        other => return Err(StoreError::Corrupt { what: format!("a state `{other}`"), source: None }.into()),
    })
}

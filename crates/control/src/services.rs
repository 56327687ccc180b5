//! Services: made by hand or by their first push.

use crate::{Ctx, Error, Result, ctx::Asker, faults, freezes};
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Subject},
    event::{Actor, NewEvent},
    fault::{Fault, Lang},
    id::ServiceName,
    rollout::reason::Reason,
    spec::Spec,
};
use tradewind_store::{
    Reader, StoreError, Tx,
    rows::{self, Page, services::Service},
    transact,
};

const DEFAULT_BRANCH: &str = "main";

/// # Errors
/// [`faults::SERVICE_EXISTS`].
pub async fn create(ctx: &Ctx, name: &ServiceName, by: &Asker) -> Result<Service> {
    by.allow(Action::Push, &Subject::service(name.clone()))?;
    transact!(ctx.store, tx => {
        if rows::services::find(tx, name).await?.is_some() {
            return Err(Error::from(Fault::new(&faults::SERVICE_EXISTS).with("service", name)));
        }
        insert(tx, name, by).await
    })
}

/// The service, made now if there is none: what a first push does. True when it is new.
pub async fn ensure(ctx: &Ctx, name: &ServiceName, by: &Asker) -> Result<(Service, bool)> {
    transact!(ctx.store, tx => {
        match rows::services::find(tx, name).await? {
            Some(service) => Ok((service, false)),
            None => {
                by.allow(Action::Push, &Subject::service(name.clone()))?;
                insert(tx, name, by).await.map(|s| (s, true))
            }
        }
    })
}

async fn insert(tx: &mut Tx, name: &ServiceName, by: &Asker) -> Result<Service> {
    let new = rows::services::NewService {
        name: name.clone(),
        owner: by.name().to_owned(),
        default_branch: DEFAULT_BRANCH.into(),
        created_by: by.actor.clone(),
    };
    let service = rows::services::insert(tx, new).await?;
    tx.event(NewEvent {
        service: Some(name.to_string()),
        after: Some(serde_json::json!({ "owner": service.owner })),
        ..by.event("service.created", format!("service/{name}"))
    })
    .await?;
    Ok(service)
}

/// Hands it to a user or a group.
///
/// # Errors
/// [`faults::NO_SERVICE`], [`faults::NO_OWNER`].
pub async fn set_owner(ctx: &Ctx, name: &ServiceName, owner: &str, reason: &str, by: &Asker) -> Result<()> {
    by.allow(Action::Push, &Subject::service(name.clone()))?;
    transact!(ctx.store, tx => {
            let service = get(tx, name).await?;
            let person = rows::users::by_handle(tx, owner).await?.is_some_and(|u| u.disabled_at.is_none());
            if !person && rows::groups::by_name(tx, owner).await?.is_none() {
                return Err(Error::from(Fault::new(&faults::NO_OWNER).with("owner", owner.escape_debug())));
            }
            if service.owner == owner {
                tx.without_event("it is theirs already");
                return Ok(());
            }
            let before = serde_json::json!({ "owner": service.owner });
            rows::services::update(tx, Service { owner: owner.to_owned(), ..service }).await?;
            tx.event(NewEvent {
                                                    service: Some(name.to_string()),
                before: Some(before),
                after: Some(serde_json::json!({ "owner": owner, "reason": reason })),
    ..by.event("service.owner_set", format!("service/{name}"))})
            .await?;
            Ok(())
        })
}

pub async fn get(r: &mut impl Reader, name: &ServiceName) -> Result<Service> {
    rows::services::get(r, name).await.map_err(|e| match e {
        StoreError::NotFound { .. } => Fault::new(&faults::NO_SERVICE).with("service", name).into(),
        other => other.into(),
    })
}

/// By name; `after` is the last name of the page before.
pub async fn list(ctx: &Ctx, after: Option<&ServiceName>, limit: u32, lang: Lang) -> Result<v1::Page<v1::Service>> {
    let mut r = ctx.store.read().await?;
    let mut rows = rows::services::list(&mut r, after, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|s| s.name.to_string())).flatten();
    rows.retain(|row| ctx.sees(&Subject::service(row.name.clone())));
    let mut items = Vec::new();
    for row in rows {
        items.push(view(ctx, &mut r, row, lang).await?);
    }
    Ok(v1::Page { items, next })
}

pub async fn show(ctx: &Ctx, name: &ServiceName, lang: Lang) -> Result<v1::Service> {
    let mut r = ctx.store.read().await?;
    let row = get(&mut r, name).await?;
    view(ctx, &mut r, row, lang).await
}

async fn view(ctx: &Ctx, r: &mut impl Reader, row: Service, lang: Lang) -> Result<v1::Service> {
    let spec = newest_spec(r, &row.name).await?;
    let mut environments = Vec::new();
    for e in spec.iter().flat_map(|s| &s.environments) {
        if !ctx.sees(&Subject::env(row.name.clone(), e.name.clone())) {
            continue;
        }
        environments.push(v1::Environment {
            name: e.name.clone(),
            branch: e.branch.clone(),
            sites: e.sites.clone(),
            frozen: closed(r, &row.name, &e.name, lang).await?,
            freezes: freezes::shown(r, &row.name, &e.name).await?,
        });
    }
    Ok(v1::Service {
        kind: spec.as_ref().map(|s| s.kind.into()),
        git_path: format!("/git/{}.git", row.name),
        created_at: row.created_at.into(),
        created_by: who(&row.created_by),
        owner: row.owner,
        name: row.name,
        environments,
    })
}

pub(crate) async fn names(r: &mut impl Reader) -> Result<Vec<ServiceName>> {
    const PAGE: u32 = 200;
    let mut names: Vec<ServiceName> = Vec::new();
    loop {
        let page = rows::services::list(r, names.last(), PAGE).await?;
        let last = page.len() < PAGE as usize;
        names.extend(page.into_iter().map(|s| s.name));
        if last {
            return Ok(names);
        }
    }
}

pub(crate) async fn newest_spec(r: &mut impl Reader, service: &ServiceName) -> Result<Option<Spec>> {
    let newest = rows::releases::list(r, service, Page::first(1)).await?;
    let Some(release) = newest.first() else { return Ok(None) };
    let manifest = rows::releases::manifest(r, service, &release.digest).await?;
    Ok(Spec::parse("tradewind.yaml", &manifest.spec).ok())
}

/// Where a branch leads, by the newest release's spec.
pub async fn environment_of_branch(
    r: &mut impl Reader,
    service: &ServiceName,
    branch: &str,
) -> Result<Option<tradewind_model::id::EnvName>> {
    let spec = newest_spec(r, service).await?;
    Ok(spec.and_then(|s| s.environment_of_branch(branch).cloned()))
}

/// Why a failure closed the queue of a service in an environment, in words.
pub(crate) async fn closed(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &tradewind_model::id::EnvName,
    lang: Lang,
) -> Result<Option<v1::ClosedQueue>> {
    Ok(rows::queues::get(r, service, env).await?.frozen.map(|hold| told_closed(hold, lang)))
}

pub(crate) fn told_closed(hold: rows::queues::Hold, lang: Lang) -> v1::ClosedQueue {
    let reason: Option<Reason> = serde_json::from_str(&hold.reason).ok();
    let rollout = reason.as_ref().and_then(|r| r.args.get("rollout")?.en().parse().ok());
    let reason = reason.map_or(hold.reason, |r| r.what(lang));
    v1::ClosedQueue { since: hold.at.into(), reason, rollout }
}

/// An actor as people write it.
pub fn who(actor: &Actor) -> String {
    match actor {
        Actor::User { name, .. } => name.clone(),
        Actor::System { part } => format!("tradewind ({part})"),
        Actor::Agent { host } => format!("agent {host}"),
    }
}

//! Linking a service to a repository, and what belongs to it.

use super::{Linked, faults, sealed, view};
use crate::{
    Ctx, Error, Result,
    access::{self, grants},
    ctx::Asker,
    services,
};
use serde_json::json;
use tradewind_api::v1;
use tradewind_forges::{HookSecret, Kind, Repository};
use tradewind_model::{
    access::{Action, Bounds, Grant, Role},
    event::NewEvent,
    fault::{Fault, Lang},
    id::{LinkId, OrgName, ServiceName, UserId},
};
use tradewind_outbound::Request;
use tradewind_store::{
    Reader, Tx,
    rows::{
        self,
        forges::{Link, NewLink, deliveries, links},
        grants::Holder,
        users::User,
    },
    transact,
};
use zeroize::Zeroizing;

/// Of the address deliveries go to: random bytes.
const HOOK_BYTES: usize = 24;
const LONGEST_TOKEN: usize = 4_096;

/// What a push from a forge may: what a developer of this service may, and no more.
fn grant(service: &ServiceName) -> Grant {
    Grant { role: Role::Developer, bounds: Bounds { service: Some(service.clone()), ..Bounds::default() } }
}

/// # Errors
/// [`faults::NO_LINK`].
pub async fn get(r: &mut impl Reader, service: &ServiceName) -> Result<Link> {
    let missing = || Fault::new(&faults::NO_LINK).with("service", service);
    Ok(links::of_service(r, service).await?.ok_or_else(missing)?)
}

/// Whoever opens a service to a forge hands out a right: everybody who may push there may push here. So it is their own to give.
fn may_change(service: &ServiceName, by: &Asker) -> Result<()> {
    by.allow(Action::Access, &grant(service).bounds.whole())
}

struct Wish {
    kind: Kind,
    repository: Repository,
    api: Option<String>,
    token: Option<Zeroizing<String>>,
    secret: Option<HookSecret>,
}

impl Wish {
    fn read(wish: &v1::LinkForge) -> Result<Self> {
        let bad = |why: &dyn std::fmt::Display| {
            let url = tradewind_forges::plain(&wish.url, 200);
            Fault::new(&faults::BAD_URL).with("url", url).with("why", why)
        };
        let repository: Repository = wish.url.parse().map_err(|e| bad(&e))?;
        let host = repository.host();
        let kind = wish.kind.map(view::kind_of).or_else(|| Kind::of_host(host));
        let kind = kind.ok_or_else(|| Fault::new(&faults::WHICH_KIND).with("host", host))?;
        if kind == Kind::Bitbucket && Kind::of_host(host) != Some(kind) && wish.api.is_none() {
            return Err(Fault::new(&faults::NO_DATA_CENTER).with("host", host).into());
        }
        let api = wish.api.as_deref().map(api).transpose()?;
        let token = wish.token.clone().map(Zeroizing::new);
        let fits =
            |t: &Zeroizing<String>| (1..=LONGEST_TOKEN).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic());
        if token.as_ref().is_some_and(|t| !fits(t)) {
            return Err(Fault::new(&faults::BAD_TOKEN).into());
        }
        let secret = wish.secret.as_deref().map(secret).transpose()?;
        Ok(Self { kind, repository, api, token, secret })
    }
}

fn api(url: &str) -> Result<String> {
    let bad = |why: &dyn std::fmt::Display| {
        Fault::new(&faults::BAD_API).with("url", tradewind_forges::plain(url, 200)).with("why", why)
    };
    let read = Request::new(http::Method::GET, url).map_err(|e| bad(&e))?;
    if read.url.query().is_some() || read.url.fragment().is_some() {
        return Err(bad(&"it has a query or a fragment").into());
    }
    Ok(read.url.as_str().trim_end_matches('/').to_owned())
}

fn secret(text: &str) -> Result<HookSecret> {
    Ok(HookSecret::parse(text).map_err(|why| Fault::new(&faults::BAD_SECRET).with("why", why))?)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let none = |e: getrandom::Error| Fault::new(&crate::secrets::faults::VAULT_CLOSED).with("why", e);
    getrandom::fill(&mut bytes).map_err(none)?;
    Ok(bytes)
}

/// Links a service, or changes what is given of a link to the same repository.
///
/// # Errors
/// Those of this area that say what is wrong with the wish, and [`faults::LINKED_ELSEWHERE`].
pub async fn link(
    ctx: &Ctx,
    service: &ServiceName,
    wish: &v1::LinkForge,
    by: &Asker,
    lang: Lang,
) -> Result<v1::LinkedForge> {
    may_change(service, by)?;
    grants::may_hand_out(by, &grant(service))?;
    let wish = Wish::read(wish)?;
    let ring = ctx.vault.ring()?;
    let made = HookSecret::of(&random()?);
    let hook = hex::encode(random::<HOOK_BYTES>()?);
    let (link, told): (Link, Option<String>) = transact!(ctx.store, tx => {
        crate::secrets::admit(tx, &ring).await?;
        services::get(tx, service).await?;
        // Repositories are one organisation's until there are more.
        if *tx.org() != OrgName::default_org() {
            return Err(Fault::new(&faults::NO_REPOSITORIES).with("service", service).into());
        }
        let seal = |purpose, id, text: &str| sealed::seal(&ring, purpose, id, text);
        if let Some(known) = links::of_service(tx, service).await? {
            let same = known.url == wish.repository.to_string() && known.kind == wish.kind.as_str();
            if !same {
                let fault = Fault::new(&faults::LINKED_ELSEWHERE).with("service", service);
                return Err(Error::from(fault.with("url", &known.url)));
            }
            let id = known.id;
            let secret = wish.secret.as_ref().map(|s| seal(sealed::HOOK, id, s.expose())).transpose()?;
            let token = wish.token.as_ref().map(|t| seal(sealed::TOKEN, id, t)).transpose()?;
            let changed: Vec<&str> = [("api", wish.api.is_some()), ("token", token.is_some()), ("secret", secret.is_some())]
                .into_iter()
                .filter_map(|(name, is)| is.then_some(name))
                .collect();
            let api = wish.api.clone().or(known.api.clone());
            let fresh = Link {
                api,
                secret: secret.unwrap_or_else(|| known.secret.clone()),
                token: token.or_else(|| known.token.clone()),
                ..known
            };
            let link = links::update(tx, fresh).await?;
            deliveries::hurry(tx, link.id).await?;
            tx.event(about(&link, "forge.changed", by, json!({ "changed": changed }))).await?;
            return Ok((link, wish.secret.as_ref().map(|s| s.expose().to_owned())));
        }
        let id = LinkId::at(tx.now());
        let account = account(tx, service, &wish, by).await?;
        let secret = wish.secret.as_ref().unwrap_or(&made);
        let new = NewLink {
            id,
            service: service.clone(),
            kind: wish.kind.as_str().into(),
            url: wish.repository.to_string(),
            api: wish.api.clone(),
            hook: hook.clone(),
            account: account.id,
            secret: seal(sealed::HOOK, id, secret.expose())?,
            token: wish.token.as_ref().map(|t| seal(sealed::TOKEN, id, t)).transpose()?,
            created_by: by.actor.clone(),
        };
        let link = links::insert(tx, new).await?;
        let after = json!({ "kind": link.kind, "url": link.url, "account": account.handle, "token": link.token.is_some() });
        tx.event(about(&link, "forge.linked", by, after)).await?;
        Ok((link, Some(secret.expose().to_owned())))
    })?;
    let shown = view::link(&mut ctx.store.read().await?, &link, by, lang).await?;
    Ok(v1::LinkedForge { link: shown, secret: told })
}

/// The account that pushes of a link act as. Always a new one: what somebody gave another account is not the link's.
async fn account(tx: &mut Tx, service: &ServiceName, wish: &Wish, by: &Asker) -> Result<User> {
    let new = rows::users::NewUser {
        id: UserId::at(tx.now()),
        // Who keeps access to another service sees that there is such an account, and not whose it is.
        handle: format!("forge.{}.{}", wish.kind, hex::encode(random::<4>()?)),
        is_service: true,
        name: wish.kind.title().into(),
        email: None,
        password: None,
        created_by: by.actor.clone(),
    };
    let user = rows::users::insert(tx, new).await?;
    let after = json!({ "handle": user.handle, "kind": "service" });
    tx.event(access::fact("user.created", format!("user/{}", user.handle), by, Some(after))).await?;
    grants::insert(tx, Holder::User(user.id), &user.handle, grant(service), by).await?;
    Ok(user)
}

/// Its webhook is none any more; its account may nothing.
///
/// # Errors
/// [`faults::NO_LINK`].
pub async fn unlink(ctx: &Ctx, service: &ServiceName, by: &Asker) -> Result<()> {
    may_change(service, by)?;
    transact!(ctx.store, tx => {
        let link = get(tx, service).await?;
        if let Some(user) = rows::users::find(tx, link.account).await? {
            grants::withdraw_all(tx, &user, by).await?;
            if user.is_enabled() {
                let subject = format!("user/{}", user.handle);
                let now = tx.now();
                rows::users::update(tx, User { disabled_at: Some(now), ..user }).await?;
                tx.event(access::fact("user.disabled", subject, by, None)).await?;
            }
        }
        links::remove(tx, link.id).await?;
        tx.event(about(&link, "forge.unlinked", by, json!({ "kind": link.kind, "url": link.url }))).await?;
        Ok(())
    })
}

/// Another secret; deliveries with the one before are not let in any more.
///
/// # Errors
/// [`faults::NO_LINK`], [`faults::BAD_SECRET`].
pub async fn set_secret(
    ctx: &Ctx,
    service: &ServiceName,
    wish: &v1::SetHookSecret,
    by: &Asker,
    lang: Lang,
) -> Result<v1::LinkedForge> {
    may_change(service, by)?;
    let fresh = match &wish.secret {
        Some(text) => secret(text)?,
        None => HookSecret::of(&random()?),
    };
    let ring = ctx.vault.ring()?;
    let link: Link = transact!(ctx.store, tx => {
        crate::secrets::admit(tx, &ring).await?;
        let link = get(tx, service).await?;
        let secret = sealed::seal(&ring, sealed::HOOK, link.id, fresh.expose())?;
        let link = links::update(tx, Link { secret, ..link }).await?;
        tx.event(about(&link, "forge.secret_rotated", by, json!({ "kind": link.kind, "url": link.url }))).await?;
        Ok::<_, Error>(link)
    })?;
    let shown = view::link(&mut ctx.store.read().await?, &link, by, lang).await?;
    Ok(v1::LinkedForge { link: shown, secret: Some(fresh.expose().to_owned()) })
}

/// Of one place; without secrets.
pub(super) fn about(link: &Link, kind: &str, by: &Asker, after: serde_json::Value) -> NewEvent {
    let mut event = access::fact(kind, format!("forge/{}", link.id), by, Some(after));
    event.service = Some(link.service.to_string());
    event
}

/// The secret that deliveries of a link prove themselves with.
pub(super) fn hook_secret(ctx: &Ctx, link: &Link) -> Result<HookSecret> {
    let text = sealed::open(&ctx.vault.ring()?, sealed::HOOK, link, &link.secret)?;
    secret(&text)
}

/// What the forge knows us by, where it was told.
///
/// # Errors
/// Where it does not open.
pub fn token(ctx: &Ctx, link: &Link) -> Result<Option<Zeroizing<String>>> {
    let Some(text) = link.token.as_deref() else { return Ok(None) };
    Ok(Some(sealed::open(&ctx.vault.ring()?, sealed::TOKEN, link, text)?))
}

/// A link's kind and repository.
///
/// # Errors
/// Where the row is damaged.
pub fn read(link: &Link) -> Result<Linked> {
    Linked::of(link)
}

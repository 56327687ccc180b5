//! Secrets: set by people, kept sealed, handed to processes by name. No use case gives a value back to a person.

pub mod faults;
pub mod handover;
pub mod rotate;
pub mod vault;
pub mod wanted;

pub(crate) use rotate::admit;
use vault::{KeySource, Vault};

use crate::{Ctx, Error, Result, ctx::Asker, services};
use serde_json::json;
use std::sync::Arc;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Part, Subject},
    event::NewEvent,
    fault::Fault,
    id::{OrgName, Place, SecretId, ServiceName},
    said,
    said::Said,
    secret::{Scope, SecretName},
    spec::ResolvedSpec,
};
use tradewind_secrets::{
    BadValue, LONGEST, Value,
    ring::{Context, KeyId, Ring, Sealed},
};
use tradewind_store::{
    Reader, Store, StoreError, Tx,
    rows::{
        self,
        secrets::{NewSeal, Secret, Version},
    },
    transact,
};

/// The vault with these keys. Where nothing was ever sealed and no key is there, a new one is made; a vault that has lost its
/// key stays closed, and says so: a new key would open nothing.
///
/// # Errors
/// Those of the store.
pub async fn open_vault(store: &Store, source: KeySource) -> Result<Arc<Vault>, StoreError> {
    let vault = Vault::new(source);
    if vault.is_unmade() && rows::secrets::keys(&mut store.read().await?).await?.is_empty() {
        let made =
            Ring::generate().map_err(|e| e.to_string()).and_then(|ring| vault.write(&ring).map_err(|e| e.to_string()));
        if let Err(error) = made {
            tracing::error!(error, "the vault's key cannot be made");
        }
    }
    if let Err(closed) = vault.ring() {
        tracing::error!(why = %closed, "secrets cannot be set or handed out; everything else goes on");
    }
    Ok(Arc::new(vault))
}

/// What a version of a secret is sealed for.
struct Seat<'a> {
    org: &'a OrgName,
    id: SecretId,
    name: &'a SecretName,
    scope: &'a Scope,
    version: i64,
}

impl Seat<'_> {
    fn with<T>(&self, then: impl FnOnce(Context<'_>) -> T) -> T {
        let (id, scope, version) = (self.id.to_string(), self.scope.key(), self.version.to_string());
        then(Context(&["secret", self.org.as_str(), &id, self.name.as_str(), &scope, &version]))
    }

    fn seal(&self, ring: &Ring, value: &str) -> Result<NewSeal> {
        let sealed = self.with(|context| ring.seal(context, value.as_bytes()));
        let Sealed { key, bytes } = sealed.map_err(|e| Fault::new(&faults::VAULT_CLOSED).with("why", e))?;
        Ok(NewSeal { key: key.into(), sealed: bytes, fingerprint: ring.fingerprint(self.org.as_str(), value) })
    }

    fn open(&self, ring: &Ring, version: &Version) -> Result<Value> {
        let damaged = |why: &dyn std::fmt::Display| {
            let fault = Fault::new(&faults::DAMAGED).with("name", self.name).with("version", self.version);
            Error::from(fault.with("why", why))
        };
        let key: KeyId = version.key.parse().map_err(|e| damaged(&e))?;
        let sealed = Sealed { key, bytes: version.sealed.clone() };
        let plain = self.with(|context| ring.open(context, &sealed)).map_err(|e| damaged(&e))?;
        let text = String::from_utf8(plain.to_vec()).map_err(|e| damaged(&e.utf8_error()))?;
        Value::new(text).map_err(|e| damaged(&e))
    }
}

async fn open(r: &mut impl Reader, ring: &Ring, secret: &Secret, number: i64) -> Result<Value> {
    let Some(version) = rows::secrets::version(r, secret.id, number).await? else {
        return Err(Fault::new(&faults::NO_VERSION).with("name", &secret.name).with("version", number).into());
    };
    let org = r.org().clone();
    seat(&org, secret, number).open(ring, &version)
}

fn seat<'a>(org: &'a OrgName, secret: &'a Secret, version: i64) -> Seat<'a> {
    Seat { org, id: secret.id, name: &secret.name, scope: &secret.scope, version }
}

/// Sets a secret: its next version, in force at once. The same value again changes nothing.
///
/// # Errors
/// [`faults::BAD_VALUE`], [`faults::SITE_WITHOUT_ENV`], [`faults::VAULT_CLOSED`].
pub async fn set(ctx: &Ctx, name: &SecretName, scope: &Scope, value: String, by: &Asker) -> Result<v1::SecretSet> {
    admitted(scope, by)?;
    let value = Value::new(value).map_err(|why| bad_value(name, why))?;
    let done: Result<(Secret, bool)> = transact!(ctx.store, tx => {
        let ring = ring(ctx, tx).await?;
        let known = rows::secrets::find(tx, name, scope).await?;
        if let Some(known) = known.as_ref().filter(|k| k.removed_at.is_none())
            // A version that does not open any more is replaced without being compared.
            && open(tx, &ring, known, known.newest).await.is_ok_and(|old| old == value)
        {
            tx.without_event("nothing changed");
            return Ok((known.clone(), false));
        }
        let known = match known {
            Some(known) => known,
            None => rows::secrets::insert(tx, SecretId::at(tx.now()), name, scope).await?,
        };
        Ok((next(tx, &ring, &known, &value, "secret.set", by).await?, true))
    });
    let (secret, changed) = done?;
    told(ctx, &secret, changed, value.is_maskable()).await
}

/// Puts the value of an earlier version in force again, as a new version; a removed secret comes back by it.
///
/// # Errors
/// [`faults::NO_SECRET`], [`faults::NO_VERSION`], [`faults::VAULT_CLOSED`], [`faults::DAMAGED`].
pub async fn restore(ctx: &Ctx, name: &SecretName, scope: &Scope, version: i64, by: &Asker) -> Result<v1::SecretSet> {
    admitted(scope, by)?;
    let done: Result<(Secret, bool)> = transact!(ctx.store, tx => {
        let ring = ring(ctx, tx).await?;
        let known = find(tx, name, scope).await?;
        let value = open(tx, &ring, &known, version).await?;
        Ok((next(tx, &ring, &known, &value, "secret.restored", by).await?, value.is_maskable()))
    });
    let (secret, maskable) = done?;
    told(ctx, &secret, true, maskable).await
}

async fn next(tx: &mut Tx, ring: &Ring, known: &Secret, value: &Value, kind: &str, by: &Asker) -> Result<Secret> {
    let org = tx.org().clone();
    let seal = seat(&org, known, known.newest + 1).seal(ring, value.expose())?;
    let secret = rows::secrets::set(tx, known, &seal, &by.actor).await?;
    tx.event(about(&secret, kind, by)).await?;
    Ok(secret)
}

/// Nothing is given it any more; processes that have it keep it.
///
/// # Errors
/// [`faults::NO_SECRET`], [`faults::REMOVED_ALREADY`].
pub async fn remove(ctx: &Ctx, name: &SecretName, scope: &Scope, by: &Asker) -> Result<()> {
    admitted(scope, by)?;
    transact!(ctx.store, tx => {
        let secret = find(tx, name, scope).await?;
        if !rows::secrets::remove(tx, secret.id).await? {
            let fault = Fault::new(&faults::REMOVED_ALREADY).with("name", name);
            return Err(fault.with("scope", show(scope)).into());
        }
        tx.event(about(&secret, "secret.removed", by)).await?;
        Ok(())
    })
}

/// By name, then scope; without those that were removed, and those the caller has no say in. With a service, those that can reach
/// it: its own, and those of all services.
pub async fn list(ctx: &Ctx, service: Option<&ServiceName>, by: &Asker) -> Result<Vec<v1::Secret>> {
    let mut r = ctx.store.read().await?;
    if let Some(service) = service {
        services::get(&mut r, service).await?;
    }
    let reaches = |s: &Secret| match (service, &s.scope.service) {
        (Some(wanted), Some(own)) => wanted == own,
        (None, _) | (_, None) => true,
    };
    let mut all = Vec::new();
    let kept = rows::secrets::list(&mut r).await?.into_iter().filter(|s| s.removed_at.is_none() && reaches(s));
    for secret in kept {
        if by.allow(Action::Secrets, &subject(&secret.scope)).is_err() {
            continue;
        }
        all.push(view(&mut r, &secret).await?);
    }
    Ok(all)
}

/// Newest first; of a removed secret too.
///
/// # Errors
/// [`faults::NO_SECRET`].
pub async fn history(ctx: &Ctx, name: &SecretName, scope: &Scope, by: &Asker) -> Result<Vec<v1::SecretVersion>> {
    admitted(scope, by)?;
    let mut r = ctx.store.read().await?;
    let secret = find(&mut r, name, scope).await?;
    let versions = rows::secrets::versions(&mut r, secret.id).await?;
    Ok(versions.iter().map(|v| version_view(&secret, v)).collect())
}

async fn find(r: &mut impl Reader, name: &SecretName, scope: &Scope) -> Result<Secret> {
    let none = || Fault::new(&faults::NO_SECRET).with("name", name).with("scope", show(scope));
    Ok(rows::secrets::find(r, name, scope).await?.ok_or_else(none)?)
}

/// The keys to seal with: those that the store says seal, so that a change of keys that is under way is not missed.
async fn ring(ctx: &Ctx, tx: &mut Tx) -> Result<Ring> {
    let ring = ctx.vault.ring()?;
    admit(tx, &ring).await?;
    Ok(ring)
}

fn bad_value(name: &SecretName, why: BadValue) -> Fault {
    let why = match why {
        BadValue::Empty => said!("it is empty", "内容为空"),
        BadValue::TooLong => said!("it is longer than {most} bytes", "超过 {most} 字节", most = LONGEST),
        BadValue::Nul => said!("it holds a NUL byte", "包含 NUL 字节"),
    };
    Fault::new(&faults::BAD_VALUE).with("name", name).with("why", why).with("most", LONGEST)
}

/// Whoever sets what holds for several services or places has to have a say in all of them.
fn subject(scope: &Scope) -> Subject {
    let Scope { service, env, site } = scope.clone();
    Subject { service: Part::of(service), env: Part::of(env), site: Part::of(site) }
}

/// A scope that makes sense, and in which the caller has a say.
fn admitted(scope: &Scope, by: &Asker) -> Result<()> {
    by.allow(Action::Secrets, &subject(scope))?;
    match &scope.site {
        Some(site) if scope.env.is_none() => Err(Fault::new(&faults::SITE_WITHOUT_ENV).with("site", site).into()),
        Some(_) | None => Ok(()),
    }
}

/// `shop in production/shopee-br`, `everything`.
pub(crate) fn show(scope: &Scope) -> Said {
    let at = match (&scope.env, &scope.site) {
        (Some(env), Some(site)) => Some(format!("{env}/{site}")),
        (Some(env), None) => Some(env.to_string()),
        (None, _) => None,
    };
    match (&scope.service, at) {
        (Some(service), Some(at)) => said!("{service} in {at}", "{at} 中的 {service}", service = service, at = at),
        (Some(service), None) => Said::plain(service.to_string()),
        (None, Some(at)) => said!("all services in {at}", "{at} 中的所有服务", at = at),
        (None, None) => said!("everything", "全部"),
    }
}

/// Neither the value nor anything made of it alone.
fn about(secret: &Secret, kind: &str, by: &Asker) -> NewEvent {
    NewEvent {
        service: secret.scope.service.as_ref().map(ToString::to_string),
        env: secret.scope.env.as_ref().map(ToString::to_string),
        after: Some(json!({ "name": secret.name, "scope": secret.scope, "version": secret.newest })),
        ..by.event(kind, format!("secret/{}", secret.id))
    }
}

async fn told(ctx: &Ctx, secret: &Secret, changed: bool, maskable: bool) -> Result<v1::SecretSet> {
    let mut r = ctx.store.read().await?;
    let mut stale = wanted::stale(&mut r, &secret.name).await?;
    stale.retain(|s| {
        let place = Place { service: s.service.clone(), env: s.env.clone(), site: s.site.clone() };
        ctx.sees(&Subject::place(&place))
    });
    Ok(v1::SecretSet { secret: view(&mut r, secret).await?, changed, maskable, stale })
}

async fn view(r: &mut impl Reader, secret: &Secret) -> Result<v1::Secret> {
    let newest = rows::secrets::version(r, secret.id, secret.newest).await?;
    Ok(v1::Secret {
        id: secret.id,
        name: secret.name.clone(),
        scope: secret.scope.clone().into(),
        version: secret.newest,
        fingerprint: newest.as_ref().map(|v| v.fingerprint.clone()).unwrap_or_default(),
        set_at: secret.changed_at.into(),
        set_by: newest.as_ref().map(|v| services::who(&v.by)).unwrap_or_default(),
        used_at: newest.and_then(|v| v.handed_at).map(Into::into),
    })
}

fn version_view(secret: &Secret, version: &Version) -> v1::SecretVersion {
    v1::SecretVersion {
        version: version.version,
        in_force: secret.removed_at.is_none() && secret.newest == version.version,
        fingerprint: version.fingerprint.clone(),
        set_at: version.at.into(),
        set_by: services::who(&version.by),
        used_at: version.handed_at.map(Into::into),
    }
}

/// Whether a rollout of this spec would find its secrets; `site` by site.
pub(crate) async fn are_set(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &tradewind_model::id::EnvName,
    resolved: &ResolvedSpec,
) -> Result<()> {
    match wanted::missing(r, service, env, resolved).await? {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

//! Which secret of a name holds where, what is missing, and who still has an earlier version.

use super::faults;
use crate::{Result, rollouts::places::InstanceBody};
use std::collections::BTreeSet;
use tradewind_api::v1;
use tradewind_model::{
    fault::Fault,
    id::{EnvName, Place, ServiceName, SiteName},
    protocol::agent::DesiredPhase,
    secret::SecretName,
    spec::ResolvedSpec,
};
use tradewind_store::{
    Reader,
    rows::{self, secrets::Secret},
};

/// The one that describes the place most closely.
pub async fn holding(
    r: &mut impl Reader,
    name: &SecretName,
    service: &ServiceName,
    env: Option<&EnvName>,
    site: Option<&SiteName>,
) -> Result<Option<Secret>> {
    let all = rows::secrets::named(r, name).await?;
    let covering = all.into_iter().filter(|s| s.scope.covers_some(service, env, site));
    Ok(covering.max_by_key(|s| s.scope.rank()))
}

/// What a spec wants in an environment and nobody has set, with the commands that set it.
pub async fn missing(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    resolved: &ResolvedSpec,
) -> Result<Option<Fault>> {
    let mut names = BTreeSet::new();
    for used in &resolved.workload.secrets {
        for site in &resolved.sites {
            if holding(r, &used.name, service, Some(env), Some(site)).await?.is_none() {
                names.insert(&used.name);
            }
        }
    }
    if names.is_empty() {
        return Ok(None);
    }
    let command = |name: &&SecretName| format!("`tradewind secret set {name} --service {service} --env {env}`");
    let commands: Vec<String> = names.iter().map(command).collect();
    let names: Vec<&str> = names.iter().map(|n| n.as_str()).collect();
    let fault = Fault::new(&faults::MISSING).with("place", format!("{service}/{env}"));
    Ok(Some(fault.with("names", names.join(", ")).with("command", commands.join(", "))))
}

/// Which version of a secret the instances of a place have (the oldest, where they differ), and which is in force there.
pub async fn versions_at(r: &mut impl Reader, place: &Place, name: &SecretName) -> Result<(Option<i64>, Option<i64>)> {
    let Some(secret) = holding(r, name, &place.service, Some(&place.env), Some(&place.site)).await? else {
        return Ok((None, None));
    };
    let here: BTreeSet<_> = rows::instances::of_place(r, place).await?.into_iter().map(|i| i.id).collect();
    let holders = rows::secrets::holders(r, secret.id).await?;
    let running = holders.into_iter().filter(|(holder, _)| here.contains(holder)).map(|(_, version)| version).min();
    Ok((running, Some(secret.newest)))
}

/// Running instances that were given another version than they would be given now.
pub async fn stale(r: &mut impl Reader, name: &SecretName) -> Result<Vec<v1::StaleHolder>> {
    let all = rows::secrets::list(r).await?;
    let mut out = Vec::new();
    let live = rows::instances::live(r).await?;
    for secret in all.iter().filter(|s| s.name == *name) {
        for (holder, version) in rows::secrets::holders(r, secret.id).await? {
            let Some(row) = live.iter().find(|i| i.id == holder) else { continue };
            let body: InstanceBody = row.body.read()?;
            let Place { service, env, site } = &row.place;
            let now = holding(r, name, service, Some(env), Some(site)).await?;
            let runs = body.phase == DesiredPhase::Run;
            if runs && now.is_some_and(|now| now.id != secret.id || now.newest != version) {
                out.push(v1::StaleHolder {
                    instance: row.id,
                    service: service.clone(),
                    env: env.clone(),
                    site: site.clone(),
                    version,
                });
            }
        }
    }
    out.sort_by(|a, b| (&a.service, &a.env, &a.site, a.instance).cmp(&(&b.service, &b.env, &b.site, b.instance)));
    Ok(out)
}

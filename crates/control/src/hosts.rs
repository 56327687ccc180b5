//! Machines with an agent.

use crate::{Ctx, Error, Result, ctx::Asker, faults};
use tradewind_api::v1;
use tradewind_model::{
    event::NewEvent,
    fault::Fault,
    id::{Digest, HostId},
    protocol::agent::Observed,
};
use tradewind_store::{
    Reader, Tx,
    rows::{self, hosts::Host},
};

/// Enrols a host under its key, or gives the host of that name its new key.
pub async fn enrol(tx: &mut Tx, name: &str, key_hash: &Digest, by: &Asker) -> Result<HostId> {
    let (id, kind) = match rows::hosts::by_name(tx, name).await? {
        Some(host) => {
            rows::hosts::rekey(tx, host.id, key_hash).await?;
            (host.id, "host.rekeyed")
        }
        None => {
            let id = HostId::at(tx.now());
            rows::hosts::insert(tx, id, name, key_hash).await?;
            (id, "host.enrolled")
        }
    };
    tx.event(NewEvent {
        kind: kind.into(),
        schema: 1,
        actor: by.actor.clone(),
        subject: format!("host/{name}"),
        cause: by.cause.clone(),
        service: None,
        env: None,
        before: None,
        after: Some(serde_json::json!({ "id": id })),
    })
    .await?;
    Ok(id)
}

/// By name, with what each last said of itself.
pub async fn list(ctx: &Ctx) -> Result<Vec<v1::Host>> {
    let mut r = ctx.store.read().await?;
    let mut hosts = Vec::new();
    for host in rows::hosts::list(&mut r).await? {
        let observed = rows::observed::find(&mut r, host.id).await?.map(|o| o.body.read::<Observed>()).transpose()?;
        hosts.push(v1::Host {
            id: host.id,
            name: host.name,
            connected: ctx.agents.is_present(host.id),
            enrolled_at: host.enrolled_at.into(),
            last_seen_at: host.last_seen_at.map(Into::into),
            instances: observed.iter().flat_map(|o| &o.instances).filter(|i| i.pid.is_some()).count() as u64,
            edge: observed.and_then(|o| o.edge).map(|e| e.listen).unwrap_or_default(),
        });
    }
    Ok(hosts)
}

/// Where new instances and tasks go. One host has everything until environments name their own.
pub async fn place_on(r: &mut impl Reader) -> Result<Host> {
    let hosts = rows::hosts::list(r).await?;
    hosts.into_iter().next().ok_or_else(|| Error::from(Fault::new(&faults::NO_HOST)))
}

/// The host's desired state has changed: its agent is sent the new one, and what it reported before proves nothing
/// about it any more.
pub async fn touch(tx: &mut Tx, host: HostId) -> Result<()> {
    rows::observed::bump_generation(tx, host).await?;
    Ok(())
}

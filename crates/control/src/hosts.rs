//! Machines with an agent.

use crate::{Ctx, Error, Result, ctx::Asker, faults};
use std::collections::BTreeSet;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Subject},
    event::NewEvent,
    fault::Fault,
    id::{Digest, HostId},
    protocol::{
        agent::Observed,
        machine::{Machine, ProcessRole, ProcessUse},
    },
    said,
    said::Said,
    time::Timestamp,
};
use tradewind_store::{
    Reader, Tx,
    rows::{self, hosts::Host},
    transact,
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
    tx.event(NewEvent { after: Some(serde_json::json!({ "id": id })), ..by.event(kind, format!("host/{name}")) })
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
            connected: ctx.agents.is_present(host.id),
            enrolled_at: host.enrolled_at.into(),
            last_seen_at: host.last_seen_at.map(Into::into),
            instances: observed.iter().flat_map(|o| &o.instances).filter(|i| i.pid.is_some()).count() as u64,
            edge: observed.and_then(|o| o.edge).map(|e| e.listen).unwrap_or_default(),
            machine: ctx.agents.machine(host.id).map(|(at, machine)| machine_view(at, machine)),
            name: host.name,
        });
    }
    Ok(hosts)
}

fn machine_view(at: Timestamp, m: Machine) -> v1::Machine {
    let process = |p: ProcessUse| {
        let (role, instance) = match p.role {
            ProcessRole::Agent => (v1::ProcessRole::Agent, None),
            ProcessRole::Edge => (v1::ProcessRole::Edge, None),
            ProcessRole::Instance { id } => (v1::ProcessRole::Instance, Some(id)),
        };
        let (memory_bytes, since) = (p.memory, p.since.into());
        v1::HostProcess { role, host: None, instance, pid: p.pid, memory_bytes, cpu: p.cpu, since }
    };
    v1::Machine {
        at: at.into(),
        version: m.version,
        system: m.system,
        cpus: m.cpus,
        load: m.load,
        memory_bytes: m.memory,
        memory_free_bytes: m.memory_free,
        disk_bytes: m.disk,
        disk_free_bytes: m.disk_free,
        booted_at: m.booted_at.into(),
        processes: m.processes.into_iter().map(process).collect(),
    }
}

/// Takes a host that is gone off the list; its key is worth nothing from here on. One that enrols under its name later takes
/// its place again.
///
/// # Errors
/// [`faults::NO_HOST_CALLED`]; [`faults::HOST_PRESENT`]; [`faults::HOST_IN_USE`] while the rows want something on it;
/// [`faults::REASON_NEEDED`].
pub async fn remove(ctx: &Ctx, name: &str, reason: &str, by: &Asker) -> Result<()> {
    by.allow(Action::System, &Subject::ORGANISATION)?;
    let reason = reason.trim();
    transact!(ctx.store, tx => {
            let found = rows::hosts::by_name(tx, name).await?.filter(|host| host.removed_at.is_none());
            let host = found.ok_or_else(|| Fault::new(&faults::NO_HOST_CALLED).with("host", name))?;
            if reason.is_empty() {
                return Err(Fault::new(&faults::REASON_NEEDED).into());
            }
            if ctx.agents.is_present(host.id) {
                return Err(Fault::new(&faults::HOST_PRESENT).with("host", name).into());
            }
            if let Some(what) = wanted_on(tx, host.id).await? {
                return Err(Fault::new(&faults::HOST_IN_USE).with("host", name).with("what", what).into());
            }
            rows::hosts::remove(tx, host.id).await?;
            tx.event(NewEvent {
                before: Some(serde_json::json!({ "id": host.id, "last_seen_at": host.last_seen_at.map(v1::Time::from) })),
                after: Some(serde_json::json!({ "reason": reason })),
    ..by.event("host.removed", format!("host/{name}"))})
            .await?;
            Ok(())
        })
}

/// What would be lost with a host: places whose instances are to run there, tasks that are to be done there.
async fn wanted_on(r: &mut impl Reader, host: HostId) -> Result<Option<Said>> {
    let places: BTreeSet<String> =
        rows::instances::on_host(r, host).await?.iter().map(|i| i.place.to_string()).collect();
    if !places.is_empty() {
        let (n, few) = (places.len(), places.into_iter().take(3).collect::<Vec<_>>().join(", "));
        return Ok(Some(said!("instances of {n} places ({few}, …)", "{n} 处的实例（{few} 等）", n = n, few = few)));
    }
    let tasks = rows::tasks::on_host(r, host).await?.len();
    Ok((tasks > 0).then(|| said!("{n} tasks under way", "{n} 个进行中的任务", n = tasks)))
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

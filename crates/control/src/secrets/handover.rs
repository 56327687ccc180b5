//! What a host is given when it is about to start something: the values that this instance or job wants, and no others.

use super::{faults, open, wanted};
use crate::{Ctx, Result, rollouts::places::InstanceBody};
use tradewind_model::{
    fault::Fault,
    id::{EnvName, HostId, InstanceId, ServiceName, SiteName, TaskId},
    protocol::{
        agent::{DesiredTask, Work},
        secret::{HandedSecret, Handover},
    },
    secret::SecretUse,
};
use tradewind_store::{Tx, rows, transact};

/// Who is to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    Instance(InstanceId),
    Task(TaskId),
}

/// Whose secrets are looked for.
struct Where {
    service: ServiceName,
    env: Option<EnvName>,
    site: Option<SiteName>,
}

/// Notes who was given what, so that whoever changes a secret learns who has the old one.
///
/// # Errors
/// [`faults::NOT_YOURS`], [`faults::MISSING`], [`faults::VAULT_CLOSED`], [`faults::DAMAGED`].
pub async fn give(ctx: &Ctx, host: HostId, holder: Holder) -> Result<Handover> {
    transact!(ctx.store, tx => {
        tx.without_event("the start it belongs to is told by whoever asked for it");
        let (at, uses) = wishes(tx, host, holder).await?;
        let mut values = Vec::new();
        if uses.is_empty() {
            return Ok(Handover { values });
        }
        let ring = ctx.vault.ring()?;
        for used in uses {
            let found = wanted::holding(tx, &used.name, &at.service, at.env.as_ref(), at.site.as_ref()).await?;
            let Some(secret) = found else { return Err(missing(&at, &used).into()) };
            let value = open(tx, &ring, &secret, secret.newest).await?;
            match holder {
                Holder::Instance(id) => rows::secrets::hand_over(tx, id, secret.id, secret.newest).await?,
                Holder::Task(_) => rows::secrets::used(tx, secret.id, secret.newest).await?,
            }
            let value = value.expose().to_owned();
            values.push(HandedSecret { used, version: secret.newest, value });
        }
        Ok(Handover { values })
    })
}

fn missing(at: &Where, used: &SecretUse) -> Fault {
    let env = at.env.as_ref().map(|e| format!(" --env {e}")).unwrap_or_default();
    let place = match (&at.env, &at.site) {
        (Some(env), Some(site)) => format!("{}/{env}/{site}", at.service),
        (Some(env), None) => format!("{}/{env}", at.service),
        (None, _) => at.service.to_string(),
    };
    let command = format!("`tradewind secret set {} --service {}{env}`", used.name, at.service);
    Fault::new(&faults::MISSING).with("place", place).with("names", &used.name).with("command", command)
}

/// Of what is on this host's list; of anything else nothing is said, not even whether it is there.
async fn wishes(tx: &mut Tx, host: HostId, holder: Holder) -> Result<(Where, Vec<SecretUse>)> {
    let refused = |what: String| Fault::new(&faults::NOT_YOURS).with("what", what);
    match holder {
        Holder::Instance(id) => {
            let row = rows::instances::on_host(tx, host).await?.into_iter().find(|row| row.id == id);
            let row = row.ok_or_else(|| refused(id.to_string()))?;
            let body: InstanceBody = row.body.read()?;
            let at = Where { service: row.place.service, env: Some(row.place.env), site: Some(row.place.site) };
            Ok((at, body.workload.secrets))
        }
        Holder::Task(id) => {
            let row = rows::tasks::on_host(tx, host).await?.into_iter().find(|row| row.id == id);
            let row = row.ok_or_else(|| refused(id.to_string()))?;
            let task: DesiredTask = row.body.read()?;
            let Work::Job(job) = task.work else { return Err(refused(id.to_string()).into()) };
            let run = rows::runs::get(tx, job.run).await?;
            Ok((Where { service: run.service, env: run.env, site: None }, job.secrets))
        }
    }
}

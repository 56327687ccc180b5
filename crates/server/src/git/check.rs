//! What a push must bring before its refs move: a spec and a pipeline that can be read.

use super::{
    Quarantine,
    commit::{self, Complaint, Moved},
    push::Push,
    wire::Update,
};
use crate::{App, faults, http::Refusal};
use tradewind_control::{policies, runs, services};
use tradewind_model::{
    access::{Action, Part, Subject},
    fault::Fault,
    id::EnvName,
};

/// What is wrong with a push; empty when nothing is.
pub async fn complaints(
    app: &App,
    push: &Push,
    updates: &[Update],
    quarantine: Option<&Quarantine>,
) -> Result<Vec<Complaint>, Refusal> {
    let (remote, mut found) = (&app.git, Vec::new());
    found.extend(not_allowed(app, push, updates).await?);
    for update in updates.iter().filter(|u| !u.is_deletion()) {
        // A name that is no UTF-8 cannot be told apart from others of its kind.
        let readable = !update.name.contains(char::REPLACEMENT_CHARACTER);
        if readable && update.branch().is_some() {
            let by = push.caller.asker(None);
            let moved = Moved { id: String::new(), by };
            match commit::read(&remote.repos, &push.service, update, moved, quarantine).await? {
                Ok(read) => {
                    match runs::check(&read) {
                        // By what the pushed spec says of the branch, beside what the last release said.
                        Ok(env) => found.extend(refused(app, push, env, update, &read).await?),
                        Err(faults) => found.push(Complaint::of_push(faults, &read)),
                    }
                }
                Err(complaint) => found.push(complaint),
            }
        } else if !readable || !update.is_tag() {
            found.push(Complaint::one(Fault::new(&faults::ODD_REF).with("ref", &update.name)));
        }
    }
    Ok(found)
}

/// What speaks against a push that can be read: the pusher's rights, and the policy of where its branch leads.
async fn refused(
    app: &App,
    push: &Push,
    env: Option<EnvName>,
    update: &Update,
    read: &runs::Push,
) -> Result<Option<Complaint>, Refusal> {
    if let Err(fault) = may_push(push, env.clone()) {
        return Ok(Some(Complaint::one(fault)));
    }
    let (Some(env), Some(branch)) = (env, update.branch()) else { return Ok(None) };
    let mut snapshot = app.store.for_org(push.caller.org.clone()).read().await?;
    let found = policies::check_push(&mut snapshot, &env, branch, &read.spec).await?;
    Ok((!found.is_empty()).then(|| Complaint::of_push(found, read)))
}

fn may_push(push: &Push, env: Option<EnvName>) -> Result<(), Fault> {
    let subject = Subject { env: Part::if_any(env), ..Subject::service(push.service.clone()) };
    push.caller.allow(Action::Push, &subject)
}

/// A branch belongs to the environment it leads to, also where it is deleted, and also where the pushed spec says that it
/// leads elsewhere from now on.
async fn not_allowed(app: &App, push: &Push, updates: &[Update]) -> Result<Option<Complaint>, Refusal> {
    let mut read = app.store.for_org(push.caller.org.clone()).read().await?;
    for update in updates {
        let env = match update.branch() {
            Some(branch) => services::environment_of_branch(&mut read, &push.service, branch).await?,
            None => None,
        };
        if let Err(fault) = may_push(push, env) {
            return Ok(Some(Complaint::one(fault)));
        }
    }
    Ok(None)
}

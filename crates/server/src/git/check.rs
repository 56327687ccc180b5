//! What a push must bring before its refs move: a spec and a pipeline that can be read.

use super::{
    Quarantine, Remote,
    commit::{self, Complaint, Moved},
    push::Push,
    repo::GitError,
    wire::Update,
};
use crate::faults;
use tradewind_control::{ctx::Asker, runs};
use tradewind_model::fault::Fault;

/// What is wrong with a push; empty when nothing is.
pub async fn complaints(
    remote: &Remote,
    push: &Push,
    updates: &[Update],
    quarantine: Option<&Quarantine>,
) -> Result<Vec<Complaint>, GitError> {
    let mut found = Vec::new();
    for update in updates.iter().filter(|u| !u.is_deletion()) {
        // A name that is no UTF-8 cannot be told apart from others of its kind.
        let readable = !update.name.contains(char::REPLACEMENT_CHARACTER);
        if readable && update.branch().is_some() {
            let by = Asker { actor: push.caller.actor(), cause: None };
            let moved = Moved { id: String::new(), by };
            match commit::read(&remote.repos, &push.service, update, moved, quarantine).await? {
                Ok(read) => {
                    found.extend(runs::check(&read).err().map(|faults| Complaint::of_push(faults, &read)));
                }
                Err(complaint) => found.push(complaint),
            }
        } else if !readable || !update.is_tag() {
            found.push(Complaint::one(Fault::new(&faults::ODD_REF).with("ref", &update.name)));
        }
    }
    Ok(found)
}

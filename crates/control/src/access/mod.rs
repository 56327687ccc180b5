//! People, groups, roles and invitations, and what follows from them: whose rights a request has.
//!
//! Architecture invariants: nobody hands out a right they do not have themselves; there is always a way back in for whoever
//! owns the machine; what is removed is remembered by the event log alone.

pub mod faults;
pub(crate) mod grants;
mod groups;
mod invitations;
pub mod locate;
mod people;
mod policy;
mod rights;
pub mod sealed;

pub use grants::{grant, list as grants, withdraw};
pub use groups::{add_member, create as create_group, list as groups, remove as remove_group, remove_member};
pub use invitations::{Accepted, accept, code_hash, invite, list as invitations, revoke as revoke_invitation};
pub use people::{
    create_service_account, disable, enable, erase, list as users, owner_account, reset_second_factor, set_password,
    set_second_factor, show as user, view,
};
pub use policy::{Policy, needs_second_factor, policy, set_policy};
pub use rights::{of as rights, of_token, of_user};

use crate::ctx::Asker;
use tradewind_model::event::NewEvent;

/// The shape of an event about access, with the reason given for it.
pub fn fact(kind: &str, subject: String, by: &Asker, after: Option<serde_json::Value>) -> NewEvent {
    let after = match &by.reason {
        None => after,
        Some(reason) => {
            let mut told = after.unwrap_or_else(|| serde_json::json!({}));
            told["reason"] = reason.as_str().into();
            Some(told)
        }
    };
    NewEvent { after, ..by.event(kind, subject) }
}

use axum::extract::FromRequestParts;
use http::request::Parts;
use std::sync::Arc;
use tradewind_control::ctx::{Asker, not_allowed};
use tradewind_model::{
    access::{Action, Principal, Rights, Subject},
    event::Actor,
    fault::Fault,
    id::{HostId, OrgName, SessionId, TokenId, UserId},
};
use tradewind_store::rows::{hosts::Host, sessions::Session, tokens::Token, users::User};

use crate::{App, http::Refusal};

/// Who sent a request, once that is proven, and what they may. Handlers take it as an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    pub org: OrgName,
    pub identity: Identity,
    /// A user's handle, the name of a token without an owner, or a host's.
    pub name: String,
    /// Of a host: none.
    pub rights: Arc<Rights>,
    /// The person, or the account the token belongs to.
    pub user: Option<UserId>,
    /// A policy asks for a second factor that is not there: until then nothing but setting one up is allowed.
    pub second_factor_needed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    Token(TokenId),
    Session(SessionId),
    Host(HostId),
    /// What a forge's delivery acts as: no request is ever authenticated as one.
    Forge(UserId),
}

impl Caller {
    pub(super) fn token(token: &Token, owner: Option<&User>, rights: Rights) -> Self {
        Self {
            org: token.org.clone(),
            identity: Identity::Token(token.id),
            name: owner.map_or_else(|| token.name.clone(), |u| u.handle.clone()),
            rights: Arc::new(rights),
            user: token.owner,
            second_factor_needed: false,
        }
    }

    pub(super) fn session(session: &Session, user: &User, rights: Rights, second_factor_needed: bool) -> Self {
        Self {
            org: session.org.clone(),
            identity: Identity::Session(session.id),
            name: user.handle.clone(),
            rights: Arc::new(rights),
            user: Some(user.id),
            second_factor_needed,
        }
    }

    pub(super) fn host(host: &Host) -> Self {
        Self {
            org: host.org.clone(),
            identity: Identity::Host(host.id),
            name: host.name.clone(),
            rights: Arc::default(),
            user: None,
            second_factor_needed: false,
        }
    }

    /// The account that pushes from a forge act as.
    pub fn forge(org: OrgName, account: UserId, by: &Asker) -> Self {
        Self {
            org,
            identity: Identity::Forge(account),
            name: by.name().to_owned(),
            rights: by.rights.clone(),
            user: Some(account),
            second_factor_needed: false,
        }
    }

    /// # Errors
    /// That it may not.
    pub fn allow(&self, action: Action, subject: &Subject) -> Result<(), Fault> {
        self.rights.check(action, subject).map_err(|why| not_allowed(&self.name, action, subject, why))
    }

    /// For events.
    pub fn actor(&self) -> Actor {
        let user = |principal| Actor::User { name: self.name.clone(), principal: Some(principal) };
        match (self.identity, self.user) {
            (Identity::Token(id), _) => user(Principal::Token(id)),
            (Identity::Session(_), Some(id)) | (Identity::Forge(id), _) => user(Principal::User(id)),
            (Identity::Session(_), None) => Actor::named(&self.name),
            (Identity::Host(_), _) => Actor::Agent { host: self.name.clone() },
        }
    }

    /// For use cases.
    pub fn asker(&self, cause: Option<String>) -> Asker {
        Asker { actor: self.actor(), cause, reason: None, rights: self.rights.clone() }
    }

    /// Unique among all callers.
    pub fn key(&self) -> String {
        match self.identity {
            Identity::Token(id) => format!("token/{id}"),
            Identity::Session(id) => format!("session/{id}"),
            Identity::Host(id) => format!("host/{id}"),
            Identity::Forge(id) => format!("forge/{id}"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Refusal::internal("a public route asks who calls"))
    }
}

/// The application as far as the caller reaches: their organisation's rows, and of those what they may see.
pub struct Scoped(pub App);

impl FromRequestParts<App> for Scoped {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Ok(Self(match parts.extensions.get::<Caller>() {
            Some(Caller { identity: Identity::Host(_), org, .. }) => app.within(org, Arc::new(Rights::all())),
            Some(caller) => app.within(&caller.org, caller.rights.clone()),
            None => app.clone(),
        }))
    }
}

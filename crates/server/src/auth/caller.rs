use crate::faults;
use axum::extract::FromRequestParts;
use http::request::Parts;
use tradewind_api::v1::Scope;
use tradewind_model::{
    event::Actor,
    fault::Fault,
    id::{HostId, OrgName, TokenId},
};
use tradewind_store::rows::{hosts::Host, tokens::Token};

use crate::http::Refusal;

/// Who sent a request, once that is proven. Handlers take it as an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    pub org: OrgName,
    pub identity: Identity,
    /// A token's name, or a host's.
    pub name: String,
    pub scopes: Vec<Scope>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    Token(TokenId),
    Host(HostId),
}

impl Caller {
    /// Scopes of a newer version are unknown here and grant nothing.
    pub(super) fn token(token: &Token) -> Self {
        let scopes = token.scopes.iter().filter_map(|s| s.parse().ok()).filter(|s| *s != Scope::Agent).collect();
        Self { org: token.org.clone(), identity: Identity::Token(token.id), name: token.name.clone(), scopes }
    }

    pub(super) fn host(host: &Host) -> Self {
        let scopes = vec![Scope::Agent];
        Self { org: host.org.clone(), identity: Identity::Host(host.id), name: host.name.clone(), scopes }
    }

    pub fn may(&self, wanted: Scope) -> bool {
        self.scopes.iter().any(|s| s.includes(wanted))
    }

    /// # Errors
    /// [`faults::NOT_ALLOWED`].
    pub fn require(&self, wanted: Scope) -> Result<(), Fault> {
        if self.may(wanted) {
            return Ok(());
        }
        Err(Fault::new(&faults::NOT_ALLOWED).with("name", &self.name).with("scope", wanted))
    }

    /// For events.
    pub fn actor(&self) -> Actor {
        match self.identity {
            Identity::Token(_) => Actor::User { name: self.name.clone() },
            Identity::Host(_) => Actor::Agent { host: self.name.clone() },
        }
    }

    /// Unique among all callers.
    pub fn key(&self) -> String {
        match self.identity {
            Identity::Token(id) => format!("token/{id}"),
            Identity::Host(id) => format!("host/{id}"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Refusal::internal("a public route asks who calls"))
    }
}

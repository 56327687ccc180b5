//! What every use case is given.

use crate::{agents::Agents, judging::Folds};
use std::sync::Arc;
use tradewind_model::{event::Actor, time::Timestamp};
use tradewind_store::Store;

/// Clones share everything.
#[derive(Clone)]
pub struct Ctx {
    pub store: Store,
    pub agents: Arc<Agents>,
    /// Verdicts on active rollouts, as of the last look.
    pub folds: Arc<Folds>,
    /// Since when this process can know who is connected.
    pub since: Timestamp,
}

impl Ctx {
    pub fn new(store: Store) -> Self {
        let since = store.now();
        Self { store, agents: Arc::default(), folds: Arc::default(), since }
    }
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }
}

/// Who asks, and through what: on every event a request causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asker {
    pub actor: Actor,
    /// The request's id, or the event that led here.
    pub cause: Option<String>,
}

impl Asker {
    pub fn system(part: &str) -> Self {
        Self { actor: Actor::System { part: part.into() }, cause: None }
    }
    pub fn user(name: impl Into<String>) -> Self {
        Self { actor: Actor::User { name: name.into() }, cause: None }
    }
    /// For people: the user's name, or the part of the control plane.
    pub fn name(&self) -> &str {
        match &self.actor {
            Actor::User { name } => name,
            Actor::System { part } => part,
            Actor::Agent { host } => host,
        }
    }
}

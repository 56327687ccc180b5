//! What every use case is given.

use crate::{Result, access::faults, agents::Agents, judging::Folds, rounds::Rounds, secrets::vault::Vault};
use std::sync::Arc;
use tradewind_model::{
    access::{Action, Ceiling, Refused, Rights, Role, Subject},
    event::{Actor, NewEvent},
    fault::Fault,
    id::OrgName,
    time::Timestamp,
};
use tradewind_store::Store;

/// Clones share everything.
#[derive(Clone)]
pub struct Ctx {
    pub store: Store,
    pub agents: Arc<Agents>,
    /// Verdicts on active rollouts, as of the last look.
    pub folds: Arc<Folds>,
    /// How what goes on in the background fares.
    pub rounds: Arc<Rounds>,
    /// What secrets are sealed with; without keys unless [`Ctx::with_vault`] says otherwise.
    pub vault: Arc<Vault>,
    /// Since when this process can know who is connected.
    pub since: Timestamp,
    /// Whose eyes what is shown is for. Reconcilers see everything.
    pub sight: Arc<Rights>,
}

impl Ctx {
    pub fn new(store: Store) -> Self {
        let since = store.now();
        let sight = Arc::new(Rights::all());
        Self {
            store,
            agents: Arc::default(),
            folds: Arc::default(),
            rounds: Arc::default(),
            vault: Arc::default(),
            since,
            sight,
        }
    }
    pub fn with_vault(self, vault: Arc<Vault>) -> Self {
        Self { vault, ..self }
    }
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// The same for one caller: within their organisation, and showing only what they may see.
    pub fn for_caller(&self, org: &OrgName, rights: Arc<Rights>) -> Self {
        Self { store: self.store.for_org(org.clone()), sight: rights, ..self.clone() }
    }

    pub fn sees(&self, subject: &Subject) -> bool {
        self.sight.may(Action::Read, subject)
    }
}

/// Who asks, and through what: on every event a request causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asker {
    pub actor: Actor,
    /// The request's id, or the event that led here.
    pub cause: Option<String>,
    /// What they say for it; it goes into events about access.
    pub reason: Option<String>,
    pub rights: Arc<Rights>,
}

impl Asker {
    pub fn system(part: &str) -> Self {
        Self::trusted(Actor::System { part: part.into() })
    }
    /// Somebody who may do anything: the machine's owner, or a part of the control plane.
    pub fn trusted(actor: Actor) -> Self {
        Self { actor, cause: None, reason: None, rights: Arc::new(Rights::all()) }
    }

    /// Nothing where nothing is said.
    pub fn because(self, reason: String) -> Self {
        Self { reason: (!reason.is_empty()).then_some(reason), ..self }
    }

    /// That this happened to `subject` by them; what else there is to tell is added.
    pub fn event(&self, kind: &str, subject: impl Into<String>) -> NewEvent {
        NewEvent {
            kind: kind.into(),
            schema: 1,
            actor: self.actor.clone(),
            subject: subject.into(),
            cause: self.cause.clone(),
            service: None,
            env: None,
            before: None,
            after: None,
        }
    }

    /// # Errors
    /// [`faults::NOT_ALLOWED`].
    pub fn allow(&self, action: Action, subject: &Subject) -> Result<()> {
        match self.rights.check(action, subject) {
            Ok(()) => Ok(()),
            Err(why) => Err(not_allowed(self.name(), action, subject, why).into()),
        }
    }
    /// For people: the user's name, or the part of the control plane.
    pub fn name(&self) -> &str {
        match &self.actor {
            Actor::User { name, .. } => name,
            Actor::System { part } => part,
            Actor::Agent { host } => host,
        }
    }
}

/// The refusal as it is told: what is missing, and whom to ask.
pub fn not_allowed(name: &str, action: Action, subject: &Subject, why: Refused) -> Fault {
    let code = match why {
        Refused::Token => &faults::TOKEN_TOO_SMALL,
        Refused::Unseen | Refused::Role => &faults::NOT_ALLOWED,
    };
    let told = Fault::new(code).with("name", name).with("action", action).with("what", subject);
    told.with("role", Role::least(action)).with("scope", scope(action))
}

fn scope(action: Action) -> &'static str {
    match action.ceiling() {
        Ceiling::Read => "read",
        Ceiling::Deploy => "deploy",
        Ceiling::Admin => "admin",
    }
}

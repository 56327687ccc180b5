use crate::{auth::Throttle, config::ServerConfig, git, hooks::Hooks, http::idempotency::UnderWay};
use std::{net::IpAddr, ops::Deref, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tradewind_control::{Ctx, audit::Audit, certificates::Keeper, housekeeping::Collector, runs::Runs};
use tradewind_model::{access::Rights, id::OrgName};
use tradewind_store::{Blobs, Store};

/// What handlers share. Clones are one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

#[derive(Clone)]
pub struct Parts {
    pub config: Arc<ServerConfig>,
    pub store: Store,
    pub ctx: Ctx,
    pub runs: Runs,
    pub audit: Audit,
    /// What seals the keys of certificates.
    pub keeper: Keeper,
    pub blobs: Blobs,
    pub collector: Collector,
    pub git: git::Remote,
    /// Wrong codes and passwords, by where they come from.
    pub throttle: Arc<Throttle<IpAddr>>,
    /// The same by the account they are meant for.
    pub accounts: Arc<Throttle<String>>,
    /// Deliveries of forges that are being taken in, and those that were not let in.
    pub hooks: Arc<Hooks>,
    pub under_way: UnderWay,
    /// What goes on behind answers; waited for when the server stops.
    pub tasks: TaskTracker,
    /// The server stops: streams end, nothing new begins.
    pub stop: CancellationToken,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The same as far as a caller reaches.
    pub fn within(&self, org: &OrgName, rights: Arc<Rights>) -> Self {
        let ctx = self.ctx.for_caller(org, rights);
        let runs = self.runs.within(ctx.clone());
        Self::new(Parts { store: ctx.store.clone(), ctx, runs, ..Parts::clone(self) })
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

use crate::{auth::Throttle, config::ServerConfig, git, http::idempotency::UnderWay};
use std::{ops::Deref, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tradewind_control::{Ctx, runs::Runs};
use tradewind_store::{Blobs, Store};

/// What handlers share. Clones are one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: ServerConfig,
    pub store: Store,
    pub ctx: Ctx,
    pub runs: Runs,
    pub blobs: Blobs,
    pub git: git::Remote,
    pub throttle: Throttle,
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
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

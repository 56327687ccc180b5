//! Pushes under way: what their hooks may ask about.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;
use tradewind_model::{fault::Lang, id::ServiceName};

use crate::auth::Caller;

#[derive(Debug)]
pub struct Push {
    pub service: ServiceName,
    pub caller: Caller,
    pub lang: Lang,
    /// Whether the pusher wants to be told here how the runs go; a program that follows them by itself does not.
    pub follow: bool,
    /// The id of the request that carries it.
    pub request: String,
    /// The pusher's connection has ended. Ends the following, never a run.
    pub gone: CancellationToken,
}

/// Keyed by a number that only the push's own hooks are given.
#[derive(Clone, Default, Debug)]
pub struct Pushes(Arc<Mutex<HashMap<String, Arc<Push>>>>);

impl Pushes {
    /// Lists a push until the guard is dropped.
    pub fn begin(&self, push: Push) -> Result<Listed, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        let key = hex::encode(key);
        let push = Arc::new(push);
        self.lock().insert(key.clone(), Arc::clone(&push));
        Ok(Listed { key, push, all: self.clone() })
    }

    pub fn find(&self, key: &str) -> Option<Arc<Push>> {
        self.lock().get(key).cloned()
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Push>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub struct Listed {
    pub key: String,
    pub push: Arc<Push>,
    all: Pushes,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

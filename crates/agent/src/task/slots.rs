//! How many jobs run at once, and as which user each.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub struct Slots {
    permits: Arc<Semaphore>,
    free: Arc<Mutex<BTreeSet<usize>>>,
}

/// One job's place; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    pub number: usize,
    free: Arc<Mutex<BTreeSet<usize>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Slots {
    pub fn new(count: usize) -> Self {
        let count = count.max(1);
        Self { permits: Arc::new(Semaphore::new(count)), free: Arc::new(Mutex::new((0..count).collect())) }
    }

    /// In order of asking.
    pub async fn take(&self) -> Slot {
        let permit = self.permits.clone().acquire_owned().await.ok();
        let number = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
        Slot { number: number.unwrap_or_default(), free: self.free.clone(), _permit: permit }
    }

    /// The place of a job that runs already, whatever the count is now.
    pub fn take_again(&self, number: usize) -> Slot {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        Slot { number, free: self.free.clone(), _permit: self.permits.clone().try_acquire_owned().ok() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // One beyond the count (it was higher once) is not given out again.
        if self._permit.is_some() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).insert(self.number);
        }
    }
}

//! Room for what anybody may send to a webhook's address before it is known who sent it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tradewind_control::forges::intake::Refusals;
use tradewind_model::id::LinkId;

/// Bytes of a delivery's body: what the largest forge sends at most.
pub const BODY: usize = 25 << 20;
/// Until a body has to be there.
pub const BODY_TIME: Duration = Duration::from_secs(30);
/// Bodies read at once.
const ROOM: usize = 6;
/// Of one link: whoever knows the address of one holds up no other.
const OF_ONE: usize = 2;

#[derive(Debug)]
pub struct Hooks {
    pub refusals: Refusals,
    room: Arc<Semaphore>,
    of_links: Mutex<HashMap<LinkId, Arc<Semaphore>>>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { refusals: Refusals::default(), room: Arc::new(Semaphore::new(ROOM)), of_links: Mutex::default() }
    }
}

/// Held while a body is read.
#[derive(Debug)]
pub struct Place(#[allow(dead_code, reason = "held")] [OwnedSemaphorePermit; 2]);

impl Hooks {
    /// None where there is no room now.
    pub fn enter(&self, link: LinkId) -> Option<Place> {
        let own = {
            let mut all = self.of_links.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody is in need not be remembered.
            all.retain(|_, s| s.available_permits() < OF_ONE);
            Arc::clone(all.entry(link).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE))))
        };
        let own = own.try_acquire_owned().ok()?;
        Some(Place([own, Arc::clone(&self.room).try_acquire_owned().ok()?]))
    }
}

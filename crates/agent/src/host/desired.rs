//! The desired state: on disk before it is acted upon, and never an older one than the one that is held.

use crate::{
    disk::{self, Outlives},
    faults,
    home::Home,
};
use tradewind_model::{fault::Fault, protocol::agent::Desired};

#[derive(Debug)]
pub enum Accepted {
    New(Desired),
    /// It is held already.
    Same,
    Refused(Fault),
}

/// What was held when the last agent ended; `None` on a new host.
pub fn load(home: &Home) -> Option<Desired> {
    disk::read_json(&home.desired()).unwrap_or_else(|error| {
        tracing::error!(%error, "the desired state is damaged; what runs goes on until the server sends it again");
        None
    })
}

pub async fn accept(home: &Home, held: Option<&Desired>, desired: Desired) -> Accepted {
    if let Some(held) = held {
        if desired.generation < held.generation {
            let fault = Fault::new(&faults::STALE_STATE).with("got", desired.generation);
            return Accepted::Refused(fault.with("held", held.generation));
        }
        if desired == *held {
            return Accepted::Same;
        }
    }
    let path = home.desired();
    let written = tokio::task::spawn_blocking(move || {
        let result = disk::write_json(&path, &desired, Outlives::Machine);
        (desired, result)
    });
    match written.await {
        Ok((desired, result)) => {
            if let Err(error) = result {
                // A full disk must not hold up a rollback. The server sends it again to an agent that lost it.
                tracing::error!(%error, "the desired state could not be written; it is acted upon all the same");
            }
            Accepted::New(desired)
        }
        Err(e) => Accepted::Refused(Fault::new(&faults::DISK).with("what", "writing the desired state").with("why", e)),
    }
}

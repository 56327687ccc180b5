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
        if desired == *held && home.desired().exists() {
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
                // A full disk must not hold up a rollback. The server sends it again to an agent that has none; one that
                // has an older one would stop what this one began.
                tracing::error!(%error, "the desired state could not be written; it is acted upon all the same");
                if let Err(error) = disk::remove_file(&home.desired()) {
                    tracing::error!(%error, "an older desired state was left behind");
                }
            }
            Accepted::New(desired)
        }
        Err(e) => Accepted::Refused(Fault::new(&faults::DISK).with("what", "writing the desired state").with("why", e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_cannot_be_written_leaves_no_older_one_to_the_next_agent() {
        let tmp = tempfile::tempdir().unwrap();
        let home = Home::at(tmp.path().join("agent"));
        home.create().unwrap();
        let desired = |generation| Desired { generation, ..Desired::default() };
        let Accepted::New(held) = accept(&home, None, desired(1)).await else { panic!("the first was not accepted") };
        assert_eq!(load(&home), Some(held.clone()));
        // Where the new file would be written.
        std::fs::create_dir(home.root().join("desired.json.new")).unwrap();
        assert!(matches!(accept(&home, Some(&held), desired(2)).await, Accepted::New(d) if d.generation == 2));
        assert_eq!(load(&home), None);
        std::fs::remove_dir(home.root().join("desired.json.new")).unwrap();
        accept(&home, Some(&desired(2)), desired(2)).await;
        assert_eq!(load(&home), Some(desired(2)), "written when there is room again");
    }
}

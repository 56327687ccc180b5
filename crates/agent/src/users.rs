//! Whose rights what runs here has.

use crate::{config::RunAs, faults};
use std::{io, path::Path};
use tradewind_model::{fault::Fault, id::Place, protocol::shim::User};
use tradewind_targets::users::{self, InstanceUsers};

/// The last of the jobs' users; [`MOST_SLOTS`] keeps jobs away from it.
const PREPARE: u32 = 999;
pub const MOST_SLOTS: usize = 900;

#[derive(Debug)]
pub struct Users {
    instances: Option<InstanceUsers>,
}

impl Users {
    /// `path` remembers who has which number.
    pub fn open(path: &Path, run_as: RunAs) -> io::Result<Self> {
        let instances = match run_as {
            RunAs::SeparateUsers => Some(InstanceUsers::open(path)?),
            RunAs::SameUser => None,
        };
        Ok(Self { instances })
    }

    /// The user of a service's instances in an environment; `None` is the agent's own.
    pub fn of(&self, place: &Place) -> Result<Option<User>, Fault> {
        let Some(instances) = &self.instances else { return Ok(None) };
        let failed = |why: String| Fault::new(&faults::DISK).with("what", "giving a service its user").with("why", why);
        match instances.of(place.service.as_str(), place.env.as_str()) {
            Ok(Some(user)) => Ok(Some(user)),
            Ok(None) => Err(failed("no number is left".into())),
            Err(e) => Err(failed(e.to_string())),
        }
    }

    pub fn of_slot(&self, slot: usize) -> Option<User> {
        self.instances.as_ref().and_then(|_| users::of_job(slot as u32))
    }

    pub fn of_prepare(&self) -> Option<User> {
        self.instances.as_ref().and_then(|_| users::of_job(PREPARE))
    }
}

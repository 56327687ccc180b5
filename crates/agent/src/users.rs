//! Whose rights what runs here has.

use crate::{config::RunAs, disk, faults, home::Home};
use std::{io, os::unix::fs::MetadataExt, path::Path};
use tradewind_model::{fault::Fault, id::Place, protocol::shim::User, said, said::Said};
use tradewind_targets::users::{self, InstanceUsers};

/// The last of the jobs' users; [`MOST_SLOTS`] keeps jobs away from it.
const PREPARE: u32 = 999;
pub const MOST_SLOTS: usize = 900;

#[derive(Debug)]
pub struct Users {
    instances: Option<InstanceUsers>,
}

impl Users {
    /// Who has which number is kept in a file. Where that is damaged or lost, the owners of the data folders tell:
    /// another number would take a service's own files from it, and its own would go to somebody else.
    pub fn open(home: &Home, run_as: RunAs) -> io::Result<Self> {
        let path = home.users();
        if run_as == RunAs::SameUser {
            return Ok(Self { instances: None });
        }
        let instances = match InstanceUsers::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::error!(%error, path = %path.display(), "the record of users is damaged; it is made again");
                InstanceUsers::renew(&path)?
            }
            opened => opened?,
        };
        for (service, env, uid) in owners(&home.all_data())? {
            instances.keep(&service, &env, uid)?;
        }
        Ok(Self { instances: Some(instances) })
    }

    /// The user of a service's instances in an environment; `None` is the agent's own.
    pub fn of(&self, place: &Place) -> Result<Option<User>, Fault> {
        let Some(instances) = &self.instances else { return Ok(None) };
        let failed = |why: Said| {
            let what = said!("giving a service its user", "为服务分配用户");
            Fault::new(&faults::DISK).with("what", what).with("why", why)
        };
        match instances.of(place.service.as_str(), place.env.as_str()) {
            Ok(Some(user)) => Ok(Some(user)),
            Ok(None) => Err(failed(said!("no number is left", "编号已用尽"))),
            Err(e) => Err(failed(Said::plain(e.to_string()))),
        }
    }

    pub fn of_slot(&self, slot: usize) -> Option<User> {
        self.instances.as_ref().and_then(|_| users::of_job(slot as u32))
    }

    pub fn of_prepare(&self) -> Option<User> {
        self.instances.as_ref().and_then(|_| users::of_job(PREPARE))
    }
}

/// (service, environment, uid) of each data folder `SERVICE/ENV/SITE`.
fn owners(data: &Path) -> io::Result<Vec<(String, String, u32)>> {
    let names = |path: &Path| match disk::names(path) {
        // Somebody's stray file.
        Err(e) if e.source.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
        names => names.map_err(|e| e.source),
    };
    let mut found = Vec::new();
    for service in names(data)? {
        for env in names(&data.join(&service))? {
            let sites = data.join(&service).join(&env);
            for site in names(&sites)? {
                let owner = std::fs::symlink_metadata(sites.join(site))?.uid();
                if users::INSTANCES.contains(&owner) {
                    found.push((service.clone(), env.clone(), owner));
                }
            }
        }
    }
    Ok(found)
}

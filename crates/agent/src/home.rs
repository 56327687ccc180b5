//! Where things are in the agent's folder. Nothing else builds these paths.

use crate::disk::{self, Result};
use std::path::{Path, PathBuf};
use tradewind_model::id::{Digest, InstanceId, Place, TaskId};

/// The agent's folder, `DIR/agent`.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folders. Users of instances and jobs may pass through (to what is theirs) but not look around.
    pub fn create(&self) -> Result<()> {
        disk::folder(&self.root, 0o711)?;
        for (name, mode) in [
            ("releases", 0o711),
            ("instances", 0o700),
            ("tasks", 0o711),
            ("data", 0o711),
            ("ended", 0o700),
            ("certificates", 0o700),
        ] {
            disk::folder(&self.root.join(name), mode)?;
        }
        // What was being fetched is fetched again.
        disk::remove_folder(&self.downloads())?;
        disk::folder(&self.downloads(), 0o700)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn desired(&self) -> PathBuf {
        self.root.join("desired.json")
    }
    /// Numbers handed out to (service, environment)s.
    pub fn users(&self) -> PathBuf {
        self.root.join("users.json")
    }
    /// Ports given to instances.
    pub fn ports(&self) -> PathBuf {
        self.root.join("ports.json")
    }
    pub fn edge_state(&self) -> PathBuf {
        self.root.join("edge.json")
    }
    /// Canaries given up without the server.
    pub fn trips(&self) -> PathBuf {
        self.root.join("trips.json")
    }
    /// Workers whose shards were taken back without the server.
    pub fn shard_trips(&self) -> PathBuf {
        self.root.join("shard-trips.json")
    }
    /// Runs of cron services that are compared.
    pub fn tally(&self) -> PathBuf {
        self.root.join("tally.json")
    }
    /// What is kept of secrets is sealed with it.
    pub fn key(&self) -> PathBuf {
        self.root.join("secrets.key")
    }
    /// When the server was heard of last.
    pub fn contact(&self) -> PathBuf {
        self.root.join("contact.json")
    }
    /// Certificates with their keys, by the digests of their chains; for the agent's user alone.
    pub fn certificates(&self) -> PathBuf {
        self.root.join("certificates")
    }
    pub fn certificate(&self, chain: &Digest) -> PathBuf {
        self.certificates().join(format!("{}.json", chain.hex()))
    }
    pub fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }
    pub fn download(&self, blob: &Digest) -> PathBuf {
        self.downloads().join(blob.hex())
    }

    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }
    /// The release's final path.
    pub fn release(&self, release: &Digest) -> PathBuf {
        self.releases().join(release.hex())
    }
    /// Written last: what became of it.
    pub fn release_mark(&self, release: &Digest) -> PathBuf {
        self.releases().join(format!("{}.json", release.hex()))
    }
    /// Where it is unpacked before it gets its name.
    pub fn release_unpacking(&self, release: &Digest) -> PathBuf {
        self.releases().join(format!("{}.unpacking", release.hex()))
    }
    /// The shim's folder of its `prepare`.
    pub fn release_prepare(&self, release: &Digest) -> PathBuf {
        self.releases().join(format!("{}.prepare", release.hex()))
    }

    /// `HOME` of its `prepare`.
    pub fn release_home(&self, release: &Digest) -> PathBuf {
        self.releases().join(format!("{}.home", release.hex()))
    }

    pub fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }
    pub fn instance(&self, id: InstanceId) -> PathBuf {
        self.instances().join(id.to_string())
    }
    /// What is left of an instance that is gone: its log.
    pub fn ended(&self) -> PathBuf {
        self.root.join("ended")
    }
    pub fn ended_instance(&self, id: InstanceId) -> PathBuf {
        self.ended().join(id.to_string())
    }

    pub fn tasks(&self) -> PathBuf {
        self.root.join("tasks")
    }
    pub fn task(&self, id: TaskId) -> PathBuf {
        self.tasks().join(id.to_string())
    }

    pub fn all_data(&self) -> PathBuf {
        self.root.join("data")
    }
    /// What a service keeps on this host from release to release.
    pub fn data(&self, place: &Place) -> PathBuf {
        self.all_data().join(place.service.as_str()).join(place.env.as_str()).join(place.site.as_str())
    }
}

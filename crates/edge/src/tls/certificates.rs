//! Where served certificates come from. One owner: the control loop.

use super::{Served, Tls, folder::Folder};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(10);

pub struct Certificates {
    tls: Arc<Tls>,
    folder: Option<Folder>,
    looked: Option<Instant>,
    /// Somebody may ask for one.
    wanted: bool,
}

impl Certificates {
    pub fn new(tls: Arc<Tls>, folder: Option<PathBuf>, wanted: bool) -> Self {
        Self { tls, folder: folder.map(Folder::at), looked: None, wanted }
    }

    /// Once a second.
    pub async fn tick(&mut self) {
        if self.looked.is_none_or(|at| at.elapsed() >= EVERY) {
            self.look().await;
        }
    }

    pub async fn look(&mut self) {
        let is_first = self.looked.replace(Instant::now()).is_none();
        if let Some(mut folder) = self.folder.take() {
            let looked = tokio::task::spawn_blocking(move || {
                let changed = folder.look();
                (folder, changed)
            });
            let Ok((folder, changed)) = looked.await else { return };
            self.folder = Some(folder);
            if changed {
                self.publish();
            }
        }
        if is_first && self.wanted && self.tls.served().all().is_empty() {
            tracing::warn!("there is no certificate yet: TLS handshakes fail until there is one");
        }
    }

    fn publish(&self) {
        let served = Served::new(self.folder.iter().flat_map(Folder::certificates).collect());
        let names: Vec<_> = served.all().iter().flat_map(|c| &c.names).map(ToString::to_string).collect();
        tracing::info!(certificates = served.all().len(), names = names.join(" "), "certificates are in force");
        self.tls.publish(served);
    }

    pub fn tls(&self) -> &Tls {
        &self.tls
    }
}

//! Where served certificates come from: a folder that another program keeps, and what the agent sends. One owner: the
//! control loop.

use super::{Served, Tls, folder::Folder};
use crate::disk::{self, Home};
use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tradewind_model::{id::Digest, protocol::edge};
use tradewind_tls::Certificate;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(10);

pub struct Certificates {
    tls: Arc<Tls>,
    folder: Option<Folder>,
    looked: Option<Instant>,
    sent: edge::Certificates,
    /// None when a successor keeps them.
    file: Option<PathBuf>,
    /// Somebody may ask for one.
    wanted: bool,
}

impl Certificates {
    pub fn new(tls: Arc<Tls>, home: &Home, folder: Option<PathBuf>, wanted: bool) -> Self {
        let file = Some(home.certificates());
        Self { tls, folder: folder.map(Folder::at), looked: None, sent: edge::Certificates::default(), file, wanted }
    }

    /// With what was kept.
    pub async fn begin(&mut self) {
        if let Some(file) = &self.file {
            match std::fs::read(file).map(|bytes| serde_json::from_slice(&bytes)) {
                Ok(Ok(kept)) => self.sent = kept,
                Ok(Err(error)) => tracing::error!(%error, "kept certificates cannot be read; waiting for the agent's"),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::error!(%error, "kept certificates cannot be read; waiting for the agent's"),
            }
        }
        self.look().await;
        self.publish();
        if self.wanted && self.tls.served().all().is_empty() {
            tracing::warn!("there is no certificate yet: TLS handshakes fail until there is one");
        }
    }

    /// Once a second.
    pub async fn tick(&mut self) {
        if self.looked.is_none_or(|at| at.elapsed() >= EVERY) && self.look().await {
            self.publish();
        }
    }

    async fn look(&mut self) -> bool {
        self.looked = Some(Instant::now());
        let Some(mut folder) = self.folder.take() else { return false };
        let looked = tokio::task::spawn_blocking(move || {
            let changed = folder.look();
            (folder, changed)
        });
        let Ok((folder, changed)) = looked.await else { return false };
        self.folder = Some(folder);
        changed
    }

    /// What the agent sends takes the place of what it sent before. The digests and tokens that are shown.
    pub async fn take(&mut self, sent: edge::Certificates) -> (Vec<Digest>, Vec<String>) {
        let mut sent = sent;
        let missing = std::mem::take(&mut sent.missing);
        let held = self.sent.chains.iter().filter(|c| missing.contains(&c.digest())).cloned();
        sent.chains.extend(held.collect::<Vec<_>>());
        if sent != self.sent {
            self.sent = sent;
            self.publish();
            self.keep().await;
        }
        let shown = self.sent.chains.iter().map(edge::KeyedChain::digest).collect();
        (shown, self.sent.challenges.iter().map(|c| c.token.clone()).collect())
    }

    async fn keep(&self) {
        let Some(file) = self.file.clone() else { return };
        let sent = self.sent.clone();
        let written =
            tokio::task::spawn_blocking(move || disk::replace(&file, &serde_json::to_vec(&sent)?, 0o600)).await;
        if let Err(error) = written.map_err(io::Error::other).flatten() {
            tracing::error!(%error, "certificates are shown but could not be kept: an edge without an agent would begin without them");
        }
    }

    fn publish(&self) {
        let sent = self.sent.chains.iter().filter_map(|chain| {
            let read = Certificate::from_pem(chain.chain.as_bytes(), chain.key.as_bytes());
            read.map(Arc::new)
                .inspect_err(|error| tracing::error!(certificate = %chain.digest(), %error, "it cannot be used"))
                .ok()
        });
        let all = self.folder.iter().flat_map(Folder::certificates).chain(sent).collect();
        let served = Served::new(all, &self.sent.challenges);
        let names: Vec<_> = served.all().iter().flat_map(|c| &c.names).map(ToString::to_string).collect();
        tracing::info!(certificates = served.all().len(), names = names.join(" "), "certificates in force");
        self.tls.publish(served);
    }

    pub fn leave_disk_to_successor(&mut self) {
        self.file = None;
    }

    pub fn tls(&self) -> &Tls {
        &self.tls
    }
}

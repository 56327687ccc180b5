//! Brings the certificates that the edge is to show. Their keys come over the agent's own requests, never with the desired
//! state; they are kept for the agent's user alone, so that an edge that lost its own has them while the server is away.

use crate::{
    disk::{self, Outlives},
    home::Home,
    server::Server,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::watch;
use tradewind_model::{
    id::Digest,
    protocol::edge::{Certificates, Challenge, KeyedChain},
};

/// How often one that could not be brought is asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// What the newest desired state says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    pub certificates: Vec<Digest>,
    pub challenges: Vec<Challenge>,
}

/// Until the host's loop is gone. What is there is sent on without waiting for the rest.
pub async fn bring(
    home: Home,
    server: Server,
    mut wanted: watch::Receiver<Option<Wanted>>,
    to_edge: watch::Sender<Option<Arc<Certificates>>>,
) {
    loop {
        let now = wanted.borrow_and_update().clone();
        let mut is_whole = true;
        if let Some(now) = now {
            let (mut chains, mut missing) = (Vec::new(), Vec::new());
            for digest in &now.certificates {
                match held(&home, digest).await {
                    Some(chain) => chains.push(chain),
                    None => match fetch(&home, &server, digest).await {
                        Some(chain) => chains.push(chain),
                        None => missing.push(*digest),
                    },
                }
            }
            is_whole = missing.is_empty();
            let sent = Some(Arc::new(Certificates { chains, missing, challenges: now.challenges }));
            to_edge.send_if_modified(|held| {
                let differs = *held != sent;
                *held = sent;
                differs
            });
            if is_whole {
                forget_others(&home, now.certificates.iter().copied().collect()).await;
            }
        }
        let ended = if is_whole {
            wanted.changed().await.is_err()
        } else {
            matches!(tokio::time::timeout(AGAIN, wanted.changed()).await, Ok(Err(_)))
        };
        if ended {
            return;
        }
    }
}

async fn held(home: &Home, digest: &Digest) -> Option<KeyedChain> {
    let (path, digest) = (home.certificate(digest), *digest);
    let read = tokio::task::spawn_blocking(move || disk::read_json::<KeyedChain>(&path)).await.ok()?;
    read.inspect_err(|error| tracing::warn!(%error, "a kept certificate is damaged; it is fetched again"))
        .ok()?
        .filter(|c| c.digest() == digest)
}

async fn fetch(home: &Home, server: &Server, digest: &Digest) -> Option<KeyedChain> {
    let chain = match server.certificate(digest).await {
        Ok(chain) => chain,
        Err(error) => {
            tracing::warn!(certificate = %digest, %error, "a certificate could not be fetched; trying again");
            return None;
        }
    };
    let (path, kept) = (home.certificate(digest), chain.clone());
    let written = tokio::task::spawn_blocking(move || disk::write_json(&path, &kept, Outlives::Machine)).await;
    if let Ok(Err(error)) = written {
        tracing::error!(%error, "a certificate could not be kept; it is shown all the same");
    }
    Some(chain)
}

/// Keys that nobody wants any more do not stay.
async fn forget_others(home: &Home, wanted: BTreeSet<Digest>) {
    let home = home.clone();
    let forgotten = tokio::task::spawn_blocking(move || -> disk::Result<()> {
        let keep: BTreeSet<_> = wanted.iter().map(|d| home.certificate(d)).collect();
        for name in disk::names(&home.certificates())? {
            let path = home.certificates().join(name);
            if !keep.contains(&path) {
                disk::remove_file(&path)?;
            }
        }
        Ok(())
    });
    if let Ok(Err(error)) = forgotten.await {
        tracing::warn!(%error, "an old certificate could not be removed");
    }
}

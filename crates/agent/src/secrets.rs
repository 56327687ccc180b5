//! Secrets of what is about to begin: asked of the server each time, and kept sealed beside the process, so that one that
//! ends while the server is away begins again with what it had.

use crate::{
    disk::{self, Outlives},
    faults,
    home::Home,
    server::{RequestError, Server},
};
use std::{path::Path, sync::Arc};
use tradewind_model::{
    fault::Fault,
    id::{InstanceId, TaskId},
    protocol::secret::Handover,
    said::Said,
    secret::SecretUse,
};
use tradewind_secrets::ring::{Ring, RingError};
use tradewind_targets::{handed::Handed, process::ProcessTarget};

/// Who begins.
#[derive(Clone, Copy, Debug)]
pub enum Holder {
    Instance(InstanceId),
    Task(TaskId),
}

#[derive(Clone, Debug)]
pub struct Secrets {
    pub server: Server,
    pub target: ProcessTarget,
}

impl Secrets {
    /// What the process in this folder is to be given. `passing`: it may work a moment later.
    pub async fn of(&self, holder: Holder, uses: &[SecretUse], dir: &Path) -> Result<Handed, NotGiven> {
        if uses.is_empty() {
            return Ok(Handed::default());
        }
        let refused =
            |why: Said, passing: bool| NotGiven { fault: Fault::new(&faults::NO_SECRETS).with("why", why), passing };
        let away = match self.server.secrets(holder).await {
            Ok(handover) => return given(handover, uses).map_err(|why| refused(why, true)),
            Err(RequestError::Status { status, body }) if !status.is_server_error() => {
                let why = serde_json::from_str(&body).unwrap_or_else(|_| Said::plain(format!("{status}: {body}")));
                return Err(refused(why, true));
            }
            Err(away) => away,
        };
        match self.target.kept(dir) {
            Ok(Some(handed)) => {
                tracing::warn!(?holder, why = %away, "the server cannot be asked for secrets: those of the last start are used");
                Ok(handed)
            }
            Ok(None) => Err(refused(away.said(), away.passes())),
            Err(damaged) => {
                tracing::error!(?holder, error = %damaged, "secrets of the last start are lost");
                Err(refused(away.said(), true))
            }
        }
    }
}

#[derive(Debug)]
pub struct NotGiven {
    pub fault: Fault,
    pub passing: bool,
}

/// Only what was asked for, and all of it.
fn given(mut handover: Handover, uses: &[SecretUse]) -> Result<Handed, Said> {
    handover.values.retain(|v| uses.contains(&v.used));
    if handover.values.len() != uses.len() {
        return Err(tradewind_model::said!("the server gave others than were asked for", "服务器给出的密钥与所需不符"));
    }
    Handed::of(handover).map_err(|e| Said::plain(e.to_string()))
}

/// The host's key; made where there is none, and where what is there is none: what it sealed is asked for again.
pub fn keys(home: &Home) -> Result<Arc<Ring>, Fault> {
    let path = home.key();
    let failed = |why: String| {
        let what = tradewind_model::said!("use {path}", "使用 {path}", path = path.display());
        Fault::new(&faults::DISK).with("what", what).with("why", why)
    };
    let found = match std::fs::read_to_string(&path) {
        Ok(text) => Ring::parse(&zeroize::Zeroizing::new(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(RingError::NoKey),
        Err(e) => return Err(failed(e.to_string())),
    };
    if let Ok(ring) = found {
        return Ok(Arc::new(ring));
    }
    if path.exists() {
        tracing::error!(path = %path.display(), "the host's key is damaged; another one is made");
    }
    let ring = Ring::generate().map_err(|e| failed(e.to_string()))?;
    disk::write(&path, ring.render().as_bytes(), 0o600, Outlives::Machine)?;
    Ok(Arc::new(ring))
}

//! What private keys are sealed with: a ring in a file of the server's own.

use super::faults;
use crate::Result;
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};
use tradewind_model::{
    fault::Fault,
    id::{Digest, OrgName},
};
use tradewind_secrets::ring::{Context, Ring, Sealed};

/// Clones are one.
#[derive(Clone)]
pub struct Keeper(Arc<Ring>);

impl Keeper {
    /// The ring in this folder; made at the first start.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("certificates.key");
        let text = match fs::read_to_string(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => make(&path)?,
            read => read?,
        };
        Ok(Self::with(Ring::parse(&text).map_err(io::Error::other)?))
    }

    pub fn with(ring: Ring) -> Self {
        Self(Arc::new(ring))
    }

    pub(super) fn seal(&self, org: &OrgName, what: &str, secret: &str) -> Result<Sealed> {
        let context = Context(&["certificate", org.as_str(), what]);
        Ok(self.0.seal(context, secret.as_bytes()).map_err(closed)?)
    }

    pub(super) fn unseal(&self, org: &OrgName, what: &str, sealed: &Sealed) -> Result<String> {
        let context = Context(&["certificate", org.as_str(), what]);
        let plain = self.0.open(context, sealed).map_err(closed)?;
        Ok(String::from_utf8(plain.to_vec()).map_err(|e| closed(e.utf8_error()))?)
    }

    pub(super) fn open_key(&self, org: &OrgName, digest: &Digest, key_id: &str, sealed: Vec<u8>) -> Result<String> {
        let key = key_id.parse().map_err(closed)?;
        self.unseal(org, &digest.to_string(), &Sealed { key, bytes: sealed })
    }
}

pub(super) fn closed(why: impl std::fmt::Display) -> Fault {
    Fault::new(&faults::KEEPER_CLOSED).with("why", why)
}

fn make(path: &Path) -> io::Result<String> {
    let ring = Ring::generate().map_err(io::Error::other)?;
    let text = ring.render().to_string();
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(text)
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

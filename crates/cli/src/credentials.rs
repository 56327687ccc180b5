//! Who one is logged in as, by server: `~/.config/tradewind/credentials.json`, readable by its owner only.

use crate::{failure::Failure, faults};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};
use tradewind_api::v1::Time;
use tradewind_model::{fault::Fault, id::TokenId};

const FILE: &str = "credentials.json";

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Credentials {
    /// The server logged in to last.
    pub current: Option<String>,
    /// By address, without a slash at its end.
    pub servers: BTreeMap<String, Login>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Login {
    pub token: String,
    pub id: TokenId,
    pub name: String,
    pub expires_at: Option<Time>,
    /// PEM: whom to believe about the server's certificate, beside the machine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
}

/// Where they are kept.
#[derive(Clone, Debug)]
pub struct Keyring {
    dir: PathBuf,
}

impl Keyring {
    /// # Errors
    /// `TW-CLI-007` when there is no home.
    pub fn find(var: &dyn Fn(&str) -> Option<String>) -> Result<Self, Fault> {
        let set = |k: &str| var(k).filter(|v| v.starts_with('/'));
        let config =
            set("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| set("HOME").map(|h| PathBuf::from(h).join(".config")));
        config.map(|c| Self { dir: c.join("tradewind") }).ok_or_else(|| Fault::new(&faults::NO_HOME))
    }

    pub fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Empty when nobody logged in.
    pub fn read(&self) -> Result<Credentials, Failure> {
        match fs::read(self.path()) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| self.unusable(&e).into()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Credentials::default()),
            Err(e) => Err(self.unusable(&e).into()),
        }
    }

    pub fn write(&self, credentials: &Credentials) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
            let fresh = self.dir.join(format!(".{FILE}.{}", std::process::id()));
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
            file.write_all(&serde_json::to_vec_pretty(credentials)?)?;
            file.sync_all()?;
            fs::rename(&fresh, self.path())
        };
        write().map_err(|e| self.unusable(&e).into())
    }

    /// Authorities of a server in a file of their own, for git; none: as if there never were any.
    pub fn write_authorities(&self, server: &str, pem: Option<&str>) -> Result<PathBuf, Failure> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let name: String = server.chars().map(plain).collect();
        let path = self.dir.join("authorities").join(format!("{name}.pem"));
        let write = || match (pem, path.parent()) {
            (Some(pem), Some(dir)) => {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
                fs::write(&path, pem)
            }
            _ => fs::remove_file(&path).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) }),
        };
        write().map_err(|e| {
            Failure::from(Fault::new(&faults::CREDENTIALS).with("file", path.display()).with("reason", e))
        })?;
        Ok(path)
    }

    fn unusable(&self, reason: &dyn std::fmt::Display) -> Fault {
        Fault::new(&faults::CREDENTIALS).with("file", self.path().display()).with("reason", reason)
    }
}

/// An address as it is stored and compared.
pub fn normal(server: &str) -> &str {
    server.trim().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn only_the_owner_can_read_them_and_a_damaged_file_is_said() {
        let tmp = tempfile::tempdir().unwrap();
        let home = tmp.path().to_str().unwrap().to_owned();
        let keyring = Keyring::find(&|k| (k == "HOME").then(|| home.clone())).unwrap();
        assert_eq!(keyring.read().unwrap(), Credentials::default());
        let all = Credentials { current: Some("http://a".into()), ..Credentials::default() };
        keyring.write(&all).unwrap();
        assert_eq!(keyring.read().unwrap(), all);
        assert_eq!(fs::metadata(keyring.path()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(keyring.path().parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        fs::write(keyring.path(), "{").unwrap();
        assert!(matches!(keyring.read(), Err(Failure::Fault(f)) if f.code.id == "TW-CLI-008"));
        assert_eq!(Keyring::find(&|_| None).unwrap_err().code.id, "TW-CLI-007");
    }
}

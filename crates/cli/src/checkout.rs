//! The git checkout one stands in, through the git program.

use crate::{failure::Failure, faults};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tradewind_model::{
    fault::Fault,
    id::{Commit, ServiceName},
};

pub const SPEC: &str = "tradewind.yaml";

#[derive(Clone, Debug)]
pub struct Checkout {
    pub dir: PathBuf,
    /// Where git keeps what is configured for every checkout: `HOME` and `XDG_CONFIG_HOME`.
    homes: Vec<(&'static str, String)>,
}

impl Checkout {
    pub fn at(dir: &Path, var: &dyn Fn(&str) -> Option<String>) -> Self {
        let homes = ["HOME", "XDG_CONFIG_HOME"].into_iter().filter_map(|k| Some((k, var(k)?))).collect();
        Self { dir: dir.to_owned(), homes }
    }

    /// The text of the spec here, or above within reach.
    pub fn spec(&self) -> Option<String> {
        self.dir.ancestors().take(16).find_map(|d| std::fs::read_to_string(d.join(SPEC)).ok())
    }

    /// Changes what git keeps for every checkout of this user; whether git agreed.
    pub fn configure(&self, args: &[&str]) -> Result<bool, Failure> {
        let mut command = git(&self.dir);
        command.envs(self.homes.iter().map(|(k, v)| (k, v))).args(["config", "--global"]).args(args);
        Ok(command.output().map_err(|e| Fault::new(&faults::NO_GIT).with("reason", e))?.status.success())
    }

    /// The service that `tradewind.yaml` here (or above, within the checkout) names.
    pub fn service(&self) -> Option<ServiceName> {
        service_of(&self.spec()?)
    }

    /// The commit HEAD is at.
    pub fn head(&self) -> Result<Commit, Failure> {
        let none = || Failure::from(Fault::new(&faults::NOT_A_CHECKOUT).with("dir", self.dir.display()));
        let out = self.ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?.ok_or_else(none)?;
        out.parse().map_err(|_| none())
    }

    /// The branch HEAD is on; none for a detached one.
    pub fn branch(&self) -> Result<Option<String>, Failure> {
        self.ask(["symbolic-ref", "--quiet", "--short", "HEAD"])
    }

    pub fn remote(&self, name: &str) -> Result<Option<String>, Failure> {
        self.ask(["remote", "get-url", name])
    }

    pub fn is_checkout(&self) -> Result<bool, Failure> {
        Ok(self.ask(["rev-parse", "--is-inside-work-tree"])?.as_deref() == Some("true"))
    }

    pub fn add_remote(&self, name: &str, url: &str) -> Result<bool, Failure> {
        Ok(self.ask(["remote", "add", name, url])?.is_some())
    }

    /// Git's answer, trimmed; none when it said no.
    pub fn ask<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, args: I) -> Result<Option<String>, Failure> {
        let out = git(&self.dir)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Fault::new(&faults::NO_GIT).with("reason", e))?;
        Ok(out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned()))
    }
}

/// A git command in a folder, whatever repository the variables of a hook may name.
pub fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_QUARANTINE_PATH"] {
        command.env_remove(name);
    }
    command
}

fn service_of(spec: &str) -> Option<ServiceName> {
    let root = tradewind_model::yaml::parse(SPEC, spec, &tradewind_model::yaml::Options::default()).ok()?;
    root.as_mapping()?.get("service")?.as_text()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_named_by_the_spec_here_or_above() {
        let tmp = tempfile::tempdir().unwrap();
        let deep = tmp.path().join("app/src");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(Checkout::at(&deep, &|_| None).service(), None);
        std::fs::write(tmp.path().join(SPEC), "version: 1\nservice: shop\n").unwrap();
        assert_eq!(Checkout::at(&deep, &|_| None).service().unwrap().as_str(), "shop");
        std::fs::write(tmp.path().join(SPEC), "service: [\n").unwrap();
        assert_eq!(Checkout::at(&deep, &|_| None).service(), None);
    }

    #[test]
    fn outside_of_a_checkout_there_is_no_head() {
        let tmp = tempfile::tempdir().unwrap();
        let here = Checkout::at(tmp.path(), &|_| None);
        assert!(!here.is_checkout().unwrap());
        assert!(matches!(here.head(), Err(Failure::Fault(f)) if f.code.id == "TW-CLI-013"));
    }
}

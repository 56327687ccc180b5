//! From a digest to a folder that can be started from.

use super::{Mark, ReleaseNews};
use crate::{
    confine::Confinement,
    disk::{self, At, blocking},
    faults,
    home::Home,
    instance::decide::describe,
    server::{RequestError, Server},
    tree::{
        self, Bounds, Existing,
        own::{self, Access},
    },
    users::Users,
};
use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;
use tradewind_model::{
    fault::Fault,
    id::Digest,
    protocol::{
        agent::{DesiredRelease, Exit, ReleaseState},
        shim::{self, LogRule, ShimSpec},
    },
    said,
    said::Said,
    workload::{Limits, Prepare},
};
use tradewind_targets::{
    logs,
    process::{Adopted, ProcessTarget},
    sandbox::Own,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A blob that arrives damaged is fetched again so often before it is given up.
const DAMAGED: u32 = 3;
/// Lines of its log in the message of a `prepare` that failed.
const TAIL: usize = 20;

/// Brings releases to this host.
pub struct Bringer {
    pub home: Home,
    pub server: Server,
    pub target: ProcessTarget,
    pub users: Arc<Users>,
    pub confinement: Arc<Confinement>,
    pub cgroups: bool,
    pub path: String,
    pub bounds: Bounds,
    /// One `prepare` at a time: they share a user.
    pub preparing: tokio::sync::Mutex<()>,
}

impl Bringer {
    /// Until it is ready or has failed for good; a server that is away is waited for.
    pub async fn bring(self: Arc<Self>, release: DesiredRelease, news: mpsc::UnboundedSender<ReleaseNews>) {
        let id = release.release;
        let state = match self.make(&release, &news).await {
            Ok(()) => ReleaseState::Ready,
            Err(fault) => {
                tracing::warn!(release = %id.short(), %fault, "a release cannot be had on this host");
                let reason = Said::from(fault);
                if let Err(error) = (Mark::Failed { reason: reason.clone() }).write(&self.home, &id) {
                    tracing::error!(%error, "a release's failure could not be recorded");
                }
                ReleaseState::Failed { reason }
            }
        };
        let _ = news.send(ReleaseNews::State(id, state));
    }

    async fn make(&self, release: &DesiredRelease, news: &mpsc::UnboundedSender<ReleaseNews>) -> Result<(), Fault> {
        self.sweep(&release.release).await?;
        let archive = self.fetch(&release.bundle).await?;
        self.unpack(&release.release, &archive).await?;
        if let Some(prepare) = &release.prepare {
            let _alone = self.preparing.lock().await;
            let _ = news.send(ReleaseNews::State(release.release, ReleaseState::Preparing));
            self.prepare(release, prepare).await?;
        }
        let (home, id) = (self.home.clone(), release.release);
        blocking(move || {
            Mark::Ready.write(&home, &id)?;
            disk::remove_file(&archive)?;
            Ok(())
        })
        .await
    }

    /// Removes what an interrupted attempt left, its processes first.
    async fn sweep(&self, id: &Digest) -> Result<(), Fault> {
        let prepare = self.home.release_prepare(id);
        if prepare.exists()
            && let Ok(Adopted::Running(process)) = self.target.adopt(&prepare).await
        {
            process.stop(9, Duration::ZERO).await;
        }
        let (home, id) = (self.home.clone(), *id);
        blocking(move || {
            disk::remove_file(&home.release_mark(&id))?;
            for folder in
                [home.release_unpacking(&id), home.release(&id), home.release_prepare(&id), home.release_home(&id)]
            {
                disk::remove_folder(&folder)?;
            }
            Ok(())
        })
        .await
    }

    async fn fetch(&self, bundle: &Digest) -> Result<PathBuf, Fault> {
        let to = self.home.download(bundle);
        let mut pause = FIRST_PAUSE;
        let mut damaged = 0;
        loop {
            let error = match self.server.blob(bundle, &to).await {
                Ok(()) => return Ok(to),
                Err(error) => error,
            };
            match &error {
                RequestError::Differs(got) => {
                    damaged += 1;
                    if damaged == DAMAGED {
                        return Err(Fault::new(&faults::BLOB_DIFFERS).with("digest", bundle).with("got", got));
                    }
                }
                other if other.passes() => {}
                other => {
                    let what = said!("the bundle {digest}", "发布包 {digest}", digest = bundle.short());
                    return Err(Fault::new(&faults::UNREACHABLE).with("what", what).with("why", other.said()));
                }
            }
            tracing::debug!(%error, bundle = %bundle.short(), "a bundle is fetched again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn unpack(&self, id: &Digest, archive: &Path) -> Result<(), Fault> {
        let (unpacking, done) = (self.home.release_unpacking(id), self.home.release(id));
        let (archive, bounds) = (archive.to_owned(), self.bounds);
        blocking(move || {
            disk::folder(&unpacking, 0o755)?;
            let file = File::open(&archive).at("open", &archive)?;
            let tar = zstd::Decoder::new(file).at("read", &archive)?;
            tree::unpack(tar, &unpacking, Existing::Refuse, bounds)?;
            std::fs::rename(&unpacking, &done).at("rename", &unpacking)?;
            Ok(())
        })
        .await
    }

    async fn prepare(&self, release: &DesiredRelease, prepare: &Prepare) -> Result<(), Fault> {
        let id = release.release;
        let user = self.users.of_prepare();
        let (folder, home) = (self.home.release(&id), self.home.release_home(&id));
        let owner = user.map(|u| (u.uid, u.gid));
        {
            let (folder, home) = (folder.clone(), home.clone());
            blocking(move || {
                disk::folder(&home, 0o700)?;
                if owner.is_some() {
                    own::give(&home, None, owner, Access::Keep)?;
                    own::give(&folder, None, owner, Access::Keep)?;
                }
                Ok(())
            })
            .await?;
        }
        let spec = ShimSpec {
            version: shim::VERSION,
            command: prepare.command.clone(),
            env: BTreeMap::from([
                ("PATH".to_owned(), self.path.clone()),
                ("HOME".to_owned(), home.display().to_string()),
                ("TMPDIR".to_owned(), home.display().to_string()),
                ("LANG".to_owned(), "C.UTF-8".to_owned()),
                ("TRADEWIND_SERVICE".to_owned(), release.service.clone()),
            ]),
            cwd: folder.display().to_string(),
            user,
            limits: Limits::default(),
            cgroup: self.cgroups.then(|| self.group(&id)),
            log: LogRule { max_bytes: 1 << 20, keep: 1 },
            timeout_ms: Some(prepare.timeout_ms),
            kill_group_at_exit: true,
            secrets: false,
            wrapped: false,
        };
        let own = Own { written: vec![folder.clone(), home.clone()], read: Vec::new(), tmp: home.clone() };
        let spec = self.confinement.around(spec, &own)?;
        let dir = self.home.release_prepare(&id);
        let not_started = |why: String| Fault::new(&faults::NOT_STARTED).with("why", why);
        let process = self.target.start(&dir, &spec).await.map_err(|e| not_started(e.to_string()))?;
        let exited = process.wait().await;
        if exited.exit != (Exit::Code { code: 0 }) {
            let log = logs::tail(&dir, TAIL).map(|(lines, _)| lines).unwrap_or_default();
            let log = log.into_iter().map(|l| l.text).collect::<Vec<_>>().join("\n");
            return Err(if exited.timed_out {
                let limit = said!("{ms} ms", "{ms} 毫秒", ms = prepare.timeout_ms);
                Fault::new(&faults::PREPARE_TIMED_OUT).with("limit", limit).with("log", log)
            } else {
                Fault::new(&faults::PREPARE_FAILED).with("ended", describe(&exited.exit)).with("log", log)
            });
        }
        blocking(move || {
            disk::remove_folder(&home)?;
            // From here on nobody but the agent's user can change it.
            let (back, from) = match owner {
                Some((uid, _)) => {
                    let us = std::fs::metadata(folder.parent().unwrap_or(&folder)).at("look at", &folder)?;
                    (Some((us.uid(), us.gid())), Some(uid))
                }
                None => (None, None),
            };
            own::give(&folder, from, back, Access::ReadOnlyForOthers)?;
            Ok(())
        })
        .await
    }

    /// A host may have two agents with the same release, in two folders.
    fn group(&self, id: &Digest) -> String {
        let folder = Digest::of(self.home.root().as_os_str().as_bytes());
        format!("prepare-{}-{}", id.short(), folder.short())
    }

    pub async fn collect(self: Arc<Self>, id: Digest, news: mpsc::UnboundedSender<ReleaseNews>) {
        if let Err(fault) = self.sweep(&id).await {
            tracing::warn!(release = %id.short(), %fault, "a release was not removed whole");
        }
        let _ = news.send(ReleaseNews::Collected(id));
    }
}

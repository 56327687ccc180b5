//! Releases on this host: fetched, unpacked, prepared once, and collected when nobody wants them any more.
//!
//! A release is there when its mark says so, and the mark is written last: whatever a kill interrupts is begun again
//! from the blob. Once marked, nothing in its folder changes.

mod bring;

pub use bring::Bringer;

use crate::{
    disk::{self, Outlives},
    home::Home,
    instance::decide::ReleaseFact,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{sync::mpsc, task::JoinSet};
use tradewind_model::{
    id::Digest,
    protocol::agent::{DesiredRelease, ObservedRelease, ReleaseState},
    said::Said,
};

/// What a release tells the host's loop.
#[derive(Debug)]
pub enum ReleaseNews {
    State(Digest, ReleaseState),
    /// Removed, or found not to be there.
    Collected(Digest),
}

/// The mark beside a release's folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Mark {
    Ready,
    Failed { reason: Said },
}

impl Mark {
    fn state(self) -> ReleaseState {
        match self {
            Self::Ready => ReleaseState::Ready,
            Self::Failed { reason } => ReleaseState::Failed { reason },
        }
    }

    /// A damaged mark is no mark: the release is brought again, unless something runs from it; then it was ready.
    fn read(home: &Home, release: &Digest, in_use: bool) -> Option<Self> {
        let mark = disk::read_json(&home.release_mark(release)).unwrap_or_else(|error| {
            tracing::error!(%error, release = %release.short(), in_use, "a release's mark is damaged");
            None
        });
        if mark.is_some() || !in_use {
            return mark;
        }
        if let Err(error) = Self::Ready.write(home, release) {
            tracing::warn!(%error, release = %release.short(), "a release's mark could not be written");
        }
        Some(Self::Ready)
    }

    fn write(&self, home: &Home, release: &Digest) -> disk::Result<()> {
        disk::write_json(&home.release_mark(release), self, Outlives::Machine)
    }
}

#[derive(Debug)]
enum Held {
    /// A task brings it.
    Coming(ReleaseState),
    Settled(ReleaseState),
    /// On disk without a mark: an attempt was interrupted.
    Half,
    Collecting,
}

pub struct Releases {
    bringer: Arc<Bringer>,
    news: mpsc::UnboundedSender<ReleaseNews>,
    held: BTreeMap<Digest, Held>,
}

impl Releases {
    /// Takes up what is on disk. `in_use`: from which processes run.
    pub fn open(
        bringer: Arc<Bringer>,
        in_use: &BTreeSet<Digest>,
        news: mpsc::UnboundedSender<ReleaseNews>,
    ) -> disk::Result<Self> {
        let mut held = BTreeMap::new();
        for name in disk::names(&bringer.home.releases())? {
            let hex = name.split('.').next().unwrap_or_default();
            let Ok(release) = format!("sha256:{hex}").parse::<Digest>() else { continue };
            let in_use = in_use.contains(&release) && bringer.home.release(&release).is_dir();
            let state = match Mark::read(&bringer.home, &release, in_use) {
                Some(mark) => Held::Settled(mark.state()),
                None => Held::Half,
            };
            held.insert(release, state);
        }
        Ok(Self { bringer, news, held })
    }

    /// Begins what is missing and collects what is neither wanted nor `used` by an instance that is still there.
    pub fn reconcile(&mut self, wanted: &[DesiredRelease], used: &BTreeSet<Digest>, tasks: &mut JoinSet<()>) {
        for release in wanted {
            let begin = match self.held.get(&release.release) {
                None | Some(Held::Half) => true,
                Some(Held::Coming(_) | Held::Settled(_) | Held::Collecting) => false,
            };
            if begin {
                self.held.insert(release.release, Held::Coming(ReleaseState::Fetching));
                tasks.spawn(self.bringer.clone().bring(release.clone(), self.news.clone()));
            }
        }
        for (release, held) in &mut self.held {
            let listed = wanted.iter().any(|w| w.release == *release);
            if !listed && !used.contains(release) && matches!(held, Held::Settled(_) | Held::Half) {
                *held = Held::Collecting;
                tasks.spawn(self.bringer.clone().collect(*release, self.news.clone()));
            }
        }
    }

    pub fn note(&mut self, news: ReleaseNews) {
        match news {
            ReleaseNews::State(release, state @ (ReleaseState::Fetching | ReleaseState::Preparing)) => {
                self.held.insert(release, Held::Coming(state));
            }
            ReleaseNews::State(release, state @ (ReleaseState::Ready | ReleaseState::Failed { .. })) => {
                self.held.insert(release, Held::Settled(state));
            }
            ReleaseNews::Collected(release) => {
                self.held.remove(&release);
            }
        }
    }

    pub fn fact(&self, release: &Digest) -> ReleaseFact {
        match self.held.get(release) {
            Some(Held::Settled(ReleaseState::Ready)) => ReleaseFact::Ready,
            Some(Held::Settled(ReleaseState::Failed { reason })) => ReleaseFact::Failed(reason.clone()),
            Some(
                Held::Settled(ReleaseState::Fetching | ReleaseState::Preparing)
                | Held::Coming(_)
                | Held::Half
                | Held::Collecting,
            )
            | None => ReleaseFact::Coming,
        }
    }

    pub fn observed(&self) -> Vec<ObservedRelease> {
        self.held
            .iter()
            .filter_map(|(release, held)| match held {
                Held::Coming(state) | Held::Settled(state) => {
                    Some(ObservedRelease { release: *release, state: state.clone() })
                }
                Held::Half | Held::Collecting => None,
            })
            .collect()
    }
}

//! What has been seen of a rollout's world. Built by the shell from rows of desired state and the agents' last reports.

use super::{desired::PlaceDesired, judging::Verdict};
use crate::{
    id::{InstanceId, RevisionId, SiteName},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        trial::TripCause,
    },
    said,
    said::Said,
    workload::ServiceKind,
};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// All agents this rollout needs are connected.
    pub agents_present: bool,
    /// A freeze is on: no new wave begins. Never true for a rollback.
    pub frozen: bool,
    /// Another rollout of the same place waits for this one.
    pub others_wait: bool,
    pub sites: BTreeMap<SiteName, SiteFacts>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct SiteFacts {
    /// The agents' reports were made under the newest desired state; without it, "nothing runs" proves nothing.
    pub fresh: bool,
    pub revisions: BTreeMap<RevisionId, RevisionFacts>,
    pub route: RouteFacts,
    pub verify: Option<VerifyFacts>,
    /// An agent took the new revision's traffic or shards away by itself, in this rollout.
    pub tripped: Option<TripCause>,
    /// What the judge makes of all evidence so far; `None` before there is any.
    pub judged: Option<Judged>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RevisionFacts {
    /// Rows that want it running.
    pub wanted: u32,
    /// Rows that want it running or unpacked.
    pub kept: u32,
    /// Wanted running, and seen ready.
    pub ready: u32,
    /// Wanted running, and seen to have failed at it: its checks fail, or it ended. One that is only on its way there,
    /// or that the agent does not know of (yet, or since it lost its folder), is neither ready nor down.
    pub down: u32,
    /// Wanted unpacked, and seen so.
    pub prepared: u32,
    /// Processes alive, in whatever phase, wanted or not.
    pub alive: u32,
    /// An instance that cannot start, or is in a crash loop: why.
    pub failed: Option<Said>,
    /// The last thing an instance that is not ready said.
    pub message: Option<Said>,
    /// By ordinal, those that a row names.
    pub carriers: BTreeMap<u32, Carrier>,
    /// Processes alive that no row names any more: whose place they are in is not known.
    pub strays: u32,
}

/// One ordinal of a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Carrier {
    /// A row wants it running.
    pub wanted: bool,
    /// Its process is alive, in whatever phase.
    pub alive: bool,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RouteFacts {
    /// Of the row; 0 when there is none.
    pub version: u64,
    /// What every edge of the site has acknowledged.
    pub acked: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// The wave that evidence for promotion has been gathered in.
    pub wave: usize,
    /// How often a person had changed the wave's share before.
    pub turn: u32,
    pub verdict: Verdict,
    pub why: Said,
}

#[derive(Clone, PartialEq, Debug)]
pub struct VerifyFacts {
    pub attempt: u32,
    pub outcome: VerifyOutcome,
}

#[derive(Clone, PartialEq, Debug)]
pub enum VerifyOutcome {
    Pending,
    Passed,
    Failed { detail: Said },
}

impl SiteFacts {
    pub fn of(&self, revision: RevisionId) -> RevisionFacts {
        self.revisions.get(&revision).cloned().unwrap_or_default()
    }
    /// Processes of any other revision that are alive or wanted to be, or of this one beside its rows.
    pub fn others_alive(&self, than: RevisionId) -> bool {
        let other = |r, f: &RevisionFacts| r != than && (f.alive > 0 || f.wanted > 0);
        self.revisions.iter().any(|(r, f)| other(*r, f) || f.strays > 0)
    }
    /// The same of one ordinal; what no row names may be any.
    pub fn others_alive_at(&self, than: RevisionId, ordinal: u32) -> bool {
        let at = |f: &RevisionFacts| f.carriers.get(&ordinal).is_some_and(|c| c.wanted || c.alive);
        self.revisions.iter().any(|(r, f)| *r != than && at(f) || f.strays > 0)
    }
}

/// One instance as an agent reported it.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    pub id: InstanceId,
    pub revision: RevisionId,
    pub phase: InstancePhase,
    pub message: Option<Said>,
}

/// Counts a place's revisions from its rows and from what was seen of it, wanted or not.
pub fn count(place: &PlaceDesired, seen: &[Seen], kind: ServiceKind) -> BTreeMap<RevisionId, RevisionFacts> {
    let mut revisions: BTreeMap<RevisionId, RevisionFacts> = BTreeMap::new();
    for wanted in &place.instances {
        let f = revisions.entry(wanted.revision).or_default();
        let seen = seen.iter().find(|s| s.id == wanted.id);
        let carrier = f.carriers.entry(wanted.ordinal).or_default();
        carrier.wanted |= wanted.phase == DesiredPhase::Run;
        carrier.alive |= seen.is_some_and(|s| alive(s.phase));
        f.kept += 1;
        match wanted.phase {
            DesiredPhase::Run => {
                f.wanted += 1;
                let Some(seen) = seen else { continue };
                if serves(seen.phase, kind) {
                    f.ready += 1;
                } else {
                    f.message = seen.message.clone().or(f.message.take());
                    f.down += u32::from(down(seen.phase));
                    if seen.phase == InstancePhase::Failed {
                        let unsaid = || said!("it does not start", "实例无法启动");
                        f.failed = Some(seen.message.clone().unwrap_or_else(unsaid));
                    }
                }
            }
            DesiredPhase::Stopped => match seen.map(|s| s.phase) {
                Some(InstancePhase::Stopped) => f.prepared += 1,
                Some(InstancePhase::Failed) => {
                    let unsaid = || said!("it cannot be prepared", "无法完成准备");
                    f.failed = seen.and_then(|s| s.message.clone()).or_else(|| Some(unsaid()));
                }
                Some(_) | None => {}
            },
        }
    }
    for s in seen.iter().filter(|s| alive(s.phase)) {
        let f = revisions.entry(s.revision).or_default();
        f.alive += 1;
        f.strays += u32::from(!place.instances.iter().any(|i| i.id == s.id));
    }
    revisions
}

/// A cron service is at its post between two runs as well.
pub fn serves(phase: InstancePhase, kind: ServiceKind) -> bool {
    match (phase, kind) {
        (InstancePhase::Ready, _) => true,
        (InstancePhase::Stopped | InstancePhase::Starting | InstancePhase::Backoff, ServiceKind::Cron) => true,
        (
            InstancePhase::Pending
            | InstancePhase::Starting
            | InstancePhase::Unhealthy
            | InstancePhase::Draining
            | InstancePhase::Stopping
            | InstancePhase::Stopped
            | InstancePhase::Backoff
            | InstancePhase::Failed,
            _,
        ) => false,
    }
}

fn down(phase: InstancePhase) -> bool {
    match phase {
        InstancePhase::Unhealthy | InstancePhase::Backoff | InstancePhase::Failed => true,
        InstancePhase::Pending
        | InstancePhase::Starting
        | InstancePhase::Ready
        | InstancePhase::Draining
        | InstancePhase::Stopping
        | InstancePhase::Stopped => false,
    }
}

fn alive(phase: InstancePhase) -> bool {
    match phase {
        InstancePhase::Starting
        | InstancePhase::Ready
        | InstancePhase::Unhealthy
        | InstancePhase::Draining
        | InstancePhase::Stopping => true,
        InstancePhase::Pending | InstancePhase::Stopped | InstancePhase::Backoff | InstancePhase::Failed => false,
    }
}

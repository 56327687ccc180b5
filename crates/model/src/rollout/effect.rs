//! What a decision wants changed. Every effect states an end, not a step, so applying it twice is applying it once.

use super::reason::Reason;
use crate::{
    id::{RevisionId, SiteName},
    protocol::{agent::DesiredPhase, edge::Mode, trial::Trial},
    said::Said,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Exactly `count` instances of a revision in this phase.
    Want { site: SiteName, revision: RevisionId, count: u32, phase: DesiredPhase },
    /// Instances of every other revision stay unpacked but do not run.
    StopOthers { site: SiteName, than: RevisionId },
    /// These ordinals of a revision in this phase; its other instances as they are.
    Carry { site: SiteName, revision: RevisionId, ordinals: Vec<u32>, phase: DesiredPhase },
    /// Instances of every other revision with an ordinal below this stay unpacked but do not run.
    StopOthersBelow { site: SiteName, than: RevisionId, below: u32 },
    /// The route's whole intent, under this version (one more than the row's).
    Route { site: SiteName, version: u64, mode: Mode, splits: Vec<(RevisionId, u32)>, trial: Option<Trial> },
    /// Ask every instance of the revision, and the edge.
    Verify { site: SiteName, revision: RevisionId, attempt: u32 },
    /// The site now runs this revision. The predecessor is kept until `keep.1`; everything else goes now.
    Complete { site: SiteName, revision: RevisionId, keep: Option<(RevisionId, Timestamp)> },
    /// Hold the queue of (service, environment) until a person acknowledges.
    FreezeQueue { reason: Reason },
}

/// What happened, for the event log and the people who follow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Happened {
    WaveStarted {
        wave: usize,
        site: SiteName,
        share: u32,
    },
    InstancesReady {
        site: SiteName,
        instances: u32,
    },
    TrafficMoved {
        site: SiteName,
        share: u32,
    },
    /// The wish was to move shards one after another, but the work is divided otherwise than before.
    ChangesWhole {
        site: SiteName,
    },
    /// Carriers changed over: so many of a service's shards are the new revision's.
    ShardsMoved {
        site: SiteName,
        /// Basis points.
        share: u32,
        shards: u32,
    },
    Verified {
        site: SiteName,
    },
    /// The evidence of a wave allows the next.
    Promoted {
        wave: usize,
        site: SiteName,
        share: u32,
        why: Said,
    },
    /// A wave waits for a person: its time is over without a verdict, or the spec wants a person's word.
    Asks {
        wave: usize,
        site: SiteName,
        share: u32,
        why: Said,
    },
    /// A wave went on although its time was over without a verdict, as the spec says.
    WentOn {
        wave: usize,
        site: SiteName,
        share: u32,
        why: Said,
    },
    WaveFinished {
        wave: usize,
        site: SiteName,
        share: u32,
    },
    /// What a person gave a site is more than a wave was to give it.
    WaveSkipped {
        wave: usize,
        site: SiteName,
        /// Basis points of the wave, and what the site has.
        share: u32,
        has: u32,
    },
    Returning {
        reason: Reason,
    },
    TrafficReturned {
        site: SiteName,
    },
    SiteReturned {
        site: SiteName,
        remark: Option<Reason>,
    },
    Finished {
        phase: super::state::Phase,
        reason: Option<Reason>,
    },
}

impl Happened {
    /// The event's kind in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WaveStarted { .. } => "rollout.wave_started",
            Self::InstancesReady { .. } => "rollout.instances_ready",
            Self::TrafficMoved { .. } => "rollout.traffic_moved",
            Self::ChangesWhole { .. } => "rollout.changes_whole",
            Self::ShardsMoved { .. } => "rollout.shards_moved",
            Self::Verified { .. } => "rollout.verified",
            Self::Promoted { .. } => "rollout.promoted",
            Self::Asks { .. } => "rollout.asks",
            Self::WentOn { .. } => "rollout.went_on",
            Self::WaveFinished { .. } => "rollout.wave_finished",
            Self::WaveSkipped { .. } => "rollout.wave_skipped",
            Self::Returning { .. } => "rollout.returning",
            Self::TrafficReturned { .. } => "rollout.traffic_returned",
            Self::SiteReturned { .. } => "rollout.site_returned",
            Self::Finished { .. } => "rollout.finished",
        }
    }
}

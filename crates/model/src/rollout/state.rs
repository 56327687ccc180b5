//! How far a rollout is. Persisted whole with a version; only [`super::decide`] and the requests here change it.

use super::{
    hand::{Passed, SetShare},
    reason::Reason,
};
use crate::{id::SiteName, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    pub phase: Phase,
    /// Index of the wave being worked on; equals the number of waves when all are done.
    pub wave: usize,
    pub paused: bool,
    /// Why it goes back, once it does.
    pub reason: Option<Reason>,
    /// A person asked for it; the next decision turns round.
    pub abort: Option<Reason>,
    pub sites: BTreeMap<SiteName, SiteState>,
    /// The agent has been out of sight since then; time-outs stand still meanwhile.
    pub away_since: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Queued,
    Running,
    /// On the way back.
    Returning,
    Completed,
    /// Went back because of a failure, or could not go on; `reason` says why.
    Failed,
    /// Went back because a person said so.
    Aborted,
    /// A rollback took over where it stood.
    Superseded,
}

impl Phase {
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Returning => false,
            Self::Completed | Self::Failed | Self::Aborted | Self::Superseded => true,
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Returning => "returning",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Superseded => "superseded",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        use Phase::{Aborted, Completed, Failed, Queued, Returning, Running, Superseded};
        let all = [Queued, Running, Returning, Completed, Failed, Aborted, Superseded];
        all.into_iter().find(|p| p.as_str() == text)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SiteState {
    pub step: Step,
    /// The wave it works on or has finished last.
    pub wave: Option<usize>,
    /// Instances or routes of this site were changed.
    pub touched: bool,
    /// The route has named the new revision at least once.
    pub shifted: bool,
    /// The old revision was told to stop (exclusive flow).
    pub old_stopped: bool,
    /// The edge was told to hold this site's requests.
    pub held: bool,
    /// Verification attempts so far; names the verification's task.
    pub verify_attempt: u32,
    /// Fewer instances than wanted have been ready since then.
    pub degraded_since: Option<Timestamp>,
    /// A person let its wave of this number go on without further evidence.
    #[serde(default)]
    pub promoted: Option<usize>,
    /// The share a person gave a wave in place of the plan's; the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetShare>,
    /// The last wave that was let go on, and by what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<(usize, Passed)>,
    /// Something a person should know about this site's end.
    pub remark: Option<Reason>,
}

impl SiteState {
    pub fn waiting() -> Self {
        Self {
            step: Step::Waiting,
            wave: None,
            touched: false,
            shifted: false,
            old_stopped: false,
            held: false,
            verify_attempt: 0,
            degraded_since: None,
            promoted: None,
            set: None,
            passed: None,
            remark: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Step {
    /// Its wave has not come.
    Waiting,
    /// Exclusive: the new release is unpacked and prepared while the old one works.
    Preparing {
        since: Timestamp,
    },
    /// Exclusive web: the edge is asked to hold requests.
    Pausing {
        since: Timestamp,
        version: u64,
    },
    /// Exclusive: the old one ends.
    StoppingOld {
        since: Timestamp,
    },
    /// New instances start.
    Starting {
        since: Timestamp,
    },
    /// The edge is asked to move traffic.
    Shifting {
        since: Timestamp,
        version: u64,
        share: u32,
    },
    Verifying {
        since: Timestamp,
        share: u32,
    },
    /// The wave has its share and waits for evidence, or, once it `asked`, for a person.
    Judging {
        since: Timestamp,
        share: u32,
        asked: bool,
    },
    Soaking {
        until: Timestamp,
        share: u32,
    },
    /// The wave is done here.
    Serving {
        share: u32,
    },
    BackStoppingNew {
        since: Timestamp,
    },
    BackStarting {
        since: Timestamp,
    },
    BackShifting {
        since: Timestamp,
        version: u64,
    },
    /// On its previous revision.
    Returned,
    /// A rollback whose traffic had moved; it is not moved again.
    Stayed,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing { .. } => "preparing",
            Self::Pausing { .. } => "pausing",
            Self::StoppingOld { .. } => "stopping_old",
            Self::Starting { .. } => "starting",
            Self::Shifting { .. } => "shifting",
            Self::Verifying { .. } => "verifying",
            Self::Judging { .. } => "judging",
            Self::Soaking { .. } => "soaking",
            Self::Serving { .. } => "serving",
            Self::BackStoppingNew { .. } => "back_stopping_new",
            Self::BackStarting { .. } => "back_starting",
            Self::BackShifting { .. } => "back_shifting",
            Self::Returned => "returned",
            Self::Stayed => "stayed",
        }
    }

    /// Moves the step's clock on by the time the agent was out of sight.
    pub(super) fn postponed(self, by: std::time::Duration) -> Self {
        self.timed(|t| t.plus(by))
    }

    /// A clock that was set back would stretch the step by as much: then it counts from now on.
    pub(super) fn not_after(self, now: Timestamp, soak: std::time::Duration) -> Self {
        match self {
            Self::Soaking { until, share } => Self::Soaking { until: until.min(now.plus(soak)), share },
            other => other.timed(|t| t.min(now)),
        }
    }

    fn timed(self, f: impl Fn(Timestamp) -> Timestamp) -> Self {
        match self {
            Self::Preparing { since } => Self::Preparing { since: f(since) },
            Self::Pausing { since, version } => Self::Pausing { since: f(since), version },
            Self::StoppingOld { since } => Self::StoppingOld { since: f(since) },
            Self::Starting { since } => Self::Starting { since: f(since) },
            Self::Shifting { since, version, share } => Self::Shifting { since: f(since), version, share },
            Self::Verifying { since, share } => Self::Verifying { since: f(since), share },
            Self::Judging { since, share, asked } => Self::Judging { since: f(since), share, asked },
            Self::Soaking { until, share } => Self::Soaking { until: f(until), share },
            Self::BackStoppingNew { since } => Self::BackStoppingNew { since: f(since) },
            Self::BackStarting { since } => Self::BackStarting { since: f(since) },
            Self::BackShifting { since, version } => Self::BackShifting { since: f(since), version },
            Self::Waiting | Self::Serving { .. } | Self::Returned | Self::Stayed => self,
        }
    }
}

impl State {
    pub fn queued(plan: &super::plan::Plan) -> Self {
        Self {
            phase: Phase::Queued,
            wave: 0,
            paused: false,
            reason: None,
            abort: None,
            sites: plan.sites.iter().map(|s| (s.site.clone(), SiteState::waiting())).collect(),
            away_since: None,
            started_at: None,
        }
    }

    /// Leaves the queue. The caller holds the (service, environment) for it.
    pub fn begin(&mut self, now: Timestamp) {
        if self.phase == Phase::Queued {
            self.phase = Phase::Running;
            self.started_at = Some(now);
        }
    }

    /// A rollback takes over; what this rollout did stays as it is for the rollback to mend.
    pub fn supersede(&mut self, by: crate::id::RolloutId) -> bool {
        if self.phase.is_final() {
            return false;
        }
        self.phase = Phase::Superseded;
        self.reason = Some(Reason::new(&super::faults::SUPERSEDED).with("rollout", by));
        true
    }

    /// `false` when it is too late.
    pub fn request_abort(&mut self, who: &str, why: &str, at: Timestamp) -> bool {
        match self.phase {
            Phase::Queued | Phase::Running => {
                let reason = Reason::new(&super::faults::ABORTED).with("who", who).with("why", why);
                self.abort.get_or_insert(reason.with("at", at.to_minute()));
                true
            }
            Phase::Returning => true,
            Phase::Completed | Phase::Failed | Phase::Aborted | Phase::Superseded => false,
        }
    }

    pub fn set_paused(&mut self, paused: bool) -> bool {
        match self.phase {
            Phase::Queued | Phase::Running => {
                if paused && !self.paused {
                    self.hold_shares();
                }
                self.paused = paused;
                true
            }
            Phase::Returning | Phase::Completed | Phase::Failed | Phase::Aborted | Phase::Superseded => false,
        }
    }
}

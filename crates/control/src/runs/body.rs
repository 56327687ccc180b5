//! What the rows of runs and jobs hold as JSON.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    event::Actor,
    id::{Digest, RolloutId, TaskId},
    pipeline::{Pipeline, State, Trigger},
    said::Said,
};

/// `runs.plan`: fixed when the run is made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunPlan {
    /// The push that asked for it; a push asks once.
    pub push: String,
    pub trigger: Trigger,
    /// `tradewind.yaml` as pushed.
    pub spec: String,
    /// What goes into the bundle.
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
    /// With packaging as its last job. `None`: the file's rules leave nothing to run for this push.
    pub pipeline: Option<Pipeline>,
}

/// `runs.body`: how it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunBody {
    /// `None` exactly where the plan has no pipeline.
    pub state: Option<State>,
    /// For people: why it was cancelled, what it waits for.
    pub reason: Option<Said>,
    pub release: Option<Made>,
    pub rollout: Option<RolloutId>,
    /// Who last started or repeated one of its jobs: what follows needs their rights too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_on_by: Option<Actor>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    pub digest: Digest,
    /// `v3`.
    pub label: String,
}

/// `jobs.body`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobBody {
    /// What the row's task carries out; 0 before the first.
    pub attempt: u32,
    /// Tasks of earlier attempts: their logs stay.
    pub earlier: Vec<TaskId>,
    pub artifacts: Option<Digest>,
    pub exit_code: Option<i32>,
    /// A sentence: the exit code, the signal, why it could not begin.
    pub message: Option<Said>,
}

//! The pipeline of a service: its language (`.gitlab-ci.yml`) and the decisions about its jobs.
//!
//! - [`file`](mod@file): from the text of a pipeline file to a [`file::File`], and from that and what was pushed to a plan.
//! - [`plan`]: what a pipeline is once its file is understood. Immutable for the life of a run.
//! - [`status`]: the field's names for how a job, a stage and a pipeline stand, and the one ordered list that folds many
//!   into one.
//! - [`advance`]: given the plan, the state, what was observed and the time: which jobs start, wait, are left out or end.
//!
//! Nothing here runs anything. The control plane keeps the [`state::State`] in its rows, hands the jobs that became
//! `pending` to agents as tasks, and brings back what they report as [`advance::Fact`]s.

pub mod advance;
mod condition;
pub mod faults;
pub mod file;
pub mod plan;
pub mod state;
pub mod status;
pub mod variables;

pub use advance::{Change, Fact, Outcome, Step, advance, start, superseded};
pub use file::File;
pub use plan::{
    AllowFailure, Artifacts, FailureReason, JobIx, JobKind, JobPlan, Keep, Need, OnJobFailure, OnNewCommit, Pipeline,
    Retry, RetryWhen, When,
};
pub use state::{Failure, JobState, State};
pub use status::{Status, fold};
pub use variables::{Trigger, Variable, Variables};

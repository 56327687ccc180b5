//! Runs: from a pushed commit through its pipeline to a release.
//!
//! What happens next is decided in the model ([`tradewind_model::pipeline::advance`]); here the rows are loaded, the
//! decision is written back with the events that tell of it, and jobs that start become tasks of a host. [`live::Live`]
//! is one run inside one transaction, and the only writer of its rows.
//!
//! Three things move a run, and all of them end in [`live::Live::settle`]: a push or a person's request, a report of an
//! agent ([`reported`]), and the reconciler ([`Runs::reconciler`]), which takes no input: it looks at the unfinished runs when
//! something was committed, when an agent came or went, and on a timer. What it finds in the rows is enough to go on, so
//! a crash between any two steps costs nothing but time.
//!
//! Architecture invariants: a run's rows change only together with an event; a task is handed out at most once per
//! attempt of a job; a run asks for its rollout in the transaction that makes its release, and once.

mod artifacts;
mod body;
mod brief;
mod commands;
mod error;
mod events;
pub mod faults;
mod follow;
mod live;
mod log_reading;
mod logs;
mod place;
mod push;
mod reconcile;
mod release;
mod requests;
mod view;
mod work;

pub use artifacts::Stored;
pub use body::{JobBody, Made, RunBody, RunPlan};
pub use brief::brief;
pub use error::RunError;
pub use follow::Part;
pub use log_reading::{Asked as AskedOfLog, MOST_HITS};
pub use logs::{LOG_LIMIT, Log, LogPiece};
pub use push::{PipelineFile, Push, check, pipeline_file};
pub use reconcile::{owns, reported};
pub use requests::By;

use crate::Ctx;
use log_reading::Indexes;
use logs::Tails;
use std::sync::Arc;
use tradewind_store::Logs;

/// The use cases of runs. Clones share everything.
#[derive(Clone)]
pub struct Runs {
    ctx: Ctx,
    logs: Logs,
    tails: Arc<Tails>,
    indexes: Arc<Indexes>,
}

impl Runs {
    pub fn new(ctx: Ctx, logs: Logs) -> Self {
        Self { ctx, logs, tails: Arc::default(), indexes: Arc::default() }
    }

    /// The same for one caller's eyes.
    pub fn within(&self, ctx: Ctx) -> Self {
        Self { ctx, ..self.clone() }
    }
}

//! What people ask of runs: cancel, start, repeat.

use super::{
    Runs,
    error::{Result, RunError},
    events, faults,
    live::Live,
};
use serde_json::json;
use tradewind_model::{
    event::Actor,
    fault::Fault,
    id::{JobId, RunId},
    pipeline::{Fact, JobIx, Status},
    said,
    said::Said,
};
use tradewind_store::{Tx, rows::runs, transact};

/// Who asks, through which request, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct By {
    pub actor: Actor,
    pub cause: Option<String>,
    pub reason: Option<String>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ask {
    Cancel,
    CancelJob(JobId),
    Play(JobId),
    Retry(JobId),
    RetryFailed,
}

impl Ask {
    fn kind(self) -> &'static str {
        match self {
            Self::Cancel => "run.cancel_requested",
            Self::CancelJob(_) => "job.cancel_requested",
            Self::Play(_) => "job.start_requested",
            Self::Retry(_) => "job.retry_requested",
            Self::RetryFailed => "run.retry_requested",
        }
    }

    fn job(self) -> Option<JobId> {
        match self {
            Self::CancelJob(job) | Self::Play(job) | Self::Retry(job) => Some(job),
            Self::Cancel | Self::RetryFailed => None,
        }
    }
}

impl Runs {
    /// Stops all that has not ended. What runs is stopped on its host first; until then the run is `canceling`.
    pub async fn cancel(&self, run: RunId, by: &By) -> Result<()> {
        self.ask(run, Ask::Cancel, by).await
    }

    pub async fn cancel_job(&self, run: RunId, job: JobId, by: &By) -> Result<()> {
        self.ask(run, Ask::CancelJob(job), by).await
    }

    /// Starts a job that waits for a person, or for its time.
    pub async fn play(&self, run: RunId, job: JobId, by: &By) -> Result<()> {
        self.ask(run, Ask::Play(job), by).await
    }

    /// Runs a job that ended once more, and what was left out because of it.
    pub async fn retry(&self, run: RunId, job: JobId, by: &By) -> Result<()> {
        self.ask(run, Ask::Retry(job), by).await
    }

    /// Runs every job once more that failed or was cancelled.
    pub async fn retry_failed(&self, run: RunId, by: &By) -> Result<()> {
        self.ask(run, Ask::RetryFailed, by).await
    }

    async fn ask(&self, run: RunId, ask: Ask, by: &By) -> Result<()> {
        transact!(self.ctx.store, tx => self.ask_in(tx, run, ask, by).await)
    }

    async fn ask_in(&self, tx: &mut Tx, run: RunId, ask: Ask, by: &By) -> Result<()> {
        let row = runs::find(tx, run).await?.ok_or_else(|| Fault::new(&crate::faults::NO_RUN).with("run", run))?;
        let mut live = Live::load(tx, row).await?;
        let fact = admit(&live, ask)?;
        live.asked_by(by.actor.clone(), by.cause.clone());
        let author = events::Author { actor: by.actor.clone(), cause: by.cause.clone() };
        let after = json!({ "reason": by.reason, "run": run });
        let asked = match ask.job().and_then(|j| live.job(j)) {
            Some(job) => events::of_job(tx, &live.run, &live.jobs[job], &author, ask.kind(), None, after).await?,
            None => events::of_run(tx, &live.run, &author, ask.kind(), None, after).await?,
        };
        live.asked_by(by.actor.clone(), Some(asked.to_string()));
        live.body.reason = match ask {
            Ask::Cancel | Ask::CancelJob(_) => by.reason.clone().map(Said::plain).or(live.body.reason),
            Ask::Play(_) | Ask::Retry(_) | Ask::RetryFailed => None,
        };
        if !matches!(ask, Ask::Cancel | Ask::CancelJob(_)) {
            live.body.moved_on_by = Some(by.actor.clone());
        }
        live.settle(&self.ctx, tx, &[fact]).await
    }
}

/// The fact to tell the model, or why it makes no sense.
fn admit(live: &Live, ask: Ask) -> Result<Fact> {
    let number = said!("run {number}", "运行 {number}", number = live.run.number);
    let refuse = |code, what: Said, state: String| -> Result<Fact> {
        Err(Fault::new(code).with("what", what).with("state", state).into())
    };
    let of_run = |wanted: fn(Status) -> bool, code, fact| {
        let any = live.pipeline().is_some_and(|(_, state)| state.jobs.iter().any(|j| wanted(j.status)));
        if any { Ok(fact) } else { refuse(code, number.clone(), live.run.state.clone()) }
    };
    let job = ask.job().map(|id| find(live, id)).transpose()?;
    let status = |job: JobIx| live.body.state.as_ref().map_or(Status::Skipped, |s| s.jobs[job].status);
    match (ask, job) {
        (Ask::RetryFailed, _) => {
            of_run(|s| matches!(s, Status::Failed | Status::Canceled), &faults::NOT_ENDED, Fact::RetryFailed)
        }
        (Ask::CancelJob(_), Some(job)) => match status(job) {
            s if s.is_final() => refuse(&faults::FINISHED, named(live, job), s.to_string()),
            _ => Ok(Fact::CancelJob { job }),
        },
        (Ask::Play(_), Some(job)) => match status(job) {
            Status::Manual | Status::Scheduled => Ok(Fact::Play { job }),
            s => Err(Fault::new(&faults::NOT_WAITING).with("job", &live.jobs[job].name).with("state", s).into()),
        },
        (Ask::Retry(_), Some(job)) => match status(job) {
            Status::Success | Status::Failed | Status::Canceled => Ok(Fact::Retry { job }),
            s => refuse(&faults::NOT_ENDED, named(live, job), s.to_string()),
        },
        (Ask::Cancel | Ask::CancelJob(_) | Ask::Play(_) | Ask::Retry(_), _) => {
            if live.run.finished_at.is_some() {
                return refuse(&faults::FINISHED, number, live.run.state.clone());
            }
            Ok(Fact::Cancel)
        }
    }
}

fn named(live: &Live, job: JobIx) -> Said {
    said!("job {name}", "任务 {name}", name = live.jobs[job].name)
}

fn find(live: &Live, id: JobId) -> Result<JobIx, RunError> {
    live.job(id).ok_or_else(|| {
        let names: Vec<&str> = live.jobs.iter().map(|j| j.name.as_str()).collect();
        let fault = Fault::new(&faults::NO_JOB).with("run", live.run.number).with("job", id);
        fault.with("jobs", names.join(", ")).into()
    })
}

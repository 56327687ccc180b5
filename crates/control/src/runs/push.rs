//! From a push to a run, once.

use super::{
    RunError, Runs,
    body::{JobBody, RunBody, RunPlan},
    faults,
    live::Live,
};
use sha2::{Digest as _, Sha256};
use tradewind_model::{
    event::{Actor, NewEvent},
    fault::Fault,
    id::{Commit, EnvName, JobId, OrgName, RunId, ServiceName},
    pipeline::{self, Pipeline, Status, Trigger, file},
    said,
    spec::{self, Spec},
};
use tradewind_store::{
    Json, Reader as _, Tx,
    rows::{jobs, runs},
    transact,
};

/// How long making a bundle may take.
const PACKAGE_TIMEOUT_MS: u64 = 30 * 60_000;

/// A ref that moved, with the files of its commit that say what follows.
#[derive(Clone, PartialEq, Debug)]
pub struct Push {
    /// Names this push: the same again is the same run.
    pub id: String,
    pub service: ServiceName,
    pub commit: Commit,
    /// Where the ref pointed before; `None` for a new one.
    pub before: Option<Commit>,
    /// In full: `refs/heads/main`.
    pub git_ref: String,
    pub default_branch: String,
    /// The commit's message.
    pub message: String,
    pub actor: Actor,
    /// The request that brought it.
    pub cause: Option<String>,
    /// The text of `tradewind.yaml`.
    pub spec: String,
    /// Name and text of the file [`pipeline_file`] names, where the commit has it.
    pub pipeline: Option<PipelineFile>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineFile {
    pub name: String,
    pub text: String,
}

/// The pipeline file to read from the commit.
pub fn pipeline_file(spec: &Spec) -> Option<&str> {
    match &spec.pipeline {
        spec::Pipeline::IfPresent => Some(spec::defaults::PIPELINE_FILE),
        spec::Pipeline::File(name) => Some(name),
        spec::Pipeline::None => None,
    }
}

/// A push that was understood.
struct Understood {
    env: Option<EnvName>,
    plan: RunPlan,
}

/// Everything that would keep this push from becoming a run, without making one; where its branch leads.
///
/// # Errors
/// All faults of both files.
pub fn check(push: &Push) -> Result<Option<EnvName>, Vec<Fault>> {
    understand(push, RunId::at(tradewind_model::time::Timestamp::default()), 0).map(|u| u.env)
}

fn understand(push: &Push, run: RunId, number: u64) -> Result<Understood, Vec<Fault>> {
    let trigger = Trigger {
        service: push.service.clone(),
        commit: push.commit.clone(),
        git_ref: push.git_ref.clone(),
        default_branch: push.default_branch.clone(),
        message: push.message.clone(),
        before: push.before.clone(),
        run,
        number,
    };
    let read = push.pipeline.as_ref().map(|f| file::read(&f.name, &f.text));
    let spec = Spec::parse(spec::defaults::FILE, &push.spec);
    let (spec, read) = match (spec, read.transpose()) {
        (Ok(spec), Ok(read)) => (spec, read),
        (spec, read) => return Err([spec.err().unwrap_or_default(), read.err().unwrap_or_default()].concat()),
    };
    spec.check_service(&push.service).map_err(|f| vec![f])?;
    let read = match (&spec.pipeline, read) {
        (spec::Pipeline::None, _) => None,
        (spec::Pipeline::File(name), None) => {
            return Err(vec![Fault::new(&faults::NO_PIPELINE_FILE).with("file", name)]);
        }
        (spec::Pipeline::IfPresent | spec::Pipeline::File(_), read) => read,
    };
    let planned = match read {
        Some(file) => file.plan(&trigger)?,
        None => Some(Pipeline::default()),
    };
    let branch = push.git_ref.strip_prefix("refs/heads/");
    Ok(Understood {
        env: branch.and_then(|b| spec.environment_of_branch(b)).cloned(),
        plan: RunPlan {
            push: push.id.clone(),
            trigger,
            spec: push.spec.clone(),
            paths: spec.artifact.paths,
            exclude: spec.artifact.exclude,
            pipeline: planned.map(|p| p.with_packaging(PACKAGE_TIMEOUT_MS)),
        },
    })
}

/// The same for the same push, so that asking twice cannot make two runs, whoever asks. Runs are ordered by number.
fn run_id(org: &OrgName, push: &Push) -> RunId {
    let mut hash = Sha256::new();
    for part in [org.as_str(), push.service.as_str(), &push.git_ref, push.commit.as_str(), &push.id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let half: [u8; 16] = std::array::from_fn(|i| bytes[i]);
    RunId(uuid::Builder::from_random_bytes(half).into_uuid())
}

impl Runs {
    /// Makes the run of a push, or finds it where it was made already; `true` where it is new.
    ///
    /// # Errors
    /// [`RunError::Refused`] with all faults of both files.
    pub async fn enqueue(&self, push: &Push) -> Result<(RunId, bool), RunError> {
        transact!(self.ctx.store, tx => self.enqueue_in(tx, push).await)
    }

    async fn enqueue_in(&self, tx: &mut Tx, push: &Push) -> Result<(RunId, bool), RunError> {
        let id = run_id(tx.org(), push);
        if runs::find(tx, id).await?.is_some() {
            return Ok((id, false));
        }
        let mut older = runs::unfinished(tx).await?;
        older.retain(|r| r.service == push.service && r.git_ref == push.git_ref);
        let last = runs::list(tx, &push.service, None, tradewind_store::rows::Page::first(1)).await?;
        let number = last.first().map_or(1, |r| r.number + 1);
        let Understood { env, plan } =
            understand(push, id, u64::try_from(number).unwrap_or_default()).map_err(RunError::Refused)?;
        let begun = plan.pipeline.as_ref().map(|p| pipeline::start(p, tx.now()));
        let state = begun.as_ref().map_or(Status::Skipped, |step| step.state.status);
        let body =
            RunBody { state: begun.map(|s| s.state), reason: None, release: None, rollout: None, moved_on_by: None };
        let run = runs::insert(
            tx,
            runs::NewRun {
                id,
                service: push.service.clone(),
                commit: push.commit.clone(),
                git_ref: push.git_ref.clone(),
                env: env.clone(),
                state: state.as_str().into(),
                plan: Json::of(&plan),
                body: Json::of(&body),
                cause: push.cause.clone(),
                actor: push.actor.clone(),
            },
        )
        .await?;
        let created = tx
            .event(NewEvent {
                kind: "run.created".into(),
                schema: 1,
                actor: push.actor.clone(),
                subject: format!("run/{id}"),
                cause: push.cause.clone(),
                service: Some(push.service.to_string()),
                env: env.map(|e| e.to_string()),
                before: None,
                after: Some(serde_json::json!({
                    "number": run.number, "commit": push.commit, "ref": push.git_ref, "state": state
                })),
            })
            .await?;
        self.insert_jobs(tx, &run, &plan, &body).await?;
        match body.state {
            None => self.end_without_jobs(tx, run).await?,
            Some(_) => {
                let mut live = Live::load(tx, run).await?;
                live.settle(&self.ctx, tx, &[]).await?;
            }
        }
        for older in older {
            self.supersede(tx, older, number, &created.to_string()).await?;
        }
        Ok((id, true))
    }

    async fn insert_jobs(&self, tx: &mut Tx, run: &runs::Run, plan: &RunPlan, body: &RunBody) -> Result<(), RunError> {
        let (Some(pipeline), Some(state)) = (&plan.pipeline, &body.state) else { return Ok(()) };
        for (at, (job, state)) in pipeline.jobs.iter().zip(&state.jobs).enumerate() {
            let new = jobs::NewJob {
                id: JobId::at(tx.now()),
                run: run.id,
                position: i64::try_from(at).unwrap_or(i64::MAX),
                name: job.name.clone(),
                stage: pipeline.stages[job.stage].clone(),
                state: state.status.as_str().into(),
                body: Json::of(&JobBody::default()),
            };
            jobs::insert(tx, new).await?;
        }
        Ok(())
    }

    async fn end_without_jobs(&self, tx: &mut Tx, run: runs::Run) -> Result<(), RunError> {
        let mut body: RunBody = run.body.read()?;
        body.reason = Some(said!(
            "the pipeline's rules leave nothing to run for this push",
            "按流水线的规则，此次推送没有需要运行的任务"
        ));
        let now = tx.now();
        runs::update(tx, runs::Run { body: Json::of(&body), finished_at: Some(now), ..run }).await?;
        Ok(())
    }

    async fn supersede(&self, tx: &mut Tx, older: runs::Run, by: i64, cause: &str) -> Result<(), RunError> {
        let mut live = Live::load(tx, older).await?;
        let facts = live.superseded();
        if !facts.is_empty() {
            live.because(said!("superseded by run {number}", "被运行 {number} 取代", number = by));
            live.asked_by(Actor::System { part: "run".into() }, Some(cause.to_owned()));
            live.settle(&self.ctx, tx, &facts).await?;
        }
        Ok(())
    }
}

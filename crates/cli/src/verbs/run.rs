//! Runs: one execution of a pipeline each.

use super::Pages;
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill,
    follow::{self, Wait, run::Show},
    msg,
    session::Session,
    table::{Paint, Table, painted},
    when,
    words::{Words, job_name, stage},
};
use std::{path::PathBuf, time::Duration};
use tradewind_api::{
    Client, Paging,
    v1::{self, Reason},
};
use tradewind_model::{
    fault::Fault,
    id::{JobId, RunId, ServiceName},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List {
        service: Option<String>,
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        #[command(flatten)]
        pages: Pages,
    },
    Show(Which),
    Artifacts {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        #[arg(long, value_name = "FOLDER")]
        save: Option<PathBuf>,
    },
    Cancel {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        #[arg(long, value_name = "TEXT", default_value = "", requires = "job")]
        reason: String,
        #[command(flatten)]
        wait: Wait,
    },
    Retry {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        #[command(flatten)]
        wait: Wait,
    },
    Start {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "JOB")]
        job: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        #[command(flatten)]
        wait: Wait,
    },
    Logs {
        #[command(flatten)]
        which: Which,
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        #[arg(long, short, conflicts_with = "attempt")]
        follow: bool,
        #[arg(long, value_name = "N", requires = "job")]
        attempt: Option<u32>,
    },
}

/// Names a run: by id, or by its number within a service.
#[derive(Debug, clap::Args)]
pub struct Which {
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
}

impl Which {
    /// By id or number; none named: the newest.
    async fn find(&self, session: &Session, client: &Client) -> Result<v1::Run, Failure> {
        if let Some(id) = self.run.as_deref().and_then(|r| r.parse::<RunId>().ok()) {
            return Ok(client.run(id).await?);
        }
        let service = session.service(self.service.as_deref(), "run show --service")?;
        let number = match self.run.as_deref() {
            None | Some("latest") => None,
            Some(r) => Some(r.trim_start_matches('#').parse::<u64>().map_err(|_| {
                Fault::new(&faults::NOT_AN_ID).with("value", r).with("list", format!("tradewind run list {service}"))
            })?),
        };
        let none = || {
            Fault::new(&faults::NO_RUN).with("service", &service).with("run", self.run.as_deref().unwrap_or("latest"))
        };
        find_run(client, &service, |run| number.is_none_or(|n| run.number == n)).await?.ok_or_else(|| none().into())
    }
}

/// The newest run that fits, looking back as far as there are any.
pub async fn find_run(
    client: &Client,
    service: &ServiceName,
    fits: impl Fn(&v1::Run) -> bool,
) -> Result<Option<v1::Run>, Failure> {
    let mut paging = Paging::limit(100);
    loop {
        let page = client.runs(service, &paging).await?;
        if let Some(run) = page.items.into_iter().find(&fits) {
            return Ok(Some(run));
        }
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(None),
        }
    }
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::List { service, state, pages } => {
            list(session, &client, service.as_deref(), state.as_deref(), &pages).await
        }
        Action::Show(which) => {
            let run = which.find(session, &client).await?;
            if session.json {
                session.out.json(&run);
            } else {
                show(session, &run);
            }
            Ok(Exit::Ok)
        }
        Action::Artifacts { which, job, save } => {
            let run = which.find(session, &client).await?;
            let job = job.map(|name| job_of(&run, &name)).transpose()?;
            super::artifacts::run(session, &client, &run, job, save.as_deref()).await
        }
        Action::Cancel { which, job: Some(job), reason, wait } => {
            let run = which.find(session, &client).await?;
            let job = job_of(&run, &job)?.id;
            cancel_job(session, &client, run.id, job, &Reason { reason }, &wait).await
        }
        Action::Cancel { which, job: None, reason: _, wait } => cancel(session, &client, &which, &wait).await,
        Action::Retry { which, job, reason, wait } => {
            let (run, reason) = (which.find(session, &client).await?, Reason { reason });
            let run = match job {
                None => client.retry_run(run.id, &reason).await?,
                Some(name) => client.retry_job(run.id, job_of(&run, &name)?.id, &reason).await?,
            };
            see_through(session, &client, run, &wait).await
        }
        Action::Start { which, job, reason, wait } => {
            let run = which.find(session, &client).await?;
            let run = client.start_job(run.id, job_of(&run, &job)?.id, &Reason { reason }).await?;
            see_through(session, &client, run, &wait).await
        }
        Action::Logs { which, job: Some(job), follow: _, attempt: Some(attempt) } => {
            let run = which.find(session, &client).await?;
            let log = client.attempt_log(run.id, job_of(&run, &job)?.id, attempt).await?;
            session.out.verbatim(&String::from_utf8_lossy(&log));
            Ok(Exit::Ok)
        }
        Action::Logs { which, job, follow, attempt: _ } => logs(session, &client, &which, job.as_deref(), follow).await,
    }
}

fn job_of<'r>(run: &'r v1::Run, name: &str) -> Result<&'r v1::Job, Failure> {
    run.jobs.iter().find(|j| j.name == name).ok_or_else(|| {
        let jobs: Vec<&str> = run.jobs.iter().map(|j| j.name.as_str()).collect();
        let fault = Fault::new(&faults::NO_JOB).with("run", format!("#{}", run.number)).with("job", name);
        fault.with("jobs", jobs.join(", ")).into()
    })
}

/// Shows a run that goes on to its end, unless the caller only wants it to.
async fn see_through(session: &Session, client: &Client, run: v1::Run, wait: &Wait) -> Result<Exit, Failure> {
    let run = match wait.no_wait {
        true => run,
        false => {
            follow::patiently(wait.limit()?, follow::run::follow(session, client, run.id, &Show::Everything)).await?
        }
    };
    if session.json {
        session.out.json(&run);
    } else {
        session.out.line(follow::run::summary(session, &run));
    }
    Ok(if run.state.is_finished() && !run.state.is_success() { Exit::Failed } else { Exit::Ok })
}

/// As the API writes it.
fn state_of(word: &str) -> Result<v1::RunState, Failure> {
    let known = |state: &v1::RunState| serde_json::to_value(state).is_ok_and(|s| s == word);
    STATES.into_iter().find(known).ok_or_else(|| {
        let all: Vec<String> =
            STATES.iter().filter_map(|s| serde_json::to_value(s).ok()?.as_str().map(Into::into)).collect();
        Fault::new(&faults::NO_STATE).with("state", word).with("states", all.join(", ")).into()
    })
}

const STATES: [v1::RunState; 9] = [
    v1::RunState::Pending,
    v1::RunState::Running,
    v1::RunState::Manual,
    v1::RunState::Success,
    v1::RunState::SuccessWithWarnings,
    v1::RunState::Failed,
    v1::RunState::Canceling,
    v1::RunState::Canceled,
    v1::RunState::Skipped,
];

async fn list(
    session: &Session,
    client: &Client,
    service: Option<&str>,
    state: Option<&str>,
    pages: &Pages,
) -> Result<Exit, Failure> {
    let lang = session.lang;
    let service = session.service(service, "run list")?;
    let page = match state {
        Some(word) => client.runs_in(&service, state_of(word)?, &pages.paging()).await?,
        None => client.runs(&service, &pages.paging()).await?,
    };
    if session.json {
        session.out.json(&page);
        return Ok(Exit::Ok);
    }
    if page.items.is_empty() {
        session.out.line(fill!(lang, &msg::NO_RUNS, service = service));
        return Ok(Exit::Ok);
    }
    let head = [
        &msg::H_RUN,
        &msg::H_STATE,
        &msg::H_BRANCH,
        &msg::H_COMMIT,
        &msg::H_RELEASE,
        &msg::H_SINCE,
        &msg::H_TOOK,
        &msg::H_BY,
        &msg::H_TITLE,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    for r in &page.items {
        table.row(vec![
            format!("#{}", r.number).into(),
            painted(r.state.paint(), r.state.say(lang)),
            r.branch.as_str().into(),
            r.commit.short().into(),
            r.release.as_ref().map(|x| x.label.clone()).unwrap_or_default().into(),
            session.when().ago(r.created_at).into(),
            follow::run::took(r.started_at, r.finished_at).map(when::span).unwrap_or_default().into(),
            r.requested_by.as_str().into(),
            r.title.clone().unwrap_or_default().into(),
        ]);
    }
    session.out.table(&table);
    Pages::more(session, page.next.as_ref());
    Ok(Exit::Ok)
}

fn show(session: &Session, run: &v1::Run) {
    let lang = session.lang;
    session.out.line(follow::run::summary(session, run));
    let title = run.title.clone().unwrap_or_default();
    session.out.line(format!("  {} {}  {title}", run.branch, run.commit.short()));
    let since = session.when().ago(run.created_at);
    session.out.line(fill!(lang, &msg::RUN_BY, by = run.requested_by, since = since, id = run.id));
    if let Some(push) = &run.forge {
        let forge = super::forge::title(push.kind);
        session.out.line(fill!(lang, &msg::RUN_OF_FORGE, by = push.pusher, forge = forge));
    }
    let mut table =
        Table::new(&msg::head(lang, &[&msg::H_STAGE, &msg::H_JOB, &msg::H_STATE, &msg::H_TOOK, &msg::H_NOTE]));
    for j in &run.jobs {
        table.row(vec![
            stage(j).unwrap_or_default().into(),
            job_name(j, lang).into(),
            painted(j.state.paint(), j.state.say(lang)),
            follow::run::took(j.started_at, j.finished_at).map(when::span).unwrap_or_default().into(),
            painted(Paint::Faint, j.message.clone().unwrap_or_default()),
        ]);
    }
    if !table.is_empty() {
        session.out.table(&table);
    }
    commands(session, run);
    if let Some(r) = &run.release {
        session.out.line(fill!(lang, &msg::RELEASED, label = r.label, digest = r.digest.short()));
    }
    if let (Some(id), Some(env)) = (run.rollout, &run.env) {
        session.out.line(fill!(lang, &msg::ROLLOUT_STARTED, env = env, id = id));
    }
}

/// What the jobs' scripts did, command by command.
fn commands(session: &Session, run: &v1::Run) {
    let lang = session.lang;
    let head = [&msg::H_JOB, &msg::H_COMMAND, &msg::H_EXIT, &msg::H_TOOK, &msg::H_LINE];
    let mut table = Table::new(&msg::head(lang, &head));
    for (job, c) in run.jobs.iter().flat_map(|j| j.commands.iter().map(move |c| (j, c))) {
        let exit = match c.exit_code {
            Some(0) => painted(Paint::Good, "0"),
            Some(code) => painted(Paint::Bad, code.to_string()),
            None => "".into(),
        };
        table.row(vec![
            job_name(job, lang).into(),
            c.text.as_str().into(),
            exit,
            c.duration_ms.map(|ms| when::span(Duration::from_millis(ms))).unwrap_or_default().into(),
            c.line.map(|n| n.to_string()).unwrap_or_default().into(),
        ]);
    }
    if !table.is_empty() {
        session.out.line("");
        session.out.table(&table);
    }
}

async fn cancel(session: &Session, client: &Client, which: &Which, wait: &Wait) -> Result<Exit, Failure> {
    let run = which.find(session, client).await?;
    let mut run = client.cancel_run(run.id).await?;
    if !wait.no_wait && !run.state.is_finished() {
        run = follow::patiently(wait.limit()?, follow::run::follow(session, client, run.id, &Show::Nothing)).await?;
    }
    if session.json {
        session.out.json(&run);
    } else {
        session.out.line(follow::run::summary(session, &run));
    }
    Ok(Exit::Ok)
}

/// The run goes on; the job's end is waited for.
async fn cancel_job(
    session: &Session,
    client: &Client,
    run: RunId,
    job: JobId,
    reason: &Reason,
    wait: &Wait,
) -> Result<Exit, Failure> {
    let mut now = client.cancel_job(run, job, reason).await?;
    let ended = |run: &v1::Run| run.jobs.iter().any(|j| j.id == job && j.state.is_finished());
    if !wait.no_wait && !ended(&now) {
        now = follow::patiently(wait.limit()?, follow::run::follow_job(session, client, run, job, &Show::Nothing))
            .await?;
    }
    if session.json {
        session.out.json(&now);
    } else {
        show(session, &now);
    }
    Ok(Exit::Ok)
}

async fn logs(
    session: &Session,
    client: &Client,
    which: &Which,
    job: Option<&str>,
    follow: bool,
) -> Result<Exit, Failure> {
    let run = which.find(session, client).await?;
    let wanted = job.map(|name| job_of(&run, name)).transpose()?;
    if follow && !run.state.is_finished() {
        if let Some(job) = wanted {
            let show = Show::Job(job.id);
            let now = follow::patiently(None, follow::run::follow_job(session, client, run.id, job.id, &show)).await?;
            let good = now.jobs.iter().any(|j| j.id == job.id && j.state == v1::JobState::Success);
            return Ok(if good { Exit::Ok } else { Exit::Failed });
        }
        let show = Show::Everything;
        let ended = follow::patiently(None, follow::run::follow(session, client, run.id, &show)).await?;
        if !session.json {
            session.out.line(follow::run::summary(session, &ended));
        }
        return Ok(if ended.state.is_success() { Exit::Ok } else { Exit::Failed });
    }
    for j in run.jobs.iter().filter(|j| wanted.is_none_or(|w| w.id == j.id)) {
        let log = client.job_log(run.id, j.id, 0).await?;
        let text = String::from_utf8_lossy(&log);
        if wanted.is_some() {
            session.out.verbatim(&text);
        } else {
            for line in text.lines() {
                session.out.line(format!("{} │ {line}", job_name(j, session.lang)));
            }
        }
    }
    Ok(Exit::Ok)
}

//! A run as it happens.

use super::Live;
use crate::{
    failure::Failure,
    fill, msg,
    session::Session,
    table::Paint,
    text::{aside, because},
    when,
    words::{Words, job_name, stage},
};
use indicatif::ProgressBar;
use std::{collections::HashMap, time::Duration};
use tradewind_api::{
    Client,
    v1::{Job, JobState, Run, RunUpdate, Time},
};
use tradewind_model::id::{JobId, RunId};

/// Whose output is shown.
#[derive(Clone, Debug)]
pub enum Show {
    /// Every job's, each line with the job's name before it, and what becomes of the jobs.
    Everything,
    /// One job's, as it was written.
    Job(JobId),
    /// Nobody's: only the end matters.
    Nothing,
}

/// Follows a run to its end and returns how it ended.
pub async fn follow(session: &Session, client: &Client, id: RunId, show: &Show) -> Result<Run, Failure> {
    let mut screen = Screen { session, live: Live::new(&session.out), show, jobs: HashMap::new() };
    let mut updates = client.follow_run(id);
    while let Some(update) = updates.next().await {
        match update? {
            RunUpdate::Finished { run } => {
                screen.finish();
                return Ok(*run);
            }
            other => screen.update(&other),
        }
    }
    // The stream ended without its last word: ask for it.
    screen.finish();
    Ok(client.run(id).await?)
}

/// Follows one job to its end, from the beginning of its log; how the run stands then.
pub async fn follow_job(
    session: &Session,
    client: &Client,
    run: RunId,
    job: JobId,
    show: &Show,
) -> Result<Run, Failure> {
    let mut screen = Screen { session, live: Live::new(&session.out), show, jobs: HashMap::new() };
    let mut updates = client.follow_job(run, job, 0);
    while let Some(update) = updates.next().await {
        screen.update(&update?);
    }
    screen.finish();
    Ok(client.run(run).await?)
}

struct Screen<'a> {
    session: &'a Session,
    live: Live,
    show: &'a Show,
    jobs: HashMap<JobId, JobView>,
}

#[derive(Default)]
struct JobView {
    name: String,
    /// A line that has not ended yet.
    rest: String,
    spinner: Option<ProgressBar>,
}

impl Screen<'_> {
    fn update(&mut self, update: &RunUpdate) {
        let lang = self.session.lang;
        if self.session.json {
            return;
        }
        match update {
            RunUpdate::Log { job, name, text, .. } => self.log(*job, name, text),
            RunUpdate::Job { job } => self.job(job),
            RunUpdate::Released { release } if self.everything() => {
                self.live.line(&fill!(lang, &msg::RELEASED, label = release.label, digest = release.digest.short()));
            }
            RunUpdate::RolloutStarted { id, env, outlook, waits_for, .. } if self.everything() => {
                self.live.line(&match waits_for {
                    Some(why) => fill!(lang, &msg::ROLLOUT_WAITS, env = env, id = id, why = why),
                    None => fill!(lang, &msg::ROLLOUT_STARTED, env = env, id = id),
                });
                if let Some(outlook) = outlook {
                    self.live.line(&fill!(lang, &msg::OUTLOOK, text = outlook));
                }
            }
            RunUpdate::Released { .. } | RunUpdate::RolloutStarted { .. } | RunUpdate::Finished { .. } => {}
        }
    }

    fn everything(&self) -> bool {
        matches!(self.show, Show::Everything)
    }

    fn log(&mut self, id: JobId, name: &str, text: &str) {
        match self.show {
            Show::Job(wanted) => {
                if *wanted == id {
                    self.session.out.verbatim(text);
                }
            }
            Show::Nothing => {}
            Show::Everything => {
                let view = self.jobs.entry(id).or_default();
                if view.name.is_empty() {
                    name.clone_into(&mut view.name);
                }
                view.rest.push_str(text);
                while let Some(end) = view.rest.find('\n') {
                    let line: String = view.rest.drain(..=end).collect();
                    self.live.line(&log_line(&view.name, line.trim_end_matches(['\n', '\r'])));
                }
            }
        }
    }

    fn job(&mut self, job: &Job) {
        if !self.everything() {
            return;
        }
        let view = self.jobs.entry(job.id).or_default();
        job_name(job, self.session.lang).clone_into(&mut view.name);
        if job.state == JobState::Running && view.spinner.is_none() {
            view.spinner = self.live.spinner(&view.name);
        }
        if job.state.is_finished() {
            if let Some(bar) = view.spinner.take() {
                bar.finish_and_clear();
            }
            if !view.rest.is_empty() {
                self.live.line(&log_line(&view.name, &std::mem::take(&mut view.rest)));
            }
        }
        match job.state {
            // That it waits its turn is no news.
            JobState::Created | JobState::Pending => {}
            JobState::Running
            | JobState::Manual
            | JobState::Success
            | JobState::Failed
            | JobState::Canceling
            | JobState::Canceled
            | JobState::Skipped => self.live.line(&job_line(self.session, job)),
        }
    }

    fn finish(&mut self) {
        for view in self.jobs.values_mut() {
            if let Some(bar) = view.spinner.take() {
                bar.finish_and_clear();
            }
            if !view.rest.is_empty() {
                self.live.line(&log_line(&view.name, &std::mem::take(&mut view.rest)));
            }
        }
    }
}

fn log_line(job: &str, text: &str) -> String {
    format!("{job} │ {text}")
}

fn job_line(session: &Session, job: &Job) -> String {
    let lang = session.lang;
    let state = job.state.paint().apply(job.state.say(lang), session.out.terminal);
    let name = Paint::Bold.apply(job_name(job, lang), session.out.terminal);
    let mut line = stage(job).map_or_else(String::new, |stage| format!("{stage} · ")) + &format!("{name} {state}");
    if let (true, Some(took)) = (job.state.is_finished(), took(job.started_at, job.finished_at)) {
        line += &aside(when::span(took), lang);
    }
    match (&job.message, job.state, job.exit_code) {
        (Some(message), _, _) => line += &because(message, lang),
        (None, JobState::Failed, Some(code)) => line += &fill!(lang, &msg::WITH_EXIT, code = code),
        (None, _, _) => {}
    }
    if job.state == JobState::Failed && job.allow_failure {
        line += msg::MAY_FAIL.get(lang);
    }
    line
}

/// The last line about a run.
pub fn summary(session: &Session, run: &Run) -> String {
    let lang = session.lang;
    let state = run.state.paint().apply(run.state.say(lang), session.out.terminal);
    let mut line = fill!(lang, &msg::RUN_IS, number = run.number, service = run.service, state = state);
    if let Some(took) = took(run.started_at, run.finished_at) {
        line += &aside(when::span(took), lang);
    }
    if let Some(reason) = &run.reason {
        line += &because(reason, lang);
    }
    line
}

pub fn took(from: Option<Time>, to: Option<Time>) -> Option<Duration> {
    Some(to?.0.since(from?.0))
}

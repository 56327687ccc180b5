//! Telling a forge how a run of its commit goes, and each rollout of what the run made.
//!
//! Nothing is queued: a row says what the forge was told last, what it should be told is read from the run and the rollouts
//! themselves, and where the two differ it is told. So a state that is over before the forge could be reached is never sent, the
//! newest is sent always, and a restart loses nothing.

use super::{Linked, links};
use crate::{Ctx, Result, rollouts::PlanDoc, rounds::Loop, runs::RunBody};
use futures_util::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use tradewind_forges::{
    Kind, plain,
    status::{self, Answer, Report, State, Target},
};
use tradewind_model::{
    id::{Commit, RunId},
    pipeline::Status,
    rollout::state::Phase,
};
use tradewind_outbound::{Outbound, Request};
use tradewind_store::{
    Json, Reader, StoreError, Tx,
    rows::{
        self, Page,
        forges::{Link, Told, statuses},
    },
    transact,
};

const TICK: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1_800);
/// Then it is given up, until there is something else to tell. About half a day.
const MOST_TRIES: u32 = 30;
/// Forges told at once.
const AT_ONCE: usize = 4;
/// Rollouts of a service that are looked through for those of a release.
const ROLLOUTS: u32 = 50;

/// One line beside the commit, as the forge was told.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    /// By which the forge knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<String>,
    #[serde(default)]
    tries: u32,
    /// What the forge said when it did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

type Lines = BTreeMap<String, Line>;

/// The run is told of from now on, where the link has a token to tell with.
pub(super) async fn begin(tx: &mut Tx, link: &Link, run: RunId, commit: &Commit) -> Result<(), StoreError> {
    match link.token {
        Some(_) => statuses::begin(tx, run, link.id, commit, &Json::of(&Lines::new())).await,
        None => Ok(()),
    }
}

/// What the forge said when it did not take one of them.
pub(super) fn problem(told: &Told) -> Result<Option<String>> {
    let lines: Lines = told.lines.read()?;
    Ok(lines.into_values().find_map(|l| l.error))
}

/// Runs until it is dropped.
pub async fn courier(ctx: Ctx, outbound: Outbound, public_url: Option<String>) {
    let mut commits = ctx.store.commits();
    loop {
        commits.borrow_and_update();
        let done = deliver(&ctx, &outbound, public_url.as_deref()).await;
        ctx.rounds.note(Loop::Statuses, ctx.now(), TICK, &done);
        if let Err(e) = done {
            tracing::error!(error = &e as &dyn std::error::Error, "commit statuses could not be looked at");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// One round over everything that may have news.
///
/// # Errors
/// Those of the store.
pub async fn deliver(ctx: &Ctx, outbound: &Outbound, public_url: Option<&str>) -> Result<()> {
    let links = rows::forges::links::list(&mut ctx.store.read().await?).await?;
    if links.iter().all(|l| l.token.is_none()) {
        return Ok(());
    }
    reopen(ctx, &links).await?;
    let open = statuses::open(&mut ctx.store.read().await?).await?;
    let now = ctx.now();
    let due = open.into_iter().filter(|t| t.next_at.is_none_or(|at| at <= now));
    stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |told| {
            let run = told.run;
            let Some(link) = links.iter().find(|l| l.id == told.link) else { return };
            if let Err(e) = tell(ctx, outbound, link, told, public_url).await {
                tracing::error!(%run, error = &e as &dyn std::error::Error, "a commit's status could not be told");
            }
        })
        .await;
    Ok(())
}

/// A release that rolls out once more has news again.
async fn reopen(ctx: &Ctx, links: &[Link]) -> Result<()> {
    let mut r = ctx.store.read().await?;
    let mut again = Vec::new();
    for rollout in rows::rollouts::unfinished(&mut r).await? {
        if !links.iter().any(|l| l.service == rollout.service && l.token.is_some()) {
            continue;
        }
        let doc: PlanDoc = rollout.plan.read()?;
        let release = rows::releases::named(&mut r, &rollout.service, &doc.release.to_string()).await?;
        let Some(run) = release.run else { continue };
        again.extend(statuses::find(&mut r, run).await?.filter(|t| !t.is_open));
    }
    drop(r);
    for told in again {
        put(ctx, &Told { is_open: true, next_at: None, ..told }).await?;
    }
    Ok(())
}

async fn put(ctx: &Ctx, told: &Told) -> Result<()> {
    transact!(ctx.store, tx => {
        tx.without_event("what was told elsewhere");
        statuses::put(tx, told).await
    })?;
    Ok(())
}

/// What the forge should show, and whether that is the end of it.
struct Wanted {
    reports: Vec<Report>,
    is_final: bool,
}

async fn wanted(r: &mut impl Reader, told: &Told, public_url: Option<&str>) -> Result<Wanted> {
    let run = rows::runs::get(r, told.run).await?;
    let body: RunBody = run.body.read()?;
    let link = public_url.map(|url| format!("{url}/api/v1/runs/{}", run.id));
    let (state, word) = of_run(&run.state)?;
    let context = format!("tradewind/{}", run.service);
    let mut reports = vec![Report { state, context, text: format!("Run {} {word}", run.number), link }];
    let mut is_final = run.finished_at.is_some();
    let Some(made) = body.release else { return Ok(Wanted { reports, is_final }) };
    let newest = rows::rollouts::list(r, &run.service, None, Page::first(ROLLOUTS)).await?;
    for rollout in newest.into_iter().filter(|row| row.created_at >= run.created_at) {
        let doc: PlanDoc = rollout.plan.read()?;
        let context = format!("tradewind/{}/{}", run.service, rollout.env);
        // The newest of an environment is what counts there.
        if doc.release != made.digest || reports.iter().any(|r| r.context == context) {
            continue;
        }
        let (phase, word) = of_rollout(&rollout.phase)?;
        is_final &= rollout.finished_at.is_some();
        let link = public_url.map(|url| format!("{url}/api/v1/rollouts/{}", rollout.id));
        let text = format!("{} to {} {word}", doc.label, rollout.env);
        reports.push(Report { state: phase, context, text, link });
    }
    Ok(Wanted { reports, is_final })
}

fn of_run(stored: &str) -> Result<(State, &'static str)> {
    let unknown = || StoreError::Corrupt { what: format!("a state `{stored}`"), source: None };
    Ok(match Status::parse(stored).ok_or_else(unknown)? {
        Status::Created | Status::WaitingForResource | Status::Preparing | Status::Pending | Status::Scheduled => {
            (State::Pending, "waits")
        }
        Status::Manual => (State::Pending, "waits for a person"),
        Status::Running => (State::Running, "is under way"),
        Status::Canceling => (State::Running, "is being called off"),
        Status::Success => (State::Success, "succeeded"),
        Status::Skipped => (State::Success, "had nothing to do"),
        Status::Failed => (State::Failure, "failed"),
        Status::Canceled => (State::Canceled, "was called off"),
    })
}

fn of_rollout(stored: &str) -> Result<(State, &'static str)> {
    let unknown = || StoreError::Corrupt { what: format!("a phase `{stored}`"), source: None };
    Ok(match Phase::parse(stored).ok_or_else(unknown)? {
        Phase::Queued => (State::Pending, "is queued"),
        Phase::Running => (State::Running, "is under way"),
        Phase::Returning => (State::Running, "goes back"),
        Phase::Completed => (State::Success, "is live"),
        Phase::Failed => (State::Failure, "failed and went back"),
        Phase::Aborted => (State::Canceled, "was aborted"),
        Phase::Superseded => (State::Canceled, "was superseded by a rollback"),
    })
}

/// Tells what the forge does not know yet, and writes down what it was told.
async fn tell(ctx: &Ctx, outbound: &Outbound, link: &Link, mut told: Told, public_url: Option<&str>) -> Result<()> {
    let before = told.clone();
    let Wanted { reports, is_final } = wanted(&mut ctx.store.read().await?, &told, public_url).await?;
    let mut lines: Lines = told.lines.read()?;
    let token = links::token(ctx, link)?;
    let linked = Linked::of(link)?;
    let api = linked.api(link);
    let mut pause = None;
    for report in &reports {
        let line = lines.entry(report.context.clone()).or_default();
        let Some(token) = token.as_ref().filter(|_| line.sent.as_deref() != Some(report.state.as_str())) else {
            continue;
        };
        let commit = &told.commit;
        let target = Target {
            kind: linked.kind,
            repository: &linked.repository,
            api: &api,
            commit,
            known: line.known.as_deref(),
        };
        match send(outbound, linked.kind, status::request(&target, token, report)).await {
            Answer::Taken { known } => {
                let known = known.or_else(|| line.known.take());
                *line = Line { sent: Some(report.state.as_str().into()), known, tries: 0, error: None };
            }
            Answer::Again(why) => {
                line.tries += 1;
                line.error = Some(why);
                if line.tries >= MOST_TRIES {
                    line.sent = Some(report.state.as_str().into());
                } else {
                    let wait = (FIRST_PAUSE * 2_u32.pow((line.tries - 1).min(16))).min(LONGEST_PAUSE);
                    pause = pause.max(Some(wait));
                }
            }
            Answer::Never(why) => {
                tracing::warn!(service = %link.service, forge = %linked.kind, why, "a commit's status was not taken");
                line.error = Some(why);
                line.sent = Some(report.state.as_str().into());
            }
        }
    }
    told.is_open = !is_final || pause.is_some();
    told.next_at = pause.map(|p| ctx.now().plus(p));
    told.lines = Json::of(&lines);
    if told == before { Ok(()) } else { put(ctx, &told).await }
}

async fn send(outbound: &Outbound, kind: Kind, request: status::Request) -> Answer {
    let method = match request.method {
        status::Method::Post => Method::POST,
        status::Method::Patch => Method::PATCH,
    };
    let mut sent = match Request::new(method, &request.url) {
        Ok(sent) => sent.body(request.body.as_bytes().to_vec()),
        Err(e) => return Answer::Never(plain(&e.to_string(), 200)),
    };
    for (name, value) in &request.headers {
        let Ok(mut value) = HeaderValue::from_str(value) else {
            return Answer::Never("the token cannot be sent".into());
        };
        value.set_sensitive(matches!(*name, "authorization" | "private-token"));
        sent = sent.header(HeaderName::from_static(name), value);
    }
    // Gitee's token is in the body, which goes wherever a redirect leads.
    let outbound = if kind == Kind::Gitee { outbound.clone().without_redirects() } else { outbound.clone() };
    match outbound.send(sent).await {
        Ok(reply) => status::answer(kind, reply.status.as_u16(), &reply.body),
        Err(e) => Answer::Again(plain(&e.fault().to_string(), 300)),
    }
}

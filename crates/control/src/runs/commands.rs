//! The commands of a run's jobs: what hosts reported of them, beside what their scripts say.

use super::{error::Result, live::Live, reconcile, work::Ended};
use crate::{Ctx, tasks};
use std::collections::BTreeMap;
use tradewind_api::v1;
use tradewind_model::{
    fault::Lang,
    id::{HostId, TaskId},
    pipeline::Outcome,
    protocol::{
        agent::{Observed, TaskResult},
        command::{CommandRun, LONGEST_COMMAND},
    },
};
use tradewind_store::{
    Logs, Reader,
    rows::{self, tasks::Task},
};

/// Adds to every job shown what is known of its commands and its earlier attempts.
pub async fn add(ctx: &Ctx, logs: &Logs, live: &Live, shown: &mut v1::Run, lang: Lang) -> Result<()> {
    let mut r = ctx.store.read().await?;
    let rows = rows::tasks::of_owner(&mut r, &reconcile::owner(live.run.id)).await?;
    let seen = of_tasks(&mut r, &rows).await?;
    for (at, job) in shown.jobs.iter_mut().enumerate() {
        let Some(plan) = live.plan.pipeline.as_ref().and_then(|p| p.jobs.get(at)) else { continue };
        let known = live.jobs[at].task.and_then(|task| seen.get(&task));
        // One whose host told nothing says nothing: neither that they ran nor that they did not.
        job.commands = match known {
            Some(commands) => listed(&plan.script, commands),
            None if job.started_at.is_none() => listed(&plan.script, &[]),
            None => Vec::new(),
        };
        for (n, id) in live.bodies[at].earlier.iter().enumerate() {
            let Some(row) = rows.iter().find(|row| row.id == *id) else { continue };
            let Some(result) = tasks::result(row)? else { continue };
            let commands = seen.get(id).map(|seen| listed(&plan.script, seen)).unwrap_or_default();
            let ended = Ended::of(result, plan.kind, &live.plan, plan.timeout_ms);
            job.attempts.push(v1::JobAttempt {
                attempt: u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1),
                state: match ended.outcome {
                    Outcome::Success => v1::JobState::Success,
                    Outcome::Failed(_) => v1::JobState::Failed,
                    Outcome::Canceled => v1::JobState::Canceled,
                },
                started_at: row.created_at.into(),
                finished_at: row.finished_at.map(Into::into),
                exit_code: ended.exit_code,
                message: ended.message.map(|m| m.get(lang).to_owned()),
                log_bytes: logs.size(*id).await?,
                commands,
            });
        }
    }
    Ok(())
}

/// What was reported of the run's tasks: of those that ended, for good; of those that run, so far.
async fn of_tasks(r: &mut impl Reader, rows: &[Task]) -> Result<BTreeMap<TaskId, Vec<CommandRun>>> {
    let mut seen = BTreeMap::new();
    let mut open: Vec<(TaskId, HostId)> = Vec::new();
    for task in rows {
        match tasks::result(task)? {
            Some(TaskResult::Job { commands, .. }) if !commands.is_empty() => {
                seen.insert(task.id, commands);
            }
            Some(TaskResult::Job { .. } | TaskResult::Package { .. } | TaskResult::Verify { .. })
            | Some(TaskResult::Error { .. }) => {}
            None => open.push((task.id, task.host)),
        }
    }
    let mut hosts: Vec<HostId> = open.iter().map(|(_, host)| *host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    for host in hosts {
        let Some(row) = rows::observed::find(r, host).await? else { continue };
        let observed: Observed = row.body.read()?;
        let ours = observed.tasks.into_iter().filter(|t| !t.commands.is_empty());
        seen.extend(ours.filter(|t| open.contains(&(t.id, host))).map(|t| (t.id, t.commands)));
    }
    Ok(seen)
}

fn listed(script: &[String], seen: &[CommandRun]) -> Vec<v1::JobCommand> {
    let (after, own): (Vec<&CommandRun>, Vec<&CommandRun>) = seen.iter().partition(|c| c.after);
    let begun = own.len();
    let ran = |c: &CommandRun| v1::JobCommand {
        text: c.text.clone(),
        after: c.after,
        started_at: Some(c.started_at.into()),
        duration_ms: c.finished_at.map(|end| u64::try_from(end.since(c.started_at).as_millis()).unwrap_or(u64::MAX)),
        exit_code: c.exit_code,
        line: c.line,
    };
    let waits = |text: &String| {
        // As the heading will be.
        let mut lines = text.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let rest = if lines.next().is_some() { " # and more lines" } else { "" };
        v1::JobCommand {
            text: format!("{}{rest}", &first[..first.floor_char_boundary(LONGEST_COMMAND)]),
            after: false,
            started_at: None,
            duration_ms: None,
            exit_code: None,
            line: None,
        }
    };
    own.into_iter().map(ran).chain(script.iter().skip(begun).map(waits)).chain(after.into_iter().map(ran)).collect()
}

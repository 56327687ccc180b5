//! Who was earlier, and when: what somebody is told whose wish comes too late. It is read from rows, which know at once what the
//! event log tells a moment later.

use crate::{Result, services};
use tradewind_model::{
    event::{Actor, Event},
    fault::Fault,
    id::{EnvName, ServiceName},
    rollout::{
        faults as roll,
        state::{Phase, State},
    },
    said,
    said::{Said, Tell},
    time::Timestamp,
};
use tradewind_store::{
    Reader, events,
    rows::{self, rollouts::Rollout},
};

/// A rollout that can no longer be changed.
pub(crate) async fn over(r: &mut impl Reader, row: &Rollout, state: &State) -> Result<Fault> {
    let how = how(r, row, state).await?;
    Ok(Fault::new(&roll::NOT_ACTIVE).with("rollout", row.id).with("how", how))
}

/// How a rollout came to where it is.
pub(crate) async fn how(r: &mut impl Reader, row: &Rollout, state: &State) -> Result<Said> {
    let when = row.finished_at.unwrap_or(row.created_at).to_minute();
    Ok(match state.phase {
        Phase::Completed => said!("it completed {when}", "已于 {when} 完成", when = when),
        Phase::Failed => said!("it failed and was taken back, {when}", "已于 {when} 失败并退回", when = when),
        Phase::Aborted => match state.reason.as_ref().and_then(|reason| Some((reason.args.get("who")?, reason))) {
            Some((who, reason)) => {
                let at = reason.args.get("at").cloned().unwrap_or_else(|| Said::plain(&*when));
                let why = reason.args.get("why").cloned().unwrap_or_default();
                said!("{who} aborted it, {at} ({why})", "{who} 已于 {at} 中止（{why}）", who = who, at = at, why = why)
            }
            None => said!("it was aborted, {when}", "已于 {when} 中止", when = when),
        },
        Phase::Superseded => {
            let by = state.reason.as_ref().and_then(|reason| reason.args.get("rollout")?.en().parse().ok());
            let rollback = match by {
                Some(id) => Some(rows::rollouts::get(r, id).await?),
                None => None,
            };
            match rollback {
                Some(back) => said!(
                    "{who} rolled back, {when}: rollback {id} took it over",
                    "{who} 已于 {when} 回滚：由回滚 {id} 接管",
                    who = services::who(&back.requester),
                    when = back.created_at.to_minute(),
                    id = back.id
                ),
                None => said!("a rollback took it over, {when}", "已于 {when} 被回滚接管", when = when),
            }
        }
        Phase::Returning => state.goes_back(),
        Phase::Running => match state.started_at {
            Some(at) => said!("it has begun, {when}", "已于 {when} 开始", when = at.to_minute()),
            None => said!("it has begun", "已经开始"),
        },
        Phase::Queued => said!("it waits in the queue", "正在排队"),
    })
}

/// Of a place that is where it is to go: since when, and who brought it there.
pub(crate) fn already(place: impl Tell, release: impl Tell, at: Option<Timestamp>, by: Option<&Actor>) -> Fault {
    let when = at.map(Timestamp::to_minute);
    let since = match (by.map(services::who), when) {
        (Some(who), Some(when)) => {
            said!("{who} brought it there, {when}", "由 {who} 于 {when} 发布", who = who, when = when)
        }
        (Some(who), None) => said!("{who} brought it there", "由 {who} 发布", who = who),
        (None, Some(when)) => said!("since {when}", "自 {when} 起", when = when),
        (None, None) => said!("nothing would change", "没有变化"),
    };
    Fault::new(&roll::NOTHING_TO_DO).with("place", place).with("release", release).with("since", since)
}

/// The same of a whole environment.
pub(crate) async fn already_in(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    release: &str,
) -> Result<Fault> {
    let last = rows::rollouts::last_completed(r, service, env).await?;
    let at = last.as_ref().and_then(|l| l.finished_at);
    Ok(already(format!("{service}/{env}"), release, at, last.as_ref().map(|l| &l.requester)))
}

/// Who acknowledged a queue that is open, if it was ever closed.
pub(crate) fn opened(queue: &rows::queues::Queue) -> Said {
    match &queue.acknowledged {
        Some(a) => said!(
            ": {who} acknowledged it, {when} ({note})",
            "：{who} 已于 {when} 确认（{note}）",
            who = services::who(&a.by),
            when = a.at.to_minute(),
            note = &a.note
        ),
        None => Said::default(),
    }
}

/// Who gave a wave the share it has, as far as the log tells it yet.
pub(crate) async fn share_set(r: &mut impl Reader, row: &Rollout, wave: usize) -> Result<Said> {
    let log = events::of_subject(r, &format!("rollout/{}", row.id), 0, 1_000).await?;
    let of_wave = |e: &&Event| {
        let told = e.fact.after.as_ref().and_then(|after| after["wave"].as_u64());
        e.fact.kind == "rollout.share_set" && told == u64::try_from(wave).ok()
    };
    Ok(log.iter().rev().find(of_wave).map_or_else(Said::default, |e| {
        let (who, when) = (services::who(&e.fact.actor), e.at.to_minute());
        said!(": {who} set it, {when}", "：{who} 已于 {when} 设置", who = who, when = when)
    }))
}

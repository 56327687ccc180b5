//! What was backed up, when, and what makes the next one.

use super::{Finding, spoken};
use crate::{App, backup::schedule};
use std::time::Duration;
use tradewind_api::v1;
use tradewind_control::services::who;
use tradewind_model::{event::Event, said, time::Timestamp};
use tradewind_store::{
    Backend, StoreError,
    events::{self, Filter},
};

/// Older than this it is too old, unless backups are made more seldom on purpose.
const OLD: Duration = Duration::from_secs(7 * 24 * 3_600);

fn bearable(every: Option<Duration>) -> Duration {
    every.map_or(OLD, |every| OLD.max(every * 2))
}

/// Whether the last one, where there was one, is recent enough; `every`: how often the server makes them.
pub fn age(last: Option<Timestamp>, now: Timestamp, every: Option<Duration>) -> Finding {
    const ID: &str = "backup";
    let fix = || {
        said!(
            "make one with `tradewind admin backup FILE`, or have the server make them: `backup_every` and `backup_to` in config.yaml",
            "请执行 `tradewind admin backup FILE`，或让服务端自动备份：在 config.yaml 中设置 `backup_every` 与 `backup_to`"
        )
    };
    let Some(at) = last else {
        return Finding::less(ID, said!("no backup of it was ever made", "从未备份过"), fix());
    };
    let age = now.since(at);
    let found = said!("the last backup is {age} old", "最近一次备份在 {age}前", age = spoken(age));
    if age > bearable(every) { Finding::less(ID, found, fix()) } else { Finding::good(ID, found) }
}

/// The last event of a kind.
pub(super) async fn last_of(app: &App, kind: &str) -> Result<Option<Event>, StoreError> {
    let filter = Filter { kind: Some(kind.into()), ..Filter::default() };
    Ok(events::before(&mut app.store.read().await?, i64::MAX, &filter, 1).await?.into_iter().next())
}

/// The last scheduled one failed, and none was made since.
pub(super) async fn failed(app: &App, made: Option<&Event>) -> Result<Option<Event>, StoreError> {
    let failed = last_of(app, "admin.backup_failed").await?;
    Ok(failed.filter(|f| made.is_none_or(|m| m.at < f.at)))
}

pub async fn look(app: &App) -> Result<v1::Backups, StoreError> {
    let made = last_of(app, "admin.backup_made").await?;
    let failed = failed(app, made.as_ref()).await?;
    let text = |event: &Event, field: &str| Some(event.fact.after.as_ref()?.get(field)?.as_str()?.to_owned());
    let now = app.store.now();
    let planned = app.config.backups.as_ref();
    let kept = match planned {
        None => Vec::new(),
        Some(planned) => {
            let to = planned.to.clone();
            tokio::task::spawn_blocking(move || schedule::kept(&to)).await.unwrap_or_default()
        }
    };
    Ok(v1::Backups {
        supported: app.store.backend() == Backend::Sqlite,
        schedule: planned.map(|planned| v1::BackupSchedule {
            every_s: planned.every.as_secs(),
            to: planned.to.display().to_string(),
            keep: planned.keep as u64,
            with_keys: planned.passphrase.is_some(),
            next_at: kept.first().map_or(now, |newest| newest.at.plus(planned.every)).into(),
        }),
        last: made.as_ref().map(|event| v1::LastBackup {
            at: event.at.into(),
            by: who(&event.fact.actor),
            bytes: event.fact.after.as_ref().and_then(|after| after.get("bytes")?.as_u64()),
            keys: text(event, "keys"),
            is_old: now.since(event.at) > bearable(planned.map(|p| p.every)),
        }),
        failed: failed.map(|event| v1::FailedBackup {
            at: event.at.into(),
            code: text(&event, "code"),
            why: text(&event, "why"),
        }),
        kept: kept.into_iter().map(|k| v1::KeptBackup { name: k.name, at: k.at.into(), bytes: k.bytes }).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_backup_may_be_as_old_as_two_of_the_schedules_pauses() {
        let day = Duration::from_secs(86_400);
        let now = Timestamp(0).plus(day * 100);
        let verdict = |days: u32, every| age(Some(now.minus(day * days)), now, every).verdict;
        assert_eq!(age(None, now, Some(day)).verdict, Verdict::Less);
        assert_eq!(verdict(6, Some(day)), Verdict::Good);
        assert_eq!(verdict(8, Some(day)), Verdict::Less);
        assert_eq!(verdict(40, Some(day * 30)), Verdict::Good);
        assert_eq!(verdict(61, Some(day * 30)), Verdict::Less);
        assert_eq!(age(Some(now.minus(day * 3)), now, None).found.en(), "the last backup is 3 d old");
    }
}

//! When everything was backed up last, by the folder's own event log.

use super::Finding;
use crate::{
    config::{Config, backup as schedule},
    folder::Folder,
};
use std::{sync::Arc, time::Duration};
use tradewind_cli::when;
use tradewind_model::{
    said,
    said::Said,
    time::{Clock, SystemClock, Timestamp},
};
use tradewind_store::{
    Store, StoreError,
    events::{self, Filter},
};

/// Older than this it is too old, unless backups are made more seldom on purpose.
const OLD: Duration = Duration::from_secs(7 * 24 * 3_600);

pub fn look(config: &Config) -> Vec<Finding> {
    const ID: &str = "backup";
    let Ok(folder) = Folder::open(config.data()) else { return Vec::new() };
    // A database that cannot be read is another finding.
    let Some(last) = last(&folder) else { return Vec::new() };
    let fix = || {
        said!(
            "make one with `tradewind admin backup FILE`, or have the server make them: `backup_every` and `backup_to` in config.yaml",
            "请执行 `tradewind admin backup FILE`，或让服务端自动备份：在 config.yaml 中设置 `backup_every` 与 `backup_to`"
        )
    };
    let Some(at) = last else {
        return vec![Finding::less(ID, said!("no backup of it was ever made", "从未备份过"), fix())];
    };
    let age = SystemClock.now().since(at);
    let bearable = config.span(&schedule::EVERY).map_or(OLD, |every| OLD.max(every * 2));
    let found = Said::in_both(|lang| {
        let when = when::When { now: SystemClock.now(), lang, zone: when::here() }.ago(at.into());
        said!("the last backup was made {when}", "最近一次备份：{when}", when = when).get(lang).to_owned()
    });
    vec![if age > bearable { Finding::less(ID, found, fix()) } else { Finding::good(ID, found) }]
}

/// The inner one is none where none was made.
fn last(folder: &Folder) -> Option<Option<Timestamp>> {
    let at = folder.root().join("tradewind.db");
    let read = async {
        let store = Store::open_to_read(&at.to_string_lossy(), Arc::new(SystemClock)).await?;
        let filter = Filter { kind: Some("admin.backup_made".into()), ..Filter::default() };
        let found = events::before(&mut store.read().await?, i64::MAX, &filter, 1).await;
        store.close().await;
        Ok::<_, StoreError>(found?.first().map(|e| e.at))
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?.block_on(read).ok()
}

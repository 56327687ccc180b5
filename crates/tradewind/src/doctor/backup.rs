//! When everything was backed up last, by the folder's own event log.

use super::Finding;
use crate::{
    config::{Config, backup as schedule},
    folder::Folder,
};
use std::sync::Arc;
use tradewind_model::time::{Clock, SystemClock, Timestamp};
use tradewind_server::plane::backups;
use tradewind_store::{
    Store, StoreError,
    events::{self, Filter},
};

pub fn look(config: &Config) -> Vec<Finding> {
    let Ok(folder) = Folder::open(config.data()) else { return Vec::new() };
    // A database that cannot be read is another finding.
    let Some(last) = last(&folder) else { return Vec::new() };
    vec![backups::age(last, SystemClock.now(), config.span(&schedule::EVERY))]
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

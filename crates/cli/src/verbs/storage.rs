//! What the control plane keeps on its disk, and what a collection frees.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Table, when};
use tradewind_api::v1::{Reason, Storage, StoredAs};
use tradewind_model::fault::Text;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    Show,
    Collect {
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::Show => {
            let storage = client.storage().await?;
            if session.json {
                session.out.json(&storage);
            } else {
                show(session, &storage);
            }
        }
        Action::Collect { reason } => {
            let freed = client.collect(&Reason { reason }).await?;
            if session.json {
                session.out.json(&freed);
            } else {
                let (size, files) = (when::bytes(freed.bytes()), freed.artifacts + freed.uploads);
                session.out.line(fill!(lang, &msg::STORAGE_FREED, size = size, files = files));
            }
        }
    }
    Ok(Exit::Ok)
}

fn show(session: &Session, storage: &Storage) {
    let lang = session.lang;
    let mut table = Table::new(&msg::head(lang, &[&msg::H_KIND, &msg::H_SIZE, &msg::H_FILES]));
    for kind in &storage.kinds {
        table.row(vec![
            word(kind.kind).get(lang).into(),
            when::bytes(kind.bytes).into(),
            kind.files.map(|n| n.to_string()).unwrap_or_default().into(),
        ]);
    }
    session.out.table(&table);
    if let Some(disk) = storage.disk {
        let (free, all) = (when::bytes(disk.free_bytes), when::bytes(disk.bytes));
        session.out.line(fill!(lang, &msg::DISK_FREE, free = free, all = all));
    }
    let (size, files) = (when::bytes(storage.due.bytes()), storage.due.artifacts + storage.due.uploads);
    session.out.line(fill!(lang, &msg::COLLECT_DUE, size = size, files = files));
    if let Some(last) = &storage.last {
        let (at, size) = (session.when().ago(last.at), when::bytes(last.freed.bytes()));
        let line = match (&last.error, last.held) {
            (Some(why), _) => fill!(lang, &msg::COLLECT_FAILED, at = at, why = why),
            (None, true) => fill!(lang, &msg::COLLECT_HELD, at = at),
            (None, false) => fill!(lang, &msg::COLLECT_LAST, at = at, size = size),
        };
        session.out.line(line);
    }
}

fn word(kind: StoredAs) -> &'static Text {
    match kind {
        StoredAs::Database => &msg::S_DATABASE,
        StoredAs::Releases => &msg::S_RELEASES,
        StoredAs::Artifacts => &msg::S_ARTIFACTS,
        StoredAs::JobLogs => &msg::S_JOB_LOGS,
        StoredAs::Sources => &msg::S_SOURCES,
        StoredAs::Hosts => &msg::S_HOSTS,
        StoredAs::Logs => &msg::S_LOGS,
        StoredAs::Backups => &msg::S_BACKUPS,
    }
}

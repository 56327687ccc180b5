//! `tradewind audit verify --data DIR`: what the owner of a data folder reads without its server, running or not.

use crate::{config::Config, faults, folder::Folder};
use std::{path::Path, sync::Arc};
use tradewind_cli::{FolderAudit, FolderReport};
use tradewind_control::{
    Error,
    audit::{
        keys,
        verify::{Against, verify},
    },
};
use tradewind_model::{fault::Fault, time::SystemClock};
use tradewind_store::{Store, StoreError};

pub fn read(ask: FolderAudit) -> FolderReport {
    Box::pin(async move {
        let FolderAudit { data, keys, checkpoints, lang } = ask;
        let (store, keys_folder) = open(&data).await?;
        let roots = if keys.is_empty() {
            let unusable = |e: keys::KeyError| {
                Fault::new(&faults::FOLDER).with("data", data.display()).with("reason", e.to_string())
            };
            keys::of_folder(&keys_folder).map_err(unusable)?.into_iter().collect()
        } else {
            keys
        };
        let found = verify(&store, &Against { roots, kept: checkpoints }, lang).await;
        store.close().await;
        found.map_err(|e| match e {
            Error::Refused(fault) => *fault,
            Error::Store(e) => told(&e),
        })
    })
}

async fn open(data: &Path) -> Result<(Store, std::path::PathBuf), Fault> {
    let unusable = |e: anyhow::Error| match e.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(e) => Fault::new(&faults::FOLDER).with("data", data.display()).with("reason", format!("{e:#}")),
    };
    let folder = Folder::open(data).map_err(unusable)?;
    let config = Config::of_folder(folder.root(), &crate::cli::var).map_err(unusable)?;
    let at = config.database_in(folder.root());
    let store = Store::open_to_read(&at, Arc::new(SystemClock)).await.map_err(|e| told(&e))?;
    Ok((store, folder.root().join("keys")))
}

fn told(e: &StoreError) -> Fault {
    e.fault()
}

//! The data folder: its place, its room, its database.

use super::Finding;
use crate::{
    config::{Config, registry as set},
    folder::Folder,
};
use rustix::fs::statfs;
use std::{path::Path, sync::Arc};
use tradewind_model::{said, said::Said, time::SystemClock};
use tradewind_server::plane::machine;
use tradewind_store::Store;

/// NFS, SMB 1 and 2, CIFS.
const REMOTE: [i64; 4] = [0x6969, 0x517b, 0xfe53_4d42, 0xff53_4d42];

pub fn look(config: &Config) -> Vec<Finding> {
    let data = config.data();
    // Where it will be, as long as it is not.
    let Some(there) = data.ancestors().find(|p| p.exists()) else { return Vec::new() };
    let mut found = vec![place(config, there), machine::room(there)];
    if let Ok(folder) = Folder::open(data) {
        found.push(database(config, &folder));
    }
    found
}

fn place(config: &Config, there: &Path) -> Finding {
    const ID: &str = "data_folder";
    let data = config.data();
    if config.text(&set::DATABASE).is_none() && statfs(there).is_ok_and(|s| REMOTE.contains(&s.f_type)) {
        return Finding::bad(
            ID,
            said!(
                "{data} is on a network file system, whose locks SQLite cannot rely on",
                "{data} 位于网络文件系统上，SQLite 无法依赖其锁",
                data = data.display()
            ),
            said!(
                "use a local disk, or PostgreSQL with `database` in config.yaml",
                "请使用本地磁盘，或在 config.yaml 中用 `database` 指定 PostgreSQL"
            ),
        );
    }
    if there == data {
        Finding::good(ID, said!("{data}", "{data}", data = data.display()))
    } else {
        Finding::good(
            ID,
            said!("{data} is made at the first start", "{data} 将在首次启动时创建", data = data.display()),
        )
    }
}

/// Opened to read, whether its server runs or not.
fn database(config: &Config, folder: &Folder) -> Finding {
    const ID: &str = "database";
    let at = config.database_in(folder.root());
    let read = async {
        let store = Store::open_to_read(&at, Arc::new(SystemClock)).await?;
        store.close().await;
        Ok::<_, tradewind_store::StoreError>(())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(read)) {
        Ok(Ok(())) => {
            Finding::good(ID, said!("the database can be read, and is of this version", "数据库可读，且与当前版本相符"))
        }
        Ok(Err(e)) => {
            let fault = e.fault();
            let found = fault.said();
            let fix = Said::in_both(|lang| fault.fix(lang));
            Finding::bad(ID, found, fix)
        }
        Err(e) => Finding::bad(ID, said!("{why}", "{why}", why = e), said!("try again", "请重试")),
    }
}

//! The settings of scheduled backups, and what the server makes of them.

use super::Config;
use crate::faults;
use std::path::PathBuf;
use tradewind_cli::{
    setting::{Kind, Setting},
    text::Text,
};
use tradewind_model::fault::Fault;
use tradewind_server::backup::Schedule;

pub static EVERY: Setting = Setting {
    key: "backup_every",
    kind: Kind::Span,
    value: "TIME",
    default: None,
    secret: false,
    help: Text {
        en: "How often the server makes a backup by itself, such as 24h; never unless given. Needs backup_to",
        zh: "服务端自动备份的间隔，如 24h；不指定则不备份。需要 backup_to",
    },
};

pub static TO: Setting = Setting {
    key: "backup_to",
    kind: Kind::Path,
    value: "DIR",
    default: None,
    secret: false,
    help: Text {
        en: "The folder those backups go to, better on another disk",
        zh: "自动备份的存放目录，最好在另一块磁盘上",
    },
};

pub static KEEP: Setting = Setting {
    key: "backup_keep",
    kind: Kind::Number,
    value: "N",
    default: Some("7"),
    secret: false,
    help: Text { en: "How many of them are kept", zh: "自动备份保留的份数" },
};

pub static PASSPHRASE: Setting = Setting {
    key: "backup_passphrase_file",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "A file whose first line locks the keys in them; without it they are left out",
        zh: "首行为口令的文件，用于锁定其中的密钥；不指定则不包含密钥",
    },
};

/// # Errors
/// Where it is said how often and not where to.
pub fn schedule(config: &Config) -> Result<Option<Schedule>, Fault> {
    let path = |s| config.text(s).map(PathBuf::from);
    match (config.span(&EVERY), path(&TO)) {
        (None, _) => Ok(None),
        (Some(every), Some(to)) => {
            let keep = usize::try_from(config.number(&KEEP)).unwrap_or(usize::MAX).max(1);
            Ok(Some(Schedule { every, to, keep, passphrase: path(&PASSPHRASE) }))
        }
        (Some(_), None) => {
            let wrong = Fault::new(&faults::BAD_SETTING).with("key", TO.key).with("source", super::file::NAME);
            Err(wrong.with("value", "").with("expected", "`/var/backups/tradewind`"))
        }
    }
}

//! The settings of the event log's proof, and what the server makes of them.

use super::Config;
use crate::faults;
use std::path::PathBuf;
use tradewind_cli::{
    setting::{Kind, Setting},
    text::Text,
};
use tradewind_control::audit::{
    Settings,
    sinks::{Bucket, Sink},
};
use tradewind_model::fault::Fault;
use tradewind_outbound::Guard;

pub static EVENTS: Setting = Setting {
    key: "audit_checkpoint_events",
    kind: Kind::Number,
    value: "N",
    default: Some("1000"),
    secret: false,
    help: Text {
        en: "Events after which a checkpoint of the log is signed", zh: "每隔多少个事件为日志签署一个检查点"
    },
};

pub static INTERVAL: Setting = Setting {
    key: "audit_checkpoint_interval",
    kind: Kind::Span,
    value: "TIME",
    default: Some("10m"),
    secret: false,
    help: Text {
        en: "How long an event may be without a checkpoint", zh: "事件最长多久之内必须有检查点"
    },
};

pub static KEEP: Setting = Setting {
    key: "audit_keep",
    kind: Kind::Span,
    value: "TIME",
    default: None,
    secret: false,
    help: Text {
        en: "How long events are kept, such as 400d; for ever unless given",
        zh: "事件保留多久，如 400d；不指定则永久保留",
    },
};

pub static ARCHIVE: Setting = Setting {
    key: "audit_archive",
    kind: Kind::Path,
    value: "DIR",
    default: None,
    secret: false,
    help: Text {
        en: "Where events are written before they are taken away; nowhere unless given",
        zh: "事件被清理之前写入的目录；不指定则不写",
    },
};

pub static FILE: Setting = Setting {
    key: "audit_file",
    kind: Kind::Path,
    value: "DIR",
    default: None,
    secret: false,
    help: Text {
        en: "A folder that checkpoints are put into, better on another machine's disk",
        zh: "存放检查点的目录，最好位于其他机器的磁盘上",
    },
};

pub static WEBHOOK: Setting = Setting {
    key: "audit_webhook",
    kind: Kind::Url,
    value: "URL",
    default: None,
    secret: true,
    help: Text { en: "An address that checkpoints are posted to", zh: "接收检查点的 webhook 地址" },
};

pub static WEBHOOK_SECRET: Setting = Setting {
    key: "audit_webhook_secret",
    kind: Kind::Text,
    value: "SECRET",
    default: None,
    secret: true,
    help: Text {
        en: "Signs those posts, as Standard Webhooks does; better given as variable or in the file",
        zh: "按 Standard Webhooks 方式为其签名；建议用环境变量或配置文件设置",
    },
};

pub static S3: Setting = Setting {
    key: "audit_s3",
    kind: Kind::Url,
    value: "URL",
    default: None,
    secret: false,
    help: Text {
        en: "A bucket that checkpoints are put into, as https://HOST/BUCKET/PREFIX; best one with Object Lock",
        zh: "存放检查点的存储桶，形如 https://主机/桶/前缀；最好启用对象锁定",
    },
};

pub static S3_REGION: Setting = Setting {
    key: "audit_s3_region",
    kind: Kind::Text,
    value: "REGION",
    default: Some("us-east-1"),
    secret: false,
    help: Text { en: "That bucket's region", zh: "该存储桶所在的区域" },
};

pub static S3_ACCESS_KEY: Setting = Setting {
    key: "audit_s3_access_key",
    kind: Kind::Text,
    value: "KEY",
    default: None,
    secret: false,
    help: Text { en: "The id of the key that may write to it", zh: "有写入权限的访问密钥 ID" },
};

pub static S3_SECRET_KEY: Setting = Setting {
    key: "audit_s3_secret_key",
    kind: Kind::Text,
    value: "SECRET",
    default: None,
    secret: true,
    help: Text {
        en: "That key's secret; better given as variable or in the file",
        zh: "该密钥的私钥；建议用环境变量或配置文件设置",
    },
};

pub static OUTBOUND_ALLOW: Setting = Setting {
    key: "outbound_allow",
    kind: Kind::Networks,
    value: "NETWORKS",
    default: None,
    secret: false,
    help: Text {
        en: "Networks of your own that webhooks and the like may lead to; none unless given",
        zh: "允许 webhook 等请求访问的内部网络；不指定则一律不允许",
    },
};

/// What the server is told at its start.
///
/// # Errors
/// Where an address names no bucket, or nobody who may write to it.
pub fn settings(config: &Config) -> Result<Settings, Fault> {
    let path = |s| config.text(s).map(PathBuf::from);
    let mut sinks = Vec::new();
    sinks.extend(path(&FILE).map(Sink::File));
    if let Some(url) = config.text(&WEBHOOK) {
        sinks.push(Sink::Webhook { url: url.to_owned(), secret: config.text(&WEBHOOK_SECRET).map(str::to_owned) });
    }
    if let Some(url) = config.text(&S3) {
        let wrong = |key: &'static Setting, value: &str, expected: String| {
            let fault = Fault::new(&faults::BAD_SETTING).with("key", key.key).with("source", super::file::NAME);
            fault.with("value", value).with("expected", expected)
        };
        let needed = |key: &'static Setting| config.text(key).ok_or_else(|| wrong(key, "", format!("`{}`", key.value)));
        let (id, secret) = (needed(&S3_ACCESS_KEY)?, needed(&S3_SECRET_KEY)?);
        let region = config.text(&S3_REGION).unwrap_or_default();
        let bucket = Bucket::new(url, region, id, secret)
            .map_err(|_| wrong(&S3, url, "`https://s3.eu-central-1.amazonaws.com/BUCKET/PREFIX`".into()))?;
        sinks.push(Sink::S3(bucket));
    }
    let defaults = Settings::default();
    Ok(Settings {
        events: config.number(&EVENTS).max(1),
        interval: config.span(&INTERVAL).unwrap_or(defaults.interval),
        sinks,
        keep: config.span(&KEEP),
        archive: path(&ARCHIVE),
    })
}

pub fn outbound(config: &Config) -> Guard {
    let nets = config.networks(&OUTBOUND_ALLOW);
    Guard::allowing(nets.iter().filter_map(|n| n.to_string().parse().ok()).collect())
}

//! The settings of the machine's roles: declared here and nowhere else.

use tradewind_cli::{
    setting::{Kind, Setting},
    text::Text,
};

pub static DATA: Setting = Setting {
    key: "data",
    kind: Kind::Path,
    value: "DIR",
    default: None,
    secret: false,
    help: Text {
        en: "The data folder: /var/lib/tradewind for root, ~/.tradewind for others",
        zh: "数据目录：root 用户为 /var/lib/tradewind，其他用户为 ~/.tradewind",
    },
};

pub static LISTEN: Setting = Setting {
    key: "listen",
    kind: Kind::Address,
    value: "ADDR",
    default: Some("127.0.0.1:7070"),
    secret: false,
    help: Text { en: "Where the API and the git remote listen", zh: "API 与 git 远程仓库的监听地址" },
};

pub static EDGE: Setting = Setting {
    key: "edge",
    kind: Kind::Address,
    value: "ADDR",
    default: Some("0.0.0.0:8080"),
    secret: false,
    help: Text {
        en: "Where the edge takes requests for your services", zh: "边缘代理接收业务请求的监听地址"
    },
};

pub static EDGE_TLS: Setting = Setting {
    key: "edge_tls",
    kind: Kind::Address,
    value: "ADDR",
    default: None,
    secret: false,
    help: Text {
        en: "Where the edge takes requests over TLS (HTTP/2 and HTTP/1.1), such as 0.0.0.0:8443; nowhere unless given",
        zh: "边缘代理接收 TLS 请求（HTTP/2 与 HTTP/1.1）的地址，如 0.0.0.0:8443；不指定则不接收",
    },
};

pub static CERTIFICATES: Setting = Setting {
    key: "certificates",
    kind: Kind::Path,
    value: "DIR",
    default: None,
    secret: false,
    help: Text {
        en: "Folder of certificates that another program renews, such as /etc/letsencrypt/live; looked at every 10 s",
        zh: "由其他程序续期的证书目录，如 /etc/letsencrypt/live；每 10 秒检查一次",
    },
};

pub static INSECURE_SAME_USER: Setting = Setting {
    key: "insecure_same_user",
    kind: Kind::Switch,
    value: "",
    default: Some("false"),
    secret: false,
    help: Text {
        en: "Run without root: jobs and instances run as the same user and can read Tradewind's keys",
        zh: "不以 root 运行：任务和实例与 Tradewind 同一用户，能读取其密钥",
    },
};

pub static PUBLIC_URL: Setting = Setting {
    key: "public_url",
    kind: Kind::Url,
    value: "URL",
    default: None,
    secret: false,
    help: Text {
        en: "How clients reach the API, for links and git remotes; http:// and --listen unless given",
        zh: "客户端访问 API 的地址，用于链接和 git 远程地址；未指定时为 http:// 加 --listen",
    },
};

pub static DATABASE: Setting = Setting {
    key: "database",
    kind: Kind::Text,
    value: "URL",
    default: None,
    secret: true,
    help: Text {
        en: "postgres://… instead of the SQLite file in the data folder; better given as variable or in the file",
        zh: "使用 postgres://… 代替数据目录中的 SQLite 文件；建议用环境变量或配置文件设置",
    },
};

pub static METRICS: Setting = Setting {
    key: "metrics",
    kind: Kind::Address,
    value: "ADDR",
    default: None,
    secret: false,
    help: Text {
        en: "Where the edge serves Prometheus metrics, such as 127.0.0.1:7071; nowhere unless given",
        zh: "边缘代理提供 Prometheus 指标的地址，如 127.0.0.1:7071；不指定则不提供",
    },
};

pub static ACCESS_LOG: Setting = Setting {
    key: "access_log",
    kind: Kind::Choice(&["on", "off"]),
    value: "on|off",
    default: Some("off"),
    secret: false,
    help: Text { en: "Write a line for every request at the edge", zh: "边缘代理为每个请求写一行日志" },
};

pub static LOG: Setting = Setting {
    key: "log",
    kind: Kind::Text,
    value: "FILTER",
    default: Some("info"),
    secret: false,
    help: Text {
        en: "What the roles log: a level, or a filter such as info,tradewind_edge=debug",
        zh: "日志内容：级别，或过滤表达式，如 info,tradewind_edge=debug",
    },
};

pub static LOG_FORMAT: Setting = Setting {
    key: "log_format",
    kind: Kind::Choice(&["text", "json"]),
    value: "text|json",
    default: Some("text"),
    secret: false,
    help: Text { en: "The form of the roles' logs", zh: "日志格式" },
};

pub static LOG_MAX_SIZE: Setting = Setting {
    key: "log_max_size",
    kind: Kind::Size,
    value: "SIZE",
    default: Some("32MiB"),
    secret: false,
    help: Text {
        en: "A role's log beyond this size is put aside; three are kept",
        zh: "角色的日志超过此大小时会被归档；保留三份",
    },
};

/// All of them, in the order `tradewind config show` prints.
pub static ALL: &[&Setting] = &[
    &DATA,
    &LISTEN,
    &EDGE,
    &EDGE_TLS,
    &CERTIFICATES,
    &METRICS,
    &PUBLIC_URL,
    &DATABASE,
    &INSECURE_SAME_USER,
    &ACCESS_LOG,
    &LOG,
    &LOG_FORMAT,
    &LOG_MAX_SIZE,
];

/// The ones that may stand in the configuration file: all but the folder the file is in.
pub fn in_file() -> impl Iterator<Item = &'static Setting> {
    ALL.iter().copied().filter(|s| !std::ptr::eq(*s, &DATA))
}

//! The settings of the machine's roles: declared here and nowhere else.

pub use super::audit::OUTBOUND_ALLOW;
use super::{audit, backup};
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

pub static LISTEN_TLS: Setting = Setting {
    key: "listen_tls",
    kind: Kind::Address,
    value: "ADDR",
    default: None,
    secret: false,
    help: Text {
        en: "Where the API and the git remote listen over TLS too, such as 0.0.0.0:7443; nowhere unless given",
        zh: "API 与 git 远程仓库的 TLS 监听地址，如 0.0.0.0:7443；不指定则不监听",
    },
};

pub static LISTEN_CERTIFICATE: Setting = Setting {
    key: "listen_certificate",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "The certificate (PEM, with its chain) for it, looked at every 10 s; one of the server's own authority unless given",
        zh: "用于该地址的证书（PEM，含证书链），每 10 秒检查一次；未指定时由服务器自建机构签发",
    },
};

pub static LISTEN_KEY: Setting = Setting {
    key: "listen_key",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "The certificate's key (PEM); in the same file unless given",
        zh: "该证书的私钥（PEM）；未指定时与证书在同一文件",
    },
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

pub static ACME_EMAIL: Setting = Setting {
    key: "acme_email",
    kind: Kind::Text,
    value: "EMAIL",
    default: None,
    secret: false,
    help: Text {
        en: "Have certificates for the hosts of all routes from an authority, agreeing to its terms; it may write to this address",
        zh: "向证书机构为所有路由的主机名申请证书，并同意其条款；机构可能写信到此地址",
    },
};

pub static ACME_DIRECTORY: Setting = Setting {
    key: "acme_directory",
    kind: Kind::Url,
    value: "URL",
    default: Some("https://acme-v02.api.letsencrypt.org/directory"),
    secret: false,
    help: Text { en: "The authority: the address of its ACME directory", zh: "证书机构的 ACME 目录地址" },
};

pub static ACME_ROOT: Setting = Setting {
    key: "acme_root",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "The certificate (PEM) that an authority of your own is known by",
        zh: "自建证书机构的根证书（PEM）",
    },
};

pub static HTTPS_REDIRECT: Setting = Setting {
    key: "https_redirect",
    kind: Kind::Choice(&["on", "off"]),
    value: "on|off",
    default: Some("on"),
    secret: false,
    help: Text {
        en: "Send requests without TLS to https:// where there is a certificate for the host; only with edge_tls",
        zh: "有该主机的证书时，把非 TLS 请求重定向到 https://；仅在设置了 edge_tls 时有效",
    },
};

pub static HTTPS_PORT: Setting = Setting {
    key: "https_port",
    kind: Kind::Number,
    value: "PORT",
    default: None,
    secret: false,
    help: Text {
        en: "The port to send them to, if it is not the one of edge_tls",
        zh: "重定向的目标端口，如与 edge_tls 的端口不同",
    },
};

pub static HSTS: Setting = Setting {
    key: "hsts",
    kind: Kind::Number,
    value: "SECONDS",
    default: Some("0"),
    secret: false,
    help: Text {
        en: "Tell browsers over TLS to come back only over TLS for so long (Strict-Transport-Security); 0 says nothing",
        zh: "通过 TLS 告知浏览器在该时长内只用 TLS 访问（Strict-Transport-Security）；0 表示不发送",
    },
};

pub static TRUSTED_PROXIES: Setting = Setting {
    key: "trusted_proxies",
    kind: Kind::Networks,
    value: "NETWORKS",
    default: None,
    secret: false,
    help: Text {
        en: "Proxies in front of the edge, such as 10.0.0.0/8, whose X-Forwarded-For and X-Forwarded-Proto are believed",
        zh: "位于边缘代理之前、可信任其 X-Forwarded-For 与 X-Forwarded-Proto 的代理，如 10.0.0.0/8",
    },
};

pub static PROXY_PROTOCOL: Setting = Setting {
    key: "proxy_protocol",
    kind: Kind::Choice(&["on", "off"]),
    value: "on|off",
    default: Some("off"),
    secret: false,
    help: Text {
        en: "Trusted proxies begin each connection with the PROXY protocol, version 1 or 2",
        zh: "可信代理在每个连接开头使用 PROXY 协议（版本 1 或 2）",
    },
};

pub static CONNECTIONS_PER_ADDRESS: Setting = Setting {
    key: "connections_per_address",
    kind: Kind::Number,
    value: "N",
    default: Some("1024"),
    secret: false,
    help: Text {
        en: "Connections that one address may have at the edge; 0 is any number, and trusted proxies may have any",
        zh: "同一地址在边缘代理上的最大连接数；0 表示不限，可信代理不受限",
    },
};

pub static MIN_BODY_RATE: Setting = Setting {
    key: "min_body_rate",
    kind: Kind::Number,
    value: "BYTES",
    default: Some("240"),
    secret: false,
    help: Text {
        en: "Bytes a second, over 30 s, that a request's body has to come with; 0 is no such rule",
        zh: "请求体的最低速率（字节每秒，按 30 秒计）；0 表示不限",
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

pub static ISOLATION: Setting = Setting {
    key: "isolation",
    kind: Kind::Choice(&["auto", "required", "users"]),
    value: "auto|required|users",
    default: Some("auto"),
    secret: false,
    help: Text {
        en: "What holds jobs in beside users of their own: bubblewrap where it works; bubblewrap or no job runs; nothing more",
        zh: "除独立用户外如何隔离任务：可用时使用 bubblewrap；必须使用 bubblewrap，否则不运行任务；不再额外隔离",
    },
};

pub static JOB_NETWORK: Setting = Setting {
    key: "job_network",
    kind: Kind::Choice(&["no_metadata", "open", "none"]),
    value: "no_metadata|open|none",
    default: Some("no_metadata"),
    secret: false,
    help: Text {
        en: "What jobs may reach: all but the addresses where a cloud hands out its credentials; everything; nothing (needs bubblewrap)",
        zh: "任务可访问的网络：除云平台发放凭据的元数据地址外的一切；一切；完全断网（需要 bubblewrap）",
    },
};

pub static JOB_FOLDERS: Setting = Setting {
    key: "job_folders",
    kind: Kind::Text,
    value: "DIR:DIR",
    default: None,
    secret: false,
    help: Text {
        en: "Folders of tools below /home, /root, /srv, /mnt or /media that jobs in bubblewrap may read, such as /home/ci/sdk",
        zh: "bubblewrap 中的任务可读取的工具目录（位于 /home、/root、/srv、/mnt 或 /media 之下），如 /home/ci/sdk",
    },
};

pub static PUBLIC_URL: Setting = Setting {
    key: "public_url",
    kind: Kind::Url,
    value: "URL",
    default: None,
    secret: false,
    help: Text {
        en: "How clients reach the API, for links and git remotes; unless given, https:// and listen_tls, else http:// and listen",
        zh: "客户端访问 API 的地址，用于链接和 git 远程地址；未指定时为 https:// 加 listen_tls，否则为 http:// 加 listen",
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

pub static VAULT_KEY_FILE: Setting = Setting {
    key: "vault_key_file",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "The key that seals secrets; DIR/keys/vault.key unless given. TRADEWIND_VAULT_KEY holds the key itself instead",
        zh: "加密密钥库的主密钥文件；默认 DIR/keys/vault.key。也可用 TRADEWIND_VAULT_KEY 直接提供主密钥",
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
    &LISTEN_TLS,
    &LISTEN_CERTIFICATE,
    &LISTEN_KEY,
    &EDGE,
    &EDGE_TLS,
    &CERTIFICATES,
    &ACME_EMAIL,
    &ACME_DIRECTORY,
    &ACME_ROOT,
    &HTTPS_REDIRECT,
    &HTTPS_PORT,
    &HSTS,
    &TRUSTED_PROXIES,
    &PROXY_PROTOCOL,
    &CONNECTIONS_PER_ADDRESS,
    &MIN_BODY_RATE,
    &METRICS,
    &PUBLIC_URL,
    &DATABASE,
    &VAULT_KEY_FILE,
    &INSECURE_SAME_USER,
    &ISOLATION,
    &JOB_NETWORK,
    &JOB_FOLDERS,
    &audit::EVENTS,
    &audit::INTERVAL,
    &audit::FILE,
    &audit::WEBHOOK,
    &audit::WEBHOOK_SECRET,
    &audit::S3,
    &audit::S3_REGION,
    &audit::S3_ACCESS_KEY,
    &audit::S3_SECRET_KEY,
    &audit::KEEP,
    &audit::ARCHIVE,
    &OUTBOUND_ALLOW,
    &backup::EVERY,
    &backup::TO,
    &backup::KEEP,
    &backup::PASSPHRASE,
    &ACCESS_LOG,
    &LOG,
    &LOG_FORMAT,
    &LOG_MAX_SIZE,
];

/// The ones that may stand in the configuration file: all but the folder the file is in.
pub fn in_file() -> impl Iterator<Item = &'static Setting> {
    ALL.iter().copied().filter(|s| !std::ptr::eq(*s, &DATA))
}

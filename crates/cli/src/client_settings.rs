//! The settings of the verbs; those of the machine's roles stand in the binary's registry.

use crate::{
    setting::{Kind, Setting},
    text::Text,
};

pub static SERVER: Setting = Setting {
    key: "server",
    kind: Kind::Url,
    value: "URL",
    default: None,
    secret: false,
    help: Text {
        en: "The server to talk to: the one logged in to last, else http://127.0.0.1:7070",
        zh: "要连接的服务器：默认为最近登录的服务器，否则为 http://127.0.0.1:7070",
    },
};

pub static TOKEN: Setting = Setting {
    key: "token",
    kind: Kind::Text,
    value: "TOKEN",
    default: None,
    secret: true,
    help: Text {
        en: "A token instead of the stored one; better given as variable, command lines can be read by others",
        zh: "替代已保存凭据的令牌；建议用环境变量，命令行可能被他人看到",
    },
};

pub static CA: Setting = Setting {
    key: "ca",
    kind: Kind::Path,
    value: "FILE",
    default: None,
    secret: false,
    help: Text {
        en: "Authorities (PEM) to believe about the server beside the machine's; those given at login are kept",
        zh: "除本机信任的机构外，另信任的服务器证书机构（PEM）；登录时指定的会被保存",
    },
};

pub static LANG: Setting = Setting {
    key: "lang",
    kind: Kind::Choice(&["en", "zh-CN"]),
    value: "en|zh-CN",
    default: None,
    secret: false,
    help: Text { en: "The language of messages; from LANG unless given", zh: "消息语言；默认取自 LANG" },
};

pub static ALL: &[&Setting] = &[&SERVER, &TOKEN, &CA, &LANG];

/// The server when nobody named one.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7070";

//! Configuration of the roles: defaults, then the data folder's `config.yaml`, then `TRADEWIND_*`, then flags.

pub mod audit;
pub mod backup;
pub mod file;
pub mod registry;
pub mod show;

use crate::faults;
use clap::{ArgMatches, parser::ValueSource};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_cli::{
    setting::{Kind, Setting},
    when,
};
use tradewind_edge::Network;
use tradewind_model::{
    fault::{At, Fault},
    id::Digest,
};

/// Where a value came from, weakest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    Default,
    File(At),
    Variable,
    Flag,
}

#[derive(Clone, Debug)]
pub struct Value {
    pub text: String,
    pub source: Source,
}

/// Every setting's value, checked once.
#[derive(Clone, Debug)]
pub struct Config {
    data: PathBuf,
    values: BTreeMap<&'static str, Value>,
}

impl Config {
    /// Reads all layers. `matches` are those of a command that took its arguments from the registry; a setting it
    /// does not take has no flag.
    pub fn load(matches: &ArgMatches, var: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let flag = |s: &'static Setting| flag(matches, s);
        let data = match flag(&registry::DATA).or_else(|| variable(&registry::DATA, var)) {
            Some(v) => v,
            None => Value { text: default_data(var)?, source: Source::Default },
        };
        let root = std::path::absolute(&data.text)?;
        Self::layered(root, data.source, var, &flag)
    }

    /// A folder's settings, for a command that takes none as flags.
    pub fn of_folder(root: &Path, var: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        Self::layered(root.to_owned(), Source::Flag, var, &|_| None)
    }

    fn layered(
        root: PathBuf,
        named: Source,
        var: &dyn Fn(&str) -> Option<String>,
        flag: &dyn Fn(&'static Setting) -> Option<Value>,
    ) -> anyhow::Result<Self> {
        let mut values = BTreeMap::new();
        for setting in registry::ALL.iter().copied().filter(|s| s.key != registry::DATA.key) {
            if let Some(d) = setting.default {
                values.insert(setting.key, Value { text: d.to_owned(), source: Source::Default });
            }
        }
        values.extend(file::read(&root.join(file::NAME))?);
        for setting in registry::in_file() {
            values.extend(variable(setting, var).map(|v| (setting.key, v)));
            values.extend(flag(setting).map(|v| (setting.key, v)));
        }
        for setting in registry::in_file() {
            if let Some(v) = values.get(setting.key) {
                check(setting, v)?;
            }
        }
        values.insert(registry::DATA.key, Value { text: root.display().to_string(), source: named });
        Ok(Self { data: root, values })
    }

    pub fn data(&self) -> &Path {
        &self.data
    }
    pub fn get(&self, setting: &'static Setting) -> Option<&Value> {
        self.values.get(setting.key)
    }
    pub fn text(&self, setting: &'static Setting) -> Option<&str> {
        self.get(setting).map(|v| v.text.as_str())
    }
    pub fn switch(&self, setting: &'static Setting) -> bool {
        self.text(setting) == Some("true")
    }
    /// Only for settings of kind `Address` that have a default.
    pub fn addr(&self, setting: &'static Setting) -> SocketAddr {
        self.text(setting).and_then(|t| t.parse().ok()).expect("checked when it was loaded")
    }
    /// Of a setting that may be without a value.
    pub fn address(&self, setting: &'static Setting) -> Option<SocketAddr> {
        self.text(setting).and_then(|a| a.parse().ok())
    }
    pub fn size(&self, setting: &'static Setting) -> u64 {
        self.text(setting).and_then(bytes).expect("checked when it was loaded")
    }
    /// Only for settings of kind `Number` that have a default.
    pub fn number(&self, setting: &'static Setting) -> u32 {
        self.text(setting).and_then(|t| t.parse().ok()).expect("checked when it was loaded")
    }
    pub fn networks(&self, setting: &'static Setting) -> Vec<Network> {
        self.text(setting).and_then(|t| Network::list(t).ok()).unwrap_or_default()
    }
    /// None where it is not set and has no default.
    pub fn span(&self, setting: &'static Setting) -> Option<Duration> {
        self.text(setting).and_then(when::parse_span)
    }
    /// `postgres://…`, or the SQLite file in this data folder.
    pub fn database_in(&self, root: &Path) -> String {
        match self.text(&registry::DATABASE) {
            Some(url) => url.to_owned(),
            None => root.join("tradewind.db").to_string_lossy().into_owned(),
        }
    }
    /// How clients reach the API.
    pub fn public_url(&self) -> String {
        match self.text(&registry::PUBLIC_URL) {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => match self.address(&registry::LISTEN_TLS) {
                Some(addr) => format!("https://{}", reachable(addr)),
                None => self.local_url(),
            },
        }
    }
    /// How this machine's own processes reach the API.
    pub fn local_url(&self) -> String {
        format!("http://{}", reachable(self.addr(&registry::LISTEN)))
    }

    /// What a role that starts with these settings does: same digest, same role.
    pub fn fingerprint(&self, settings: &[&'static Setting]) -> String {
        let mut text = String::new();
        for s in settings {
            text += &format!("{}={}\n", s.key, self.text(s).unwrap_or_default());
        }
        Digest::of(text.as_bytes()).short()
    }

    /// What was given on this command line, for a process that goes on with it: variables are inherited, flags are not.
    pub fn as_flags(&self) -> Vec<String> {
        let given = registry::in_file().filter_map(|s| Some((s, self.get(s)?)));
        given
            .filter(|(s, v)| {
                matches!(v.source, Source::Flag) && !s.secret && !(s.kind == Kind::Switch && v.text != "true")
            })
            .flat_map(|(s, v)| {
                let value = (s.kind != Kind::Switch).then(|| v.text.clone());
                [Some(format!("--{}", s.flag())), value].into_iter().flatten()
            })
            .collect()
    }

    /// The settings as variables, for a role started by a supervisor: every one that is neither a default nor in
    /// the file, which the role reads by itself. Variables, because command lines can be read by everyone.
    pub fn as_variables(&self) -> Vec<(String, String)> {
        registry::in_file()
            .filter_map(|s| {
                let v = self.get(s)?;
                matches!(v.source, Source::Variable | Source::Flag).then(|| (s.var(), v.text.clone()))
            })
            .collect()
    }
}

/// The address others connect to for one that listens everywhere.
pub fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(a) if a.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], a.port())),
        SocketAddr::V6(a) if a.ip().is_unspecified() => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, a.port())),
        other => other,
    }
}

fn flag(matches: &ArgMatches, s: &'static Setting) -> Option<Value> {
    if !matches!(matches.try_contains_id(s.key), Ok(true))
        || matches.value_source(s.key) != Some(ValueSource::CommandLine)
    {
        return None;
    }
    let text = match s.kind {
        Kind::Switch => matches.get_flag(s.key).to_string(),
        Kind::Address
        | Kind::Path
        | Kind::Url
        | Kind::Text
        | Kind::Size
        | Kind::Number
        | Kind::Networks
        | Kind::Span
        | Kind::Choice(_) => matches.get_one::<String>(s.key)?.clone(),
    };
    Some(Value { text, source: Source::Flag })
}

fn variable(s: &'static Setting, var: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    var(&s.var()).filter(|v| !v.is_empty()).map(|text| {
        let text = match (s.kind, text.as_str()) {
            (Kind::Switch, "1") => "true".to_owned(),
            (Kind::Switch, "0") => "false".to_owned(),
            _ => text,
        };
        Value { text, source: Source::Variable }
    })
}

fn default_data(var: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/tradewind".into());
    }
    match var("HOME").filter(|h| !h.is_empty()) {
        Some(home) => Ok(format!("{home}/.tradewind")),
        None => Err(Fault::new(&faults::NO_HOME).into()),
    }
}

fn check(s: &'static Setting, v: &Value) -> Result<(), Fault> {
    let expected = match s.kind {
        Kind::Switch if !matches!(v.text.as_str(), "true" | "false") => "`true`, `false`".to_owned(),
        Kind::Address if v.text.parse::<SocketAddr>().is_err() => "`127.0.0.1:7070`, `[::]:7070`".to_owned(),
        Kind::Url if !is_url(&v.text) => "`http://…`, `https://…`".to_owned(),
        Kind::Size if bytes(&v.text).is_none() => "`4096`, `64KiB`, `32MiB`, `1GiB`".to_owned(),
        Kind::Number if v.text.parse::<u32>().is_err() => "`0`, `1024`".to_owned(),
        Kind::Span if when::parse_span(&v.text).is_none_or(|d| d.is_zero()) => "`90s`, `10m`, `12h`, `30d`".to_owned(),
        Kind::Networks if Network::list(&v.text).is_err() => "`10.0.0.0/8, fd00::/8`".to_owned(),
        Kind::Choice(all) if !all.contains(&v.text.as_str()) => format!("`{}`", all.join("`, `")),
        Kind::Switch
        | Kind::Address
        | Kind::Path
        | Kind::Url
        | Kind::Text
        | Kind::Size
        | Kind::Number
        | Kind::Networks
        | Kind::Span
        | Kind::Choice(_) => return Ok(()),
    };
    let mut f = Fault::new(&faults::BAD_SETTING).with("key", s.key).with("expected", expected);
    f = f.with("value", if s.secret { "…" } else { v.text.as_str() });
    Err(match &v.source {
        Source::Default => f.with("source", s.key),
        Source::File(at) => f.with("source", file::NAME).at(at.clone()),
        Source::Variable => f.with("source", s.var()),
        Source::Flag => f.with("source", format!("--{}", s.flag())),
    })
}

fn is_url(s: &str) -> bool {
    let rest = s.strip_prefix("https://").or_else(|| s.strip_prefix("http://"));
    rest.is_some_and(|r| !r.is_empty() && !r.starts_with('/') && !r.contains(char::is_whitespace))
}

fn bytes(s: &str) -> Option<u64> {
    let (number, unit) = s.split_at(s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len()));
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

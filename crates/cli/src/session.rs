//! One call of the command line: who asks, which server, which language, and where the answer goes.

use crate::{
    checkout::{Checkout, SPEC},
    client_settings::DEFAULT_SERVER,
    credentials::{Credentials, Keyring, normal},
    failure::Failure,
    faults,
    out::Out,
    when::When,
};
use std::{
    fmt,
    future::Future,
    io::BufRead,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tradewind_api::{Client, v1};
use tradewind_audit::Verifier;
use tradewind_model::{
    fault::{Fault, Lang},
    id::{EnvName, ServiceName},
    time::Clock,
};

/// Looks an environment variable up.
pub type Variables = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the process it runs in provides.
pub struct Surroundings {
    pub var: Variables,
    pub clock: Arc<dyn Clock>,
    pub zone: jiff::tz::TimeZone,
    pub dir: PathBuf,
    pub out: Out,
    /// What a verb reads that takes its matter from stdin.
    pub input: Mutex<Box<dyn BufRead + Send>>,
    /// Where somebody sits at a terminal: a line they type that is not shown.
    pub typed: Option<fn() -> std::io::Result<String>>,
    /// The whole command line's grammar, for completions.
    pub grammar: fn(Lang) -> clap::Command,
    /// How long to wait for a server that does not answer.
    pub patience: Duration,
    /// Reads a data folder's log, without a server.
    pub audit_folder: fn(FolderAudit) -> FolderReport,
}

/// What to hold a data folder's log against.
#[derive(Clone, Debug)]
pub struct FolderAudit {
    pub data: PathBuf,
    /// Keys that are believed; none: the folder's own.
    pub keys: Vec<Verifier>,
    /// Where from, and the text.
    pub checkpoints: Vec<(String, String)>,
    pub lang: Lang,
}

pub type FolderReport = Pin<Box<dyn Future<Output = Result<v1::AuditReport, Fault>>>>;

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub struct Session {
    pub lang: Lang,
    pub json: bool,
    pub out: Out,
    pub around: Surroundings,
    server: String,
    /// Where the address came from, for the message that nobody answers there.
    server_from: &'static str,
    token: Option<String>,
    /// Authorities (PEM) that are believed beside the machine's.
    authorities: Option<String>,
}

/// What of the command line says whom to ask, and as whom.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub server: Option<String>,
    pub token: Option<String>,
    pub ca: Option<String>,
}

impl Session {
    /// Variables and stored credentials are looked up here.
    pub fn open(around: Surroundings, lang: Lang, json: bool, flags: Flags) -> Result<Self, Failure> {
        let Flags { server, token, ca } = flags;
        let var = |k: &str| (around.var)(k).filter(|v| !v.is_empty());
        let stored = || Keyring::find(&around.var).map_or_else(|_| Ok(Credentials::default()), |k| k.read());
        let (server, server_from) = match (server, var("TRADEWIND_SERVER")) {
            (Some(s), _) => (s, "--server"),
            (None, Some(s)) => (s, "TRADEWIND_SERVER"),
            (None, None) => match stored()?.current {
                Some(s) => (s, "tradewind login"),
                None => (DEFAULT_SERVER.to_owned(), "default"),
            },
        };
        let server = normal(&server).to_owned();
        let token = match token.or_else(|| var("TRADEWIND_TOKEN")) {
            Some(t) => Some(t),
            None => stored()?.servers.get(&server).map(|l| l.token.clone()),
        };
        let authorities = match ca.or_else(|| var("TRADEWIND_CA")) {
            Some(file) => Some(read_authorities(&around.dir.join(&file))?),
            None if server.starts_with("https:") => stored()?.servers.remove(&server).and_then(|l| l.authorities),
            None => None,
        };
        let out = around.out.clone();
        Ok(Self { lang, json, out, around, server, server_from, token, authorities })
    }

    pub fn server(&self) -> &str {
        &self.server
    }
    pub fn server_from(&self) -> &'static str {
        self.server_from
    }
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub fn authorities(&self) -> Option<&str> {
        self.authorities.as_deref()
    }

    pub fn client(&self) -> Result<Client, Failure> {
        let client = self.stranger(self.authorities())?;
        Ok(match &self.token {
            Some(t) => client.with_token(t)?,
            None => client,
        })
    }

    /// A client that shows no token.
    pub fn stranger(&self, authorities: Option<&str>) -> Result<Client, Failure> {
        let client = match authorities {
            Some(pem) => Client::believing(&self.server, pem.as_bytes())?,
            None => Client::new(&self.server)?,
        };
        Ok(client.with_lang(self.lang).patience(self.around.patience))
    }

    pub fn when(&self) -> When {
        When { now: self.around.clock.now(), lang: self.lang, zone: self.around.zone.clone() }
    }

    pub fn keyring(&self) -> Result<Keyring, Failure> {
        Ok(Keyring::find(&self.around.var)?)
    }

    pub fn checkout(&self) -> Checkout {
        Checkout::at(&self.around.dir, &self.around.var)
    }

    /// The service a verb is about: the one named, else the one of the checkout.
    pub fn service(&self, named: Option<&str>, verb: &str) -> Result<ServiceName, Failure> {
        match named {
            Some(s) => name(s),
            None => {
                let none = || Fault::new(&faults::NO_SERVICE).with("file", SPEC).with("verb", verb);
                self.checkout().service().ok_or_else(|| none().into())
            }
        }
    }

    /// The environment a verb is about: the one named, else the only one, else `production`.
    pub async fn env(&self, client: &Client, service: &ServiceName, named: Option<&str>) -> Result<EnvName, Failure> {
        if let Some(s) = named {
            return env(s);
        }
        let envs: Vec<EnvName> = client.service(service).await?.environments.into_iter().map(|e| e.name).collect();
        match envs.as_slice() {
            [] => Err(Fault::new(&faults::NO_ENV).with("service", service).into()),
            [only] => Ok(only.clone()),
            several => match several.iter().find(|e| e.as_str() == "production") {
                Some(production) => Ok(production.clone()),
                None => {
                    let envs: Vec<&str> = several.iter().map(EnvName::as_str).collect();
                    Err(Fault::new(&faults::WHICH_ENV).with("service", service).with("envs", envs.join(", ")).into())
                }
            },
        }
    }

    /// A list in JSON: the items of all pages asked for.
    pub fn json_list<T: serde::Serialize>(&self, items: Vec<T>, next: Option<String>) {
        self.out.json(&v1::Page { items, next });
    }
}

fn read_authorities(file: &Path) -> Result<String, Failure> {
    let fault = |e: std::io::Error| Fault::new(&faults::AUTHORITIES).with("file", file.display()).with("reason", e);
    Ok(std::fs::read_to_string(file).map_err(fault)?)
}

pub fn name(s: &str) -> Result<ServiceName, Failure> {
    s.parse().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", s).into())
}

pub fn env(s: &str) -> Result<EnvName, Failure> {
    s.parse().map_err(|_| Fault::new(&faults::BAD_NAME).with("value", s).into())
}

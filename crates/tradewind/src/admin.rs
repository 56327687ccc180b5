//! `tradewind admin`: what the owner of the data folder may do without a login. Owning it is the permission.

use crate::{
    config::{Config, audit as settings, registry as set},
    folder::Folder,
    msg,
    role::this_binary,
    say::Say,
};
use clap::ArgMatches;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
};
use tradewind_api::v1::{CreateToken, NewToken, Scope, Time};
use tradewind_cli::{exit::Exit, fill, text, when};
use tradewind_control::certificates::acme::Authority;
use tradewind_model::{
    fault::Fault,
    time::{Clock, SystemClock},
};
use tradewind_server::{KeySource, ListenTls, ServerConfig, admin};
use tradewind_store::Store;

/// What `admin code --json` prints.
#[derive(Debug, Serialize, Deserialize)]
pub struct Code {
    pub code: String,
}

pub fn run(action: &str, args: &ArgMatches, config: &Config, say: Say) -> anyhow::Result<Exit> {
    let folder = Folder::open(config.data())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = store(config).await?;
        let done = act(action, args, config, &store, &folder, say).await;
        store.close().await;
        done
    })
}

async fn act(
    action: &str,
    args: &ArgMatches,
    config: &Config,
    store: &Store,
    folder: &Folder,
    say: Say,
) -> anyhow::Result<Exit> {
    match action {
        "token" => token(args, store, say).await,
        "code" => {
            let code = Code { code: admin::login_code(store).await.map_err(refused)?.reveal() };
            say.out(if args.get_flag("json") { serde_json::to_string(&code)? } else { code.code });
            Ok(Exit::Ok)
        }
        "rotate-key" => rotate_key(args, vault(config), store, say).await,
        _ => {
            let made = admin::enrol_host(store, &hostname()).await.map_err(refused)?;
            keep_key(folder, &made.token)?;
            Ok(Exit::Ok)
        }
    }
}

async fn token(args: &ArgMatches, store: &Store, say: Say) -> anyhow::Result<Exit> {
    let scopes: Vec<Scope> = match args.get_many::<String>("scope") {
        Some(all) => all.map(|s| s.parse()).collect::<Result<_, _>>()?,
        None => vec![Scope::Admin],
    };
    let expires_in_s = match args.get_one::<String>("expires") {
        None => None,
        Some(s) => match when::parse_span(s) {
            Some(d) => Some(d.as_secs()),
            None => return Err(Fault::new(&crate::faults::BAD_DURATION).with("value", s).into()),
        },
    };
    let name = args.get_one::<String>("name").cloned().unwrap_or_else(|| "admin".into());
    let made = admin::mint_token(store, &CreateToken { name, scopes, expires_in_s, ..CreateToken::default() })
        .await
        .map_err(refused)?;
    if args.get_flag("json") {
        say.out(serde_json::to_string_pretty(&made)?);
        return Ok(Exit::Ok);
    }
    let NewToken { token, info } = made;
    let scopes: Vec<&str> = info.scopes.iter().map(|s| s.as_str()).collect();
    let until = info.expires_at.map_or_else(|| msg::FOREVER.get(say.lang).to_owned(), local);
    say.err(fill!(say.lang, &msg::TOKEN_MADE, name = info.name, scopes = scopes.join(","), until = until));
    say.out(token);
    Ok(Exit::Ok)
}

/// What `admin rotate-key --json` prints.
#[derive(Debug, Serialize)]
struct RotatedKey {
    key: String,
    resealed: u64,
    dropped: Vec<String>,
    damaged: u64,
}

async fn rotate_key(args: &ArgMatches, keys: KeySource, store: &Store, say: Say) -> anyhow::Result<Exit> {
    let done = admin::rotate_key(store, keys, args.get_flag("resume")).await.map_err(refused)?;
    let (key, dropped) = (done.key.to_string(), done.dropped.iter().map(ToString::to_string).collect::<Vec<_>>());
    if args.get_flag("json") {
        let done = RotatedKey { key, resealed: done.resealed, dropped, damaged: done.damaged };
        say.out(serde_json::to_string_pretty(&done)?);
        return Ok(Exit::Ok);
    }
    say.out(fill!(say.lang, &msg::KEY_ROTATED, key = key, n = done.resealed, dropped = dropped.len()));
    if done.damaged > 0 {
        say.err(fill!(say.lang, &msg::KEY_DAMAGED, n = done.damaged));
    }
    Ok(Exit::Ok)
}

pub fn local(at: Time) -> String {
    when::When { now: SystemClock.now(), lang: tradewind_model::fault::Lang::En, zone: when::here() }.date(at)
}

fn refused(e: admin::AdminError) -> anyhow::Error {
    match e {
        admin::AdminError::Refused(fault) => fault.into(),
        failed @ admin::AdminError::Failed(_) => failed.into(),
    }
}

pub async fn store(config: &Config) -> anyhow::Result<Store> {
    let at = server_config(config)?.database_at();
    Store::open(&at, Arc::new(SystemClock)).await.map_err(|e| e.fault().into())
}

pub fn server_config(config: &Config) -> anyhow::Result<ServerConfig> {
    Ok(ServerConfig {
        data: config.data().to_owned(),
        listen: config.addr(&set::LISTEN),
        tls: config.address(&set::LISTEN_TLS).map(|addr| listen_tls(config, addr)),
        database: config.text(&set::DATABASE).map(str::to_owned),
        vault: vault(config),
        exe: crate::role::on_disk()?,
        backups: crate::config::backup::schedule(config)?,
        audit: settings::settings(config)?,
        outbound: settings::outbound(config),
        public_url: config.text(&set::PUBLIC_URL).map(|_| config.public_url()),
        authority: config.text(&set::ACME_EMAIL).map(|email| Authority {
            email: email.to_owned(),
            directory: config.text(&set::ACME_DIRECTORY).unwrap_or_default().to_owned(),
            root: config.text(&set::ACME_ROOT).map(PathBuf::from),
        }),
    })
}

fn listen_tls(config: &Config, addr: SocketAddr) -> ListenTls {
    let file = |setting| config.text(setting).map(PathBuf::from);
    let files = file(&set::LISTEN_CERTIFICATE).map(|chain| {
        let key = file(&set::LISTEN_KEY).unwrap_or_else(|| chain.clone());
        (chain, key)
    });
    let url = config.text(&set::PUBLIC_URL).and_then(|url| url.parse::<http::Uri>().ok());
    let public = url.as_ref().and_then(http::Uri::host).map(|host| host.trim_matches(['[', ']']).to_owned());
    let addresses = if addr.ip().is_unspecified() { own_addresses() } else { vec![addr.ip()] };
    let names = public.into_iter().chain([hostname()]).chain(addresses.iter().map(IpAddr::to_string));
    ListenTls { addr, files, names: names.collect() }
}

/// Where others would see this machine. Nothing is sent: a route is looked up.
fn own_addresses() -> Vec<IpAddr> {
    let towards = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    // Addresses that documents are written with (RFC 5737, 3849): they lead to where everything else does.
    let v4 = towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let v6 = towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    v4.into_iter().chain(v6).collect()
}

/// No setting: a command line or a file that other settings are in is no place for it.
const VAULT_KEY: &str = "TRADEWIND_VAULT_KEY";

fn vault(config: &Config) -> KeySource {
    if let Some(text) = crate::cli::var(VAULT_KEY).filter(|t| !t.trim().is_empty()) {
        return KeySource::Text(text);
    }
    let given = config.text(&set::VAULT_KEY_FILE).map(PathBuf::from);
    KeySource::File(given.unwrap_or_else(|| config.data().join("keys/vault.key")))
}

pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The agent's token for the server: root's, like everything in `keys/`.
pub fn key_file(folder: &Folder) -> PathBuf {
    folder.root().join("keys/agent.token")
}

fn keep_key(folder: &Folder, key: &str) -> anyhow::Result<()> {
    let (path, fresh) = (key_file(folder), folder.root().join("keys/.agent.token.new"));
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)?;
    Ok(())
}

/// Has another process ask the store, so that the supervisor stays as small as it is.
pub async fn ask_for_code(folder: &Folder, config: &Config, say: Say) -> anyhow::Result<Code> {
    let said = aside(folder, config, &["admin", "code", "--json"], say).await?;
    Ok(serde_json::from_slice(&said)?)
}

/// Gives this machine's agent a key of its own.
pub async fn enrol(folder: &Folder, config: &Config, say: Say) -> anyhow::Result<()> {
    aside(folder, config, &["admin", "enrol"], say).await.map(drop)
}

/// What another of our processes told a person; it is told as it stands.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Relayed {
    pub text: String,
    pub exit: Exit,
}

async fn aside(folder: &Folder, config: &Config, args: &[&str], say: Say) -> anyhow::Result<Vec<u8>> {
    let mut command = tokio::process::Command::from(this_binary());
    command.args(args).arg("--data").arg(folder.root()).envs(config.as_variables());
    command.env("TRADEWIND_LANG", text::tag(say.lang)).stdin(Stdio::null()).kill_on_drop(true);
    let out = command.output().await?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let text = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    Err(Relayed { text, exit: Exit::of(out.status.code()) }.into())
}

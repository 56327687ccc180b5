//! The roles' entry points: what each needs of the configuration, and how each is told to stop.

use crate::{
    admin,
    config::{Config, registry as set},
    faults,
    folder::Folder,
    logging,
    role::{Role, on_disk},
};
use anyhow::Context;
use std::{ffi::OsString, future::Future, path::PathBuf, process::ExitCode, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tradewind_agent::{AgentConfig, Isolation, JobNetwork, RunAs};
use tradewind_cli::{exit::Exit, setting::Setting};
use tradewind_edge::{AccessLog, ClientRules, HolderConfig, WorkerConfig};
use tradewind_model::{fault::Fault, time::SystemClock};
use tradewind_server::ServeError;

/// The edge's worker, started by its holder.
pub const EDGE_WORKER: &str = "edge-worker";

/// Runs a role until it is told to stop.
pub fn run(name: &str, config: &Config) -> anyhow::Result<Exit> {
    logging::init(config)?;
    match name {
        "server" => server(config)?,
        "agent" => agent(config)?,
        "edge" => edge(config)?,
        EDGE_WORKER => tradewind_edge::worker(worker_config(config))?,
        other => anyhow::bail!("`{other}` is not a role"),
    }
    Ok(Exit::Ok)
}

pub fn git_hook(name: &str) -> ExitCode {
    tradewind_server::git::hook::run(name)
}

fn server(config: &Config) -> anyhow::Result<()> {
    // The store, its journal and the keys are nobody else's.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let folder = Folder::create(config.data())?;
    let _lock = Role::Server.register(&folder, config)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let asked = asked_to_stop()?;
        let told = stop.clone();
        tokio::spawn(async move {
            asked.await;
            told.cancel();
        });
        let served = tradewind_server::serve(admin::server_config(config)?, Arc::new(SystemClock), stop).await;
        served.map_err(|e| match e {
            ServeError::Store(e) => e.fault().into(),
            other => anyhow::Error::new(other).context("the server ended"),
        })
    })
}

fn agent(config: &Config) -> anyhow::Result<()> {
    let folder = Folder::create(config.data())?;
    let _lock = Role::Agent.register(&folder, config)?;
    let key_file = admin::key_file(&folder);
    let key = std::fs::read_to_string(&key_file).map_err(|e| {
        Fault::new(&faults::NO_KEY)
            .with("file", key_file.display())
            .with("reason", e)
            .with("data", folder.root().display())
    })?;
    let server = config.local_url().parse()?;
    let shim = (on_disk()?, vec![OsString::from("shim")]);
    let mut agent = AgentConfig::new(folder.agent(), server, key.trim(), shim);
    agent.edge_socket = Some(folder.run("edge.sock"));
    if config.switch(&set::INSECURE_SAME_USER) {
        agent.run_as = RunAs::SameUser;
    }
    agent.hidden = vec![folder.root().to_owned()];
    agent.job_folders =
        config.text(&set::JOB_FOLDERS).map(|all| std::env::split_paths(all).collect()).unwrap_or_default();
    agent.isolation = match config.text(&set::ISOLATION) {
        Some("required") => Isolation::Required,
        Some("users") => Isolation::Users,
        Some(_) | None => Isolation::Auto,
    };
    agent.job_network = match config.text(&set::JOB_NETWORK) {
        Some("open") => JobNetwork::Open,
        Some("none") => JobNetwork::None,
        Some(_) | None => JobNetwork::NoMetadata,
    };
    runtime()?.block_on(async {
        let asked = asked_to_stop()?;
        tradewind_agent::run(agent, asked).await.context("the agent ended")
    })
}

fn edge(config: &Config) -> anyhow::Result<()> {
    let folder = Folder::create(config.data())?;
    let _lock = Role::Edge.register(&folder, config)?;
    let args = |role: &str| {
        let own = [OsString::from(role), "--data".into(), folder.root().into()];
        own.into_iter().chain(config.as_flags().into_iter().map(OsString::from)).collect::<Vec<_>>()
    };
    tradewind_edge::holder(HolderConfig {
        data: folder.root().to_owned(),
        listen: vec![config.addr(&set::EDGE)],
        listen_tls: config.address(&set::EDGE_TLS).into_iter().collect(),
        admin: config.address(&set::METRICS),
        program: on_disk()?,
        worker_args: args(EDGE_WORKER),
        holder_args: args("edge"),
    })
    .context("the edge ended")
}

fn worker_config(config: &Config) -> WorkerConfig {
    let mut worker = WorkerConfig::new(config.data(), vec![config.addr(&set::EDGE)]);
    worker.listen_tls = config.address(&set::EDGE_TLS).into_iter().collect();
    worker.certificates = config.text(&set::CERTIFICATES).map(PathBuf::from);
    worker.admin = config.address(&set::METRICS);
    worker.clients = client_rules(config);
    if is_on(config, &set::ACCESS_LOG) {
        worker.access_log = AccessLog::On;
    }
    worker
}

fn client_rules(config: &Config) -> ClientRules {
    let tls_port = config.address(&set::EDGE_TLS).map(|a| a.port());
    let port = config.text(&set::HTTPS_PORT).and_then(|p| p.parse().ok()).or(tls_port);
    ClientRules {
        redirect_to: port.filter(|_| is_on(config, &set::HTTPS_REDIRECT)),
        hsts_s: config.number(&set::HSTS).into(),
        trusted: config.networks(&set::TRUSTED_PROXIES),
        proxy_protocol: is_on(config, &set::PROXY_PROTOCOL),
        connections_per_address: config.number(&set::CONNECTIONS_PER_ADDRESS),
        min_body_rate: config.number(&set::MIN_BODY_RATE),
        ..ClientRules::default()
    }
}

fn is_on(config: &Config, setting: &'static Setting) -> bool {
    config.text(setting) == Some("on")
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// SIGTERM or SIGINT. Must be called within a runtime.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

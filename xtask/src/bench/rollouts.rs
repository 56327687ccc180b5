//! Deploys and rollbacks under customers' traffic while processes are killed: what is lost, and how fast a release comes
//! and goes. Then, with nothing to do, what it all weighs.

use super::{Options, spread::Spread};
use crate::{
    customers::{Crowd, Ledger, Traffic, ask_once},
    rig::{self, HANG, Repository, Tradewind, memory},
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tradewind_model::time::{Clock, SystemClock, Timestamp};

/// Of a service without a pipeline, so that nothing but ours and the service's own start is measured.
const SPEC: &str = "\
version: 1
service: shop
pipeline: none
run:
  command: [python3, -u, -m, shop]
  health: { http: /healthz, interval: 100ms }
  instances: 2
strategy: { type: blue_green, soak: 500ms }
";

const ROUNDS: u32 = 20;
const WORKER_KILLS: u32 = 10;
/// Between two of them. One that dies young is started again later each time, and what waits for it meanwhile is in flight
/// all at once.
const BETWEEN_KILLS: Duration = Duration::from_secs(6);

#[derive(Default)]
struct Figures {
    /// Push to first answer, less the service's own start.
    live_ms: Vec<f64>,
    /// Command accepted to the last answer of the newer release.
    back_ms: Vec<f64>,
    killed: u32,
    /// Requests that were lost with the edge's worker.
    lost_with_worker: u64,
}

pub async fn measure(root: &Path, options: &Options) -> Result<String> {
    let folder = rig::folder()?;
    let mut tradewind = Tradewind::new(options.bin.clone(), &folder, "en")?;
    let told = measure_with(root, options, &folder, &mut tradewind).await;
    let down = tradewind.down().await;
    let told = told?;
    down?;
    std::fs::remove_dir_all(&folder)?;
    Ok(told)
}

async fn measure_with(root: &Path, options: &Options, folder: &Path, tradewind: &mut Tradewind) -> Result<String> {
    let own_start = own_start(root, folder).await?;
    let (_, login) = tradewind.up().await?;
    let shop = rig::shop(root, folder.join("shop"), tradewind).await?;
    shop.write("tradewind.yaml", SPEC)?;
    let words: Vec<&str> = std::iter::once("login").chain(login.iter().map(String::as_str)).collect();
    tradewind.run(&words, &shop.folder).await?;
    deploy(tradewind, &shop, 1).await?;
    let began = Instant::now();
    while ask_once(tradewind.edge, "/version").await.is_err() {
        ensure!(began.elapsed() < HANG, "the first release never answered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tradewind.rollout("shop", "v1", &["completed"]).await?;

    let mut traffic = Traffic::start(tradewind.edge, Crowd::default());
    let mut figures = Figures::default();
    let rounds = options.rounds.unwrap_or(ROUNDS).max(1) + 1;
    for number in 2..=rounds {
        there_and_back(tradewind, &shop, &traffic.ledger, number, own_start, &mut figures).await?;
        eprintln!("round {} of {}: {:?} lost", number - 1, rounds - 1, traffic.ledger.losses().0);
    }
    let lost = traffic.ledger.losses().0;
    let sent: u64 = traffic.ledger.tallies().values().map(|t| t.sent).sum();
    kill_workers(tradewind).await?;
    traffic.finish().await;
    let (all, told) = traffic.ledger.losses();
    for one in &told {
        eprintln!("{:?} {} {} {}", one.at, one.release, one.request, one.how);
    }
    // Who found the door closed was not in flight in it.
    let refused = told.iter().filter(|l| l.how.contains("no connection:")).count();
    ensure!(refused == 0, "{refused} customers were refused while the edge's worker was away");
    figures.lost_with_worker = all - lost;
    let weights = at_rest(tradewind).await?;
    table(&figures, sent, lost, rounds - 1, &weights, options)
}

/// One new release, one rollback from it; the server or the agent is killed in the middle of the deploy.
async fn there_and_back(
    tradewind: &Tradewind,
    shop: &Repository,
    ledger: &Ledger,
    number: u32,
    own_start: Duration,
    figures: &mut Figures,
) -> Result<()> {
    let version = format!("v{number}");
    let kill = match number % 3 {
        0 => Some("server"),
        1 => Some("agent"),
        _ => None,
    };
    let pushed = deploy(tradewind, shop, number).await?;
    if let Some(role) = kill {
        tradewind.kill(role)?;
        figures.killed += 1;
    }
    let first = wait(|| ledger.first(&version), &version).await?;
    if kill.is_none() {
        let took = first.duration_since(pushed).saturating_sub(own_start);
        figures.live_ms.push(took.as_secs_f64() * 1e3);
    }
    tradewind.rollout("shop", &version, &["completed"]).await?;

    let args = ["rollback", "shop", "--env", "production", "--reason", "bench"];
    let anchor: (Instant, Timestamp) = (Instant::now(), SystemClock.now());
    let rollout = tradewind.ask(&args).await?;
    ensure!(rollout["phase"] == "completed", "the rollback of {version} ended {}", rollout["phase"]);
    let accepted: tradewind_api::v1::Time = serde_json::from_value(rollout["created_at"].clone())?;
    // What the newer release still answers has to show itself.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let last = ledger.last(&version).context("the newer release never answered")?;
    let gone = anchor.1.plus(last.saturating_duration_since(anchor.0));
    figures.back_ms.push(gone.since(accepted.0).as_secs_f64() * 1e3);
    Ok(())
}

/// The edge's worker is killed again and again under traffic.
async fn kill_workers(tradewind: &Tradewind) -> Result<()> {
    for _ in 0..WORKER_KILLS {
        tokio::time::sleep(BETWEEN_KILLS).await;
        let began = Instant::now();
        let worker = loop {
            if let Some(pid) = tradewind.edge_worker()? {
                break pid;
            }
            ensure!(began.elapsed() < HANG, "the edge's worker did not return");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        rig::kill(worker)?;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

async fn deploy(tradewind: &Tradewind, shop: &Repository, number: u32) -> Result<Instant> {
    shop.write("VERSION", &format!("v{number}\n"))?;
    shop.commit(tradewind, &format!("version {number}")).await?;
    Ok(shop.push(tradewind, |_| {}).await?.began)
}

async fn wait<T>(found: impl Fn() -> Option<T>, what: &str) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return Ok(found);
        }
        if began.elapsed() > HANG {
            bail!("waited in vain for an answer of {what}");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How long the shop itself takes from its start to its first good answer.
async fn own_start(root: &Path, folder: &Path) -> Result<Duration> {
    let port = super::contender::free_port()?;
    let began = Instant::now();
    let mut child = tokio::process::Command::new("python3")
        .args(["-u", "-m", "shop"])
        .current_dir(root.join("examples/shop"))
        .env("PORT", port.port().to_string())
        .env("TRADEWIND_DATA_DIR", folder.join("own"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    while ask_once(port, "/healthz").await.is_err() {
        ensure!(began.elapsed() < HANG, "the shop does not start");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = began.elapsed();
    child.kill().await?;
    Ok(took)
}

/// After a minute without anything to do.
async fn at_rest(tradewind: &Tradewind) -> Result<std::collections::BTreeMap<String, memory::Weight>> {
    eprintln!("resting for a minute before weighing");
    tokio::time::sleep(Duration::from_secs(60)).await;
    memory::weigh(&tradewind.data)
}

fn table(
    figures: &Figures,
    sent: u64,
    lost: u64,
    rounds: u32,
    weights: &std::collections::BTreeMap<String, memory::Weight>,
    options: &Options,
) -> Result<String> {
    let back = Spread::of(&figures.back_ms).context("no rollback was measured")?;
    let live = Spread::of(&figures.live_ms).map_or_else(|| "–".into(), |s| s.show(0));
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let of = |role: &str| weights.get(role).copied().unwrap_or_default();
    let together: u64 = ["server", "agent", "edge", "edge-worker"].iter().map(|r| of(r).bytes).sum();
    let shim = of("shim");
    let shims = megabytes(shim.bytes / shim.count.max(1));
    let binary = std::fs::metadata(&options.bin)?.len();
    Ok(format!(
        "| | |\n| --- | --- |\n\
         | lost, of {sent} requests over {rounds} deploys and {rounds} rollbacks with {} kill -9 of server and agent | {lost} |\n\
         | lost with {WORKER_KILLS} kill -9 of the edge's worker, of {} customers at a time | {} |\n\
         | rollback accepted → last answer of the newer release, ms | {} |\n\
         | push → live beyond the service's own start, ms | {live} |\n\
         | memory at rest (PSS): server + agent + edge | {} |\n\
         | memory at rest (PSS): supervisor | {} |\n\
         | memory at rest (PSS): each of {} shims | {shims} |\n\
         | the program | {} |\n\nMedian, with lowest and highest.",
        figures.killed,
        Crowd::default().shoppers + Crowd::default().partners,
        figures.lost_with_worker,
        back.show(0),
        megabytes(together),
        megabytes(of("up").bytes),
        shim.count,
        megabytes(binary),
    ))
}

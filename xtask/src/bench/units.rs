//! What counting a trial's clients costs: one edge, with a trial and without in turn, and its memory after a million
//! clients that each ask once.

use super::{
    Options,
    contender::{self, revision},
    customers,
    edge::{CONNECTIONS, OTHER_CORE, PROXY_CORE, ROUNDS},
    spread::Spread,
    wrk::{self, Load},
};
use crate::rig::memory;
use anyhow::{Context, Result, ensure};
use std::{fs, net::SocketAddr, path::Path, time::Duration};
use tradewind_model::protocol::trial::{Ignore, Limits, Trial};

const CLIENTS: u64 = 1_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn trial() -> Trial {
    Trial {
        canary: revision(2),
        baseline: revision(1),
        counted: true,
        bounds_ms: vec![50, 100, 250, 1_000, 3_000],
        ignore: Ignore { paths: vec!["/healthz".into()], agents: vec!["bot".into()] },
        limits: Limits { error_rate: Some(500), p99_ms: Some(3_000), for_ms: 30_000, min_requests: 50 },
        lease_ms: 600_000,
    }
}

#[derive(Clone, Copy)]
struct Turn {
    per_second: f64,
    cpu_us: f64,
}

pub fn measure(options: &Options) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("tw-bench-").tempdir()?;
    let upstream = contender::upstream(&folder.path().join("upstream"), OTHER_CORE)?;
    let costs = costs(options, &folder.path().join("costs"), upstream.addr)?;
    let without = weight(options, &folder.path().join("without"), upstream.addr, None)?;
    let with = weight(options, &folder.path().join("with"), upstream.addr, Some(trial()))?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(format!(
        "{costs}\n\nMemory of the edge's worker (PSS) after {CLIENTS} clients in less than a minute, each with an id of its \
         own: {:.1} MiB with a trial, {:.1} MiB without.",
        mib(with),
        mib(without)
    ))
}

fn costs(options: &Options, folder: &Path, upstream: SocketAddr) -> Result<String> {
    let mut edge = contender::tradewind(&options.bin, folder, PROXY_CORE, upstream)?;
    let script = customers::script(edge.addr, folder)?;
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut turns = [Vec::new(), Vec::new()];
    for round in 0..rounds as usize {
        for turn in 0..2 {
            // Neither is always the first.
            let counted = (turn + round) % 2;
            edge.put(upstream, (counted == 1).then(trial))?;
            let ask = |time| wrk::run(edge.addr, &script, OTHER_CORE, CONNECTIONS, time);
            ask(Duration::from_secs(1))?;
            let before = edge.cpu();
            let load = ask(options.turn)?;
            let cpu = edge.cpu() - before;
            ensure!(load.errors == 0, "{} requests were answered wrongly", load.errors);
            let turn = turn_of(&load, cpu);
            let name = ["not counted", "counted"][counted];
            eprintln!("round {}: {name}: {:.0}/s, {:.2} µs", round + 1, turn.per_second, turn.cpu_us);
            turns[counted].push(turn);
        }
    }
    let [not, counted] = turns;
    let spread = |of: &dyn Fn(&Turn) -> f64, turns: &[Turn]| {
        Spread::of(&turns.iter().map(of).collect::<Vec<_>>()).context("no rounds")
    };
    let ratio = |of: &dyn Fn(&Turn) -> f64| {
        let each: Vec<f64> = counted.iter().zip(&not).map(|(c, n)| of(c) / of(n)).collect();
        Spread::of(&each).context("no rounds")
    };
    let (speed, cpu) = (|t: &Turn| t.per_second, |t: &Turn| t.cpu_us);
    let row = |name: &str, turns: &[Turn]| -> Result<String> {
        Ok(format!("| {name} | {} | {} |", spread(&speed, turns)?.show(0), spread(&cpu, turns)?.show(2)))
    };
    Ok(format!(
        "| | requests/s | CPU µs per request |\n| --- | --- | --- |\n{}\n{}\n| ratio, round by round | {} | {} |\n\n\
         Median of {rounds} rounds, lowest and highest beside it; within a round the same worker with and without.",
        row("without a trial", &not)?,
        row("with a trial: 10 %, five latency bounds", &counted)?,
        ratio(&speed)?.show(3),
        ratio(&cpu)?.show(3),
    ))
}

fn turn_of(load: &Load, cpu: Duration) -> Turn {
    Turn { per_second: load.per_second, cpu_us: cpu.as_secs_f64() * 1e6 / load.requests.max(1) as f64 }
}

/// Bytes of the worker after a million clients that bring no id and are each given one.
fn weight(options: &Options, folder: &Path, upstream: SocketAddr, trial: Option<Trial>) -> Result<u64> {
    let mut edge = contender::tradewind(&options.bin, folder, PROXY_CORE, upstream)?;
    edge.put(upstream, trial)?;
    let script = folder.join("strangers.lua");
    fs::write(&script, "")?;
    let (mut clients, mut time) = (0, Duration::ZERO);
    while clients < CLIENTS {
        let load = wrk::run(edge.addr, &script, OTHER_CORE, CONNECTIONS, options.turn)?;
        clients += load.requests;
        time += options.turn;
        ensure!(time <= MINUTE, "only {clients} clients came in a minute");
    }
    let weights = memory::weigh(folder)?;
    Ok(weights.get("edge-worker").context("the edge's worker is not there")?.bytes)
}

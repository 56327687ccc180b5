//! The edge beside nginx and HAProxy, doing the same work: 1 KiB answers, keep-alive, traffic split 90 to 10, one core.
//! The load generator and what stands behind the proxies share the other core.

use super::{
    Options,
    contender::{self, Running},
    customers, machine,
    spread::Spread,
    wrk::{self, Load},
};
use anyhow::{Result, ensure};
use std::{net::SocketAddr, path::Path, time::Duration};

pub const PROXY_CORE: usize = 0;
pub const OTHER_CORE: usize = 1;
pub const CONNECTIONS: u32 = 64;
pub const ROUNDS: u32 = 9;

/// One contender's turn.
pub struct Turn {
    pub load: Load,
    pub cpu: Duration,
}

pub type Start<'a> = Box<dyn Fn(&Path) -> Result<Running> + 'a>;

/// Those that are compared, by name, each with how it is started.
pub fn contenders(options: &Options, behind: SocketAddr) -> Result<[(String, Start<'_>); 3]> {
    Ok([
        ("tradewind edge".into(), Box::new(move |d| contender::tradewind(&options.bin, d, PROXY_CORE, behind))),
        (
            machine::version("nginx", "-v")?.replace("nginx version: ", ""),
            Box::new(move |d| contender::nginx(d, PROXY_CORE, behind)),
        ),
        (short(&machine::version("haproxy", "-v")?), Box::new(move |d| contender::haproxy(d, PROXY_CORE, behind))),
    ])
}

pub fn measure(options: &Options) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("tw-bench-").tempdir()?;
    let upstream = contender::upstream(&folder.path().join("upstream"), OTHER_CORE)?;
    let behind: SocketAddr = upstream.addr;
    let contenders = contenders(options, behind)?;
    let mut turns: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    let rounds = options.rounds.unwrap_or(ROUNDS);
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            // Nobody is always the first.
            let n = (turn + round as usize) % contenders.len();
            let (name, start) = &contenders[n];
            let own = folder.path().join(format!("{round}-{n}"));
            let running = start(&own)?;
            let script = customers::script(running.addr, &own)?;
            let ask = |time| wrk::run(running.addr, &script, OTHER_CORE, CONNECTIONS, time);
            // Connections, caches and pools are made before anything is counted.
            ask(Duration::from_secs(1))?;
            let before = running.cpu();
            let load = ask(options.turn)?;
            let cpu = running.cpu() - before;
            ensure!(load.errors == 0, "{name} answered {} requests wrongly", load.errors);
            eprintln!("round {}: {name}: {:.0}/s", round + 1, load.per_second);
            turns[n].push(Turn { load, cpu });
        }
    }
    let head = "| | requests/s | CPU µs per request | p99 ms |\n| --- | --- | --- | --- |";
    let rows = contenders.iter().zip(&turns).filter_map(|((name, _), turns)| row(name, turns));
    let seconds = options.turn.as_secs();
    let note = format!("Median of {rounds} alternating rounds of {seconds} s, lowest and highest beside it.");
    Ok(format!("{head}\n{}\n\n{note}", rows.collect::<Vec<_>>().join("\n")))
}

pub fn row(name: &str, turns: &[Turn]) -> Option<String> {
    let of = |f: &dyn Fn(&Turn) -> f64| Spread::of(&turns.iter().map(f).collect::<Vec<_>>());
    let throughput = of(&|t| t.load.per_second)?;
    let cpu = of(&|t| t.cpu.as_secs_f64() * 1e6 / t.load.requests.max(1) as f64)?;
    let p99 = of(&|t| t.load.latency_ms)?;
    Some(format!("| {name} | {} | {} | {} |", throughput.show(0), cpu.show(1), p99.show(2)))
}

/// `HAProxy version 2.6.12-1+deb12u1 2023/…` is longer than a column wants.
fn short(version: &str) -> String {
    version.split_whitespace().take(3).collect::<Vec<_>>().join(" ").replace(" version ", "/").to_lowercase()
}

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
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let turns = alternate(&contenders, rounds, options.turn, folder.path(), |_, running, own| {
        let script = customers::script(running.addr, own)?;
        let addr = running.addr;
        Ok(Box::new(move |time| wrk::run(addr, &script, OTHER_CORE, CONNECTIONS, time)))
    })?;
    let head = "| | requests/s | CPU µs per request | p99 ms |\n| --- | --- | --- | --- |";
    let rows = contenders.iter().zip(&turns).filter_map(|((name, _), turns)| row(name, turns));
    let seconds = options.turn.as_secs();
    let note = format!("Median of {rounds} alternating rounds of {seconds} s, lowest and highest beside it.");
    Ok(format!("{head}\n{}\n\n{note}", rows.collect::<Vec<_>>().join("\n")))
}

/// Asks a started contender for so long.
pub type Ask = Box<dyn Fn(Duration) -> Result<Load>>;

/// Each contender's turns, round by round; `prepare` gets its number, itself and its folder.
pub fn alternate(
    contenders: &[(String, Start<'_>)],
    rounds: u32,
    turn: Duration,
    folder: &Path,
    prepare: impl Fn(usize, &Running, &Path) -> Result<Ask>,
) -> Result<Vec<Vec<Turn>>> {
    let mut turns: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for next in 0..contenders.len() {
            // Nobody is always the first.
            let n = (next + round as usize) % contenders.len();
            let (name, start) = &contenders[n];
            let own = folder.join(format!("{round}-{n}"));
            let running = start(&own)?;
            let ask = prepare(n, &running, &own)?;
            // Connections, caches and pools are made before anything is counted.
            ask(Duration::from_secs(1))?;
            let before = running.cpu();
            let load = ask(turn)?;
            let cpu = running.cpu() - before;
            ensure!(load.errors == 0, "{name} answered {} requests wrongly", load.errors);
            eprintln!("round {}: {name}: {:.0}/s", round + 1, load.per_second);
            turns[n].push(Turn { load, cpu });
        }
    }
    Ok(turns)
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

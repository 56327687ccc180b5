//! The edge over TLS beside nginx and HAProxy: the same certificate, cipher (TLS_AES_128_GCM_SHA256) and group (X25519) for
//! all, HTTP/1.1 and HTTP/2.

use super::{
    Options, contender, customers,
    edge::{self, CONNECTIONS, OTHER_CORE},
    wrk::Load,
};
use anyhow::{Context, Result, ensure};
use std::{net::SocketAddr, process::Command, time::Duration};

const ROUNDS: u32 = 5;
/// Requests at once on a connection of HTTP/2.
const STREAMS: u32 = 8;

#[derive(Clone, Copy, Debug)]
enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

pub fn measure(options: &Options) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("tw-bench-").tempdir()?;
    let upstream = contender::upstream(&folder.path().join("upstream"), OTHER_CORE)?;
    let contenders = edge::contenders(options, upstream.addr)?;
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut rows = Vec::new();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        eprintln!("{}", protocol.name());
        let own = folder.path().join(format!("{protocol:?}"));
        let turns = edge::alternate(&contenders, rounds, options.turn, &own, |n, running, _| {
            let (cookie, secure) = (customers::cookie(running.addr, n)?, running.secure);
            Ok(Box::new(move |time| ask(secure, protocol, &cookie, time)))
        })?;
        let all = contenders.iter().zip(&turns);
        rows.extend(all.filter_map(|((name, _), turns)| edge::row(&format!("{}: {name}", protocol.name()), turns)));
    }
    let seconds = options.turn.as_secs();
    let note = format!(
        "Median of {rounds} alternating rounds of {seconds} s, lowest and highest beside it. {CONNECTIONS} connections, over HTTP/2 with {STREAMS} requests at once on each."
    );
    let head = "| TLS 1.3 | requests/s | CPU µs per request | mean ms |\n| --- | --- | --- | --- |";
    Ok(format!("{head}\n{}\n\n{note}", rows.join("\n")))
}

fn ask(target: SocketAddr, protocol: Protocol, cookie: &str, time: Duration) -> Result<Load> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &OTHER_CORE.to_string(), "h2load", "--threads=1"]);
    command.args([format!("--clients={CONNECTIONS}"), format!("--duration={}s", time.as_secs().max(1))]);
    match protocol {
        Protocol::Http1 => command.arg("--h1"),
        Protocol::Http2 => command.arg(format!("--max-concurrent-streams={STREAMS}")),
    };
    command.args(["--tls13-ciphers=TLS_AES_128_GCM_SHA256", "--groups=X25519"]);
    command.arg("--header").arg(format!("cookie: {cookie}")).arg(format!("https://{target}/"));
    let out = command.output().context("h2load: scripts/setup bench")?;
    let said = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "h2load: {said}{}", String::from_utf8_lossy(&out.stderr));
    let wanted = match protocol {
        Protocol::Http1 => "http/1.1",
        Protocol::Http2 => "h2",
    };
    for agreed in [format!("Application protocol: {wanted}"), "TLS Protocol: TLSv1.3".into()] {
        ensure!(said.contains(&agreed), "not `{agreed}`:\n{said}");
    }
    read(&said).with_context(|| format!("h2load said:\n{said}"))
}

/// h2load tells the mean, and no percentiles.
fn read(said: &str) -> Option<Load> {
    let line = |start: &str| said.lines().find_map(|l| l.trim().strip_prefix(start)).map(str::trim);
    let requests = line("requests:")?;
    let number = |name: &str| -> Option<u64> {
        requests.split(", ").find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
    };
    let good = line("status codes:")?.split(", ").find_map(|part| part.strip_suffix(" 2xx")?.trim().parse().ok())?;
    let done: u64 = number(" done")?;
    let per_second = line("finished in")?.split(", ").nth(1)?.strip_suffix(" req/s")?.parse().ok()?;
    // min, max, mean, sd, +/- sd
    let mean = line("time for request:")?.split_whitespace().nth(2)?;
    let errors = done.saturating_sub(good) + number(" failed")? + number(" errored")? + number(" timeout")?;
    Some(Load { requests: done, per_second, latency_ms: super::wrk::milliseconds(mean)?, errors })
}

#[test]
fn what_h2load_says_is_read() {
    let said = "finished in 5.00s, 41234.20 req/s, 44.1MB/s\nrequests: 206171 total, 206691 started, 206171 done, 206170 succeeded, 1 failed, 0 errored, 0 timeout\n\
        status codes: 206169 2xx, 0 3xx, 2 4xx, 0 5xx\ntraffic: 1B\n                     min         max         mean         sd        +/- sd\n\
        time for request:      120us     23.90ms      1.54ms       812us    70.00%\n";
    let load = read(said).unwrap();
    assert_eq!((load.requests, load.per_second, load.latency_ms, load.errors), (206_171, 41_234.2, 1.54, 3));
    assert!(read("nothing").is_none());
}

//! The load generator of the edge's comparison: one thread, one core, keep-alive connections.

use anyhow::{Context, Result, ensure};
use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    pub requests: u64,
    pub per_second: f64,
    /// The 99th percentile, or, of a generator that tells none, the mean.
    pub latency_ms: f64,
    /// Answers that were no 2xx or 3xx, and socket errors.
    pub errors: u64,
}

pub fn run(target: SocketAddr, script: &Path, core: usize, connections: u32, time: Duration) -> Result<Load> {
    let out = Command::new("taskset")
        .args(["--cpu-list", &core.to_string(), "wrk", "--latency", "--threads", "1"])
        .args(["--connections", &connections.to_string(), "--duration", &format!("{}s", time.as_secs().max(1))])
        .arg("--script")
        .arg(script)
        .arg(format!("http://{target}/"))
        .output()
        .context("wrk: scripts/setup bench")?;
    let said = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "wrk: {said}{}", String::from_utf8_lossy(&out.stderr));
    read(&said).with_context(|| format!("wrk said:\n{said}"))
}

fn read(said: &str) -> Option<Load> {
    let after = |name: &str| said.lines().find_map(|l| l.trim().strip_prefix(name)).map(str::trim);
    let requests = said.lines().find_map(|l| l.trim().split_once(" requests in ")?.0.parse().ok())?;
    let numbers = |line: Option<&str>| -> u64 {
        let words = line.unwrap_or_default().split(|c: char| !c.is_ascii_digit());
        words.filter_map(|w| w.parse::<u64>().ok()).sum()
    };
    Some(Load {
        requests,
        per_second: after("Requests/sec:")?.parse().ok()?,
        latency_ms: milliseconds(after("99%")?)?,
        errors: numbers(after("Non-2xx or 3xx responses:")) + numbers(after("Socket errors:")),
    })
}

/// `812.00us`, `1.20ms`, `1.01s`.
pub fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(n) = text.strip_suffix("us") {
        (n, 0.001)
    } else if let Some(n) = text.strip_suffix("ms") {
        (n, 1.0)
    } else {
        (text.strip_suffix('s')?, 1_000.0)
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[test]
fn what_wrk_says_is_read() {
    let said = "Running 1s test @ http://127.0.0.1:1/\n  Latency Distribution\n     50%  512.00us\n     99%    1.20ms\n  51234 requests in 1.00s, 60.1MB read\n  Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 7\nRequests/sec:  51000.50\n";
    assert_eq!(read(said).unwrap(), Load { requests: 51_234, per_second: 51_000.5, latency_ms: 1.2, errors: 10 });
    assert_eq!(milliseconds("1.01s"), Some(1_010.0));
    assert!(read("nothing").is_none());
}

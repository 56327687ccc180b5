//! The event log: what an event costs on its way in, and reading a million of them back with the built program.

use super::Options;
use anyhow::{Result, ensure};
use std::{process::Command, sync::Arc, time::Instant};
use tradewind_model::{
    event::{Actor, NewEvent},
    time::SystemClock,
};
use tradewind_store::{Store, StoreError, events::Sealer, transact};

const EVENTS: u32 = 1_000_000;
/// Written in one transaction, where many are.
const TOGETHER: u32 = 1_000;
/// Transactions of one event, each on the disk before the next begins.
const ALONE: u32 = 2_000;
const ROUNDS: u32 = 3;

pub async fn measure(options: &Options) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("run"))?;
    let at = data.join("tradewind.db");
    let store = Store::open(&at.to_string_lossy(), Arc::new(SystemClock)).await?;
    let alone = Instant::now();
    for n in 0..ALONE {
        write(&store, n..n + 1).await?;
    }
    let alone = alone.elapsed();
    let together = Instant::now();
    for begin in (ALONE..EVENTS).step_by(TOGETHER as usize) {
        write(&store, begin..(begin + TOGETHER).min(EVENTS)).await?;
    }
    let together = together.elapsed();
    let sealing = Instant::now();
    let sealed = Sealer::new(store.clone()).seal_now().await?;
    let sealing = sealing.elapsed();
    ensure!(sealed == u64::from(EVENTS), "{sealed} events were sealed");
    store.close().await;
    let bytes = std::fs::metadata(&at)?.len();

    let mut verified = Vec::new();
    for _ in 0..options.rounds.unwrap_or(ROUNDS) {
        let begin = Instant::now();
        let out = Command::new(&options.bin).args(["audit", "verify", "--json", "--data"]).arg(&data).output()?;
        verified.push(begin.elapsed().as_secs_f64());
        let report: serde_json::Value = serde_json::from_slice(&out.stdout)?;
        ensure!(report["ok"] == true && report["intact"] == EVENTS, "{report}");
    }
    verified.sort_by(f64::total_cmp);
    let each = |d: std::time::Duration, n: u32| d.as_secs_f64() * 1e6 / f64::from(n);
    Ok(format!(
        "| a million events, SQLite | |\n| --- | --- |\n\
         | verify, with the program started anew, s | {:.1} ({:.1} to {:.1}); bar: < 10 |\n\
         | append, a transaction each, on the disk when it returns, µs | {:.0} |\n\
         | append, {TOGETHER} a transaction, µs an event | {:.1} |\n\
         | seal (number, hash), µs an event | {:.1} |\n\
         | on the disk, bytes an event with its indexes | {} |",
        verified[verified.len() / 2],
        verified[0],
        verified[verified.len() - 1],
        each(alone, ALONE),
        each(together, EVENTS - ALONE),
        each(sealing, EVENTS),
        bytes / u64::from(EVENTS),
    ))
}

async fn write(store: &Store, numbers: std::ops::Range<u32>) -> Result<(), StoreError> {
    transact!(store, tx => {
        for n in numbers.clone() {
            tx.event(NewEvent {
                kind: "run.finished".into(),
                schema: 1,
                actor: Actor::named("li.wei"),
                subject: format!("run/{n}"),
                cause: None,
                service: Some("shop".into()),
                env: None,
                before: None,
                after: Some(serde_json::json!({ "state": "success", "number": n })),
            })
            .await?;
        }
        Ok(())
    })
}

//! `cargo xtask record-upgrade-fixture`: what the next version is tried against. Run when a version is out, from its own
//! sources and with its own program: a data folder with a bit of everything in it, and the text of every statement it sends.

use crate::rig::{Repository, Tradewind, folder};
use anyhow::{Context, Result, ensure};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tradewind_store::{migrate::STEPS, stmt};

const STATEMENTS: &str = "crates/store/tests/it/fixtures/statements-before.json";
const FOLDER: &str = "crates/tradewind/tests/it/fixtures/folder-before.tar.zst";
/// The server's part of the folder. What a host keeps is made anew.
const PARTS: [&str; 5] = ["tradewind.db", "blobs", "git", "job-logs", "keys"];

const SPEC: &str = "version: 1\nservice: sync\nkind: worker\nrun:\n  command: [sleep, '100000']\n  \
    env: { VERSION: one }\nenvironments:\n  production:\n    branch: main\n    \
    strategy: { type: all_at_once, soak: 0s, warm: 1s }\n";
const PIPELINE: &str = "test:\n  script: [echo all is well]\n";

/// `to` is the repository that the fixtures are written into.
pub fn record(bin: PathBuf, to: &Path) -> Result<()> {
    let statements: BTreeMap<&str, &str> = stmt::all().iter().map(|s| (s.name, s.sql)).collect();
    let before = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "schema": STEPS.last().map_or(0, |s| s.number),
        "statements": statements,
    });
    write(&to.join(STATEMENTS), serde_json::to_string_pretty(&before)? + "\n")?;
    let here = folder()?;
    let told = tokio::runtime::Runtime::new()?.block_on(live(bin, &here));
    let packed = told.and_then(|()| pack(&here.join("data"), &to.join(FOLDER)));
    fs::remove_dir_all(&here)?;
    packed
}

/// Two releases, a build that failed, a way back, a freeze, a queue that was opened again, a token.
async fn live(bin: PathBuf, here: &Path) -> Result<()> {
    let mut tradewind = Tradewind::new(bin, here, "en")?;
    let (_, login) = tradewind.up().await?;
    let checkout = Repository::create(here.join("work"), &tradewind).await?;
    let outcome = story(&tradewind, &checkout, &login).await;
    tradewind.down().await?;
    outcome
}

async fn story(tradewind: &Tradewind, checkout: &Repository, login: &[String]) -> Result<()> {
    checkout.write("tradewind.yaml", SPEC)?;
    checkout.write(".gitlab-ci.yml", PIPELINE)?;
    checkout.commit(tradewind, "One").await?;
    let login: Vec<&str> = std::iter::once("login").chain(login.iter().map(String::as_str)).collect();
    let at = checkout.folder.as_path();
    tradewind.run(&login, at).await?;
    tradewind.run(&["push", "--wait"], at).await?;
    checkout.write("tradewind.yaml", &SPEC.replace("one", "two"))?;
    checkout.commit(tradewind, "Two").await?;
    tradewind.run(&["push", "--wait"], at).await?;
    tradewind.run(&["rollback", "sync", "--reason", "the old one was better"], at).await?;
    checkout.write(".gitlab-ci.yml", "test:\n  script: [exit 7]\n")?;
    checkout.commit(tradewind, "Three").await?;
    let failed = tradewind.attempt(&["push"], at).await?;
    ensure!(failed.code == Some(1), "the build that fails did not: {failed}");
    tradewind.run(&["freeze", "sync", "--reason", "the sale"], at).await?;
    tradewind.run(&["unfreeze", "sync", "--reason", "it is over"], at).await?;
    tradewind.run(&["freeze", "--env", "production", "--reason", "moving house"], at).await?;
    let data = tradewind.data.display().to_string();
    tradewind.run(&["admin", "token", "--data", &data, "--name", "jenkins", "--scope", "deploy"], at).await?;
    Ok(())
}

fn pack(data: &Path, to: &Path) -> Result<()> {
    let there = PARTS.into_iter().filter(|p| data.join(p).exists());
    let packed = to.with_extension("");
    fs::create_dir_all(to.parent().context("a folder for it")?)?;
    let tar = Command::new("tar")
        .args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@1767225600", "--file"])
        .arg(&packed)
        .arg("--directory")
        .arg(data)
        .args(there)
        .status()?;
    ensure!(tar.success(), "tar: {tar}");
    let zstd =
        Command::new("zstd").args(["--quiet", "--force", "-19", "--rm"]).arg(&packed).arg("-o").arg(to).status()?;
    ensure!(zstd.success(), "zstd: {zstd}");
    println!("{}: {} bytes", to.display(), fs::metadata(to)?.len());
    Ok(())
}

fn write(file: &Path, text: String) -> Result<()> {
    fs::create_dir_all(file.parent().context("a folder for it")?)?;
    fs::write(file, text).with_context(|| file.display().to_string())
}

//! Chores of the repository: `cargo xtask NAME`.

mod before;
mod bench;
mod customers;
mod demo;
mod reference;
mod rig;
mod simulate;
mod tidy;

use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tradewind_model::fault::Lang;

const USAGE: &str = "\
cargo xtask tidy                          check the policies: dependencies, file lengths, lock file, fault codes, pages
cargo xtask reference                     write the pages that are made from the code
cargo xtask demo [--bin FILE] [--keep]    tell the story of four releases, with the given build of tradewind
cargo xtask customers ADDR SECONDS        steady customer traffic against a running shop
cargo xtask bench [--bin FILE] [--only edge|units|judge|masking|rollouts|audit] [--rounds N] [--seconds S] [--write]    figures, beside peers'
cargo xtask simulate [--seed S] [--runs N] [--steps K]    random schedules of the rollout engine
cargo xtask record-upgrade-fixture        when a version is out: record what the next one is tried against";

fn main() -> ExitCode {
    match chore() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run(&root()),
        ["reference"] => reference::write(&root()),
        ["demo", options @ ..] => demo::run(&root(), demo_options(options)?),
        ["bench", options @ ..] => bench::run(&root(), bench::Options::read(options)?),
        ["customers", address, seconds] => {
            let (edge, time) = (address.parse()?, Duration::from_secs(seconds.parse()?));
            tokio::runtime::Runtime::new()?.block_on(customers::watch(edge, time))
        }
        ["record-upgrade-fixture"] => before::record(std::env::current_exe()?.with_file_name("tradewind"), &root()),
        ["simulate", ..] => simulate::run(&args[1..]),
        _ => bail!("not a chore: `{}`\n\n{USAGE}", args.join(" ")),
    }
}

/// The program is looked for beside this one: built together, found together.
fn demo_options(words: &[&str]) -> Result<demo::Options> {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let lang = set("TRADEWIND_LANG").or_else(|| set("LC_ALL")).or_else(|| set("LANG")).unwrap_or_default();
    let keep = set("KEEP").is_some_and(|v| v != "0");
    let mut options =
        demo::Options { bin: std::env::current_exe()?.with_file_name("tradewind"), keep, lang: Lang::parse(&lang) };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--bin" => options.bin = words.next().context("--bin needs a file")?.into(),
            "--keep" => options.keep = true,
            other => bail!("not an option of demo: {other}"),
        }
    }
    Ok(options)
}

/// The repository's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

//! Figures, measured here and now: `make bench`. Each part prints a table; `--write` puts them into
//! `docs/benchmarks.md`. Peers run in the same rounds, one after another, so that they share what the machine does.

mod audit;
mod contender;
mod customers;
mod edge;
mod judge;
mod machine;
mod masking;
mod rollouts;
mod spread;
mod tls;
mod units;
mod wrk;

use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug)]
pub struct Options {
    /// The built program.
    pub bin: PathBuf,
    /// Instead of each part's own number.
    pub rounds: Option<u32>,
    /// Of one contender's turn in a round.
    pub turn: Duration,
    /// Into `docs/benchmarks.md`.
    pub write: bool,
    /// Only this part.
    pub only: Option<String>,
}

impl Options {
    pub fn read(words: &[&str]) -> Result<Self> {
        let bin = std::env::current_exe()?.with_file_name("tradewind");
        let mut options = Self { bin, rounds: None, turn: Duration::from_secs(5), write: false, only: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match *word {
                "--bin" => options.bin = value()?.into(),
                "--rounds" => options.rounds = Some(value()?.parse()?),
                "--seconds" => options.turn = Duration::from_secs(value()?.parse()?),
                "--only" => options.only = Some(value()?.to_string()),
                "--write" => options.write = true,
                other => bail!("not an option of bench: {other}"),
            }
        }
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

pub fn run(root: &Path, options: Options) -> Result<()> {
    let options = Options { bin: options.bin.canonicalize().context("tradewind is not built")?, ..options };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut parts = Vec::new();
    if options.wants("edge") {
        parts.push(("edge", edge::measure(&options)?));
    }
    if options.wants("tls") {
        parts.push(("tls", tls::measure(&options)?));
    }
    if options.wants("units") {
        parts.push(("units", units::measure(&options)?));
    }
    if options.wants("judge") {
        parts.push(("judge", judge::measure(&options)?));
    }
    if options.wants("masking") {
        parts.push(("masking", masking::measure(&options)?));
    }
    if options.wants("rollouts") {
        parts.push(("rollouts", runtime.block_on(rollouts::measure(root, &options))?));
    }
    if options.wants("audit") {
        parts.push(("audit", runtime.block_on(audit::measure(&options))?));
    }
    let page = root.join("docs/benchmarks.md");
    for (name, table) in parts {
        println!("\n{table}");
        if options.write {
            replace(&page, name, &format!("{}\n\n{table}", machine::describe()?))?;
        }
    }
    Ok(())
}

/// Puts a part between its marks; the words around it stay.
fn replace(page: &Path, part: &str, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let (before, rest) = old.split_once(&begin).with_context(|| format!("no mark for {part}"))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("no closing mark for {part}"))?;
    std::fs::write(page, format!("{before}{begin}{text}\n{end}{after}"))?;
    Ok(())
}

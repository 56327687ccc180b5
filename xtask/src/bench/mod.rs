//! Figures, measured here and now: `make bench`. Each part prints a table; `--write` puts them into
//! `docs/benchmarks.md`. Peers run in the same rounds, one after another, so that they share what the machine does.

mod contender;
mod edge;
mod machine;
mod spread;
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
    pub rounds: u32,
    /// Of one contender's turn in a round.
    pub turn: Duration,
    /// Into `docs/benchmarks.md`.
    pub write: bool,
}

impl Options {
    pub fn read(words: &[&str]) -> Result<Self> {
        let bin = std::env::current_exe()?.with_file_name("tradewind");
        let mut options = Self { bin, rounds: 9, turn: Duration::from_secs(5), write: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match *word {
                "--bin" => options.bin = value()?.into(),
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.turn = Duration::from_secs(value()?.parse()?),
                "--write" => options.write = true,
                other => bail!("not an option of bench: {other}"),
            }
        }
        Ok(options)
    }
}

pub fn run(root: &Path, options: Options) -> Result<()> {
    let options = Options { bin: options.bin.canonicalize().context("tradewind is not built")?, ..options };
    let parts = [("edge", edge::measure(&options)?)];
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

//! How the story is told: plain sentences with the time in front, in the user's language, and a table at the end.

use crate::customers::Tally;
use std::{
    cell::RefCell,
    fmt::Display,
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};
use tradewind_model::fault::Lang;

pub struct Story {
    began: Instant,
    pub lang: Lang,
    colour: bool,
    /// What did not come out as it should.
    failed: RefCell<Vec<String>>,
}

impl Story {
    pub fn begin(lang: Lang) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self {
            began: Instant::now(),
            lang,
            colour: std::io::stdout().is_terminal() && !plain,
            failed: RefCell::default(),
        }
    }

    fn pick<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    pub fn chapter(&self, en: &str, zh: &str) {
        let title = self.pick(en, zh);
        let (on, off) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        say(&format!("\n{on}{title}{off}"));
    }

    pub fn tell(&self, en: &str, zh: &str) {
        say(&format!("{:>7.2} s  {}", self.began.elapsed().as_secs_f64(), self.pick(en, zh)));
    }

    /// What another program says.
    pub fn quote(&self, line: &str) {
        let (on, off) = if self.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        say(&format!("           {on}| {line}{off}"));
    }

    /// Tells it when it holds; writes it down as failed otherwise.
    pub fn expect(&self, holds: bool, en: &str, zh: &str) {
        if holds {
            self.tell(en, zh);
            return;
        }
        let (on, off) = if self.colour { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
        let what = self.pick(en, zh).to_owned();
        let not = self.pick("NOT SO", "并非如此");
        say(&format!("{:>7.2} s  {on}{not}: {what}{off}", self.began.elapsed().as_secs_f64()));
        self.failed.borrow_mut().push(what);
    }

    pub fn fail(&self, what: String) {
        self.failed.borrow_mut().push(what);
    }

    pub fn failures(&self) -> Vec<String> {
        self.failed.borrow().clone()
    }

    pub fn table(&self, head: &[(&str, &str)], rows: &[Vec<String>]) {
        let titles: Vec<String> = head.iter().map(|(en, zh)| self.pick(en, zh).to_owned()).collect();
        let columns = titles.len();
        let widths: Vec<usize> = (0..columns)
            .map(|c| rows.iter().map(|r| wide(&r[c])).chain([wide(&titles[c])]).max().unwrap_or(0))
            .collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).enumerate().map(|(c, (cell, width))| {
                let blank = " ".repeat(width - wide(cell));
                if c == 0 { format!("{cell}{blank}") } else { format!("{blank}{cell}") }
            });
            format!("  {}", padded.collect::<Vec<_>>().join("   "))
        };
        say(&line(&titles));
        say(&format!("  {}", widths.iter().map(|w| "─".repeat(*w)).collect::<Vec<_>>().join("───")));
        for row in rows {
            say(&line(row));
        }
    }
}

fn say(line: &str) {
    // A closed pipe must not keep the clean-up from happening.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn wide(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x2E80 { 2 } else { 1 }).sum()
}

/// `84 ms`, `2.31 s`.
pub fn show(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.0} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

pub fn show_or_dash(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".into(), show)
}

/// `12.3 MB`.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// A row of the requests' table.
pub fn row(release: &str, tally: &Tally, live: Option<Duration>) -> Vec<String> {
    let number = |n: &dyn Display| n.to_string();
    vec![
        release.to_owned(),
        number(&tally.sent),
        number(&tally.failed),
        show_or_dash(live),
        show_or_dash(tally.quantile(0.5)),
        show_or_dash(tally.quantile(0.99)),
    ]
}

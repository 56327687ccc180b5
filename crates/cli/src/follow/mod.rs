//! Watching what the server does until it ends: with bars on a terminal, plain lines in a pipe.

pub mod rollout;
pub mod run;

use crate::{failure::Failure, faults, out::Out, when};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{future::Future, time::Duration};
use tradewind_model::fault::Fault;

/// Flags of the verbs that start something.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Wait {
    #[arg(long, overrides_with = "no_wait")]
    pub wait: bool,
    #[arg(long, overrides_with = "wait")]
    pub no_wait: bool,
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
}

impl Wait {
    pub fn limit(&self) -> Result<Option<Duration>, Failure> {
        match &self.timeout {
            None => Ok(None),
            Some(s) => match when::parse_span(s) {
                Some(d) => Ok(Some(d)),
                None => Err(Fault::new(&faults::BAD_DURATION).with("value", s).into()),
            },
        }
    }
}

/// Waits for work that goes on by itself: until its end, the limit, or Ctrl-C.
pub async fn patiently<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let end = async {
        match limit {
            Some(d) => tokio::time::sleep(d).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = work => done,
        () = end => Err(Failure::TimedOut),
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    }
}

/// Lines that scroll and, on a terminal, bars below them.
#[derive(Debug)]
pub struct Live {
    out: Out,
    bars: Option<MultiProgress>,
}

impl Live {
    pub fn new(out: &Out) -> Self {
        let bars = out.bars.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { out: out.clone(), bars }
    }

    pub fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.out.line(text)),
            None => self.out.line(text),
        }
    }

    /// A line that turns while something goes on; none in a pipe.
    pub fn spinner(&self, text: &str) -> Option<ProgressBar> {
        let bars = self.bars.as_ref()?;
        let bar = bars.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {elapsed:.dim} {wide_msg}").ok()?;
        bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Some(bar)
    }

    /// A share of 10,000 that moves; none in a pipe.
    pub fn bar(&self, text: &str) -> Option<ProgressBar> {
        let bars = self.bars.as_ref()?;
        let bar = bars.add(ProgressBar::new(10_000));
        let style = ProgressStyle::with_template("{spinner} {prefix} [{bar:24}] {elapsed:.dim} {wide_msg}").ok()?;
        bar.set_style(style.progress_chars("━╸ ").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        bar.set_prefix(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Some(bar)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}

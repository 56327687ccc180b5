//! Where checkpoints go, so that whoever owns this host cannot rewrite them with the log.
//!
//! Each place has a row: the last checkpoint that is there, and since when it fails. Checkpoints go there in order, at least
//! once, the same one under the same name, so twice is once. A place that fails is tried again, less and less often, holds
//! nobody up, and is told of by an event. A place that is new begins with the newest checkpoint.

mod file;
mod s3;
mod webhook;

pub use s3::{Bucket, BucketError};

use super::Audit;
use crate::{Result, rounds::Loop};
use serde_json::json;
use std::{path::PathBuf, time::Duration};
use tradewind_api::v1;
use tradewind_model::{
    event::{Actor, NewEvent},
    time::Timestamp,
};
use tradewind_outbound::{Outbound, OutboundError};
use tradewind_store::{
    StoreError, rows,
    rows::audit::{Kept, SinkState},
    transact,
};

/// How late it may notice a checkpoint that another process made, or that it is time to try again.
const TICK: Duration = Duration::from_secs(5);
/// Sent in one round, so that a long way to catch up does not keep the other places waiting.
const ROUND: u32 = 50;
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Failures in a row that make an event: the first may be a passing one.
const TELLS_AFTER: i64 = 3;

/// A place that checkpoints are sent to.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A folder, better on another machine's disk: one file a checkpoint, never written over.
    File(PathBuf),
    Webhook {
        url: String,
        /// Signs what is sent, as Standard Webhooks does.
        secret: Option<String>,
    },
    S3(Bucket),
}

/// Why a checkpoint is not there.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("{0}")]
    Outbound(#[from] OutboundError),
    #[error("answered {status}: {said}")]
    Answer { status: u16, said: String },
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{path} says something else than the checkpoint of that number")]
    Other { path: String },
}

impl Sink {
    /// One of each kind, at most.
    pub fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Webhook { .. } => "webhook",
            Self::S3(_) => "s3",
        }
    }

    /// For people, without secrets: of an address, its path may be one.
    pub fn target(&self) -> String {
        match self {
            Self::File(folder) => folder.display().to_string(),
            Self::Webhook { url, .. } => {
                let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
                format!("{}/…", &url[..end])
            }
            Self::S3(bucket) => bucket.to_string(),
        }
    }

    async fn deliver(&self, outbound: &Outbound, kept: &Kept, now: Timestamp) -> Result<(), SinkError> {
        match self {
            Self::File(folder) => file::keep(folder.clone(), file_name(kept.mark.seq), kept.note.clone()).await,
            Self::Webhook { url, secret } => webhook::send(outbound, url, secret.as_deref(), kept, now).await,
            Self::S3(bucket) => bucket.put(outbound, &file_name(kept.mark.seq), kept.note.clone(), now).await,
        }
    }
}

/// Sorts by number.
pub(super) fn file_name(seq: i64) -> String {
    format!("checkpoint-{seq:012}.txt")
}

impl Audit {
    /// Runs until it is dropped.
    pub async fn courier(self, outbound: Outbound) {
        if self.settings.sinks.is_empty() {
            return;
        }
        let mut head = self.made.subscribe();
        loop {
            head.mark_unchanged();
            let done = self.deliver(&outbound).await;
            self.ctx.rounds.note(Loop::Sinks, self.ctx.now(), TICK, &done);
            if let Err(e) = done {
                tracing::error!(error = &e as &dyn std::error::Error, "checkpoints were not sent");
            }
            tokio::select! {
                _ = head.changed() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// One round over all places.
    pub async fn deliver(&self, outbound: &Outbound) -> Result<()> {
        let _round = self.round.lock().await;
        for sink in &self.settings.sinks {
            self.catch_up(sink, outbound).await?;
        }
        Ok(())
    }

    async fn catch_up(&self, sink: &Sink, outbound: &Outbound) -> Result<()> {
        let (mut state, waiting) = {
            let mut r = self.ctx.store.read().await?;
            let known = rows::audit::sinks(&mut r).await?.into_iter().find(|s| s.name == sink.name());
            let Some(newest) = rows::audit::newest(&mut r).await? else { return Ok(()) };
            let state = known.unwrap_or_else(|| SinkState {
                name: sink.name().into(),
                delivered: newest.mark.seq - 1,
                delivered_at: None,
                failing_since: None,
                tries: 0,
                next_at: None,
                error: None,
            });
            let waiting = rows::audit::after(&mut r, state.delivered, ROUND).await?;
            (state, waiting)
        };
        if state.next_at.is_some_and(|at| at > self.ctx.now()) {
            return Ok(());
        }
        for kept in waiting {
            let now = self.ctx.now();
            let done = sink.deliver(outbound, &kept, now).await;
            let told = match done {
                Ok(()) => {
                    let recovered = state.tries >= TELLS_AFTER;
                    state = SinkState {
                        delivered: kept.mark.seq,
                        delivered_at: Some(now),
                        failing_since: None,
                        tries: 0,
                        next_at: None,
                        error: None,
                        ..state
                    };
                    recovered.then_some("audit.sink_recovered")
                }
                Err(e) => {
                    state.failing_since = state.failing_since.or(Some(now));
                    state.tries += 1;
                    state.next_at = Some(now.plus(pause(state.tries)));
                    tracing::warn!(sink = state.name, target = sink.target(), error = %e, "a checkpoint was not taken");
                    state.error = Some(brief(&e.to_string()));
                    (state.tries == TELLS_AFTER).then_some("audit.sink_failing")
                }
            };
            self.write_down(sink, &state, told).await?;
            if state.failing_since.is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn write_down(&self, sink: &Sink, state: &SinkState, told: Option<&str>) -> Result<(), StoreError> {
        transact!(self.ctx.store, tx => {
            rows::audit::put_sink(tx, state).await?;
            if let Some(kind) = told {
                let after = json!({ "target": sink.target(), "delivered": state.delivered, "error": state.error });
                tx.event(NewEvent {
                    kind: kind.into(),
                    schema: 1,
                    actor: Actor::System { part: "audit".into() },
                    subject: format!("audit-sink/{}", state.name),
                    cause: None,
                    service: None,
                    env: None,
                    before: None,
                    after: Some(after),
                })
                .await?;
            }
            Ok(())
        })
    }

    /// As it stands with each place that is set.
    pub(super) fn sinks_view(&self, states: Vec<SinkState>) -> Vec<v1::AuditSink> {
        let view = |sink: &Sink| {
            let state = states.iter().find(|s| s.name == sink.name());
            v1::AuditSink {
                name: sink.name().into(),
                target: sink.target(),
                delivered: state.map_or(0, |s| if s.delivered_at.is_some() { s.delivered } else { 0 }),
                delivered_at: state.and_then(|s| s.delivered_at).map(Into::into),
                failing_since: state.and_then(|s| s.failing_since).map(Into::into),
                error: state.and_then(|s| s.error.clone()),
            }
        };
        self.settings.sinks.iter().map(view).collect()
    }
}

/// 10 s, 20 s, … an hour.
fn pause(tries: i64) -> Duration {
    let doubled = FIRST_PAUSE.as_secs() << (tries - 1).clamp(0, 20);
    Duration::from_secs(doubled).min(LONGEST_PAUSE)
}

/// What another side said, for a line of ours: neither long nor with characters that do something.
fn brief(text: &str) -> String {
    let shown = text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c });
    shown.collect::<String>().trim().to_owned()
}

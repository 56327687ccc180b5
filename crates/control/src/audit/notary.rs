//! Makes checkpoints as the log grows.

use super::{Audit, log, view};
use crate::{Result, rounds::Loop};
use std::time::Duration;
use tradewind_api::v1;
use tradewind_audit::Checkpoint;
use tradewind_store::{StoreError, events, rows, transact};

/// How late it may notice that it is time for one.
const TICK: Duration = Duration::from_secs(10);

impl Audit {
    /// Runs until it is dropped. A checkpoint that cannot be made is made later: nothing waits for it.
    pub async fn notary(self) {
        let mut head = self.ctx.store.head();
        loop {
            head.mark_unchanged();
            let done = match self.is_due().await {
                Ok(true) => self.checkpoint().await.map(drop),
                Ok(false) => Ok(()),
                Err(e) => Err(e),
            };
            self.ctx.rounds.note(Loop::Checkpoints, self.ctx.now(), TICK, &done);
            if let Err(e) = done {
                tracing::error!(error = &e as &dyn std::error::Error, "no checkpoint was made");
            }
            tokio::select! {
                _ = head.changed() => {}
                () = tokio::time::sleep(TICK.min(self.settings.interval)) => {}
            }
        }
    }

    async fn is_due(&self) -> Result<bool> {
        let mut r = self.ctx.store.read().await?;
        let head = events::audit::head(&mut r).await?.seq;
        Ok(match rows::audit::newest(&mut r).await? {
            None => head > 0,
            Some(last) => {
                let since = head - last.mark.seq;
                let waited = self.ctx.now().since(last.made_at);
                since >= i64::from(self.settings.events) || (since > 0 && waited >= self.settings.interval)
            }
        })
    }

    /// One of where the chain is now; the last one where nothing was sealed since. None before the first event.
    pub async fn checkpoint(&self) -> Result<Option<v1::Checkpoint>> {
        let signer = self.signer();
        let made: Result<bool, StoreError> = transact!(self.ctx.store, tx => {
            let head = events::audit::head(tx).await?;
            let log = match log(tx).await {
                Ok(Some(log)) if head.seq > 0 => log,
                Ok(_) => return Ok(false),
                Err(crate::Error::Store(e)) => return Err(e),
                Err(crate::Error::Refused(_)) => return Ok(false),
            };
            let note = Checkpoint { log, seq: head.seq, hash: head.hash, at: tx.now() }.sign(&signer);
            rows::audit::keep(tx, head, &note.to_string()).await
        });
        if made? {
            tracing::debug!("a checkpoint was made");
        }
        let newest = rows::audit::newest(&mut self.ctx.store.read().await?).await?;
        self.made.send_replace(newest.as_ref().map_or(0, |n| n.mark.seq));
        Ok(newest.map(view))
    }
}

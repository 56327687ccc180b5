//! Events as a body that is read on as it is taken: memory stays at one part, however long the log is.

use crate::App;
use ::http::{HeaderValue, header::CONTENT_TYPE};
use axum::{body::Body, response::Response};
use futures_util::stream;
use serde::Deserialize;
use tradewind_audit::{Sealed, csv, line};
use tradewind_store::{
    StoreError,
    events::{self, Filter},
};

/// Events read in one go.
const PART: u32 = 500;

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    #[default]
    Jsonl,
    Csv,
}

/// Which events.
pub enum Source {
    /// All, other tenants' without their content.
    Chain,
    /// The tenant's that fit.
    Chosen(Filter),
}

struct Reading {
    app: App,
    head: Option<String>,
    source: Source,
    form: Form,
    seq: i64,
    ended: bool,
}

/// Events numbered above `after`; `head` goes before them.
pub fn respond(app: &App, head: String, after: i64, source: Source, form: Form) -> Response {
    let reading = Reading { app: app.clone(), head: Some(head), source, form, seq: after, ended: false };
    let parts = stream::unfold(reading, async |mut reading| {
        let part = reading.next().await.transpose()?;
        // A body that breaks off is seen to; one that ends would pass for whole.
        reading.ended |= part.is_err();
        Some((part, reading))
    });
    let media = match form {
        Form::Jsonl => "application/x-ndjson",
        Form::Csv => "text/csv; charset=utf-8",
    };
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

impl Reading {
    async fn next(&mut self) -> Result<Option<String>, StoreError> {
        if let Some(head) = self.head.take().filter(|h| !h.is_empty()) {
            return Ok(Some(head));
        }
        if self.ended {
            return Ok(None);
        }
        // A reading of its own each time: a long one would keep the database from tidying up behind it.
        let mut r = self.app.store.read().await?;
        let part = match &self.source {
            Source::Chain => events::audit::part(&mut r, self.seq, PART).await?,
            Source::Chosen(filter) => events::stored_after(&mut r, self.seq, filter, PART).await?,
        };
        let Some(last) = part.last() else { return Ok(None) };
        self.seq = last.seq;
        self.ended = part.len() < PART as usize;
        Ok(Some(part.iter().map(|event| self.write(event)).collect()))
    }

    fn write(&self, event: &Sealed) -> String {
        match self.form {
            Form::Jsonl => line::write(event) + "\n",
            Form::Csv => csv::write(event),
        }
    }
}

//! Reading the log: pages, and a stream that goes on with what comes.

use futures_util::{Stream, stream};
use std::collections::VecDeque;
use tradewind_model::{
    event::Event,
    id::{EventId, ServiceName},
};

use super::envelope::{envelope_columns, event};
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    store::Store,
    tx::Reader,
    value::args,
};

statements! {
    AFTER = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND seq > $2
         AND (CAST($3 AS TEXT) IS NULL OR substr(kind, 1, length($3)) = $3) AND (CAST($4 AS TEXT) IS NULL OR actor_name = $4) ORDER BY seq LIMIT $5"
    );
    AFTER_OF_SERVICE = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND seq > $2
         AND (CAST($3 AS TEXT) IS NULL OR substr(kind, 1, length($3)) = $3) AND (CAST($4 AS TEXT) IS NULL OR actor_name = $4) AND service = $6
         ORDER BY seq LIMIT $5"
    );
    BEFORE = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND seq < $2
         AND (CAST($3 AS TEXT) IS NULL OR substr(kind, 1, length($3)) = $3) AND (CAST($4 AS TEXT) IS NULL OR actor_name = $4)
         ORDER BY seq DESC LIMIT $5"
    );
    BEFORE_OF_SERVICE = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND seq < $2
         AND (CAST($3 AS TEXT) IS NULL OR substr(kind, 1, length($3)) = $3) AND (CAST($4 AS TEXT) IS NULL OR actor_name = $4) AND service = $6
         ORDER BY seq DESC LIMIT $5"
    );
    OF_SUBJECT = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND subject = $2 AND seq > $3 ORDER BY seq LIMIT $4"
    );
    GET = concat!("SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND id = $2 AND seq IS NOT NULL");
}

/// Which events; everything where nothing is said.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    pub service: Option<ServiceName>,
    /// The beginning of a kind: `rollout.` or `rollout.finished`.
    pub kind: Option<String>,
    /// The actor's name, part or host.
    pub actor: Option<String>,
}

/// Sealed events numbered above `seq`, oldest first, `limit` at most.
pub async fn after(r: &mut impl Reader, seq: i64, filter: &Filter, limit: u32) -> Result<Vec<Event>> {
    let mut args = args![r.org(), seq, filter.kind.as_ref(), filter.actor.as_ref(), limit];
    let rows = match &filter.service {
        None => r.fetch_all(&AFTER, args).await?,
        Some(service) => {
            args.push(service.into());
            r.fetch_all(&AFTER_OF_SERVICE, args).await?
        }
    };
    rows.iter().map(event).collect()
}

/// Sealed events numbered below `seq` (`i64::MAX` for the newest), newest first, `limit` at most.
pub async fn before(r: &mut impl Reader, seq: i64, filter: &Filter, limit: u32) -> Result<Vec<Event>> {
    let mut args = args![r.org(), seq, filter.kind.as_ref(), filter.actor.as_ref(), limit];
    let rows = match &filter.service {
        None => r.fetch_all(&BEFORE, args).await?,
        Some(service) => {
            args.push(service.into());
            r.fetch_all(&BEFORE_OF_SERVICE, args).await?
        }
    };
    rows.iter().map(event).collect()
}

/// The story of one thing (`rollout/0190…`), oldest first.
pub async fn of_subject(r: &mut impl Reader, subject: &str, after: i64, limit: u32) -> Result<Vec<Event>> {
    let args = args![r.org(), subject, after, limit];
    r.fetch_all(&OF_SUBJECT, args).await?.iter().map(event).collect()
}

/// # Errors
/// [`StoreError::NotFound`] also while it is unsealed.
pub async fn get(r: &mut impl Reader, id: EventId) -> Result<Event> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    event(&row.ok_or_else(|| StoreError::not_found("event", id))?)
}

const PAGE: u32 = 256;

/// Every sealed event above `seq` that passes the filter, now and from now on; ends only with an error or when dropped.
///
/// A [`Sealer`](super::Sealer) has to run in this process.
pub fn follow(store: &Store, seq: i64, filter: Filter) -> impl Stream<Item = Result<Event>> + Send + use<> {
    struct At {
        store: Store,
        head: tokio::sync::watch::Receiver<i64>,
        seq: i64,
        ready: VecDeque<Event>,
        filter: Filter,
        ended: bool,
    }
    let at = At { head: store.head(), store: store.clone(), seq, ready: VecDeque::new(), filter, ended: false };
    stream::unfold(at, async |mut at| {
        loop {
            if let Some(event) = at.ready.pop_front() {
                return Some((Ok(event), at));
            }
            if at.ended {
                return None;
            }
            // Seen before reading: what is sealed after the read changes it again.
            let head = *at.head.borrow_and_update();
            let page = match at.store.read().await {
                Ok(mut r) => after(&mut r, at.seq, &at.filter, PAGE).await,
                Err(e) => Err(e),
            };
            match page {
                Ok(page) => {
                    at.seq = page.last().map_or(at.seq.max(head), |e| e.seq);
                    let idle = page.is_empty();
                    at.ready = page.into();
                    if idle && at.head.changed().await.is_err() {
                        return None;
                    }
                }
                Err(e) => {
                    at.ended = true;
                    return Some((Err(e), at));
                }
            }
        }
    })
}

//! Reading the log: pages, and a stream that goes on with what comes.

use futures_util::{Stream, stream};
use std::collections::VecDeque;
use tradewind_audit::Sealed;
use tradewind_model::{
    event::Event,
    id::{EnvName, EventId, ServiceName},
    time::Timestamp,
};

use super::envelope::{envelope_columns, event, sealed};
use crate::{
    error::{Result, StoreError},
    stmt::{Stmt, statements},
    store::Store,
    tx::Reader,
    value::{Row, args},
};

/// What every reading has in common. `$9` to `$11` may be nothing, and PostgreSQL wants to know of what type.
macro_rules! events {
    () => {
        concat!(
            "SELECT ",
            envelope_columns!(),
            " FROM events WHERE org_id = $1 AND seq > $2 AND seq < $3
             AND (CAST($4 AS TEXT) IS NULL OR substr(kind, 1, length($4)) = $4) AND (CAST($5 AS TEXT) IS NULL OR env = $5)
             AND at >= $6 AND at < $7"
        )
    };
}
macro_rules! any_service {
    () => {
        " AND (CAST($9 AS TEXT) IS NULL OR service = $9)"
    };
}
macro_rules! of_service {
    () => {
        " AND service = $9"
    };
}
macro_rules! any_actor {
    () => {
        " AND (CAST($10 AS TEXT) IS NULL OR actor_name = $10)"
    };
}
macro_rules! of_actor {
    () => {
        " AND actor_name = $10"
    };
}
macro_rules! any_subject {
    () => {
        " AND (CAST($11 AS TEXT) IS NULL OR subject = $11)"
    };
}
macro_rules! of_subject {
    () => {
        " AND subject = $11"
    };
}
macro_rules! onward {
    () => {
        " ORDER BY seq LIMIT $8"
    };
}
macro_rules! backward {
    () => {
        " ORDER BY seq DESC LIMIT $8"
    };
}

statements! {
    AFTER = concat!(events!(), any_service!(), any_actor!(), any_subject!(), onward!());
    AFTER_OF_ACTOR = concat!(events!(), any_service!(), of_actor!(), any_subject!(), onward!());
    AFTER_OF_SERVICE = concat!(events!(), of_service!(), any_actor!(), any_subject!(), onward!());
    AFTER_OF_SUBJECT = concat!(events!(), any_service!(), any_actor!(), of_subject!(), onward!());
    BEFORE = concat!(events!(), any_service!(), any_actor!(), any_subject!(), backward!());
    BEFORE_OF_ACTOR = concat!(events!(), any_service!(), of_actor!(), any_subject!(), backward!());
    BEFORE_OF_SERVICE = concat!(events!(), of_service!(), any_actor!(), any_subject!(), backward!());
    BEFORE_OF_SUBJECT = concat!(events!(), any_service!(), any_actor!(), of_subject!(), backward!());
    SPAN = "SELECT MIN(seq) AS first, MAX(seq) AS last FROM events WHERE org_id = $1 AND at >= $2 AND at < $3";
    OF_SUBJECT = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND subject = $2 AND seq > $3 ORDER BY seq LIMIT $4"
    );
    GET = concat!("SELECT ", envelope_columns!(), " FROM events WHERE org_id = $1 AND id = $2 AND seq IS NOT NULL");
}

/// Which events; everything where nothing is said.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    pub service: Option<ServiceName>,
    pub env: Option<EnvName>,
    /// The beginning of a kind: `rollout.` or `rollout.finished`.
    pub kind: Option<String>,
    /// The actor's name, part or host.
    pub actor: Option<String>,
    /// What they are about: `host/shop-1`.
    pub subject: Option<String>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// One statement for each index that may lead: the planner does not know which of the conditions are set.
struct Ways {
    any: &'static Stmt,
    of_actor: &'static Stmt,
    of_service: &'static Stmt,
    of_subject: &'static Stmt,
}

/// Rows between two numbers, both left out.
async fn rows(
    r: &mut impl Reader,
    (above, below): (i64, i64),
    filter: &Filter,
    limit: u32,
    ways: &Ways,
) -> Result<Vec<Row>> {
    let Filter { service, env, kind, actor, subject, since, until } = filter;
    let (since, until) = (since.unwrap_or(Timestamp(i64::MIN)), until.unwrap_or(Timestamp(i64::MAX)));
    let (mut above, mut below) = (above, below);
    if filter.since.is_some() || filter.until.is_some() {
        // Times rise with the numbers, but not strictly: so the ends are looked for, and the times still compared.
        let args = args![r.org(), since, until];
        let span = r.fetch_one(&SPAN, args).await?;
        let (Some(first), Some(last)) = (span.opt_i64("first")?, span.opt_i64("last")?) else { return Ok(Vec::new()) };
        (above, below) = (above.max(first - 1), below.min(last.saturating_add(1)));
    }
    let stmt = match (subject, service, actor) {
        (Some(_), _, _) => ways.of_subject,
        (None, Some(_), _) => ways.of_service,
        (None, None, Some(_)) => ways.of_actor,
        (None, None, None) => ways.any,
    };
    let args = args![
        r.org(),
        above,
        below,
        kind.as_ref(),
        env.as_ref(),
        since,
        until,
        limit,
        service.as_ref(),
        actor.as_ref(),
        subject.as_ref()
    ];
    r.fetch_all(stmt, args).await
}

const ONWARD: Ways =
    Ways { any: &AFTER, of_actor: &AFTER_OF_ACTOR, of_service: &AFTER_OF_SERVICE, of_subject: &AFTER_OF_SUBJECT };
const BACKWARD: Ways =
    Ways { any: &BEFORE, of_actor: &BEFORE_OF_ACTOR, of_service: &BEFORE_OF_SERVICE, of_subject: &BEFORE_OF_SUBJECT };

/// Sealed events numbered above `seq`, oldest first, `limit` at most.
pub async fn after(r: &mut impl Reader, seq: i64, filter: &Filter, limit: u32) -> Result<Vec<Event>> {
    rows(r, (seq, i64::MAX), filter, limit, &ONWARD).await?.iter().map(event).collect()
}

/// As [`after`], as they are stored: for an export.
pub async fn stored_after(r: &mut impl Reader, seq: i64, filter: &Filter, limit: u32) -> Result<Vec<Sealed>> {
    rows(r, (seq, i64::MAX), filter, limit, &ONWARD).await?.iter().map(sealed).collect()
}

/// Sealed events numbered below `seq` (`i64::MAX` for the newest), newest first, `limit` at most.
pub async fn before(r: &mut impl Reader, seq: i64, filter: &Filter, limit: u32) -> Result<Vec<Event>> {
    rows(r, (0, seq), filter, limit, &BACKWARD).await?.iter().map(event).collect()
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

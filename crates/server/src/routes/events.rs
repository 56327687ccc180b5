use crate::{
    auth::Scoped,
    faults,
    http::{
        Answer, PageQuery, Permission, Query, Refusal, Route,
        layers::RequestInfo,
        sse::{self, LastEventId, Update},
    },
};
use axum::{Extension, Json, response::Response};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tradewind_api::v1::{AuditFinding, AuditProblem, AuditReport, ChainHead, Event, Page};
use tradewind_model::{
    access::{Action, Part, Rights, Subject},
    event,
    fault::{Fault, Lang, Text},
    id::ServiceName,
};
use tradewind_store::{
    StoreError,
    events::{self, Broken, Filter, Verification},
};

const READ: Permission = Permission::May(Action::Read);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/events", READ, "list_events", list)
            .about("Events", "Sealed events, oldest first unless asked otherwise")
            .query("service", "string", "Only of this service")
            .query("order", "string", "`oldest` (the default) or `newest`: which come first")
            .answers_page_of::<Event>(),
        Route::get("/api/v1/events/stream", READ, "follow_events", follow)
            .about("Events", "Events as they are sealed, behind `Last-Event-ID` or, without it, from now on")
            .query("service", "string", "Only of this service")
            .streams::<Event>(),
        Route::get("/api/v1/audit/verify", Permission::May(Action::ReadAudit), "verify_audit", verify)
            .about("Events", "Read the whole chain and name the first thing that is not as it was written")
            .answers::<AuditReport>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    after: Option<String>,
    limit: Option<u32>,
    service: Option<ServiceName>,
    #[serde(default)]
    order: Order,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    Oldest,
    Newest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowQuery {
    service: Option<ServiceName>,
}

async fn list(Scoped(app): Scoped, Query(q): Query<ListQuery>) -> Answer<Page<Event>> {
    let page = PageQuery::new(q.after, q.limit);
    let cursor = page.cursor::<u64>()?.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let (read, filter) = (&mut app.store.read().await?, of(q.service));
    let found = match q.order {
        Order::Oldest => events::after(read, cursor.unwrap_or(0), &filter, page.limit()).await?,
        Order::Newest => events::before(read, cursor.unwrap_or(i64::MAX), &filter, page.limit()).await?,
    };
    let next = (found.len() == page.limit() as usize).then(|| found.last().map(|e| e.seq.to_string())).flatten();
    let shown = found.into_iter().filter(|e| may_see(&app.ctx.sight, e));
    Ok(Json(Page { items: shown.map(Event::from).collect(), next }))
}

async fn follow(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Query(q): Query<FollowQuery>,
    LastEventId(last): LastEventId,
) -> Result<Response, Refusal> {
    let from = match last {
        Some(id) => seq(&id)?,
        // What was read elsewhere is not news here, so the log itself is asked and not who tells of it.
        None => {
            let newest = events::before(&mut app.store.read().await?, i64::MAX, &Filter::default(), 1).await?;
            newest.first().map_or(0, |e| e.seq)
        }
    };
    let sight = app.ctx.sight.clone();
    let seen = move |event: &Result<event::Event, StoreError>| {
        let shown = event.as_ref().map_or(true, |e| may_see(&sight, e));
        std::future::ready(shown)
    };
    let updates = events::follow(&app.store, from, of(q.service)).filter(seen).map(move |event| match event {
        Ok(event) => Update::Data { id: Some(event.seq.to_string()), data: Event::from(event) },
        Err(e) => Update::Problem(Box::new(Refusal::from(e).problem(info.lang, &info.id))),
    });
    Ok(sse::respond(updates, app.stop.clone()))
}

async fn verify(Scoped(app): Scoped, Extension(info): Extension<RequestInfo>) -> Answer<AuditReport> {
    let found = events::verify(&mut app.store.read().await?).await?;
    Ok(Json(report(found, info.lang)))
}

/// What happened to a service or an environment is for who sees it; what concerns everybody and everything, such as who may
/// what, is for auditors. Freezes and hosts are shown to all, as `freezes` and `hosts` do.
fn may_see(sight: &Rights, e: &event::Event) -> bool {
    let named = |name: &Option<String>| name.as_ref().and_then(|n| n.parse().ok());
    let env = e.fact.env.as_ref().and_then(|n| n.parse().ok());
    match named(&e.fact.service) {
        Some(service) => sight.may(Action::Read, &Subject { env: Part::if_any(env), ..Subject::service(service) }),
        None if e.fact.kind.starts_with("freeze.") || e.fact.kind.starts_with("host.") => {
            sight.may(Action::Read, &Subject { env: Part::if_any(env), ..Subject::ANYWHERE })
        }
        None => sight.may(Action::ReadAudit, &Subject::ORGANISATION),
    }
}

fn of(service: Option<ServiceName>) -> Filter {
    Filter { service, ..Filter::default() }
}

fn seq(cursor: &str) -> Result<i64, Fault> {
    let known = cursor.parse().ok().filter(|n| *n >= 0);
    known.ok_or_else(|| Fault::new(&faults::BAD_CURSOR).with("cursor", cursor.escape_debug()))
}

fn report(v: Verification, lang: Lang) -> AuditReport {
    AuditReport {
        ok: v.broken.is_none(),
        intact: v.intact,
        unsealed: v.unsealed,
        head: v.head.map(|(seq, hash)| ChainHead { seq, hash }),
        finding: v.broken.map(|b| finding(b, lang)),
    }
}

fn finding(broken: Broken, lang: Lang) -> AuditFinding {
    let say = |seq: i64, problem, text: Text, args: &[(&str, String)]| AuditFinding {
        seq,
        problem,
        detail: text.fill(lang, args),
    };
    match broken {
        Broken::Altered { seq, id } => say(
            seq,
            AuditProblem::Altered,
            Text {
                en: "event {seq} ({id}) says something else than it did", zh: "事件 {seq}（{id}）的内容已被改动"
            },
            &[("seq", seq.to_string()), ("id", id)],
        ),
        Broken::Removed { from, to } => say(
            from,
            AuditProblem::Removed,
            Text { en: "events {from} to {to} are gone", zh: "事件 {from} 至 {to} 已丢失" },
            &[("from", from.to_string()), ("to", to.to_string())],
        ),
        Broken::Reordered { seq, id } => say(
            seq,
            AuditProblem::Reordered,
            Text {
                en: "event {id} stands in the place of number {seq}", zh: "事件 {id} 占据了编号 {seq} 的位置"
            },
            &[("seq", seq.to_string()), ("id", id)],
        ),
        Broken::Renumbered { seq, id } => say(
            seq,
            AuditProblem::Renumbered,
            Text {
                en: "something is gone or was put in before event {seq} ({id}), and the numbers were made to fit",
                zh: "事件 {seq}（{id}）之前有缺失或插入，且编号已被改成连续",
            },
            &[("seq", seq.to_string()), ("id", id)],
        ),
        Broken::HeadBehind { head, last } => say(
            head,
            AuditProblem::HeadBehind,
            Text {
                en: "the chain's recorded end is event {head}, and the events go on to {last}",
                zh: "链尾记录为事件 {head}，而事件延续到 {last}",
            },
            &[("head", head.to_string()), ("last", last.to_string())],
        ),
    }
}

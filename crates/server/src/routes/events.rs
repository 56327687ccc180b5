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
use tradewind_api::v1::{Event, Page, Time};
use tradewind_model::{
    access::{Action, Part, Rights, Subject},
    event,
    fault::Fault,
    id::{EnvName, ServiceName},
};
use tradewind_store::{
    StoreError,
    events::{self, Filter},
};

const READ: Permission = Permission::May(Action::Read);

pub fn routes() -> Vec<Route> {
    vec![
        chosen(Route::get("/api/v1/events", READ, "list_events", list))
            .about("Events", "Sealed events, oldest first unless asked otherwise")
            .query("order", "string", "`oldest` (the default) or `newest`: which come first")
            .answers_page_of::<Event>(),
        chosen(Route::get("/api/v1/events/stream", READ, "follow_events", follow))
            .about("Events", "Events as they are sealed, behind `Last-Event-ID` or, without it, from now on")
            .streams::<Event>(),
    ]
}

/// What events are chosen by, wherever they are.
pub(super) fn chosen(route: Route) -> Route {
    route
        .query("service", "string", "Only of this service")
        .query("env", "string", "Only of this environment")
        .query("kind", "string", "Only of kinds that begin like this: `rollout.`, `token.created`")
        .query("actor", "string", "Only by this actor: a person, a part of the control plane, a host")
        .query(
            "subject",
            "string",
            "Only about this: `user/li.wei`, `host/shop-1`, `service/shop`, `secret/…`, as events name it",
        )
        .query("since", "string", "From this time on, RFC 3339")
        .query("until", "string", "Before this time, RFC 3339")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    after: Option<String>,
    limit: Option<u32>,
    service: Option<ServiceName>,
    env: Option<EnvName>,
    kind: Option<String>,
    actor: Option<String>,
    subject: Option<String>,
    since: Option<Time>,
    until: Option<Time>,
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
    env: Option<EnvName>,
    kind: Option<String>,
    actor: Option<String>,
    subject: Option<String>,
    since: Option<Time>,
    until: Option<Time>,
}

async fn list(Scoped(app): Scoped, Query(q): Query<ListQuery>) -> Answer<Page<Event>> {
    let ListQuery { after, limit, service, env, kind, actor, subject, since, until, order } = q;
    let page = PageQuery::new(after, limit);
    let cursor = page.cursor::<u64>()?.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let filter = Filter { service, env, kind, actor, subject, since: since.map(|t| t.0), until: until.map(|t| t.0) };
    let read = &mut app.store.read().await?;
    let found = match order {
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
    let FollowQuery { service, env, kind, actor, subject, since, until } = q;
    let filter = Filter { service, env, kind, actor, subject, since: since.map(|t| t.0), until: until.map(|t| t.0) };
    let updates = events::follow(&app.store, from, filter).filter(seen).map(move |event| match event {
        Ok(event) => Update::Data { id: Some(event.seq.to_string()), data: Event::from(event) },
        Err(e) => Update::Problem(Box::new(Refusal::from(e).problem(info.lang, &info.id))),
    });
    Ok(sse::respond(updates, app.stop.clone()))
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

fn seq(cursor: &str) -> Result<i64, Fault> {
    let known = cursor.parse().ok().filter(|n| *n >= 0);
    known.ok_or_else(|| Fault::new(&faults::BAD_CURSOR).with("cursor", cursor.escape_debug()))
}

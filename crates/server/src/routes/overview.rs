use crate::{
    auth::Scoped,
    faults,
    http::{Answer, PageQuery, Permission, Query, Route, layers::RequestInfo},
};
use axum::{Extension, Json};
use serde::Deserialize;
use tradewind_api::v1::{Attention, Health, Overview, OverviewSort, ServiceKind};
use tradewind_control::overview::{self, Choice, Cursor};
use tradewind_model::{access::Action, fault::Fault, id::EnvName};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/overview", Permission::May(Action::Read), "overview", show)
            .about("Services", "Services by environments: what is live, how healthy, under way, failed, frozen")
            .query("q", "string", "Only services with this in their name, whatever its case")
            .query("env", "string", "Only services that are in this environment; the other filters then look there only")
            .query("health", "string", "Only where a site is this: `healthy`, `degraded`, `down`, `empty`, `unknown`")
            .query(
                "attention",
                "string",
                "Only what calls for a look: `failing`, `degraded`, `unknown`, `under_way`, `frozen`, or several with `,`",
            )
            .query("kind", "string", "Only `web`, `worker` or `cron`")
            .query("owner", "string", "Only what they answer for")
            .query("sort", "string", "`name` when left out; `changed`, `attention`, `owner`")
            .query("after", "string", "The `next` of the page before")
            .query("limit", "integer", "Items a page: 1 to 200, 50 when left out")
            .answers::<Overview>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverviewQuery {
    q: Option<String>,
    env: Option<EnvName>,
    health: Option<Health>,
    attention: Option<String>,
    kind: Option<ServiceKind>,
    owner: Option<String>,
    #[serde(default)]
    sort: OverviewSort,
    after: Option<String>,
    limit: Option<u32>,
}

async fn show(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Query(query): Query<OverviewQuery>,
) -> Answer<Overview> {
    let page = PageQuery::new(query.after.clone(), query.limit);
    let after: Option<Cursor> = page.cursor()?;
    if after.as_ref().is_some_and(|a| !a.fits(query.sort)) {
        let cursor = query.after.unwrap_or_default();
        return Err(Fault::new(&faults::BAD_CURSOR).with("cursor", cursor.escape_debug()).into());
    }
    let choice = Choice {
        text: query.q.filter(|q| !q.is_empty()),
        env: query.env,
        health: query.health,
        attention: query.attention.iter().flat_map(|a| a.split(',')).map(attention).collect::<Result<_, _>>()?,
        kind: query.kind,
        owner: query.owner,
        sort: query.sort,
    };
    Ok(Json(overview::overview(&app.ctx, &choice, after.as_ref(), page.limit(), info.lang).await?))
}

fn attention(word: &str) -> Result<Attention, Fault> {
    let word = serde_json::Value::from(word);
    serde_json::from_value(word).map_err(|e| Fault::new(&faults::BAD_PARAMETER).with("detail", e))
}

use crate::{
    auth::Scoped,
    faults,
    http::{Answer, PageQuery, Permission, Query, Route},
};
use axum::Json;
use serde::Deserialize;
use tradewind_api::v1::Found;
use tradewind_control::search;
use tradewind_model::{access::Action, fault::Fault};

const LONGEST: usize = 200;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/search", Permission::May(Action::Read), "search", find)
            .about("Services", "Services, releases, runs and rollouts under way by a few words")
            .query(
                "q",
                "string",
                "Words that all have to fit, 200 characters at most: a part of a service's name, `v3`, `#12` (a run), the \
                 first 4 or more digits of a commit. Services by name when left out",
            )
            .query("limit", "integer", "Items of each kind: 1 to 200, 50 when left out")
            .answers::<Found>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchQuery {
    #[serde(default)]
    q: String,
    limit: Option<u32>,
}

async fn find(Scoped(app): Scoped, Query(query): Query<SearchQuery>) -> Answer<Found> {
    if query.q.chars().count() > LONGEST {
        let detail = format!("`q` has more than {LONGEST} characters");
        return Err(Fault::new(&faults::BAD_PARAMETER).with("detail", detail).into());
    }
    let page = PageQuery::new(None, query.limit);
    Ok(Json(search::search(&app.ctx, &query.q, page.limit()).await?))
}

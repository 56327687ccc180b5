use crate::{
    auth::Scoped,
    http::{Answer, Params, Permission, Query, Refusal, Route, Why, layers::Asked},
};
use ::http::StatusCode;
use axum::Json;
use tradewind_api::v1::{Host, Page};
use tradewind_control::hosts;
use tradewind_model::access::Action;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/hosts", Permission::May(Action::Read), "list_hosts", list)
            .about("System", "Machines with an agent, by name, and whether each is there")
            .answers_page_of::<Host>(),
        Route::delete("/api/v1/hosts/{host}", Permission::May(Action::System), "remove_host", remove)
            .about("System", "Take a host that is gone off the list, by its name; refused while its agent is connected or the rows want something on it")
            .required_query("reason", "string", "For the event log")
            .status(204, "Removed; its key is worth nothing any more"),
    ]
}

async fn list(Scoped(app): Scoped) -> Answer<Page<Host>> {
    Ok(Json(Page { items: hosts::list(&app.ctx).await?, next: None }))
}

async fn remove(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(host): Params<String>,
    Query(why): Query<Why>,
) -> Result<StatusCode, Refusal> {
    hosts::remove(&app.ctx, &host, &why.text(), &by).await?;
    Ok(StatusCode::NO_CONTENT)
}

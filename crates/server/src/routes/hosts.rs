use crate::{
    auth::Scoped,
    http::{Answer, Permission, Route},
};
use axum::Json;
use tradewind_api::v1::{Host, Page};
use tradewind_control::hosts;
use tradewind_model::access::Action;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/hosts", Permission::May(Action::Read), "list_hosts", list)
            .about("System", "Machines with an agent, by name, and whether each is there")
            .answers_page_of::<Host>(),
    ]
}

async fn list(Scoped(app): Scoped) -> Answer<Page<Host>> {
    Ok(Json(Page { items: hosts::list(&app.ctx).await?, next: None }))
}

use crate::{
    App,
    http::{Answer, Permission, Route},
};
use axum::{Json, extract::State};
use tradewind_api::v1::{Host, Page, Scope};
use tradewind_control::hosts;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/hosts", Permission::Scope(Scope::Read), "list_hosts", list)
            .about("System", "Machines with an agent, by name, and whether each is there")
            .answers_page_of::<Host>(),
    ]
}

async fn list(State(app): State<App>) -> Answer<Page<Host>> {
    Ok(Json(Page { items: hosts::list(&app.ctx).await?, next: None }))
}

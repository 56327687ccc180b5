use crate::{
    auth::Scoped,
    http::{Answer, Body, Params, Permission, Refusal, Route, layers::Asked},
};
use ::http::StatusCode;
use axum::Json;
use tradewind_api::v1::{Freeze, Page, Reason, SetFreeze};
use tradewind_control::freezes;
use tradewind_model::{access::Action, id::FreezeId};

const READ: Permission = Permission::May(Action::Read);
const FREEZE: Permission = Permission::May(Action::Freeze);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/freezes", READ, "list_freezes", list)
            .about("Freezes", "Freezes that are on, oldest first")
            .answers_page_of::<Freeze>(),
        Route::post("/api/v1/freezes", FREEZE, "set_freeze", set)
            .about(
                "Freezes",
                "Begin no wave of a service, an environment or anything, until it is lifted; never holds a rollback",
            )
            .body::<SetFreeze>()
            .answers::<Freeze>()
            .status(201, "Set; what runs goes on"),
        Route::post("/api/v1/freezes/{freeze}/lift", FREEZE, "lift_freeze", lift)
            .about("Freezes", "Lift one freeze; what others cover stays frozen")
            .body::<Reason>()
            .answers::<Freeze>(),
    ]
}

async fn list(Scoped(app): Scoped) -> Answer<Page<Freeze>> {
    Ok(Json(Page::whole(freezes::list(&app.ctx).await?)))
}

async fn set(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<SetFreeze>,
) -> Result<(StatusCode, Json<Freeze>), Refusal> {
    Ok((StatusCode::CREATED, Json(freezes::set(&app.ctx, &asked, &by).await?)))
}

async fn lift(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(id): Params<FreezeId>,
    Body(asked): Body<Reason>,
) -> Answer<Freeze> {
    Ok(Json(freezes::lift(&app.ctx, id, &asked.reason, &by).await?))
}

use crate::{
    auth::Scoped,
    http::{Answer, Body, Params, Permission, Refusal, Route, layers::Asked},
};
use ::http::StatusCode;
use axum::Json;
use tradewind_api::v1::{AddCertificate, Certificate, Page};
use tradewind_control::certificates;
use tradewind_model::{access::Action, id::Digest};

const SYSTEM: Permission = Permission::May(Action::System);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/certificates", SYSTEM, "list_certificates", list)
            .about("Certificates", "Certificates that Tradewind keeps, the first to end first")
            .answers_page_of::<Certificate>(),
        Route::post("/api/v1/certificates", SYSTEM, "add_certificate", add)
            .about(
                "Certificates",
                "Have the edges of all hosts show a certificate; its key is sealed and not given out again",
            )
            .body::<AddCertificate>()
            .secret()
            .answers::<Certificate>()
            .status(201, "Kept; the edges show it within seconds"),
        Route::delete("/api/v1/certificates/{digest}", SYSTEM, "remove_certificate", remove)
            .about("Certificates", "Show a certificate no more")
            .status(204, "Removed"),
    ]
}

async fn list(Scoped(app): Scoped, Asked(by): Asked) -> Answer<Page<Certificate>> {
    Ok(Json(Page::whole(certificates::list(&app.ctx, &by).await?)))
}

async fn add(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<AddCertificate>,
) -> Result<(StatusCode, Json<Certificate>), Refusal> {
    Ok((StatusCode::CREATED, Json(certificates::add(&app.ctx, &app.keeper, &asked, &by).await?)))
}

async fn remove(Scoped(app): Scoped, Asked(by): Asked, Params(digest): Params<Digest>) -> Result<StatusCode, Refusal> {
    certificates::remove(&app.ctx, &digest, &by).await?;
    Ok(StatusCode::NO_CONTENT)
}

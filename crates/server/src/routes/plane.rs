//! How the installation itself fares, for who looks after it.

use crate::{
    auth::{Caller, Scoped},
    http::{
        Answer, Body, Permission, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
    plane::{backups, health, storage},
    routes::audit::of_the_installation,
};
use axum::{Extension, Json};
use tradewind_api::v1::{Backups, Collected, PlaneHealth, Reason, Storage};
use tradewind_control::ctx::not_allowed;
use tradewind_model::{
    access::{Action, Refused, Subject},
    id::OrgName,
};

const READ: Permission = Permission::May(Action::Read);
const SYSTEM: Permission = Permission::May(Action::System);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/plane", READ, "get_plane", look)
            .about("System", "How the control plane itself fares: findings with what to do, the worst first; database, log, queues, loops, processes")
            .answers::<PlaneHealth>(),
        Route::get("/api/v1/storage", READ, "get_storage", stored)
            .about("System", "What is kept on the disk, by kind, and what the next collection would free")
            .answers::<Storage>(),
        Route::post("/api/v1/storage/collect", SYSTEM, "collect", collect)
            .about("System", "Throw away now what the next collection would: artifacts past their time, uploads that broke off; never what a release is made of")
            .body::<Reason>()
            .answers::<Collected>(),
        Route::get("/api/v1/backups", SYSTEM, "list_backups", backed_up)
            .about("System", "The last backup, what makes them by the clock, and the files it keeps")
            .answers::<Backups>(),
    ]
}

/// What is said of the installation is said to who may see all of it: not to whom one service was given, nor to another
/// organisation.
fn who_sees_the_installation(caller: &Caller) -> Result<(), Refusal> {
    caller.allow(Action::Read, &Subject::ORGANISATION)?;
    if caller.org == OrgName::default_org() {
        return Ok(());
    }
    Err(not_allowed(&caller.name, Action::Read, &Subject::ORGANISATION, Refused::Role).into())
}

async fn look(caller: Caller, Scoped(app): Scoped, Extension(info): Extension<RequestInfo>) -> Answer<PlaneHealth> {
    who_sees_the_installation(&caller)?;
    Ok(Json(health::look(&app, info.lang).await?))
}

async fn stored(caller: Caller, Scoped(app): Scoped) -> Answer<Storage> {
    who_sees_the_installation(&caller)?;
    Ok(Json(storage::look(&app).await?))
}

async fn collect(
    caller: Caller,
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<Reason>,
) -> Answer<Collected> {
    of_the_installation(&caller)?;
    Ok(Json(storage::freed(app.collector.collect(asked.reason.trim(), &by).await?)))
}

async fn backed_up(caller: Caller, Scoped(app): Scoped) -> Answer<Backups> {
    of_the_installation(&caller)?;
    Ok(Json(backups::look(&app).await?))
}

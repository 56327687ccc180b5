//! What environments demand, and people's word for a rollout.

use crate::{
    auth::Scoped,
    http::{
        Answer, Body, IfMatch, Params, Permission, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
};
use axum::{Extension, Json};
use tradewind_api::v1::{EnvironmentPolicy, Reason, Rollout, SetPolicy};
use tradewind_control::{policies, rollouts::view};
use tradewind_model::{
    access::Action,
    id::{EnvName, RolloutId},
};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/environments/{env}/policy", Permission::May(Action::Read), "get_policy", show)
            .about("Policies", "What an environment demands")
            .answers::<EnvironmentPolicy>(),
        Route::put("/api/v1/environments/{env}/policy", Permission::May(Action::Policy), "set_policy", set)
            .about("Policies", "Replace an environment's policy; it holds from the next push and rollout on. With `If-Match` only what was read")
            .body::<SetPolicy>()
            .answers::<EnvironmentPolicy>(),
        Route::post("/api/v1/rollouts/{rollout}/approve", Permission::May(Action::Approve), "approve_rollout", approve)
            .about("Rollouts", "Agree to a rollout that waits for it; `reason` is the note that stays with it")
            .body::<Reason>()
            .answers::<Rollout>(),
    ]
}

async fn show(Scoped(app): Scoped, Params(env): Params<EnvName>) -> Answer<EnvironmentPolicy> {
    Ok(Json(policies::show(&app.ctx, &env).await?))
}

async fn set(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(env): Params<EnvName>,
    seen: IfMatch,
    Body(asked): Body<SetPolicy>,
) -> Answer<EnvironmentPolicy> {
    let still = |now: &EnvironmentPolicy| seen.holds(now);
    let set = policies::set_if(&app.ctx, &env, &asked.text, &asked.reason, still, &by).await;
    Ok(Json(set.map_err(Refusal::Faults)?))
}

async fn approve(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<Reason>,
) -> Answer<Rollout> {
    policies::approve(&app.ctx, id, &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

//! Users, groups, roles and invitations.

use crate::{
    auth::{Scoped, secret::Secret},
    http::{Answer, Body, IfMatch, Params, Permission, Query, Refusal, Route, Why, layers::Asked},
};
use ::http::StatusCode;
use axum::Json;
use tradewind_api::v1::{
    AccessPolicy, CreateAccount, CreateGroup, GrantRole, Granted, Group, Invitation, Invite, NewInvitation, Page, User,
};
use tradewind_control::access;
use tradewind_model::{
    access::Action,
    id::{GrantId, InvitationId},
};

const KNOWN: Permission = Permission::Known;
const ACCESS: Permission = Permission::May(Action::Access);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users", KNOWN, "list_users", users)
            .about("People", "Users and service accounts with their roles, for who keeps access or audits")
            .answers_page_of::<User>(),
        Route::post("/api/v1/users", ACCESS, "create_service_account", create_account)
            .about("People", "Make an account for a machine; people are invited")
            .body::<CreateAccount>()
            .answers::<User>()
            .status(201, "Made"),
        Route::post("/api/v1/users/{user}/disable", ACCESS, "disable_user", disable)
            .about("People", "End all sessions and tokens of a user, and let them do nothing")
            .says_why()
            .answers::<User>(),
        Route::post("/api/v1/users/{user}/enable", ACCESS, "enable_user", enable)
            .about("People", "Let a disabled user sign in again")
            .says_why()
            .answers::<User>(),
        Route::post("/api/v1/users/{user}/erase", ACCESS, "erase_user", erase)
            .about("People", "Take away for good what is known of a person; the account stays, disabled")
            .says_why()
            .answers::<User>(),
        Route::post("/api/v1/users/{user}/reset-second-factor", ACCESS, "reset_second_factor", reset)
            .about("People", "Take away the second factor of who lost it, and end their sessions")
            .says_why()
            .answers::<User>(),
        Route::get("/api/v1/invitations", ACCESS, "list_invitations", invitations)
            .about("People", "Invitations that can still be accepted")
            .answers_page_of::<Invitation>(),
        Route::post("/api/v1/invitations", ACCESS, "invite", invite)
            .about("People", "Ask somebody in: single use, for seven days, for one address")
            .body::<Invite>()
            .answers::<NewInvitation>()
            .status(201, "Made; the code is shown this once")
            .secret(),
        Route::delete("/api/v1/invitations/{invitation}", ACCESS, "revoke_invitation", revoke)
            .about("People", "Withdraw an invitation")
            .says_why()
            .status(204, "Withdrawn"),
        Route::get("/api/v1/groups", KNOWN, "list_groups", groups)
            .about("People", "Groups and who is in them")
            .answers_page_of::<Group>(),
        Route::post("/api/v1/groups", ACCESS, "create_group", create_group)
            .about("People", "Make a group")
            .body::<CreateGroup>()
            .answers::<Group>()
            .status(201, "Made"),
        Route::delete("/api/v1/groups/{group}", ACCESS, "remove_group", remove_group)
            .about("People", "Remove a group and the roles it held")
            .says_why()
            .status(204, "Removed"),
        Route::put("/api/v1/groups/{group}/members/{member}", ACCESS, "add_group_member", add_member)
            .about("People", "Put a user into a group")
            .answers::<Group>(),
        Route::delete("/api/v1/groups/{group}/members/{member}", ACCESS, "remove_group_member", remove_member)
            .about("People", "Take a user out of a group")
            .says_why()
            .answers::<Group>(),
        Route::get("/api/v1/grants", KNOWN, "list_grants", grants)
            .about("People", "Roles given, as far as the caller keeps access or audits")
            .answers_page_of::<Granted>(),
        Route::post("/api/v1/grants", ACCESS, "grant_role", grant)
            .about("People", "Give a user or a group a role: everywhere, or in a service, an environment, a site")
            .body::<GrantRole>()
            .answers::<Granted>()
            .status(201, "Given"),
        Route::delete("/api/v1/grants/{grant}", ACCESS, "withdraw_role", withdraw)
            .about("People", "Take a role away")
            .says_why()
            .status(204, "Withdrawn"),
        Route::get("/api/v1/access-policy", KNOWN, "get_access_policy", policy)
            .about("People", "What is asked of those who sign in")
            .answers::<AccessPolicy>(),
        Route::put("/api/v1/access-policy", ACCESS, "set_access_policy", set_policy)
            .about("People", "Which roles need a second factor")
            .body::<AccessPolicy>()
            .answers::<AccessPolicy>(),
    ]
}

async fn users(Scoped(app): Scoped, Asked(by): Asked) -> Answer<Page<User>> {
    Ok(Json(Page::whole(access::users(&app.ctx, &by).await?)))
}

async fn create_account(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<CreateAccount>,
) -> Result<(StatusCode, Json<User>), Refusal> {
    Ok((StatusCode::CREATED, Json(access::create_service_account(&app.ctx, &asked, &by).await?)))
}

async fn disable(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(user): Params<String>,
    Query(why): Query<Why>,
) -> Answer<User> {
    Ok(Json(access::disable(&app.ctx, &user, &by.because(why.text())).await?))
}

async fn enable(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(user): Params<String>,
    Query(why): Query<Why>,
) -> Answer<User> {
    Ok(Json(access::enable(&app.ctx, &user, &by.because(why.text())).await?))
}

async fn erase(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(user): Params<String>,
    Query(why): Query<Why>,
) -> Answer<User> {
    Ok(Json(access::erase(&app.ctx, &user, &by.because(why.text())).await?))
}

async fn reset(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(user): Params<String>,
    Query(why): Query<Why>,
) -> Answer<User> {
    Ok(Json(access::reset_second_factor(&app.ctx, &user, &by.because(why.text())).await?))
}

async fn invitations(Scoped(app): Scoped, Asked(by): Asked) -> Answer<Page<Invitation>> {
    Ok(Json(Page::whole(access::invitations(&app.ctx, &by).await?)))
}

async fn invite(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<Invite>,
) -> Result<(StatusCode, Json<NewInvitation>), Refusal> {
    let secret = Secret::mint(uuid::Uuid::now_v7()).map_err(Refusal::internal)?;
    let code = secret.reveal().replacen("tw_", "twi_", 1);
    let hash = access::code_hash(code.as_bytes(), &asked.email);
    let info = access::invite(&app.ctx, &asked, &hash, &by).await?;
    Ok((StatusCode::CREATED, Json(NewInvitation { code, info })))
}

async fn revoke(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(id): Params<InvitationId>,
    Query(why): Query<Why>,
) -> Result<StatusCode, Refusal> {
    access::revoke_invitation(&app.ctx, id, &by.because(why.text())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn groups(Scoped(app): Scoped, Asked(by): Asked) -> Answer<Page<Group>> {
    Ok(Json(Page::whole(access::groups(&app.ctx, &by).await?)))
}

async fn create_group(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<CreateGroup>,
) -> Result<(StatusCode, Json<Group>), Refusal> {
    Ok((StatusCode::CREATED, Json(access::create_group(&app.ctx, &asked.name, &by).await?)))
}

async fn remove_group(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(group): Params<String>,
    Query(why): Query<Why>,
) -> Result<StatusCode, Refusal> {
    access::remove_group(&app.ctx, &group, &by.because(why.text())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn add_member(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params((group, member)): Params<(String, String)>,
) -> Answer<Group> {
    Ok(Json(access::add_member(&app.ctx, &group, &member, &by).await?))
}

async fn remove_member(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params((group, member)): Params<(String, String)>,
    Query(why): Query<Why>,
) -> Answer<Group> {
    Ok(Json(access::remove_member(&app.ctx, &group, &member, &by.because(why.text())).await?))
}

async fn grants(Scoped(app): Scoped, Asked(by): Asked) -> Answer<Page<Granted>> {
    Ok(Json(Page::whole(access::grants(&app.ctx, &by).await?)))
}

async fn grant(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(asked): Body<GrantRole>,
) -> Result<(StatusCode, Json<Granted>), Refusal> {
    Ok((StatusCode::CREATED, Json(access::grant(&app.ctx, &asked, &by).await?)))
}

async fn withdraw(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(id): Params<GrantId>,
    Query(why): Query<Why>,
) -> Result<StatusCode, Refusal> {
    access::withdraw(&app.ctx, id, &by.because(why.text())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn policy(Scoped(app): Scoped) -> Answer<AccessPolicy> {
    let found = access::policy(&mut app.store.read().await?).await?;
    Ok(Json(AccessPolicy { second_factor: found.second_factor }))
}

async fn set_policy(
    Scoped(app): Scoped,
    Asked(by): Asked,
    seen: IfMatch,
    Body(asked): Body<AccessPolicy>,
) -> Answer<AccessPolicy> {
    let still = |now: &access::Policy| seen.holds(&AccessPolicy { second_factor: now.second_factor.clone() });
    let wish = access::Policy { second_factor: asked.second_factor };
    let set = access::set_policy(&app.ctx, wish, still, &by).await?;
    Ok(Json(AccessPolicy { second_factor: set.second_factor }))
}

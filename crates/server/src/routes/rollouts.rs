use crate::{
    App,
    auth::Scoped,
    faults,
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
        sse::{self, Update},
    },
};
use ::http::{StatusCode, header::CONTENT_TYPE};
use axum::{
    Extension, Json,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;
use std::{num::NonZeroU32, time::Duration};
use tradewind_api::v1::{
    Acknowledge, Acknowledged, Judgement, Page, Preview, Promote, PromoteWave, Reason, RollbackRequest, Rollout,
    RolloutKind, SetShare, StartRollout,
};
use tradewind_control::{
    judging,
    rollouts::{
        intervene,
        preview::{self, Wish},
        request, rollback, view,
    },
};
use tradewind_model::{
    access::Action,
    fault::{Fault, Lang},
    id::{EnvName, RolloutId, ServiceName},
    rollout::plan::Kind,
};

const READ: Permission = Permission::May(Action::Read);
const DEPLOY: Permission = Permission::May(Action::Deploy);
const REVERT: Permission = Permission::May(Action::Revert);
const STEER: Permission = Permission::May(Action::Steer);
const QUEUED: &str = "Accepted; it goes on by itself";

/// What other servers commit is seen no later than this.
const TICK: Duration = Duration::from_secs(1);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/services/{service}/rollouts", READ, "list_rollouts", list)
            .about("Rollouts", "Rollouts of a service, newest first")
            .query("env", "string", "Only to this environment")
            .answers_page_of::<Rollout>(),
        Route::post("/api/v1/services/{service}/rollouts", DEPLOY, "start_rollout", start)
            .about("Rollouts", "Deploy a release to an environment, behind what is under way there")
            .body::<StartRollout>()
            .answers::<Rollout>()
            .status(201, QUEUED),
        Route::get("/api/v1/services/{service}/plan", READ, "plan_rollout", plan)
            .about("Rollouts", "What a rollout, promotion or rollback would do; nothing is made")
            .required_query("env", "string", "Where to")
            .query("release", "string", "Label or digest; of a rollback it may be left out")
            .query("from", "string", "A promotion: what is live in this environment")
            .query("kind", "string", "`normal` (when left out), `hotfix` or `rollback`")
            .answers::<Preview>(),
        Route::post("/api/v1/services/{service}/rollback", REVERT, "rollback", roll_back)
            .about("Rollouts", "Go back: ahead of queue and freeze")
            .urgent()
            .body::<RollbackRequest>()
            .answers::<Rollout>()
            .status(201, QUEUED),
        Route::post("/api/v1/services/{service}/promote", DEPLOY, "promote", promote)
            .about("Rollouts", "Move what is live in one environment on to another")
            .body::<Promote>()
            .answers::<Rollout>()
            .status(201, QUEUED),
        Route::post("/api/v1/services/{service}/acknowledge", DEPLOY, "acknowledge", acknowledge)
            .about("Rollouts", "Open a queue again that a failure closed")
            .body::<Acknowledge>()
            .answers::<Acknowledged>(),
        Route::get("/api/v1/rollouts/{rollout}", READ, "get_rollout", show)
            .about("Rollouts", "A rollout: its plan, where it stands and why, and what happened")
            .answers::<Rollout>(),
        Route::get("/api/v1/rollouts/{rollout}/follow", READ, "follow_rollout", follow)
            .about("Rollouts", "The rollout each time it changed, beginning with how it stands, to its end")
            .streams::<Rollout>(),
        Route::get("/api/v1/rollouts/{rollout}/judgement", READ, "get_judgement", judgement)
            .about("Rollouts", "What a canary is judged by: rates, their ratio, and the evidence over time")
            .answers::<Judgement>(),
        Route::get("/api/v1/rollouts/{rollout}/judgement.svg", READ, "draw_judgement", drawn)
            .about("Rollouts", "The evidence over time as a picture")
            .gives_text("image/svg+xml"),
        Route::post("/api/v1/rollouts/{rollout}/promote", STEER, "promote_wave", promote_wave)
            .about("Rollouts", "Let the wave that is being judged go on without further evidence")
            .body::<PromoteWave>()
            .answers::<Rollout>(),
        Route::post("/api/v1/rollouts/{rollout}/share", STEER, "set_share", set_share)
            .about("Rollouts", "Give the wave that is being judged another share of the traffic, more or less")
            .body::<SetShare>()
            .answers::<Rollout>(),
        Route::post("/api/v1/rollouts/{rollout}/pause", REVERT, "pause_rollout", pause)
            .about("Rollouts", "Begin no further wave until it is resumed; failures still turn it round")
            .body::<Reason>()
            .answers::<Rollout>(),
        Route::post("/api/v1/rollouts/{rollout}/resume", DEPLOY, "resume_rollout", resume)
            .about("Rollouts", "Let a paused rollout go on")
            .body::<Reason>()
            .answers::<Rollout>(),
        Route::post("/api/v1/rollouts/{rollout}/abort", REVERT, "abort_rollout", abort)
            .about("Rollouts", "Return every site it touched to its own previous revision")
            .urgent()
            .body::<Reason>()
            .answers::<Rollout>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    env: Option<EnvName>,
    after: Option<String>,
    limit: Option<u32>,
}

async fn list(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(q): Query<ListQuery>,
) -> Answer<Page<Rollout>> {
    let page = PageQuery::new(q.after, q.limit);
    Ok(Json(view::list(&app.ctx, &service, q.env.as_ref(), page.cursor()?, page.limit(), info.lang).await?))
}

type Created = Result<(StatusCode, Json<Rollout>), Refusal>;

async fn created(app: &App, id: RolloutId, lang: Lang) -> Created {
    Ok((StatusCode::CREATED, Json(view::show(&app.ctx, id, lang).await?)))
}

async fn start(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(asked): Body<StartRollout>,
) -> Created {
    let kind = match asked.kind {
        RolloutKind::Normal => Kind::Normal,
        RolloutKind::Hotfix => Kind::Hotfix,
        RolloutKind::Rollback | RolloutKind::Drill => return Err(Fault::new(&faults::OTHER_VERB).into()),
    };
    let wish = request::Wish { note: asked.note, ticket: asked.ticket };
    let id = request::deploy(&app.ctx, &service, &asked.env, &asked.release, kind, &wish, &by).await?;
    created(&app, id, info.lang).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanQuery {
    env: EnvName,
    release: Option<String>,
    from: Option<EnvName>,
    #[serde(default)]
    kind: RolloutKind,
}

async fn plan(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(q): Query<PlanQuery>,
) -> Answer<Preview> {
    let wish = match (q.kind, q.release.as_deref(), &q.from) {
        (RolloutKind::Rollback, to, None) => Wish::Back { to },
        (RolloutKind::Normal, None, Some(from)) => Wish::Promotion { from },
        (kind @ (RolloutKind::Normal | RolloutKind::Hotfix), Some(name), None) => {
            Wish::Release { name, hotfix: kind == RolloutKind::Hotfix }
        }
        (RolloutKind::Drill, _, _) => return Err(Fault::new(&faults::OTHER_VERB).into()),
        (RolloutKind::Normal | RolloutKind::Hotfix | RolloutKind::Rollback, _, _) => {
            let detail = "`release` or `from` says what; a rollback and a hotfix take no `from`";
            return Err(Fault::new(&faults::BAD_PARAMETER).with("detail", detail).into());
        }
    };
    Ok(Json(preview::preview(&app.ctx, &service, &q.env, wish, &by, info.lang).await?))
}

async fn roll_back(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(asked): Body<RollbackRequest>,
) -> Created {
    let to = asked.to.as_deref();
    let id = rollback::rollback(&app.ctx, &service, &asked.env, to, &asked.reason, &by).await?;
    created(&app, id, info.lang).await
}

async fn promote(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(asked): Body<Promote>,
) -> Created {
    let wish = request::Wish { note: asked.note, ticket: asked.ticket };
    let id = request::promote(&app.ctx, &service, &asked.from, &asked.to, &wish, &by).await?;
    created(&app, id, info.lang).await
}

async fn acknowledge(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(service): Params<ServiceName>,
    Body(asked): Body<Acknowledge>,
) -> Answer<Acknowledged> {
    let released = intervene::acknowledge(&app.ctx, &service, &asked.env, &asked.note, &by).await?;
    Ok(Json(Acknowledged { env: asked.env, released }))
}

async fn show(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
) -> Answer<Rollout> {
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

async fn judgement(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
) -> Answer<Judgement> {
    Ok(Json(judging::view::show(&app.ctx, id, info.lang).await?))
}

async fn drawn(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
) -> Result<Response, Refusal> {
    let svg = judging::view::picture(&app.ctx, id, info.lang).await?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

async fn promote_wave(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<PromoteWave>,
) -> Answer<Rollout> {
    intervene::promote(&app.ctx, id, index(asked.wave), &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

async fn set_share(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<SetShare>,
) -> Answer<Rollout> {
    intervene::set_share(&app.ctx, id, index(asked.wave), asked.share, &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

/// People count waves from 1.
fn index(wave: NonZeroU32) -> usize {
    usize::try_from(wave.get() - 1).unwrap_or(usize::MAX)
}

async fn pause(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<Reason>,
) -> Answer<Rollout> {
    intervene::pause(&app.ctx, id, &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

async fn resume(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<Reason>,
) -> Answer<Rollout> {
    intervene::resume(&app.ctx, id, &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

async fn abort(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
    Body(asked): Body<Reason>,
) -> Answer<Rollout> {
    intervene::abort(&app.ctx, id, &asked.reason, &by).await?;
    Ok(Json(view::show(&app.ctx, id, info.lang).await?))
}

async fn follow(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RolloutId>,
) -> Result<Response, Refusal> {
    view::show(&app.ctx, id, info.lang).await?;
    let stop = app.stop.clone();
    let commits = app.store.commits();
    let follower = Follower { app, info, id, commits, told: None };
    Ok(sse::respond(stream::unfold(Some(follower), Follower::next), stop))
}

struct Follower {
    app: App,
    info: RequestInfo,
    id: RolloutId,
    commits: tokio::sync::watch::Receiver<u64>,
    told: Option<Rollout>,
}

impl Follower {
    async fn next(this: Option<Self>) -> Option<(Update<Rollout>, Option<Self>)> {
        let mut this = this?;
        if this.told.as_ref().is_some_and(|r| r.phase.is_finished()) {
            return Some((Update::End, None));
        }
        loop {
            this.commits.borrow_and_update();
            match view::show(&this.app.ctx, this.id, this.info.lang).await {
                Ok(rollout) if this.told.as_ref() != Some(&rollout) => {
                    this.told = Some(rollout.clone());
                    return Some((Update::Data { id: None, data: rollout }, Some(this)));
                }
                Ok(_) => {}
                Err(e) => {
                    let problem = Refusal::from(e).problem(this.info.lang, &this.info.id);
                    return Some((Update::Problem(Box::new(problem)), None));
                }
            }
            tokio::select! {
                _ = this.commits.changed() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }
}

//! `/git/{service}.git/…`: smart HTTP only.

use super::{
    backend::{self, Orphan},
    push::Push,
    repo::MAIL_HOST,
    wire,
};
use crate::{
    App,
    auth::{Caller, Scoped},
    faults,
    http::{Params, Permission, Query, Refusal, Route, layers::RequestInfo},
};
use axum::{Extension, extract::Request, response::Response};
use serde::Deserialize;
use std::ffi::OsString;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    access::{Action, Subject},
    event::Actor,
    fault::Fault,
    id::{OrgName, ServiceName},
};

/// `no`: the pusher follows the runs by itself and wants no lines about them.
const FOLLOW: &str = "tradewind-follow";
const RECEIVE: &str = "git-receive-pack";
const UPLOAD: &str = "git-upload-pack";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/git/{repository}/info/refs", Permission::Git(Action::Read), "git_refs", refs)
            .about("Git", "The refs of a repository; for `git-receive-pack` whoever may push")
            .required_query("service", "string", "`git-upload-pack` or `git-receive-pack`")
            .gives_bytes("application/octet-stream"),
        Route::post("/git/{repository}/git-upload-pack", Permission::Git(Action::Read), "git_upload_pack", upload)
            .about("Git", "Fetch and clone")
            .takes_bytes("application/x-git-upload-pack-request")
            .gives_bytes("application/x-git-upload-pack-result"),
        Route::post("/git/{repository}/git-receive-pack", Permission::Git(Action::Push), "git_receive_pack", receive)
            .about("Git", "Push: the spec is checked, the refs move, the runs start, and their progress is the answer")
            .takes_bytes("application/x-git-receive-pack-request")
            .gives_bytes("application/x-git-receive-pack-result"),
    ]
}

#[derive(Deserialize)]
struct RefsQuery {
    service: String,
}

async fn refs(
    Scoped(app): Scoped,
    caller: Caller,
    Extension(info): Extension<RequestInfo>,
    Params(repository): Params<String>,
    Query(q): Query<RefsQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let service = named(&repository)?;
    match q.service.as_str() {
        // The first push has to find refs to talk about. The service itself is made when a spec was accepted.
        RECEIVE => {
            ours(&caller, &service)?;
            caller.allow(Action::Push, &Subject::service(service.clone()))?;
            app.git.repos.ensure(&service).await?;
        }
        UPLOAD => known(&app, &caller, &service)?,
        other => {
            let detail = format!("service={}: dumb HTTP is not spoken", other.escape_debug());
            return Err(Fault::new(&faults::BAD_PARAMETER).with("detail", detail).into());
        }
    }
    exchange(&app, caller, info, service, "info/refs", request).await
}

async fn upload(
    Scoped(app): Scoped,
    caller: Caller,
    Extension(info): Extension<RequestInfo>,
    Params(repository): Params<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let service = named(&repository)?;
    known(&app, &caller, &service)?;
    exchange(&app, caller, info, service, UPLOAD, request).await
}

async fn receive(
    Scoped(app): Scoped,
    caller: Caller,
    Extension(info): Extension<RequestInfo>,
    Params(repository): Params<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let service = named(&repository)?;
    ours(&caller, &service)?;
    app.git.repos.ensure(&service).await?;
    exchange(&app, caller, info, service, RECEIVE, request).await
}

/// `shop.git`, or `shop`.
fn named(repository: &str) -> Result<ServiceName, Fault> {
    let name = repository.strip_suffix(".git").unwrap_or(repository);
    name.parse().map_err(|e| Fault::new(&faults::BAD_PARAMETER).with("detail", e))
}

/// Repositories are one organisation's until there are more: to any other there are none.
fn ours(caller: &Caller, service: &ServiceName) -> Result<(), Fault> {
    if caller.org == OrgName::default_org() {
        return Ok(());
    }
    Err(Fault::new(&faults::NOT_A_REPOSITORY).with("service", service))
}

fn known(app: &App, caller: &Caller, service: &ServiceName) -> Result<(), Fault> {
    ours(caller, service)?;
    if app.git.repos.exists(service) {
        return Ok(());
    }
    Err(Fault::new(&faults::NOT_A_REPOSITORY).with("service", service))
}

async fn exchange(
    app: &App,
    caller: Caller,
    info: RequestInfo,
    service: ServiceName,
    what: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let gone = CancellationToken::new();
    let user = caller.name.clone();
    let mail = mail_of(&caller);
    let path = format!("/{service}.git/{what}");
    let follow = request.headers().get(FOLLOW).is_none_or(|v| v != "no");
    let push = Push { service, caller, lang: info.lang, follow, request: info.id, gone: gone.clone() };
    let listed = app.git.pushes.begin(push).map_err(Refusal::internal)?;
    let env = vec![
        (wire::EXE_VAR, app.git.exe.clone().into_os_string()),
        (wire::SOCKET_VAR, app.git.socket.clone().into_os_string()),
        (wire::PUSH_VAR, OsString::from(&listed.key)),
    ];
    let orphan = if what == RECEIVE { Orphan::Finishes } else { Orphan::Ends };
    let call = backend::Call { path, user, mail, env, gone, orphan };
    let (parts, body) = request.into_parts();
    Ok(backend::serve(&app.git.repos, &app.tasks, &parts, body, call, listed).await?)
}

/// Whose rights a push was made with, for who finds its ref without a run.
fn mail_of(caller: &Caller) -> String {
    match caller.actor() {
        Actor::User { principal: Some(principal), .. } => format!("{principal}@{MAIL_HOST}"),
        Actor::User { principal: None, .. } | Actor::System { .. } | Actor::Agent { .. } => {
            format!("nobody@{MAIL_HOST}")
        }
    }
}

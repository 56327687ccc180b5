//! The agents' door: the stream they dial and keep open, and what they carry beside it.

mod bulk;
mod stream;

use crate::{
    App,
    auth::{Caller, Identity, permit::Ask},
    faults,
    http::{Permission, Refusal, Route},
};
use ::http::{HeaderValue, StatusCode, header};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper_util::rt::TokioIo;
use tradewind_model::{fault::Fault, id::HostId, protocol::agent::UPGRADE};

const HOST: Permission = Permission::Host;

pub fn routes() -> Vec<Route> {
    let dial = Route::get("/api/v1/agent/stream", HOST, "agent_stream", dial)
        .about("Agents", "Upgraded to `tradewind-agent/1`: one JSON value a line, both ways")
        .gives_bytes("application/x-ndjson")
        .status(101, "Upgraded");
    let mut all = vec![dial];
    all.extend(bulk::routes());
    all
}

/// The host a request comes from.
fn host_of(caller: &Caller) -> Result<HostId, Fault> {
    match caller.identity {
        Identity::Host(id) => Ok(id),
        Identity::Token(_) | Identity::Session(_) | Identity::Forge(_) => {
            Err(Fault::new(&faults::HOSTS_ONLY).with("name", &caller.name))
        }
    }
}

async fn dial(State(app): State<App>, caller: Caller, request: Request) -> Result<Response, Refusal> {
    let host = host_of(&caller)?;
    let wants = |name, value: &str| {
        let given = request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
        given.split(',').any(|v| v.trim().eq_ignore_ascii_case(value))
    };
    if !wants(header::UPGRADE, UPGRADE) || !wants(header::CONNECTION, "upgrade") {
        return Err(Fault::new(&faults::NO_UPGRADE).with("protocol", UPGRADE).into());
    }
    let still = Ask {
        permission: HOST,
        method: request.method().clone(),
        headers: request.headers().clone(),
        parts: Vec::new(),
    };
    let upgraded = hyper::upgrade::on(request);
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        match upgraded.await {
            Ok(socket) => {
                let (name, stop) = (caller.name, app.stop.clone());
                tracing::info!(host = name, "agent connected");
                tokio::select! {
                    ended = stream::serve(&app.ctx, host, TokioIo::new(socket)) => match ended {
                        Ok(()) => tracing::info!(host = name, "agent disconnected"),
                        Err(error) => tracing::warn!(host = name, %error, "agent disconnected"),
                    },
                    () = stop.cancelled() => {}
                    () = still.until_refused(app.clone()) => tracing::warn!(host = name, "agent's key was replaced"),
                }
            }
            Err(error) => tracing::warn!(host = caller.name, %error, "agent's connection was not upgraded"),
        }
    });
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static(UPGRADE));
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    Ok(answer)
}

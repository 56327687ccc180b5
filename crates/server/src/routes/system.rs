use crate::{
    App,
    http::{Answer, Permission, Route, openapi},
};
use ::http::header;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::json;
use std::sync::LazyLock;
use tradewind_api::v1::{HealthReport, Version};
use tradewind_model::protocol::agent;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Permission::Public, "health", health)
            .about("System", "Whether the server and its store answer")
            .answers::<HealthReport>(),
        Route::get("/api/v1/version", Permission::Public, "version", version)
            .about("System", "Versions of the program and its protocols")
            .answers::<Version>(),
        Route::get("/api/v1/openapi.json", Permission::Public, "openapi", document)
            .about("System", "This document")
            .gives_json(json!({ "type": "object" })),
    ]
}

async fn health(State(app): State<App>) -> Answer<HealthReport> {
    app.store.read().await?;
    Ok(Json(HealthReport { ok: true }))
}

async fn version() -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION").into(), api: 1, agent_protocol: agent::VERSION })
}

async fn document() -> Response {
    static TEXT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec_pretty(&openapi::document(&super::all())).unwrap_or_default().into());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone()).into_response()
}

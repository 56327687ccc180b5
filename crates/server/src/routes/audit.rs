//! What proves the event log, for who does not take the server's word.

use super::{events::chosen, export};
use crate::{
    App,
    auth::{Caller, Scoped},
    http::{
        Answer, Body, PageQuery, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
};
use ::http::{StatusCode, request::Parts};
use axum::{Extension, Json, extract::FromRequestParts, response::Response};
use serde::Deserialize;
use tradewind_api::v1::{AuditKey, AuditReport, AuditStatus, Checkpoint, Page, Reason, Time};
use tradewind_audit::line;
use tradewind_control::{
    audit::verify::{self, Against},
    ctx::not_allowed,
};
use tradewind_model::{
    access::{Action, Refused, Subject},
    id::{EnvName, OrgName, ServiceName},
};
use tradewind_store::{events, rows};

const READ: Permission = Permission::May(Action::ReadAudit);
const SYSTEM: Permission = Permission::May(Action::System);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/audit/status", READ, "audit_status", status)
            .about("Audit", "Where the chain and its last checkpoint are, which key signs, and where checkpoints go")
            .answers::<AuditStatus>(),
        Route::get("/api/v1/audit/verify", READ, "verify_audit", verify)
            .about("Audit", "Read the whole chain, hold it against every stored checkpoint, and name the first thing that does not fit")
            .answers::<AuditReport>(),
        Route::get("/api/v1/audit/chain", READ, "audit_chain", chain)
            .about("Audit", "Every event behind `after` as a line of JSON, for who verifies by themselves; a line with a checkpoint stands first where earlier events were pruned")
            .query("after", "integer", "Begin behind this number; from the first event on when left out")
            .gives_bytes("application/x-ndjson"),
        chosen(Route::get("/api/v1/audit/export", READ, "export_audit", export))
            .about("Audit", "Events that fit, oldest first, for archives and spreadsheets: any number, as they come")
            .query("format", "string", "`jsonl` (the default): a line of JSON each, as they are stored; `csv`: for spreadsheets, without formulas and control characters")
            .query("after", "integer", "Begin behind this number")
            .gives_bytes("application/x-ndjson"),
        Route::get("/api/v1/audit/checkpoints", READ, "list_checkpoints", checkpoints)
            .about("Audit", "Signed checkpoints, newest first")
            .answers_page_of::<Checkpoint>(),
        Route::post("/api/v1/audit/checkpoints", SYSTEM, "make_checkpoint", make)
            .about("Audit", "Sign where the chain is now, before it is time to; the last checkpoint where nothing was sealed since")
            .body::<Reason>()
            .answers::<Option<Checkpoint>>(),
        Route::get("/api/v1/audit/keys", READ, "list_audit_keys", keys)
            .about("Audit", "Public keys that sign checkpoints, or did, oldest first")
            .answers_page_of::<AuditKey>(),
        Route::post("/api/v1/audit/keys", SYSTEM, "replace_audit_key", replace)
            .about("Audit", "Sign with a new key from now on, introduced by the old one")
            .body::<Reason>()
            .answers::<AuditKey>()
            .status(201, "Made; what the old key signed stays good"),
    ]
}

/// Whoever may read every event of the organisation: of a chain, a part is worth nothing.
struct Auditor(App);

impl FromRequestParts<App> for Auditor {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.allow(Action::ReadAudit, &Subject::ORGANISATION)?;
        let Scoped(app) = Scoped::from_request_parts(parts, app).await?;
        Ok(Self(app))
    }
}

/// One chain and one key serve every organisation: only the installation's own may decide about them.
pub(super) fn of_the_installation(caller: &Caller) -> Result<(), Refusal> {
    caller.allow(Action::System, &Subject::ORGANISATION)?;
    if caller.org == OrgName::default_org() {
        return Ok(());
    }
    let (action, subject) = (Action::System, &Subject::ORGANISATION);
    Err(not_allowed(&caller.name, action, subject, Refused::Role).into())
}

async fn status(Auditor(app): Auditor) -> Answer<AuditStatus> {
    Ok(Json(app.audit.status().await?))
}

async fn verify(Auditor(app): Auditor, Extension(info): Extension<RequestInfo>) -> Answer<AuditReport> {
    let against = Against { roots: vec![app.audit.verifier()], kept: Vec::new() };
    Ok(Json(verify::verify(&app.store, &against, info.lang).await?))
}

async fn checkpoints(Auditor(app): Auditor, Query(page): Query<PageQuery>) -> Answer<Page<Checkpoint>> {
    let below = page.cursor::<u64>()?.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let items = app.audit.checkpoints(below, page.limit()).await?;
    let next = (items.len() == page.limit() as usize).then(|| items.last().map(|c| c.seq.to_string())).flatten();
    Ok(Json(Page { items, next }))
}

async fn make(caller: Caller, Scoped(app): Scoped, Body(_): Body<Reason>) -> Answer<Option<Checkpoint>> {
    of_the_installation(&caller)?;
    Ok(Json(app.audit.checkpoint().await?))
}

async fn keys(Auditor(app): Auditor) -> Answer<Page<AuditKey>> {
    Ok(Json(Page::whole(app.audit.keys().await?)))
}

async fn replace(
    caller: Caller,
    Scoped(app): Scoped,
    Asked(by): Asked,
    Body(_): Body<Reason>,
) -> Result<(StatusCode, Json<AuditKey>), Refusal> {
    of_the_installation(&caller)?;
    Ok((StatusCode::CREATED, Json(app.audit.replace_key(&by).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    #[serde(default)]
    format: export::Form,
    service: Option<ServiceName>,
    env: Option<EnvName>,
    kind: Option<String>,
    actor: Option<String>,
    subject: Option<String>,
    since: Option<Time>,
    until: Option<Time>,
    after: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainQuery {
    after: Option<i64>,
}

async fn chain(Auditor(app): Auditor, Query(q): Query<ChainQuery>) -> Result<Response, Refusal> {
    let mut r = app.store.read().await?;
    let anchor = rows::audit::anchor(&mut r).await?.mark.seq;
    let from = q.after.unwrap_or(0).max(0);
    let mut head = String::new();
    if anchor > from {
        let begins = rows::audit::after(&mut r, anchor - 1, 1).await?;
        head.extend(begins.iter().map(|kept| line::checkpoint(&kept.note) + "\n"));
    }
    drop(r);
    Ok(export::respond(&app, head, from.max(anchor), export::Source::Chain, export::Form::Jsonl))
}

async fn export(Auditor(app): Auditor, Query(q): Query<ExportQuery>) -> Result<Response, Refusal> {
    let ExportQuery { format, service, env, kind, actor, subject, since, until, after } = q;
    let filter =
        events::Filter { service, env, kind, actor, subject, since: since.map(|t| t.0), until: until.map(|t| t.0) };
    let head = match format {
        export::Form::Jsonl => String::new(),
        export::Form::Csv => tradewind_audit::csv::head(),
    };
    Ok(export::respond(&app, head, after.unwrap_or(0), export::Source::Chosen(filter), format))
}

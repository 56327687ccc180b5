//! A copy of everything, for who may run the installation. The keys are never in it.

use crate::{
    auth::{Caller, Scoped},
    backup,
    http::{Permission, Refusal, Route, layers::Asked},
    routes::audit::of_the_installation,
};
use ::http::{HeaderValue, header};
use axum::{body::Body, response::Response};
use tokio_stream::wrappers::ReceiverStream;
use tradewind_model::{access::Action, fault::Fault};
use tradewind_store::Backend;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/backup", Permission::May(Action::System), "make_backup", make)
            .about("System", "A backup of the whole control plane but for its keys, made while it works; an answer that breaks off is none")
            .gives_bytes("application/zstd"),
    ]
}

async fn make(caller: Caller, Scoped(app): Scoped, Asked(by): Asked) -> Result<Response, Refusal> {
    of_the_installation(&caller)?;
    // Beforehand: later it could only break off.
    if app.store.backend() != Backend::Sqlite {
        return Err(Fault::new(&backup::faults::POSTGRES).into());
    }
    let pieces = backup::stream(app.store.clone(), &app.config.data, &app.config.vault, by);
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(pieces)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zstd"));
    Ok(response)
}

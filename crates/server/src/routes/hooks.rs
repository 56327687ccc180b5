//! Where forges deliver. Nobody logs in here: what a delivery may do is decided by its signature alone.

use crate::{
    auth::Scoped,
    hooks::{BODY, BODY_TIME},
    http::{Params, Permission, Refusal, Route},
};
use ::http::{StatusCode, header};
use axum::{Json, body::Body, extract::Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;
use tradewind_api::v1::{HookAnswer, HookOutcome};
use tradewind_control::forges::{faults, intake};
use tradewind_forges::Head;
use tradewind_model::fault::Fault;

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/hooks/{hook}", Permission::Public, "deliver_hook", deliver)
            .about("Forges", "What a forge delivers to a service's webhook; let in by its signature or token alone")
            .takes_bytes("application/json")
            .answers::<HookAnswer>()
            .status(202, "Taken in; 200 where nothing follows from it"),
    ]
}

async fn deliver(
    Scoped(app): Scoped,
    Params(hook): Params<String>,
    request: Request,
) -> Result<(StatusCode, Json<HookAnswer>), Refusal> {
    let link = intake::find(&app.ctx, &hook).await?;
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|n| n > BODY as u64) {
        return Err(too_large().into());
    }
    let body = {
        let _place = app.hooks.enter(link.id).ok_or_else(|| Fault::new(&faults::BUSY))?;
        whole(body, BODY_TIME).await?
    };
    let head = Head::of(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let outcome = intake::receive(&app.ctx, &link, &head, &body, &app.hooks.refusals).await?;
    let status = match outcome {
        HookOutcome::Accepted => StatusCode::ACCEPTED,
        HookOutcome::Already | HookOutcome::Ignored | HookOutcome::Pong => StatusCode::OK,
    };
    Ok((status, Json(HookAnswer { outcome })))
}

fn too_large() -> Fault {
    Fault::new(&faults::BODY_TOO_LARGE).with("limit", BODY)
}

async fn whole(body: Body, time: Duration) -> Result<Bytes, Fault> {
    match tokio::time::timeout(time, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        // Nobody is there to be told anything else.
        Ok(Err(_)) | Err(_) => Err(Fault::new(&faults::BODY_TOO_SLOW)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};
    use std::convert::Infallible;

    #[tokio::test]
    async fn a_body_that_does_not_come_or_does_not_end_is_cut() {
        let drop = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        let slow = Body::from_stream(drop.chain(stream::pending()));
        let cut = whole(slow, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(cut.code.id, "TW-FORGE-013");
        // Whoever does not say how long it is may not send more either.
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        let endless = Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(piece.clone())));
        let cut = whole(endless, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(cut.code.id, "TW-FORGE-012");
    }
}

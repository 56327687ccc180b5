//! Events on their way in: unsealed, in the transaction of the state they tell of.

use tradewind_model::{event::NewEvent, id::EventId};

use super::envelope::actor_columns;
use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader as _, Tx},
    value::{Json, args},
};

statements! {
    INSERT quiet "the log itself" =
        "INSERT INTO events (org_id, id, at, kind, schema_version, actor_type, actor_name, subject, cause, service, env,
             before_json, after_json)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    FORGET quiet "told before" = "DELETE FROM events WHERE seq <= $1";
}

pub(crate) async fn insert(tx: &mut Tx, e: NewEvent) -> Result<EventId> {
    let id = EventId::at(tx.now());
    let (actor_type, actor_name) = actor_columns(&e.actor);
    let args = args![
        tx.org(),
        id,
        tx.now(),
        e.kind,
        e.schema,
        actor_type,
        actor_name,
        e.subject,
        e.cause,
        e.service,
        e.env,
        e.before.as_ref().map(Json::of),
        e.after.as_ref().map(Json::of),
    ];
    tx.execute(&INSERT, args).await?;
    Ok(id)
}

/// Takes away the beginning of the chain. Only [`rows::audit::cut`](crate::rows::audit::cut) may.
pub(crate) async fn forget(tx: &mut Tx, until: i64) -> Result<u64> {
    tx.execute(&FORGET, args![until]).await
}

//! Rollout facts for the event log.

use tradewind_model::{event::NewEvent, rollout::effect::Happened};
use tradewind_store::rows::rollouts::Rollout;

use crate::ctx::Asker;

pub fn about(rollout: &Rollout, kind: &str, by: &Asker, after: serde_json::Value) -> NewEvent {
    NewEvent {
        kind: kind.into(),
        schema: 1,
        actor: by.actor.clone(),
        subject: format!("rollout/{}", rollout.id),
        cause: by.cause.clone(),
        service: Some(rollout.service.to_string()),
        env: Some(rollout.env.to_string()),
        before: None,
        after: Some(after),
    }
}

pub fn happened(rollout: &Rollout, what: &Happened, label: &str) -> NewEvent {
    let mut after = serde_json::to_value(what).unwrap_or_default();
    if let Some(fields) = after.as_object_mut() {
        fields.remove("type");
        fields.insert("release".into(), label.into());
    }
    about(rollout, what.kind(), &Asker::system("rollout"), after)
}

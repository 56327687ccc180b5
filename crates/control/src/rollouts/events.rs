//! Rollout facts for the event log.

use tradewind_model::{event::NewEvent, rollout::effect::Happened};
use tradewind_store::rows::rollouts::Rollout;

use crate::{ctx::Asker, judging::fold::Fold};

pub fn about(rollout: &Rollout, kind: &str, by: &Asker, after: serde_json::Value) -> NewEvent {
    NewEvent {
        service: Some(rollout.service.to_string()),
        env: Some(rollout.env.to_string()),
        after: Some(after),
        ..by.event(kind, format!("rollout/{}", rollout.id))
    }
}

/// What was decided on evidence carries it.
pub fn happened(rollout: &Rollout, what: &Happened, label: &str, judge: Option<&Fold>) -> NewEvent {
    let mut after = serde_json::to_value(what).unwrap_or_default();
    if let Some(fields) = after.as_object_mut() {
        fields.remove("type");
        fields.insert("release".into(), label.into());
        if let Some(fold) = judge.filter(|_| decides(what)) {
            let brief = fold.brief();
            let [canary, baseline] = fold.traffic();
            let evidence = serde_json::json!({
                "verdict": brief.verdict, "e": brief.e, "promotion": brief.promotion, "seconds": fold.now(),
                "canary": { "requests": canary.requests, "failed": canary.failed },
                "baseline": { "requests": baseline.requests, "failed": baseline.failed },
            });
            fields.insert("evidence".into(), evidence);
        }
    }
    about(rollout, what.kind(), &Asker::system("rollout"), after)
}

fn decides(what: &Happened) -> bool {
    match what {
        Happened::Promoted { .. } | Happened::Asks { .. } | Happened::WentOn { .. } | Happened::Returning { .. } => {
            true
        }
        Happened::WaveStarted { .. }
        | Happened::InstancesReady { .. }
        | Happened::TrafficMoved { .. }
        | Happened::ChangesWhole { .. }
        | Happened::ShardsMoved { .. }
        | Happened::Verified { .. }
        | Happened::WaveFinished { .. }
        | Happened::WaveSkipped { .. }
        | Happened::TrafficReturned { .. }
        | Happened::SiteReturned { .. }
        | Happened::Finished { .. } => false,
    }
}

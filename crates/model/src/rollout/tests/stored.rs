//! Plans and states as the version before wrote them: a rollout goes on under the next one.

use super::{
    super::{
        desired::PlaceDesired,
        plan::Plan,
        state::{Phase, State, Step},
    },
    story::{Story, new, old, request, site},
};
use crate::{protocol::edge::FULL_SHARE, time::Timestamp};

const PLAN: &str = r#"{
    "kind": "normal", "service_kind": "web", "strategy": { "type": "rolling", "max_surge": 2 }, "flow": "overlapping",
    "sites": [{
        "site": "default", "from": "01900000-0000-7000-8000-000000000001", "from_label": "v1", "from_half_made": false,
        "to": "01900000-0000-7000-8000-000000000002", "to_label": "v2", "instances": 4
    }],
    "waves": [
        { "site": "default", "share": 5000, "instances": 2 },
        { "site": "default", "share": 10000, "instances": 4 }
    ],
    "parallel": false,
    "timing": {
        "start_ms": 60000, "shift_ms": 30000, "verify_ms": 30000, "soak_ms": 5000, "degraded_ms": 10000, "warm_ms": 900000,
        "pause_ms": 30000
    },
    "verify": true, "freeze_queue_on_failure": true
}"#;

const STATE: &str = r#"{
    "phase": "running", "wave": 1, "paused": false, "reason": null, "abort": null,
    "sites": { "default": {
        "step": { "type": "starting", "since": 3600000000000 },
        "wave": 1, "touched": true, "shifted": true, "old_stopped": false, "held": false, "verify_attempt": 0,
        "degraded_since": null, "remark": null
    } },
    "away_since": null, "started_at": 3600000000000
}"#;

const PLACE: &str = r#"{
    "instances": [
        { "id": "01900000-0000-7000-8000-0000000000a1", "revision": "01900000-0000-7000-8000-000000000001",
          "ordinal": 0, "phase": "run", "retire_at": null },
        { "id": "01900000-0000-7000-8000-0000000000a2", "revision": "01900000-0000-7000-8000-000000000001",
          "ordinal": 1, "phase": "run", "retire_at": null },
        { "id": "01900000-0000-7000-8000-0000000000b1", "revision": "01900000-0000-7000-8000-000000000002",
          "ordinal": 0, "phase": "run", "retire_at": null },
        { "id": "01900000-0000-7000-8000-0000000000b2", "revision": "01900000-0000-7000-8000-000000000002",
          "ordinal": 1, "phase": "run", "retire_at": null },
        { "id": "01900000-0000-7000-8000-0000000000b3", "revision": "01900000-0000-7000-8000-000000000002",
          "ordinal": 2, "phase": "run", "retire_at": null },
        { "id": "01900000-0000-7000-8000-0000000000b4", "revision": "01900000-0000-7000-8000-000000000002",
          "ordinal": 3, "phase": "run", "retire_at": null }
    ],
    "route": { "version": 7, "mode": { "type": "serve" }, "splits": [
        ["01900000-0000-7000-8000-000000000002", 5000], ["01900000-0000-7000-8000-000000000001", 5000]
    ] }
}"#;

#[test]
fn a_rollout_under_way_goes_on_under_the_next_version() {
    let plan: Plan = serde_json::from_str(PLAN).unwrap();
    let state: State = serde_json::from_str(STATE).unwrap();
    assert_eq!((&plan.judging, plan.limits, plan.timing.watch_ms, plan.timing.lease_ms), (&None, None, 0, 600_000));
    let mut s = Story::begin(request());
    (s.plan, s.state) = (plan, state);
    s.places.insert(site("default"), serde_json::from_str::<PlaceDesired>(PLACE).unwrap());
    assert!(matches!(s.step(), Step::Starting { since } if since == Timestamp(3_600_000_000_000)));
    s.after(1).after(5);
    assert_eq!((s.state.phase, s.share("default", new())), (Phase::Completed, FULL_SHARE));
    assert!(!s.told().contains(&"asks") && !s.on_trial("default"));
}

#[test]
fn a_rollout_under_way_is_taken_back_under_the_next_version() {
    let mut s = Story::begin(request());
    (s.plan, s.state) = (serde_json::from_str(PLAN).unwrap(), serde_json::from_str(STATE).unwrap());
    s.places.insert(site("default"), serde_json::from_str::<PlaceDesired>(PLACE).unwrap());
    s.state.request_abort("lin", "wrong day", s.now);
    s.settle();
    s.assert_returned();
    assert_eq!(s.share("default", old()), FULL_SHARE);
}

/// What is written now is read again, in every step a canary can be in.
#[test]
fn what_is_kept_is_what_was_decided() {
    let mut s = Story::begin(request());
    for _ in 0..4_000 {
        let (plan, state) = (serde_json::to_string(&s.plan).unwrap(), serde_json::to_string(&s.state).unwrap());
        assert_eq!(serde_json::from_str::<Plan>(&plan).unwrap(), s.plan);
        assert_eq!(serde_json::from_str::<State>(&state).unwrap(), s.state);
        s.judged.insert(site("default"), super::story::judged(s.state.wave, super::super::judging::Verdict::Better));
        s.now = s.now.plus(std::time::Duration::from_secs(1));
        s.decide();
    }
    assert_eq!(s.state.phase, Phase::Completed);
}

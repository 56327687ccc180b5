//! What the server would answer.

use serde_json::json;
use tradewind_api::v1::*;

pub const RUN: &str = "0193a1b2-0000-7000-8000-000000000001";
pub const ROLLOUT: &str = "0193a1b2-0000-7000-8000-000000000002";

/// The digest of release `vN` is N repeated.
pub fn release_ref(label: &str) -> ReleaseRef {
    let digit = label.trim_start_matches('v').chars().next().unwrap();
    ReleaseRef { label: label.into(), digest: format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap() }
}

pub fn time(clock: &str) -> Time {
    serde_json::from_value(json!(format!("2026-11-11T{clock}Z"))).unwrap()
}

pub fn service() -> Service {
    serde_json::from_value(json!({
        "name": "shop", "kind": "web", "git_path": "/git/shop.git",
        "created_at": "2026-11-10T00:10:00Z", "created_by": "li.wei@laptop", "owner": "order-team",
        "environments": [
            { "name": "staging", "branch": "develop", "sites": ["default"], "frozen": null },
            { "name": "production", "branch": "main", "sites": ["shopee-br", "amazon-us"],
              "frozen": { "since": "2026-11-11T00:05:00Z", "reason": "v4 never became ready", "rollout": ROLLOUT } }
        ]
    }))
    .unwrap()
}

pub fn rollout(phase: RolloutPhase) -> Rollout {
    let at = |clock: &str| format!("2026-11-11T{clock}Z");
    let mut r: Rollout = serde_json::from_value(json!({
        "id": ROLLOUT, "service": "shop", "env": "production", "kind": "rollback",
        "from": release_ref("v3"), "to": release_ref("v2"), "strategy": "blue_green", "phase": "running",
        "reason": null, "note": "orders arrive twice", "ticket": null, "requested_by": "li.wei@laptop",
        "created_at": at("00:09:00.000"), "started_at": at("00:09:00.004"), "finished_at": null, "queue_position": null,
        "waves": [{ "number": 1, "steps": [{ "site": "default", "share": 10000 }], "started_at": at("00:09:00.004"), "finished_at": null }],
        "sites": [{ "site": "default", "phase": "shifting", "share": 0, "from": release_ref("v3"), "to": release_ref("v2"),
                    "instances_ready": 2, "instances_wanted": 2, "reason": null }],
        "timeline": [{ "at": at("00:09:00.004"), "kind": "rollout.started", "site": null, "text": "started" }],
        "verification": null
    }))
    .unwrap();
    if phase != RolloutPhase::Running {
        r.timeline.push(entry("00:09:00.087", "rollout.traffic_moved", "traffic is on v2"));
        r.timeline.push(entry("00:09:01.250", "rollout.finished", "it has ended"));
        r.sites[0].share = 10_000;
        r.sites[0].phase = SitePhase::Done;
        r.verification = serde_json::from_value(json!({ "passed": true, "checks": [
            { "what": "instance 0193a1b2", "passed": true, "took_ms": 3, "detail": "200" },
            { "what": "edge shop.example.com/healthz", "passed": true, "took_ms": 4, "detail": "200 from v2" } ] }))
        .unwrap();
        r.finished_at = Some(time("00:09:01.250"));
    }
    r.phase = phase;
    r
}

pub fn entry(clock: &str, kind: &str, text: &str) -> TimelineEntry {
    TimelineEntry { at: time(clock), kind: kind.into(), site: None, wave: None, share: None, text: text.into() }
}

pub fn job(name: &str, state: JobState) -> Job {
    let n = name.len();
    serde_json::from_value(json!({
        "id": format!("0193a1b2-0000-7000-8000-0000000001{n:02}"), "name": name, "stage": "test", "kind": "script",
        "state": state, "allow_failure": false, "started_at": "2026-11-11T00:08:00Z",
        "finished_at": state.is_finished().then_some("2026-11-11T00:08:03.200Z"),
        "exit_code": (state == JobState::Failed).then_some(2), "message": null, "log_bytes": 12
    }))
    .unwrap()
}

pub fn run(state: RunState) -> Run {
    serde_json::from_value(json!({
        "id": RUN, "service": "shop", "number": 12, "commit": "6c1f0b1f4f3a4d1e9c0a7b2d5e8f90123456789a", "branch": "main",
        "title": "Count stock per warehouse", "env": "production", "state": state, "reason": null,
        "requested_by": "li.wei@laptop", "created_at": "2026-11-11T00:07:59Z", "started_at": "2026-11-11T00:08:00Z",
        "finished_at": state.is_finished().then_some("2026-11-11T00:08:12.100Z"),
        "jobs": [job("lint", JobState::Success), job("unit tests", if state == RunState::Failed { JobState::Failed } else { JobState::Success })],
        "release": state.is_success().then(|| release_ref("v4")), "rollout": state.is_success().then_some(ROLLOUT)
    }))
    .unwrap()
}

pub fn release(label: &str, live_in: &[&str]) -> Release {
    serde_json::from_value(json!({
        "label": label, "digest": release_ref(label).digest, "service": "shop",
        "commit": "6c1f0b1f4f3a4d1e9c0a7b2d5e8f90123456789a", "title": "Count stock per warehouse", "run": RUN,
        "created_at": "2026-11-11T00:08:12Z", "created_by": "li.wei@laptop", "bundle": release_ref("v9").digest,
        "bundle_bytes": 48_213, "files": 17, "live_in": live_in,
        "stands": live_in.iter().map(|env| json!({
            "env": env, "site": "default", "stand": "live", "possible": false, "why": "it runs there", "code": "TW-ROLL-021",
            "completed_at": "2026-11-11T00:09:00Z", "warm_until": null
        })).chain([json!({
            "env": "staging", "site": "default", "stand": "cold", "possible": true, "why": null, "code": null,
            "completed_at": "2026-11-10T00:09:00Z", "warm_until": null
        })]).collect::<Vec<_>>()
    }))
    .unwrap()
}

pub fn freeze(n: u32, service: Option<&str>, env: Option<&str>) -> Freeze {
    serde_json::from_value(json!({
        "id": format!("0193a1b2-0000-7000-8000-00000000030{n}"), "service": service, "env": env, "reason": "11.11",
        "by": "li.wei@laptop", "since": "2026-11-10T22:00:00Z", "until": (n % 2 == 1).then_some("2026-11-12T02:00:00Z")
    }))
    .unwrap()
}

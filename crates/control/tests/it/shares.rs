//! A person's hand on a running canary: another share for its wave, and a word that is meant for one wave only.

use crate::{
    judging::{Edge, SPEC, begun, ended, kinds, second, share},
    world::{World, asker},
};
use tradewind_control::{
    Error, Result,
    agents::Stay,
    ctx::Asker,
    judging::{refresh, view as evidence},
    rollouts::{intervene, reconcile, view},
};
use tradewind_model::{
    fault::{Fault, Lang},
    id::RolloutId,
    protocol::agent::DesiredPhase,
};
use tradewind_store::events;

fn refused<T: std::fmt::Debug>(result: Result<T>) -> Fault {
    match result.unwrap_err() {
        Error::Refused(fault) => *fault,
        Error::Store(e) => panic!("{e}"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    refused(result).code.id
}

async fn seconds(w: &mut World, stay: &Stay<'_>, edge: &mut Edge, id: RolloutId, n: usize) {
    for _ in 0..n {
        second(w, stay, edge, id).await;
    }
}

/// Instances of v2 that the host is to run.
async fn instances(w: &World) -> usize {
    let runs = w.desired().await.instances.into_iter().filter(|i| i.phase == DesiredPhase::Run && i.label == "v2");
    runs.count()
}

/// Evidence for the next wave, evidence against it, and clients of the canary so far.
async fn standing(w: &World, id: RolloutId) -> (f64, f64, u64) {
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    (shown.brief.promotion, shown.brief.e, shown.metrics[0].canary.units)
}

#[tokio::test]
async fn a_share_goes_up_and_down_and_only_evidence_for_going_on_begins_anew() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    // Some of the canary's clients fail, and not enough to say so.
    let mut edge = Edge::new();
    edge.canary_fails = 90;
    seconds(&mut w, &stay, &mut edge, id, 8).await;
    assert_eq!((share(&w, "v2").await, instances(&w).await), (1_000, 1));
    let before = standing(&w, id).await;
    assert!(before.2 > 0 && before.1 != 1.0, "{before:?}");

    intervene::set_share(&w.ctx, id, 0, 3_000, "more customers", &asker()).await.unwrap();
    assert_eq!((share(&w, "v2").await, instances(&w).await), (1_000, 3), "its instances start first");
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    w.obey(&stay).await;
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(share(&w, "v2").await, 3_000);
    let anew = standing(&w, id).await;
    assert_eq!((anew.1, anew.2), (before.1, before.2), "what speaks against it carries on");
    assert!(anew.0 <= 1.0, "what speaks for the next wave does not: {anew:?}");

    intervene::set_share(&w.ctx, id, 0, 500, "fewer", &asker()).await.unwrap();
    assert_eq!((share(&w, "v2").await, instances(&w).await), (500, 3), "the traffic moves first");
    seconds(&mut w, &stay, &mut edge, id, 3).await;
    assert_eq!((share(&w, "v2").await, instances(&w).await), (500, 1));
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    let waves: Vec<_> = shown.waves.iter().map(|w| (w.number, w.share)).collect();
    assert_eq!(waves, [(1, 1_000), (1, 3_000), (1, 500)]);

    // Who came after a restart of the server reads the same.
    let kept = (standing(&w, id).await, view::show(&w.ctx, id, Lang::En).await.unwrap().waves);
    drop(stay);
    w.restart().await;
    let row = w.rollout(id).await;
    refresh(&w.ctx, &row).await.unwrap();
    assert_eq!((standing(&w, id).await, view::show(&w.ctx, id, Lang::En).await.unwrap().waves), kept);
}

#[tokio::test]
async fn from_a_higher_share_it_goes_on_with_the_wave_that_has_more() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    seconds(&mut w, &stay, &mut edge, id, 4).await;
    intervene::pause(&w.ctx, id, "to look at it", &asker()).await.unwrap();
    intervene::set_share(
        &w.ctx,
        id,
        0,
        6_000,
        "the evening's traffic",
        &Asker::trusted(tradewind_model::event::Actor::named("lin")),
    )
    .await
    .unwrap();
    let mut shares = Vec::new();
    for n in 0..400 {
        second(&mut w, &stay, &mut edge, id).await;
        if n == 60 {
            assert_eq!(
                share(&w, "v2").await,
                6_000,
                "a pause does not keep what is asked for after it, and nothing else moves"
            );
            intervene::resume(&w.ctx, id, "looked", &asker()).await.unwrap();
        }
        let now = share(&w, "v2").await;
        if shares.last() != Some(&now) {
            shares.push(now);
        }
        if ended(&w, id).await.is_some() {
            break;
        }
    }
    assert_eq!(ended(&w, id).await.as_deref(), Some("completed"));
    assert_eq!(shares, [6_000, 10_000]);
    let told = kinds(&w, id).await;
    let count = |kind: &str| told.iter().filter(|k| *k == kind).count();
    assert_eq!((count("rollout.share_set"), count("rollout.wave_skipped"), count("rollout.promoted")), (1, 1, 1));

    let mut r = w.ctx.store.read().await.unwrap();
    let log = events::of_subject(&mut r, &format!("rollout/{id}"), 0, 1_000).await.unwrap();
    let set = log.iter().find(|e| e.fact.kind == "rollout.share_set").unwrap();
    assert_eq!(set.fact.actor, Asker::trusted(tradewind_model::event::Actor::named("lin")).actor);
    let after = set.fact.after.clone().unwrap();
    let expected = serde_json::json!({
        "site": "default", "wave": 0, "from": 1_000, "share": 6_000, "reason": "the evening's traffic",
    });
    assert_eq!(after, expected);

    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    let waves: Vec<_> = shown.waves.iter().map(|w| (w.steps[0].share, w.set_share, w.skipped)).collect();
    assert_eq!(waves, [(1_000, Some(6_000), false), (5_000, None, true), (10_000, None, false)]);
    assert_eq!(shown.wave, Some(3));
    for lang in [Lang::En, Lang::Zh] {
        let shown = view::show(&w.ctx, id, lang).await.unwrap();
        // How long the judge thinks it needs is another story.
        let lines = shown.timeline.iter().filter(|e| e.kind != "rollout.begun");
        let lines: Vec<String> = lines.map(|e| format!("{}: {}", e.kind, e.text)).collect();
        insta::assert_snapshot!(format!("timeline_{lang:?}"), lines.join("\n"));
    }
}

#[tokio::test]
async fn what_was_said_of_one_wave_is_refused_for_the_next() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    assert_eq!(code(intervene::promote(&w.ctx, id, 0, "seen", &asker()).await), "TW-ROLL-025", "it is starting");
    seconds(&mut w, &stay, &mut edge, id, 4).await;
    assert_eq!(view::show(&w.ctx, id, Lang::En).await.unwrap().wave, Some(1));

    // Two people look at the first wave, and both let it go on.
    intervene::promote(&w.ctx, id, 0, "looks well", &Asker::trusted(tradewind_model::event::Actor::named("lin")))
        .await
        .unwrap();
    seconds(&mut w, &stay, &mut edge, id, 3).await;
    assert_eq!(share(&w, "v2").await, 5_000);
    let late = refused(
        intervene::promote(
            &w.ctx,
            id,
            0,
            "looks well to me",
            &Asker::trusted(tradewind_model::event::Actor::named("mei")),
        )
        .await,
    );
    assert_eq!((late.code.id, late.code.status), ("TW-ROLL-026", 409));
    let told = format!(
        "wave 1 of rollout {id} is over (promoted by lin, 2023-11-14 22:13 UTC: looks well), and now wave 2 is being judged"
    );
    assert_eq!(late.what(Lang::En), told);
    assert!(late.fix(Lang::Zh).contains(&format!("tradewind rollout show {id}")));
    assert_eq!(code(intervene::set_share(&w.ctx, id, 0, 2_000, "less", &asker()).await), "TW-ROLL-026");
    seconds(&mut w, &stay, &mut edge, id, 3).await;
    assert_eq!(share(&w, "v2").await, 5_000, "nothing landed on the second wave");
    let told = kinds(&w, id).await;
    let people = |k: &&String| *k == "rollout.promote_requested" || *k == "rollout.share_set";
    assert_eq!(told.iter().filter(people).count(), 1, "what was refused is no event");
}

#[tokio::test]
async fn a_share_is_refused_with_a_cause_and_a_remedy() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, SPEC).await;
    let mut edge = Edge::new();
    seconds(&mut w, &stay, &mut edge, id, 4).await;
    for (share, expected) in [(0, "TW-ROLL-029"), (10_000, "TW-ROLL-029"), (1_000, "TW-ROLL-030")] {
        let fault = refused(intervene::set_share(&w.ctx, id, 0, share, "x", &asker()).await);
        assert_eq!(fault.code.id, expected);
        for lang in [Lang::En, Lang::Zh] {
            let told = format!("{} {}", fault.what(lang), fault.fix(lang));
            assert!(!told.contains('{'), "an argument is missing: {told}");
        }
    }
    intervene::abort(&w.ctx, id, "enough", &asker()).await.unwrap();
    w.see_through(&stay, id).await;
    assert_eq!(code(intervene::set_share(&w.ctx, id, 0, 2_000, "x", &asker()).await), "TW-ROLL-022");

    // Not a canary.
    let plain = SPEC.replace(
        "{ type: canary, min: 5s, max: 10m, soak: 1s, watch: 2m, judge: { latency: [250ms], warmup: 3s } }",
        "blue_green",
    );
    let v3 = w.release(3, &plain).await;
    let id = w.deploy(&v3).await;
    reconcile::once(&w.ctx).await.unwrap();
    assert_eq!(code(intervene::set_share(&w.ctx, id, 0, 2_000, "x", &asker()).await), "TW-ROLL-027");
}

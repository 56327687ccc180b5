//! A cron service that is tried shop by shop and judged by how its runs end.

use crate::{
    judging::{begun, ended},
    world::{World, place},
};
use std::time::Duration;
use tradewind_api::v1::Verdict;
use tradewind_control::{
    agents::Stay,
    judging::{intake, view as evidence},
    rollouts::{PlanDoc, reconcile, view},
};
use tradewind_model::{
    fault::Lang,
    id::RolloutId,
    protocol::{
        agent::DesiredPhase,
        trial::{CountedRuns, Feed, UnitCounts, UnitTick},
    },
    time::Clock as _,
};
use tradewind_store::rows;

/// Four shops, every minute.
const CRON: &str = "version: 1\nservice: shop\nkind: cron\nrun: { command: [sync], shards: [my, br, th, us] }\n\
                    schedule: { cron: '* * * * *' }\n\
                    strategy: { type: canary, steps: [1, 50%, 100%], min: 5s, max: 2h, soak: 1s, watch: 10s, judge: { floor: 10% } }\n\
                    environments:\n  production: { branch: main }\n";

/// What an agent would tell of a due time: runs, and how many of them failed.
fn tick(w: &World, id: RolloutId, seq: u64, canary: (u64, u64), baseline: (u64, u64)) -> UnitTick {
    let arm = |(n, x)| UnitCounts { n: vec![n], x: vec![x], ..UnitCounts::default() };
    UnitTick {
        route: place().to_string(),
        rollout: id.to_string(),
        epoch: "runs-1".into(),
        seq,
        at: w.clock.now(),
        feed: Feed::Runs,
        sampled: 0,
        canary: arm(canary),
        baseline: arm(baseline),
    }
}

struct Through {
    id: RolloutId,
    phase: String,
    /// Shops that the new release had at most.
    most: usize,
    due: u64,
}

/// Minute by minute until the rollout ends. Of the new release so many in four runs fail, of the old one every sixtieth.
async fn through(w: &mut World, stay: &Stay<'_>, fails: u64) -> Through {
    let id = begun(w, stay, CRON).await;
    let (mut most, mut due, mut runs, mut before) = (0, 0, [0, 0], w.desired().await);
    for _ in 0..20_000 {
        w.obey(stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        let now = w.desired().await;
        assert!(now.counted_runs == before.counted_runs || now.generation > before.generation);
        let works = |label: &str| {
            now.instances.iter().filter(|i| i.label == label && i.phase == DesiredPhase::Run).count() as u64
        };
        let [new, old] = [works("v2"), works("v1")];
        assert!(now.scrapes.is_empty());
        if let Some(CountedRuns { rollout, place: at, .. }) = now.counted_runs.first() {
            assert_eq!((rollout, at), (&id.to_string(), &place()));
            most = most.max(usize::try_from(new).unwrap());
            due += 1;
            let mut arm = |i: usize, n: u64, fails: &dyn Fn(u64) -> u64| {
                let before = fails(runs[i]);
                runs[i] += n;
                (n, fails(runs[i]) - before)
            };
            let canary = arm(0, new, &|all| all * fails / 4);
            let told = tick(w, id, due, canary, arm(1, old, &|all| all / 60));
            intake::take_in(&w.ctx, stay, vec![told.clone(), told]).await.unwrap();
        }
        if let Some(phase) = ended(w, id).await {
            return Through { id, phase, most, due };
        }
        before = now;
        w.pass(Duration::from_secs(60));
    }
    panic!("it does not end: {:?}", w.rollout(id).await);
}

#[tokio::test]
async fn one_whose_runs_fail_is_caught_on_its_first_shop() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let Through { id, phase, most, due } = through(&mut w, &stay, 3).await;
    assert_eq!((phase.as_str(), most), ("failed", 1));
    assert!(due < 20, "{due}");
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!((shown.brief.verdict, shown.gaps.lost_s), (Verdict::Worse, 0), "a minute without a run is no gap");
    assert_eq!(shown.metrics.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["runs"]);
    let mut told = String::new();
    for lang in [Lang::En, Lang::Zh] {
        let shown = view::show(&w.ctx, id, lang).await.unwrap();
        told += &format!("{}\n{}\n\n", shown.reason.unwrap(), shown.judgement.unwrap().sentence);
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn one_whose_runs_end_well_gets_one_shop_after_another() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let Through { id, phase, most, .. } = through(&mut w, &stay, 0).await;
    assert_eq!((phase.as_str(), most), ("completed", 4));
    let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
    assert_eq!(shown.waves.iter().map(|w| w.share).collect::<Vec<_>>(), [2_500, 5_000, 10_000]);
    assert_eq!((shown.gaps.refused, shown.gaps.restarts, shown.gaps.lost_s), (0, 0, 0));
}

#[tokio::test]
async fn no_run_is_no_evidence_and_what_is_due_apart_is_compared() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = begun(&mut w, &stay, CRON).await;
    for _ in 0..150 {
        w.obey(&stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        w.pass(Duration::from_secs(60));
    }
    let shown = view::show(&w.ctx, id, Lang::En).await.unwrap();
    let brief = shown.judgement.unwrap();
    assert_eq!(brief.verdict, Verdict::Inconclusive, "held, and a person is asked");
    assert!(brief.sentence.contains("no runs on v2 yet, and no data is no evidence"), "{}", brief.sentence);

    let units = async |w: &World| {
        let shown = evidence::show(&w.ctx, id, Lang::En).await.unwrap();
        (shown.metrics[0].canary.units, shown.metrics[0].baseline.units, shown.brief.e)
    };
    let ticks = [tick(&w, id, 1, (1, 1), (0, 0)), tick(&w, id, 2, (1, 0), (0, 0))];
    intake::take_in(&w.ctx, &stay, ticks.into()).await.unwrap();
    assert_eq!(units(&w).await, (0, 0, 1.0), "they wait for the other release's");
    intake::take_in(&w.ctx, &stay, vec![tick(&w, id, 3, (0, 0), (3, 0))]).await.unwrap();
    let (canary, baseline, e) = units(&w).await;
    assert!((canary, baseline) == (2, 3) && e > 1.0, "{e}");
}

#[tokio::test]
async fn runs_are_counted_of_cron_services_only() {
    let mut w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let worker = CRON.replace("kind: cron", "kind: worker").replace("schedule: { cron: '* * * * *' }\n", "");
    let id = begun(&mut w, &stay, &worker).await;
    let stored =
        async |w: &World| rows::evidence::after(&mut w.ctx.store.read().await.unwrap(), id, 0).await.unwrap().len();
    let before = stored(&w).await;
    let none = UnitCounts::default();
    let empty = UnitTick { canary: none.clone(), baseline: none, ..tick(&w, id, 2, (0, 0), (0, 0)) };
    let taken = intake::take_in(&w.ctx, &stay, vec![tick(&w, id, 1, (1, 1), (3, 0)), empty]).await.unwrap();
    assert_eq!((taken[0].seq, stored(&w).await), (2, before));
    assert!(w.desired().await.counted_runs.is_empty());
}

#[tokio::test]
async fn what_the_schedule_allows_is_said_beforehand() {
    let mut told = String::new();
    let spec =
        CRON.replace("* * * * *", "*/5 * * * *").replace("max: 2h", "max: 1h").replace(", judge: { floor: 10% }", "");
    for spec in [CRON, &spec] {
        let mut w = World::new().await;
        let agents = w.ctx.agents.clone();
        let (stay, _rx) = w.connect(&agents);
        let id = begun(&mut w, &stay, spec).await;
        let doc: PlanDoc = w.rollout(id).await.plan.read().unwrap();
        let outlook = doc.outlook.unwrap();
        told += &format!("hopeless: {}\n", outlook.hopeless);
        told += &format!("{}\n{}\n\n", outlook.text.get(Lang::En), outlook.text.get(Lang::Zh));
    }
    insta::assert_snapshot!(told);
}

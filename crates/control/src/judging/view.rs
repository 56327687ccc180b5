//! A rollout's evidence as the API shows it.

use super::{
    fold::{Fold, Mark},
    outlook::outlook,
    read,
    traffic::{Totals, Window},
};
use crate::{Ctx, Result, faults, rollouts};
use std::collections::BTreeSet;
use tradewind_api::v1::{
    ArmTraffic, DecisionKind, EvidenceGaps, EvidencePoint, JudgeOutlook, JudgedDecision, JudgedMetric, JudgedRate,
    JudgedRatio, JudgedWave, Judgement, JudgementBrief, RequestCount, TrafficWindow, Verdict,
};
use tradewind_judge::{MetricReading, Rate, Reading, picture};
use tradewind_model::{
    fault::{Fault, Lang},
    id::{RolloutId, SiteName},
    protocol::{agent::Observed, edge::FULL_SHARE},
    rollout::{
        plan::Kind,
        state::{State, Step},
    },
    said,
    said::{Said, Tell},
};
use tradewind_store::{
    Reader, events,
    rows::{self, rollouts::Rollout},
};

/// Refused for a rollout without a judge.
pub async fn show(ctx: &Ctx, id: RolloutId, lang: Lang) -> Result<Judgement> {
    let (row, fold) = of(ctx, id).await?;
    let state: State = rollouts::read(&row.state)?;
    let mut r = ctx.store.read().await?;
    let unread = unread(&mut r, id, lang).await?;
    let unread = fold.unknown().iter().map(|s| s.get(lang).to_owned()).chain(unread).collect();
    let decisions = decisions(&mut r, id, &fold, lang).await?;
    let outlook = outlook_now(&mut r, ctx, &row, &state, &fold, lang).await?;
    Ok(Judgement { unread, decisions, outlook, ..judgement(id, &fold, &state, lang) })
}

async fn decisions(r: &mut impl Reader, id: RolloutId, fold: &Fold, lang: Lang) -> Result<Vec<JudgedDecision>> {
    let Some(began) = fold.began() else { return Ok(Vec::new()) };
    let log = events::of_subject(r, &format!("rollout/{id}"), 0, 1_000).await?;
    let decided = log.iter().filter_map(|e| {
        let kind = match e.fact.kind.as_str() {
            "rollout.promoted" => DecisionKind::Promoted,
            "rollout.promote_requested" | "rollout.share_set" => DecisionKind::Person,
            "rollout.asks" => DecisionKind::Asked,
            "rollout.went_on" => DecisionKind::WentOn,
            "rollout.returning" => DecisionKind::Back,
            _ => return None,
        };
        // What was decided on evidence says how old that was; the clock of a person is the event's.
        let seconds = e.fact.after.as_ref().and_then(|after| after["evidence"]["seconds"].as_f64());
        let told = rollouts::told::entry(e, lang)?;
        let t = seconds.unwrap_or_else(|| e.at.since(began).as_secs_f64());
        Some(JudgedDecision { kind, wave: told.wave, at: told.at, t, text: told.text })
    });
    Ok(decided.collect())
}

/// Of the wave under way, by what it has brought so far.
async fn outlook_now(
    r: &mut impl Reader,
    ctx: &Ctx,
    row: &Rollout,
    state: &State,
    fold: &Fold,
    lang: Lang,
) -> Result<Option<JudgeOutlook>> {
    let judged = state.sites.iter().find(|(_, s)| matches!(s.step, Step::Judging { .. }));
    let (Some((site, at)), false) = (judged, state.phase.is_final()) else { return Ok(None) };
    let mut doc: rollouts::PlanDoc = rollouts::read(&row.plan)?;
    let wave = doc.plan.site(site).and_then(|plan| doc.plan.wave_now(plan, at));
    doc.plan.waves = wave.into_iter().collect();
    let found = outlook(r, ctx, &row.service, &row.env, &doc, fold.so_far(site)).await?;
    Ok(found.map(|o| JudgeOutlook {
        text: o.text.get(lang).to_owned(),
        expected_s: o.expected_s,
        hopeless: o.hopeless,
    }))
}

/// What hosts say of the service's own counters, each sentence once.
async fn unread(r: &mut impl Reader, id: RolloutId, lang: Lang) -> Result<Vec<String>> {
    let mut told = BTreeSet::new();
    for row in rows::observed::list(r).await? {
        let observed: Observed = row.body.read()?;
        for scrape in observed.scrapes.iter().filter(|s| s.rollout == id.to_string()) {
            told.extend(scrape.notes.iter().map(|note| match scrape.place.site == SiteName::default_site() {
                true => note.get(lang).to_owned(),
                false => format!("{}: {}", scrape.place.site, note.get(lang)),
            }));
        }
    }
    Ok(told.into_iter().collect())
}

/// The evidence over time as an SVG picture.
pub async fn picture(ctx: &Ctx, id: RolloutId, lang: Lang) -> Result<String> {
    let (row, fold) = of(ctx, id).await?;
    let points: Vec<_> = fold.points().iter().map(|p| picture::Point { t: p.t, e: p.e }).collect();
    let several = fold.marks.iter().any(|m| m.site != fold.marks[0].site);
    let wave = |m: &Mark| picture::Wave {
        t: m.t,
        share: f64::from(m.share) / f64::from(FULL_SHARE),
        site: several.then(|| m.site.to_string()),
    };
    let waves: Vec<_> = fold.marks.iter().map(wave).collect();
    let [canary, baseline] = fold.labels();
    let place = format!("{}/{}", row.service, row.env);
    let title = said!(
        "{place}: {canary} beside {baseline}",
        "{place}：{canary} 对比 {baseline}",
        place = place,
        canary = canary,
        baseline = baseline
    );
    Ok(picture::svg(&picture::Picture {
        title: title.get(lang),
        points: &points,
        waves: &waves,
        needed: fold.reading().e_needed,
        decision: fold.worse_at.map(|t| (t, tradewind_judge::Verdict::Worse)),
        lang,
    }))
}

async fn of(ctx: &Ctx, id: RolloutId) -> Result<(Rollout, Fold)> {
    let mut r = ctx.store.read().await?;
    let row = rollouts::get(&mut r, id).await?;
    let doc: rollouts::PlanDoc = rollouts::read(&row.plan)?;
    match read(&mut r, id, &doc).await? {
        Some(fold) => Ok((row, fold)),
        None => Err(Fault::new(&faults::NO_JUDGE).with("rollout", id).with("why", why_not(&doc)).into()),
    }
}

fn why_not(doc: &rollouts::PlanDoc) -> Said {
    if doc.plan.kind == Kind::Rollback {
        return said!("a rollback takes the shortest way and tries nothing", "回滚走最短路径，不做试验");
    }
    if doc.resolved.canary.is_none() {
        return said!("its strategy is no canary", "其策略不是金丝雀");
    }
    if doc.plan.sites.iter().all(|s| s.from.is_none()) {
        return said!(
            "it is the first release here, and there is nothing to compare it with",
            "这是此处的首个版本，没有可比的对象"
        );
    }
    said!("it changes over whole, with nothing beside it", "它整体切换，旁边没有对照版本")
}

/// `None` where nothing is judged, or no share has begun yet.
pub(crate) async fn brief(r: &mut impl Reader, row: &Rollout, lang: Lang, ctx: &Ctx) -> Result<Option<JudgementBrief>> {
    let doc: rollouts::PlanDoc = rollouts::read(&row.plan)?;
    if doc.plan.judging.is_none() {
        return Ok(None);
    }
    let state: State = rollouts::read(&row.state)?;
    let told = |fold: &Fold| fold.began().map(|_| short(fold, &fold.reading(), &state, lang));
    match ctx.folds.of(row.id) {
        Some(fold) => Ok(told(&fold)),
        None => Ok(read(r, row.id, &doc).await?.as_ref().and_then(told)),
    }
}

fn short(fold: &Fold, reading: &Reading, state: &State, lang: Lang) -> JudgementBrief {
    let asked = state.sites.values().any(|s| matches!(s.step, Step::Judging { asked: true, .. }));
    let verdict = match reading.verdict {
        tradewind_judge::Verdict::Continue if asked => Verdict::Inconclusive,
        tradewind_judge::Verdict::Continue => Verdict::Continue,
        tradewind_judge::Verdict::Worse => Verdict::Worse,
        tradewind_judge::Verdict::Better => Verdict::Better,
        tradewind_judge::Verdict::Inconclusive => Verdict::Inconclusive,
    };
    JudgementBrief {
        verdict,
        e: reading.e,
        e_needed: reading.e_needed,
        promotion: reading.promotion,
        promotion_needed: reading.promotion_needed,
        sentence: sentence(fold, reading, state).tell(lang),
    }
}

/// Of a rollout that something else ended, that comes first.
fn sentence(fold: &Fold, reading: &Reading, state: &State) -> Said {
    let told = fold.told(reading);
    match state.reason.as_ref().filter(|_| reading.verdict != tradewind_judge::Verdict::Worse) {
        Some(reason) => said!(
            "it ended for another reason: {reason}. The judge, then: {told}",
            "因其他原因结束：{reason}。判定器当时：{told}",
            reason = Said::in_both(|lang| reason.what(lang)),
            told = told
        ),
        None => told,
    }
}

fn judgement(id: RolloutId, fold: &Fold, state: &State, lang: Lang) -> Judgement {
    let reading = fold.reading();
    let [canary, baseline] = fold.labels().clone();
    let [canary_traffic, baseline_traffic] = fold.traffic().map(|t| arm(&t));
    let count = |t: &ArmTraffic| RequestCount { requests: t.requests, failed: t.failed };
    let window = |w: &Window| {
        let [canary, baseline] = w.arms.map(|t| arm(&t));
        TrafficWindow { t: w.t, seconds: w.seconds, canary, baseline }
    };
    let metric = |(i, m): (usize, &MetricReading)| JudgedMetric {
        name: m.spec.name.clone(),
        label: m.spec.shown().tell(lang),
        site: m.spec.site.as_ref().and_then(|s| s.parse().ok()),
        e: m.e,
        promotion: m.promotion,
        needed: m.needed,
        culprit: reading.culprits.contains(&i),
        canary: rate(&m.canary),
        baseline: rate(&m.baseline),
        ratio: m.ratio.as_ref().map(|r| JudgedRatio { estimate: r.estimate, low: r.low, high: r.high }),
    };
    Judgement {
        rollout: id,
        brief: short(fold, &reading, state, lang),
        canary,
        baseline,
        began_at: fold.began().map(Into::into),
        seconds: fold.now(),
        canary_requests: count(&canary_traffic),
        baseline_requests: count(&baseline_traffic),
        canary_latency: canary_traffic.latency,
        baseline_latency: baseline_traffic.latency,
        traffic: fold.traffic_over_time().iter().map(window).collect(),
        metrics: reading.metrics.iter().enumerate().map(metric).collect(),
        waves: fold
            .marks
            .iter()
            .map(|m| JudgedWave {
                number: u32::try_from(m.wave + 1).unwrap_or(u32::MAX),
                site: m.site.clone(),
                share: m.share,
                t: m.t,
            })
            .collect(),
        over_time: fold.points().iter().map(|p| EvidencePoint { t: p.t, e: p.e, promotion: p.promotion }).collect(),
        gaps: EvidenceGaps {
            lost_s: fold.gaps.lost_s,
            restarts: fold.gaps.restarts,
            refused: fold.gaps.refused,
            one_of: 1_u64.checked_shl(fold.gaps.sampled).unwrap_or(u64::MAX),
        },
        unread: Vec::new(),
        decisions: Vec::new(),
        outlook: None,
    }
}

fn arm(of: &Totals) -> ArmTraffic {
    ArmTraffic { requests: of.requests, failed: of.failed, latency: of.percentiles() }
}

fn rate(r: &Rate) -> JudgedRate {
    let seen = r.n > 0;
    JudgedRate { units: r.n, events: r.x, rate: seen.then_some(r.rate), low: r.low, high: r.high }
}

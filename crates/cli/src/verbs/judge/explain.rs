//! What a rollout's judge has seen, and what it makes of it.

use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::Session,
    table::{Paint, Table, painted},
    verbs::rollout::find,
    when,
    words::Words,
};
use std::path::PathBuf;
use tradewind_api::v1::{JudgedMetric, JudgedRate, Judgement, Verdict};
use tradewind_judge::picture::{self, Picture, Point, Wave};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    pub rollout: String,
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let id = find(&client, &args.rollout).await?.id;
    let judgement = client.judgement(id).await?;
    if let Some(file) = &args.svg {
        let picture = client.judgement_picture(id).await?;
        let failed = |e| Fault::new(&faults::CANNOT_WRITE).with("file", file.display()).with("why", e);
        std::fs::write(file, &picture).map_err(|e: std::io::Error| failed(e))?;
    }
    if session.json {
        session.out.json(&judgement);
    } else {
        show(session, &judgement);
        if let Some(file) = &args.svg {
            session.out.line(fill!(session.lang, &msg::PICTURE_IN, file = file.display()));
        }
    }
    Ok(Exit::Ok)
}

fn show(session: &Session, j: &Judgement) {
    let lang = session.lang;
    let verdict = j.brief.verdict.paint().apply(j.brief.verdict.say(lang), session.out.terminal);
    session.out.line(fill!(lang, &msg::JUDGED, canary = j.canary, baseline = j.baseline, verdict = verdict));
    session.out.line(format!("  {}", j.brief.sentence));
    if j.began_at.is_none() {
        session.out.line(fill!(lang, &msg::NOTHING_JUDGED_YET));
        return;
    }
    let head = [
        msg::H_METRIC.get(lang).to_owned(),
        j.canary.clone(),
        j.baseline.clone(),
        msg::H_RATIO.get(lang).to_owned(),
        msg::H_AGAINST.get(lang).to_owned(),
        msg::H_FOR.get(lang).to_owned(),
    ];
    let mut table = Table::new(&head.each_ref().map(String::as_str));
    for m in &j.metrics {
        let name = match &m.site {
            Some(site) => format!("{} ({site})", m.label),
            None => m.label.clone(),
        };
        let paint = if m.culprit { Paint::Bad } else { Paint::Plain };
        table.row(vec![
            painted(paint, name),
            rate(&m.canary).into(),
            rate(&m.baseline).into(),
            ratio(m).into(),
            when::amount(m.e).into(),
            if m.needed { when::amount(m.promotion).into() } else { "–".into() },
        ]);
    }
    session.out.table(&table);
    for line in plot(session, j).lines() {
        session.out.line(line);
    }
    let needed = (when::amount(j.brief.e_needed), when::amount(j.brief.promotion_needed));
    session.out.line(fill!(lang, &msg::NEEDED, against = needed.0, promotion = needed.1));
    for w in &j.waves {
        let at = when::span(std::time::Duration::from_secs_f64(w.t.max(0.0)));
        session.out.line(fill!(
            lang,
            &msg::WAVE_AT,
            number = w.number,
            site = w.site,
            share = when::share(w.share),
            at = at
        ));
    }
    let (new, old) = (j.canary_requests, j.baseline_requests);
    // A worker has none.
    if new.requests + old.requests > 0 {
        session.out.line(fill!(
            lang,
            &msg::ALL_REQUESTS,
            canary = j.canary,
            new = new.requests,
            new_failed = new.failed,
            baseline = j.baseline,
            old = old.requests,
            old_failed = old.failed
        ));
    }
    for (label, latency) in [(&j.canary, j.canary_latency), (&j.baseline, j.baseline_latency)] {
        let Some(l) = latency else { continue };
        let [p50, p95, p99] = [l.p50_ms, l.p95_ms, l.p99_ms].map(when::latency);
        session.out.line(fill!(lang, &msg::ALL_ANSWERED, label = label, p50 = p50, p95 = p95, p99 = p99));
    }
    if j.gaps.lost_s > 0 {
        session.out.line(fill!(lang, &msg::SECONDS_LOST, n = j.gaps.lost_s));
    }
    if j.gaps.restarts > 0 {
        session.out.line(fill!(lang, &msg::COUNTER_REPLACED, n = j.gaps.restarts));
    }
    if j.gaps.refused > 0 {
        session.out.line(fill!(lang, &msg::SAMPLES_REFUSED, n = j.gaps.refused));
    }
    if j.gaps.one_of > 1 {
        session.out.line(fill!(lang, &msg::ONE_CLIENT_OF, n = j.gaps.one_of));
    }
    for what in &j.unread {
        session.out.line(fill!(lang, &msg::OWN_COUNTERS, what = what));
    }
}

/// `31/412 (7.5 %)`.
fn rate(r: &JudgedRate) -> String {
    match r.rate {
        Some(rate) => format!("{}/{} ({:.2} %)", r.events, r.units, rate * 100.0),
        None => "–".into(),
    }
}

/// `× 93 (28–…)`.
fn ratio(m: &JudgedMetric) -> String {
    let Some(r) = m.ratio else { return "–".into() };
    let high = r.high.map_or_else(|| "…".into(), when::amount);
    let limits = format!("{}–{high}", when::amount(r.low));
    r.estimate.map_or_else(|| limits.clone(), |e| format!("× {} ({limits})", when::amount(e)))
}

/// The evidence over time, in block characters.
fn plot(session: &Session, j: &Judgement) -> String {
    let points: Vec<Point> = j.over_time.iter().map(|p| Point { t: p.t, e: p.e }).collect();
    let several = j.waves.iter().any(|w| w.site != j.waves[0].site);
    let wave = |w: &tradewind_api::v1::JudgedWave| Wave {
        t: w.t,
        share: f64::from(w.share) / 10_000.0,
        site: several.then(|| w.site.to_string()),
    };
    let waves: Vec<Wave> = j.waves.iter().map(wave).collect();
    let worse = (j.brief.verdict == Verdict::Worse).then_some((j.seconds, tradewind_judge::Verdict::Worse));
    let title = fill!(session.lang, &msg::PLOT, canary = j.canary, baseline = j.baseline);
    let (needed, decision, lang) = (j.brief.e_needed, worse, session.lang);
    picture::text(&Picture { title: &title, points: &points, waves: &waves, needed, decision, lang })
}

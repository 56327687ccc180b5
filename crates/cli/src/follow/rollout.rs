//! A rollout as it happens.

use super::Live;
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::Paint,
    text::{aside, because},
    when,
    words::Words,
};
use indicatif::ProgressBar;
use std::{collections::BTreeMap, time::Duration};
use tradewind_api::{
    Client, LogQuery,
    v1::{
        JudgementBrief, LogStream, LogUpdate, Rollout, RolloutKind, RolloutPhase, SitePhase, SiteRollout,
        TimelineEntry, VerifyReport,
    },
};
use tradewind_model::id::{RolloutId, SiteName};

/// What a timeline ends with.
const ENDS: [&str; 2] = ["rollout.finished", "rollout.superseded"];
/// A site's traffic is where it was to go, as the edge has acknowledged it.
const MOVED: &str = "rollout.traffic_moved";

/// Follows a rollout to its end and returns how it ended.
pub async fn follow(session: &Session, client: &Client, id: RolloutId) -> Result<Rollout, Failure> {
    let mut screen =
        Screen { session, live: Live::new(&session.out), bars: BTreeMap::new(), told: 0, begun: false, waits: None };
    loop {
        let mut updates = client.follow_rollout(id);
        while let Some(update) = updates.next().await {
            let mut rollout = update?;
            let finished = rollout.phase.is_finished();
            if finished {
                rollout = with_its_end(client, rollout).await;
            }
            if !session.json {
                screen.show(&rollout);
            }
            if finished {
                return Ok(rollout);
            }
        }
        // A stream that ended before its time says nothing about the rollout.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The timeline is told from sealed events, and the last ones are sealed a moment after the end.
async fn with_its_end(client: &Client, mut rollout: Rollout) -> Rollout {
    const LOOKS: usize = 5;
    const BETWEEN: Duration = Duration::from_millis(60);
    for _ in 0..LOOKS {
        let is_told = rollout.timeline.last().is_some_and(|e| ENDS.contains(&e.kind.as_str()));
        if is_told || !rollout.phase.is_finished() {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
        // It is only for completeness: the rollout has ended as it has.
        match client.rollout(rollout.id).await {
            Ok(later) => rollout = later,
            Err(_) => break,
        }
    }
    rollout
}

/// How a finished rollout counts.
pub fn exit(rollout: &Rollout) -> Exit {
    match rollout.phase {
        RolloutPhase::Completed => Exit::Ok,
        RolloutPhase::Failed | RolloutPhase::Aborted | RolloutPhase::Superseded => Exit::Failed,
        RolloutPhase::Queued | RolloutPhase::Running | RolloutPhase::Paused | RolloutPhase::Returning => Exit::TimedOut,
    }
}

struct Screen<'a> {
    session: &'a Session,
    live: Live,
    bars: BTreeMap<SiteName, Option<ProgressBar>>,
    /// Entries of the timeline already shown.
    told: usize,
    begun: bool,
    /// What it was said last to wait for.
    waits: Option<String>,
}

impl Screen<'_> {
    fn show(&mut self, rollout: &Rollout) {
        if !self.begun {
            self.begun = true;
            self.live.line(&headline(self.session, rollout));
        }
        for entry in rollout.timeline.iter().skip(self.told) {
            self.live.line(&entry_line(self.session, rollout, entry));
        }
        self.told = self.told.max(rollout.timeline.len());
        let waits = waits_for(rollout).map(str::to_owned);
        if let Some(why) = waits.as_ref().filter(|_| waits != self.waits) {
            self.live.line(&fill!(self.session.lang, &msg::WAITS, text = why));
        }
        self.waits = waits;
        for site in &rollout.sites {
            let live = &self.live;
            let bar = self.bars.entry(site.site.clone()).or_insert_with(|| live.bar(site.site.as_str()));
            if let Some(bar) = bar {
                bar.set_position(u64::from(site.share));
                let judged = rollout.judgement.as_ref().filter(|_| site.phase == SitePhase::Judging);
                let judged = judged.map(|j| aside(evidence(self.session, j), self.session.lang)).unwrap_or_default();
                bar.set_message(site_line(self.session, site) + &judged);
            }
        }
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        for bar in self.bars.values().flatten() {
            bar.finish_and_clear();
        }
    }
}

/// What one that has not ended waits for; a failure's reason is none.
pub fn waits_for(r: &Rollout) -> Option<&str> {
    match r.phase {
        RolloutPhase::Queued | RolloutPhase::Running | RolloutPhase::Paused => r.reason.as_deref(),
        RolloutPhase::Returning
        | RolloutPhase::Completed
        | RolloutPhase::Failed
        | RolloutPhase::Aborted
        | RolloutPhase::Superseded => None,
    }
}

/// `rollout of shop to production: v3 → v4 (blue_green), 0193…`
pub fn headline(session: &Session, r: &Rollout) -> String {
    let from = r.from.as_ref().map_or("∅", |f| f.label.as_str());
    fill!(
        session.lang,
        &msg::ROLLOUT_HEAD,
        kind = r.kind.say(session.lang),
        service = r.service,
        env = r.env,
        from = from,
        to = r.to.label,
        strategy = r.strategy,
        id = r.id
    )
}

/// `  +87 ms  default  traffic is on v2`: counted from the moment the request was accepted.
pub fn entry_line(session: &Session, r: &Rollout, e: &TimelineEntry) -> String {
    let after = format!("+{}", when::span(e.at.0.since(r.created_at.0)));
    let site = e
        .site
        .as_ref()
        .filter(|_| r.sites.len() > 1)
        .map(|s| format!("{s}{}", because("", session.lang)))
        .unwrap_or_default();
    format!("  {} {site}{}", Paint::Faint.apply(&format!("{after:>9}"), session.out.terminal), e.text)
}

/// How far the evidence is, both ways.
fn evidence(session: &Session, j: &JudgementBrief) -> String {
    let (e, promotion) = (when::amount(j.e), when::amount(j.promotion));
    let (against, needed) = (when::amount(j.e_needed), when::amount(j.promotion_needed));
    fill!(session.lang, &msg::EVIDENCE, e = e, against = against, promotion = promotion, needed = needed)
}

fn site_line(session: &Session, s: &SiteRollout) -> String {
    let lang = session.lang;
    let phase = s.phase.paint().apply(s.phase.say(lang), session.out.terminal);
    let ready = format!("{}/{}", s.instances_ready, s.instances_wanted);
    let mut line =
        fill!(lang, &msg::SITE_LINE, phase = phase, share = when::share(s.share), to = s.to.label, ready = ready);
    if let Some(reason) = &s.reason {
        line += &because(reason, lang);
    }
    line
}

/// What stands at the end: the sites, the verification, the outcome.
pub fn report(session: &Session, r: &Rollout) {
    let lang = session.lang;
    for site in &r.sites {
        session.out.line(format!("  {}  {}", site.site, site_line(session, site)));
    }
    if let Some(took) = traffic_back(r) {
        session.out.line(fill!(lang, &msg::TRAFFIC_BACK, to = r.to.label, time = when::span(took)));
    }
    if let Some(v) = &r.verification {
        verification(session, v);
    }
    if let Some(j) = &r.judgement {
        session.out.line(format!("  {}", evidence(session, j)));
        session.out.line(format!("  {}", j.sentence));
    }
    let phase = r.phase.paint().apply(r.phase.say(lang), session.out.terminal);
    let mut line = fill!(lang, &msg::ROLLOUT_IS, kind = r.kind.say(lang), to = r.to.label, env = r.env, phase = phase);
    if let Some(end) = r.finished_at {
        line += &aside(when::span(end.0.since(r.created_at.0)), lang);
    }
    if let Some(reason) = &r.reason {
        line += &because(reason, lang);
    }
    if let Some(code) = &r.reason_code {
        line += &aside(code.clone(), lang);
    }
    session.out.line(line);
}

/// What the release that failed wrote last. It is a help, and no reason to fail where it cannot be had.
pub async fn last_words(session: &Session, client: &Client, r: &Rollout) {
    const OF_EACH: u64 = 8;
    const SHOWN: usize = 12;
    if r.phase != RolloutPhase::Failed {
        return;
    }
    let release = r.to.label.clone();
    let asked =
        LogQuery { env: r.env.clone(), site: None, release: Some(release.clone()), tail: OF_EACH, follow: false };
    let mut updates = client.logs(&r.service, &asked);
    let mut lines = Vec::new();
    while let Some(Ok(update)) = updates.next().await {
        if let LogUpdate::Line(line) = update
            && matches!(line.stream, LogStream::Stdout | LogStream::Stderr)
        {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return;
    }
    session.out.line(fill!(session.lang, &msg::LAST_WORDS, release = release));
    for line in &lines[lines.len().saturating_sub(SHOWN)..] {
        session.out.line(format!("  {}", crate::verbs::logs::plain(session, line)));
    }
    let (service, env) = (&r.service, &r.env);
    session.out.line(fill!(session.lang, &msg::ALL_WORDS, service = service, env = env, release = release));
}

/// From the command being accepted to the last site's traffic being back.
fn traffic_back(r: &Rollout) -> Option<Duration> {
    match r.kind {
        RolloutKind::Normal | RolloutKind::Hotfix => None,
        RolloutKind::Rollback | RolloutKind::Drill => {
            let moved = r.timeline.iter().rfind(|e| e.kind == MOVED)?;
            Some(moved.at.0.since(r.created_at.0))
        }
    }
}

fn verification(session: &Session, v: &VerifyReport) {
    let lang = session.lang;
    let passed = v.checks.iter().filter(|c| c.passed).count();
    let text = if v.passed { &msg::VERIFIED } else { &msg::NOT_VERIFIED };
    session.out.line(fill!(lang, text, passed = passed, all = v.checks.len()));
    for c in &v.checks {
        let (mark, paint) = if c.passed { ("✓", Paint::Good) } else { ("✗", Paint::Bad) };
        let detail = if c.detail.is_empty() { String::new() } else { format!("  {}", c.detail) };
        session.out.line(format!(
            "    {} {}  {} ms{detail}",
            paint.apply(mark, session.out.terminal),
            c.what,
            c.took_ms
        ));
    }
}

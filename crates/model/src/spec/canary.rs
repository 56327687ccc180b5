//! What a spec says of a canary: its steps, its judge, its fixed limits.

use super::{
    defaults, faults,
    read::{Field, Notes, Section},
    values,
};
use crate::{
    protocol::{
        edge::{FULL_SHARE, LATENCY_BOUNDS},
        trial::{Ignore, Limits, MOST_BOUNDS},
    },
    rollout::judging::{Judging, OnInconclusive, Promote, Stage},
    shards::{Layout, MOST_SHARDS},
};

/// The keys below `strategy` that only a canary has.
pub(super) const KEYS: [&str; 7] = ["steps", "min", "max", "promote", "on_inconclusive", "watch", "judge"];

const PROMOTE: [(&str, Promote); 2] = [("evidence", Promote::Evidence), ("manual", Promote::Manual)];
const ON_INCONCLUSIVE: [(&str, OnInconclusive); 3] =
    [("hold", OnInconclusive::Hold), ("continue", OnInconclusive::Continue), ("rollback", OnInconclusive::Rollback)];
const DAY_MS: u64 = 86_400_000;
const MILLION: u32 = 1_000_000;

/// What is `None` was not said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CanaryRule {
    pub steps: Option<Vec<StepRule>>,
    pub min_ms: Option<u64>,
    pub max_ms: Option<u64>,
    pub promote: Option<Promote>,
    pub on_inconclusive: Option<OnInconclusive>,
    pub watch_ms: Option<u64>,
    pub judge: JudgeRule,
    pub limits: LimitsRule,
}

/// How much of a service's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Portion {
    /// Basis points.
    Share(u32),
    /// Of a worker.
    Shards(u32),
}

impl Portion {
    /// Basis points. Shards, where there are none, are nothing; a check refuses them.
    fn of(self, layout: Option<&Layout>) -> u32 {
        match (self, layout) {
            (Self::Share(share), _) => share,
            // Rounded down: a share is taken up to whole shards again.
            (Self::Shards(n), Some(layout)) => n.min(layout.shards()) * FULL_SHARE / layout.shards().max(1),
            (Self::Shards(_), None) => 0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StepRule {
    pub portion: Portion,
    pub min_ms: Option<u64>,
    pub max_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JudgeRule {
    pub alpha_ppm: Option<u32>,
    pub beta_ppm: Option<u32>,
    pub r0_milli: Option<u32>,
    pub r1_milli: Option<u32>,
    pub floor_ppm: Option<u32>,
    pub bounds_ms: Option<Vec<u32>>,
    pub ignore_paths: Option<Vec<String>>,
    pub ignore_agents: Option<Vec<String>>,
    pub warmup_ms: Option<u64>,
}

/// `Some(None)` is a limit that was switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LimitsRule {
    pub error_rate: Option<Option<u32>>,
    pub p99_ms: Option<Option<u32>>,
    pub for_ms: Option<u64>,
    pub min_requests: Option<u64>,
}

impl CanaryRule {
    pub fn over(&self, base: &Self) -> Self {
        let (j, b) = (&self.judge, &base.judge);
        Self {
            steps: self.steps.clone().or_else(|| base.steps.clone()),
            min_ms: self.min_ms.or(base.min_ms),
            max_ms: self.max_ms.or(base.max_ms),
            promote: self.promote.or(base.promote),
            on_inconclusive: self.on_inconclusive.or(base.on_inconclusive),
            watch_ms: self.watch_ms.or(base.watch_ms),
            judge: JudgeRule {
                alpha_ppm: j.alpha_ppm.or(b.alpha_ppm),
                beta_ppm: j.beta_ppm.or(b.beta_ppm),
                r0_milli: j.r0_milli.or(b.r0_milli),
                r1_milli: j.r1_milli.or(b.r1_milli),
                floor_ppm: j.floor_ppm.or(b.floor_ppm),
                bounds_ms: j.bounds_ms.clone().or_else(|| b.bounds_ms.clone()),
                ignore_paths: j.ignore_paths.clone().or_else(|| b.ignore_paths.clone()),
                ignore_agents: j.ignore_agents.clone().or_else(|| b.ignore_agents.clone()),
                warmup_ms: j.warmup_ms.or(b.warmup_ms),
            },
            limits: LimitsRule {
                error_rate: self.limits.error_rate.or(base.limits.error_rate),
                p99_ms: self.limits.p99_ms.or(base.limits.p99_ms),
                for_ms: self.limits.for_ms.or(base.limits.for_ms),
                min_requests: self.limits.min_requests.or(base.limits.min_requests),
            },
        }
    }

    pub fn stages(&self, layout: Option<&Layout>) -> Vec<Stage> {
        let (min, max) = (self.min_ms.unwrap_or(defaults::WAVE_MIN_MS), self.max_ms.unwrap_or(defaults::WAVE_MAX_MS));
        let plain = |share| StepRule { portion: Portion::Share(share), min_ms: None, max_ms: None };
        let steps = self.steps.clone().unwrap_or_else(|| defaults::CANARY_STEPS.map(plain).to_vec());
        // Nothing is promoted after the last one: it takes a time only where it says so.
        let min_of = |s: &StepRule| if s.portion == Portion::Share(FULL_SHARE) { 0 } else { min };
        let stage = |s: &StepRule| Stage {
            share: s.portion.of(layout),
            min_ms: s.min_ms.unwrap_or(min_of(s)),
            max_ms: s.max_ms.unwrap_or(max),
        };
        steps.iter().map(stage).collect()
    }

    pub fn judging(&self) -> Judging {
        let j = &self.judge;
        Judging {
            promote: self.promote.unwrap_or(Promote::Evidence),
            on_inconclusive: self.on_inconclusive.unwrap_or(OnInconclusive::Hold),
            alpha_ppm: j.alpha_ppm.unwrap_or(defaults::JUDGE_ALPHA_PPM),
            beta_ppm: j.beta_ppm.unwrap_or(defaults::JUDGE_BETA_PPM),
            r0_milli: j.r0_milli.unwrap_or(defaults::JUDGE_R0_MILLI),
            r1_milli: j.r1_milli.unwrap_or(defaults::JUDGE_R1_MILLI),
            floor_ppm: j.floor_ppm.unwrap_or(defaults::JUDGE_FLOOR_PPM),
            bounds_ms: j.bounds_ms.clone().unwrap_or_else(|| defaults::JUDGE_LATENCY_MS.to_vec()),
            ignore: Ignore {
                paths: j.ignore_paths.clone().unwrap_or_default(),
                agents: j.ignore_agents.clone().unwrap_or_default(),
            },
            warmup_ms: j.warmup_ms.unwrap_or(defaults::JUDGE_WARMUP_MS),
            scrape: None,
        }
    }

    pub fn limits(&self) -> Limits {
        Limits {
            error_rate: self.limits.error_rate.unwrap_or(Some(defaults::LIMIT_ERROR_RATE)),
            p99_ms: self.limits.p99_ms.unwrap_or(Some(defaults::LIMIT_P99_MS)),
            for_ms: self.limits.for_ms.unwrap_or(defaults::LIMIT_FOR_MS),
            min_requests: self.limits.min_requests.unwrap_or(defaults::LIMIT_MIN_REQUESTS),
        }
    }
}

pub(super) fn read(section: &Section<'_>, notes: &mut Notes) -> CanaryRule {
    CanaryRule {
        steps: section.get("steps").and_then(|f| steps(&f, notes)),
        min_ms: section.get("min").and_then(|f| min(&f, notes)),
        max_ms: section.get("max").and_then(|f| max(&f, notes)),
        promote: section.get("promote").and_then(|f| f.choice(&PROMOTE, notes)),
        on_inconclusive: section.get("on_inconclusive").and_then(|f| f.choice(&ON_INCONCLUSIVE, notes)),
        watch_ms: section.get("watch").and_then(|f| f.duration(0..=7 * DAY_MS, notes)),
        judge: section.get("judge").map(|f| judge(&f, notes)).unwrap_or_default(),
        limits: section.get("limits").map(|f| limits(&f, notes)).unwrap_or_default(),
    }
}

/// `[10%, 50%, 100%]`; an item may be a mapping with times of its own.
fn steps(field: &Field<'_>, notes: &mut Notes) -> Option<Vec<StepRule>> {
    let items = field.list(notes)?;
    let mut out: Vec<StepRule> = Vec::new();
    for item in &items {
        let Some(step) = step(item, notes) else { continue };
        let falls = |before: &StepRule| match (before.portion, step.portion) {
            (Portion::Share(a), Portion::Share(b)) | (Portion::Shards(a), Portion::Shards(b)) => a >= b,
            // Which is more depends on the environment's shards.
            (Portion::Share(_), Portion::Shards(_)) | (Portion::Shards(_), Portion::Share(_)) => false,
        };
        if out.last().is_some_and(falls) {
            notes.add(item.wrong(&faults::STEPS_RISE));
        }
        if step.portion == Portion::Share(FULL_SHARE) && step.max_ms.is_some() {
            notes.add(item.wrong(&faults::LAST_STEP));
        }
        out.push(step);
    }
    if out.len() < items.len() {
        return None;
    }
    if out.last().is_none_or(|last| last.portion != Portion::Share(FULL_SHARE)) {
        notes.add(field.wrong(&faults::STEPS_END));
        return None;
    }
    Some(out)
}

fn step(item: &Field<'_>, notes: &mut Notes) -> Option<StepRule> {
    if item.node.as_scalar().is_some() {
        return portion(item, notes).map(|portion| StepRule { portion, min_ms: None, max_ms: None });
    }
    let section = item.section(notes)?;
    let min_ms = section.get("min").and_then(|f| min(&f, notes));
    let max_ms = section.get("max").and_then(|f| max(&f, notes));
    let portion = section.require("share", "share: 10%", notes).and_then(|f| portion(&f, notes))?;
    Some(StepRule { portion, min_ms, max_ms })
}

/// A whole number counts shards.
fn portion(field: &Field<'_>, notes: &mut Notes) -> Option<Portion> {
    if counts_shards(field) {
        return field.count32(1..=MOST_SHARDS, notes).map(Portion::Shards);
    }
    share(field, notes).map(Portion::Share)
}

pub(super) fn counts_shards(field: &Field<'_>) -> bool {
    field.node.as_text().is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn min(field: &Field<'_>, notes: &mut Notes) -> Option<u64> {
    field.duration(0..=7 * DAY_MS, notes)
}

pub(super) fn max(field: &Field<'_>, notes: &mut Notes) -> Option<u64> {
    field.duration(1_000..=7 * DAY_MS, notes)
}

/// Basis points.
fn share(field: &Field<'_>, notes: &mut Notes) -> Option<u32> {
    let ppm = percent(field, 100..=MILLION, notes)?;
    if !ppm.is_multiple_of(100) {
        notes.add(field.wrong(&faults::PERCENT_FINE));
        return None;
    }
    Some(ppm / 100)
}

/// Millionths.
fn percent(field: &Field<'_>, range: std::ops::RangeInclusive<u32>, notes: &mut Notes) -> Option<u32> {
    let ppm = field.parsed(&faults::BAD_PERCENT, values::percent_ppm, notes)?;
    if range.contains(&ppm) {
        return Some(ppm);
    }
    let show = |ppm: &u32| values::show_percent(*ppm);
    notes.add(field.wrong(&faults::PERCENT_RANGE).with("min", show(range.start())).with("max", show(range.end())));
    None
}

/// Thousandths.
fn ratio(field: &Field<'_>, range: std::ops::RangeInclusive<u32>, notes: &mut Notes) -> Option<u32> {
    let milli = field.parsed(&faults::BAD_RATIO, values::milli, notes)?;
    if range.contains(&milli) {
        return Some(milli);
    }
    let show = |m: &u32| values::show_milli(*m);
    notes.add(field.wrong(&faults::RATIO_RANGE).with("min", show(range.start())).with("max", show(range.end())));
    None
}

fn judge(field: &Field<'_>, notes: &mut Notes) -> JudgeRule {
    let Some(section) = field.section(notes) else { return JudgeRule::default() };
    let ignore = section.get("ignore").and_then(|f| f.section(notes));
    JudgeRule {
        alpha_ppm: section.get("alpha").and_then(|f| percent(&f, 1..=500_000, notes)),
        beta_ppm: section.get("beta").and_then(|f| percent(&f, 1..=500_000, notes)),
        r0_milli: section.get("r0").and_then(|f| ratio(&f, 1_000..=10_000, notes)),
        r1_milli: section.get("r1").and_then(|f| ratio(&f, 1_010..=50_000, notes)),
        floor_ppm: section.get("floor").and_then(|f| percent(&f, 0..=500_000, notes)),
        warmup_ms: section.get("warmup").and_then(|f| f.duration(0..=DAY_MS, notes)),
        bounds_ms: section.get("latency").and_then(|f| bounds(&f, notes)),
        ignore_paths: ignore
            .as_ref()
            .and_then(|s| s.get("paths"))
            .and_then(|f| f.list_of(&faults::BAD_URL_PATH, |t| values::is_url_path(t).then(|| t.to_owned()), notes)),
        ignore_agents: ignore
            .as_ref()
            .and_then(|s| s.get("agents"))
            .and_then(|f| f.list_of(&faults::EMPTY_TEXT, |t| (!t.trim().is_empty()).then(|| t.to_owned()), notes)),
    }
}

fn bounds(field: &Field<'_>, notes: &mut Notes) -> Option<Vec<u32>> {
    let mut out: Vec<u32> = Vec::new();
    for item in field.list(notes)? {
        let ms = u32::try_from(item.duration(1..=600_000, notes)?).ok()?;
        if out.last().is_some_and(|before| *before >= ms) {
            notes.add(item.wrong(&faults::BOUNDS_RISE));
        }
        out.push(ms);
    }
    if out.len() > MOST_BOUNDS {
        notes.add(field.wrong(&faults::BOUNDS_MANY).with("most", MOST_BOUNDS));
        return None;
    }
    Some(out)
}

fn longest_p99_ms() -> u64 {
    LATENCY_BOUNDS.last().map_or(0, |s| (s * 1_000.0) as u64)
}

pub(super) fn limits(field: &Field<'_>, notes: &mut Notes) -> LimitsRule {
    let Some(section) = field.section(notes) else { return LimitsRule::default() };
    let off = |f: &Field<'_>| f.node.as_text() == Some("none");
    LimitsRule {
        error_rate: section.get("error_rate").and_then(|f| match off(&f) {
            true => Some(None),
            false => share(&f, notes).map(Some),
        }),
        p99_ms: section.get("p99").and_then(|f| match off(&f) {
            true => Some(None),
            // What is slower than the last bucket of the edge's histogram cannot be told apart.
            false => f.duration(1..=longest_p99_ms(), notes).map(|ms| u32::try_from(ms).ok()),
        }),
        for_ms: section.get("for").and_then(|f| f.duration(1_000..=600_000, notes)),
        min_requests: section.get("min_requests").and_then(|f| f.count(1..=1_000_000, notes)),
    }
}

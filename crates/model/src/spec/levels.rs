//! What has to hold of a strategy once its levels are put together: what the top level says, what an environment says
//! over it, and the defaults below both.

use super::{
    Environment, Run, StrategyRule, StrategyType, canary, check, defaults, faults,
    read::{Field, Notes, Section},
    values,
};
use crate::{fault::Fault, workload::ServiceKind};

/// Keys that mean something for one strategy only.
fn owned_keys() -> impl Iterator<Item = (&'static str, StrategyType)> {
    let of_rolling = ["max_surge"].map(|key| (key, StrategyType::Rolling));
    let of_canary = canary::KEYS.map(|key| (key, StrategyType::Canary));
    of_rolling.into_iter().chain(of_canary)
}

pub(super) fn check(
    top: &Section<'_>,
    kind: ServiceKind,
    run: Option<&Run>,
    rule: &StrategyRule,
    environments: &[Environment],
    notes: &mut Notes,
) {
    let base = Level::of(top);
    let known = !base.is_unreadable(rule);
    let of = |rule: &StrategyRule| rule.kind.unwrap_or(StrategyType::default_of(kind));
    let mut used = Vec::new();
    let sections = environment_sections(top);
    for env in environments {
        let section = sections.iter().find(|(name, _)| *name == env.name.as_str()).map(|(_, section)| section);
        let own = section.map(Level::of).unwrap_or_default();
        if own.is_unreadable(&env.strategy) || (env.strategy.kind.is_none() && !known) {
            continue;
        }
        let strategy = of(&env.strategy.over(rule));
        used.push(strategy);
        if let Some(section) = &own.section {
            belong(section, &[strategy], notes);
        }
        if strategy == StrategyType::Canary && known {
            let levels: Vec<&Section<'_>> = [&own, &base].into_iter().filter_map(|l| l.section.as_ref()).collect();
            times(&levels, notes);
            ratios(&levels, &env.strategy.over(rule).canary, notes);
            if kind == ServiceKind::Web {
                no_shards_counted(&levels, notes);
            }
        }
        if let (ServiceKind::Worker | ServiceKind::Cron, Some(run), Some(field)) =
            (kind, run, own.names().or(base.names()))
        {
            some_to_go_first(field, kind, strategy, env, run, notes);
        }
    }
    if let Some(section) = base.section.as_ref().filter(|_| known && used.len() == environments.len()) {
        belong(section, &rule.kind.map_or(used, |own| vec![own]), notes);
    }
}

/// One `strategy` key.
#[derive(Default)]
struct Level<'a> {
    field: Option<Field<'a>>,
    /// Where it is a mapping.
    section: Option<Section<'a>>,
}

impl<'a> Level<'a> {
    fn of(parent: &Section<'a>) -> Self {
        let field = parent.get("strategy");
        let mapping = field.as_ref().filter(|f| f.node.as_mapping().is_some());
        let section = mapping.and_then(|f| f.section(&mut Notes::default()));
        Self { field, section }
    }

    /// Where it says which strategy.
    fn names(&self) -> Option<Field<'a>> {
        match &self.section {
            Some(section) => section.get("type"),
            None => self.field.clone(),
        }
    }

    /// It names a strategy that there is none of; that is noted where it was read.
    fn is_unreadable(&self, rule: &StrategyRule) -> bool {
        self.names().is_some() && rule.kind.is_none()
    }
}

fn environment_sections<'a>(top: &Section<'a>) -> Vec<(&'a str, Section<'a>)> {
    let Some(field) = top.get("environments") else { return Vec::new() };
    let mut quiet = Notes::default();
    let entries = field.named_entries(&mut quiet).into_iter();
    let mapping = entries.filter(|(_, value)| value.node.as_mapping().is_some());
    mapping.filter_map(|(key, value)| Some((key.as_str(), value.section(&mut Notes::default())?))).collect()
}

/// Refuses what belongs to a strategy that is none of these.
fn belong(section: &Section<'_>, strategies: &[StrategyType], notes: &mut Notes) {
    let Some(first) = strategies.first() else { return };
    for (key, wanted) in owned_keys().filter(|(_, wanted)| !strategies.contains(wanted)) {
        if let Some(field) = section.get(key) {
            let fault = field.wrong(&faults::OF_ANOTHER_STRATEGY);
            notes.add(fault.with("wanted", wanted.as_str()).with("strategy", first.as_str()));
        }
    }
}

/// Without traffic, instances can change over one after another only where each has work of its own.
fn some_to_go_first(
    field: Field<'_>,
    kind: ServiceKind,
    strategy: StrategyType,
    env: &Environment,
    run: &Run,
    notes: &mut Notes,
) {
    match strategy {
        StrategyType::AllAtOnce | StrategyType::BlueGreen => return,
        StrategyType::Rolling | StrategyType::Canary => {}
    }
    if env.shards(run).is_some() && env.carriers(run) > 1 {
        return;
    }
    let code = match (kind, env.shards(run)) {
        (ServiceKind::Cron, None) => &faults::CRON_NEEDS_SHARDS,
        (ServiceKind::Web | ServiceKind::Worker | ServiceKind::Cron, _) => &faults::NEEDS_SHARDS,
    };
    let fault = field.wrong(code).with("kind", check::word(kind));
    let fault = fault.with("strategy", strategy.as_str()).with("env", &env.name);
    let told = |f: &Fault| f.code == fault.code && f.at == fault.at;
    if !notes.0.iter().any(told) {
        notes.add(fault);
    }
}

/// Nothing could ever be promoted, or it would be both better and worse. The fault stands where the closest level says
/// something of either.
fn ratios(levels: &[&Section<'_>], rule: &canary::CanaryRule, notes: &mut Notes) {
    let judging = rule.judging();
    if judging.r1_milli > judging.r0_milli {
        return;
    }
    let written = levels.iter().find_map(|level| {
        let judge = level.get("judge")?.section(&mut Notes::default())?;
        judge.get("r1").or_else(|| judge.get("r0"))
    });
    let Some(field) = written else { return };
    let show = |milli: u32| values::show_milli(milli);
    let fault = field.wrong(&faults::R1_BELOW_R0).with("r1", show(judging.r1_milli)).with("r0", show(judging.r0_milli));
    if !notes.0.contains(&fault) {
        notes.add(fault);
    }
}

/// A step that is a whole number counts shards.
fn no_shards_counted(levels: &[&Section<'_>], notes: &mut Notes) {
    let Some(steps) = levels.iter().find_map(|s| s.get("steps")) else { return };
    for item in steps.list(&mut Notes::default()).unwrap_or_default() {
        let mapping = item.node.as_mapping().is_some();
        let share = if mapping { item.section(&mut Notes::default()).and_then(|s| s.get("share")) } else { Some(item) };
        let Some(share) = share.filter(canary::counts_shards) else { continue };
        let fault = share.wrong(&faults::COUNTS_SHARDS).with("number", share.node.as_text().unwrap_or_default());
        if !notes.0.contains(&fault) {
            notes.add(fault);
        }
    }
}

/// A time, and where it was written; nowhere for a default.
#[derive(Clone)]
struct Time<'a> {
    ms: u64,
    /// 0 is the closest to the environment.
    level: usize,
    field: Option<Field<'a>>,
    name: String,
}

/// No wave may be over before it is long enough, whichever levels say so. The fault stands where the closest level says
/// something.
fn times(levels: &[&Section<'_>], notes: &mut Notes) {
    let nowhere = levels.len();
    let plain = |key: &str, default_ms: u64, read: Reader| {
        let default = Time { ms: default_ms, level: nowhere, field: None, name: format!("strategy.{key}") };
        let mut given = levels.iter().enumerate().filter_map(|(level, s)| Some((level, s.get(key)?)));
        given.next().map_or(Some(default), |(level, field)| written(field, level, read))
    };
    let min = plain("min", defaults::WAVE_MIN_MS, canary::min);
    let max = plain("max", defaults::WAVE_MAX_MS, canary::max);
    let (Some(min), Some(max)) = (min, max) else { return };
    let steps = levels.iter().enumerate().find_map(|(level, s)| Some((level, s.get("steps")?)));
    // The last step takes all traffic and has no such times.
    let mut items: Vec<_> = match steps {
        Some((level, field)) => {
            let items = field.list(&mut Notes::default()).unwrap_or_default();
            items.into_iter().map(|item| (level, Some(item))).collect()
        }
        None => defaults::CANARY_STEPS.map(|_| (nowhere, None)).to_vec(),
    };
    items.pop();
    for (level, item) in items {
        let mapping = item.filter(|i| i.node.as_mapping().is_some());
        let section = mapping.and_then(|i| i.section(&mut Notes::default()));
        let own = |key| section.as_ref().and_then(|s| s.get(key));
        let min = own("min").map_or(Some(min.clone()), |field| written(field, level, canary::min));
        let max = own("max").map_or(Some(max.clone()), |field| written(field, level, canary::max));
        let (Some(min), Some(max)) = (min, max) else { continue };
        if max.ms < min.ms {
            let found = contradiction(&min, &max);
            if let Some(fault) = found.filter(|f| !notes.0.contains(f)) {
                notes.add(fault);
            }
        }
    }
}

type Reader = fn(&Field<'_>, &mut Notes) -> Option<u64>;

/// `None` where it is no such time, which is noted where it was read.
fn written(field: Field<'_>, level: usize, read: Reader) -> Option<Time<'_>> {
    let ms = read(&field, &mut Notes::default())?;
    let name = field.path.clone();
    Some(Time { ms, level, field: Some(field), name })
}

fn contradiction(min: &Time<'_>, max: &Time<'_>) -> Option<Fault> {
    let fault = |at: &Time<'_>, code, other: &Time<'_>| {
        let fault = at.field.as_ref()?.wrong(code);
        Some(fault.with("other", &other.name).with("time", values::show_duration(other.ms)))
    };
    if max.level <= min.level {
        fault(max, &faults::MAX_BELOW_MIN, min)
    } else {
        fault(min, &faults::MIN_ABOVE_MAX, max)
    }
}

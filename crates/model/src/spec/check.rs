//! What has to hold between the sections of a spec.

use super::{
    Environment, Run, Strategy, StrategyRule, StrategyType, faults, levels, metrics,
    read::{Field, Notes, Section},
};
use crate::workload::{HealthProbe, Port, ServiceKind};

pub(super) fn between_sections(
    top: &Section<'_>,
    kind: Option<ServiceKind>,
    run: Option<&Run>,
    rule: &StrategyRule,
    environments: &[Environment],
    notes: &mut Notes,
) {
    branches(top, environments, notes);
    let Some(kind) = kind else { return };
    if let Some(strategy) = top.get("strategy") {
        strategy_fits(&strategy, rule, kind, notes);
        limits_fit(&strategy, kind, notes);
    }
    match kind {
        ServiceKind::Web => {
            refuse(top, "schedule", kind, "cron", notes);
            refuse_shards(top, environments, kind, notes);
        }
        ServiceKind::Worker => {
            refuse(top, "schedule", kind, "cron", notes);
            each_environment(top, environments, |section, _| refuse(section, "route", kind, "web", notes));
        }
        ServiceKind::Cron => {
            refuse(top, "metrics", kind, "worker", notes);
            if top.get("schedule").is_none() {
                top.require("schedule", "schedule: { cron: \"*/5 * * * *\" }", notes);
            }
            if let Some(section) = known(top, "run") {
                for key in ["health", "start_timeout"] {
                    refuse(&section, key, kind, "worker", notes);
                }
                if let Some(port) = section.get("port").filter(|p| p.node.as_text() != Some("none")) {
                    notes.add(port.wrong(&faults::NOT_FOR_KIND).with("kind", word(kind)).with("wanted", "web"));
                }
            }
            each_environment(top, environments, |section, _| refuse(section, "route", kind, "web", notes));
            if let Some(run) = run {
                instances_have_shards(top, run, environments, notes);
            }
        }
    }
    each_environment(top, environments, |section, _| {
        if let Some(strategy) = section.get("strategy") {
            let own = super::strategy::read(&strategy, &mut Notes::default());
            strategy_fits(&strategy, &own, kind, notes);
            limits_fit(&strategy, kind, notes);
        }
    });
    metrics::check(top, kind, run, notes);
    levels::check(top, kind, run, rule, environments, notes);
    if let Some(run) = run {
        ports(top, kind, run, rule, environments, notes);
    }
}

pub(super) fn word(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Web => "web",
        ServiceKind::Worker => "worker",
        ServiceKind::Cron => "cron",
    }
}

/// A section that was already read: its faults are noted elsewhere.
fn known<'a>(section: &Section<'a>, name: &str) -> Option<Section<'a>> {
    section.get(name)?.section(&mut Notes::default())
}

fn each_environment(
    top: &Section<'_>,
    environments: &[Environment],
    mut check: impl FnMut(&Section<'_>, &Environment),
) {
    let Some(field) = top.get("environments") else { return };
    for (key, value) in field.named_entries(&mut Notes::default()) {
        let read = environments.iter().find(|e| e.name.as_str() == key.as_str());
        if let (Some(section), Some(environment)) = (value.section(&mut Notes::default()), read) {
            check(&section, environment);
        }
    }
}

fn refuse(section: &Section<'_>, key: &str, kind: ServiceKind, wanted: &str, notes: &mut Notes) {
    if let Some(field) = section.get(key) {
        notes.add(field.wrong(&faults::NOT_FOR_KIND).with("kind", word(kind)).with("wanted", wanted));
    }
}

fn refuse_shards(top: &Section<'_>, environments: &[Environment], kind: ServiceKind, notes: &mut Notes) {
    if let Some(section) = known(top, "run") {
        refuse(&section, "shards", kind, "worker", notes);
    }
    each_environment(top, environments, |section, _| refuse(section, "shards", kind, "worker", notes));
}

/// A due time is one piece of work: several instances of a cron service are there for several shards only.
fn instances_have_shards(top: &Section<'_>, run: &Run, environments: &[Environment], notes: &mut Notes) {
    let fault =
        |field: &Field<'_>, env: &Environment| field.wrong(&faults::INSTANCES_NEED_SHARDS).with("env", &env.name);
    let bare = |env: &&Environment| env.shards(run).is_none();
    let field = known(top, "run").and_then(|section| section.get("instances"));
    if let (Some(field), Some(env)) = (field, environments.iter().find(bare)) {
        notes.add(fault(&field, env));
    }
    each_environment(top, environments, |section, env| {
        if let Some(field) = section.get("instances").filter(|_| bare(&env)) {
            notes.add(fault(&field, env));
        }
    });
}

/// Only requests can be shared by two releases; work cannot. Its shards can go one by one: [`levels`] sees to it that there
/// are some.
fn strategy_fits(field: &Field<'_>, rule: &StrategyRule, kind: ServiceKind, notes: &mut Notes) {
    let unfit = |wanted: StrategyType| {
        let fault = field.wrong(&faults::STRATEGY_NOT_FOR_KIND);
        fault.with("kind", word(kind)).with("strategy", wanted.as_str())
    };
    match (kind, rule.kind) {
        (ServiceKind::Web, _)
        | (_, None | Some(StrategyType::AllAtOnce))
        | (ServiceKind::Worker | ServiceKind::Cron, Some(StrategyType::Rolling | StrategyType::Canary)) => {}
        (ServiceKind::Worker | ServiceKind::Cron, Some(wanted @ StrategyType::BlueGreen)) => notes.add(unfit(wanted)),
    }
}

/// A worker's errors are counted by itself; how long its answers take, by nobody.
fn limits_fit(strategy: &Field<'_>, kind: ServiceKind, notes: &mut Notes) {
    match kind {
        ServiceKind::Worker => {}
        ServiceKind::Web | ServiceKind::Cron => return,
    }
    if strategy.node.as_mapping().is_none() {
        return;
    }
    let quiet = &mut Notes::default();
    let limits = strategy.section(quiet).and_then(|s| s.get("limits"));
    let p99 = limits.filter(|f| f.node.as_mapping().is_some()).and_then(|f| f.section(quiet)?.get("p99"));
    if let Some(p99) = p99.filter(|f| f.node.as_text() != Some("none")) {
        notes.add(p99.wrong(&faults::P99_OF_WORKER));
    }
}

fn ports(
    top: &Section<'_>,
    kind: ServiceKind,
    run: &Run,
    rule: &StrategyRule,
    environments: &[Environment],
    notes: &mut Notes,
) {
    let Some(section) = known(top, "run") else { return };
    match run.port {
        Port::Assigned => {}
        Port::None => {
            if let (ServiceKind::Web, Some(port)) = (kind, section.get("port")) {
                notes.add(port.wrong(&faults::WEB_NEEDS_PORT));
            }
            let probe = run.health.as_ref().map(|h| &h.probe);
            if let (Some(HealthProbe::Http { .. } | HealthProbe::Tcp), Some(health)) = (probe, section.get("health")) {
                notes.add(health.wrong(&faults::PROBE_NEEDS_PORT));
            }
        }
        Port::Fixed(port) => {
            let Some(field) = section.get("port") else { return };
            let fault = |code, env: &Environment| field.wrong(code).with("port", port).with("env", &env.name);
            for env in environments {
                let instances = env.carriers(run);
                if instances > 1 {
                    notes.add(fault(&faults::FIXED_PORT_INSTANCES, env).with("instances", instances));
                    break;
                }
                let together = match env.strategy.over(rule).strategy(kind) {
                    Strategy::AllAtOnce => None,
                    Strategy::Rolling { .. } => Some(StrategyType::Rolling),
                    Strategy::BlueGreen => Some(StrategyType::BlueGreen),
                    Strategy::Canary => Some(StrategyType::Canary),
                };
                if let Some(strategy) = together {
                    notes.add(fault(&faults::FIXED_PORT_STRATEGY, env).with("strategy", strategy.as_str()));
                    break;
                }
            }
        }
    }
}

fn branches(top: &Section<'_>, environments: &[Environment], notes: &mut Notes) {
    for (i, env) in environments.iter().enumerate() {
        let Some(branch) = &env.branch else { continue };
        let Some(first) = environments[..i].iter().find(|e| e.branch.as_ref() == Some(branch)) else { continue };
        let field = top
            .get("environments")
            .and_then(|f| {
                f.named_entries(&mut Notes::default()).into_iter().find(|(k, _)| k.as_str() == env.name.as_str())
            })
            .and_then(|(_, value)| value.section(&mut Notes::default()))
            .and_then(|section| section.get("branch"));
        if let Some(field) = field {
            notes.add(field.wrong(&faults::BRANCH_TWICE).with("branch", branch).with("env", &first.name));
        }
    }
}

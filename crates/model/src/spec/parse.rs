//! From the file's tree to a [`Spec`]: each section by itself. What holds between sections is in [`super::check`].

use super::{
    Artifact, Environment, LimitsRule, Pipeline, RouteRule, Run, Spec, check, defaults, faults, metrics,
    read::{Field, Notes, Section, near},
    strategy, values,
};
use crate::{
    fault::Fault,
    id::{EnvName, ServiceName, SiteName},
    protocol::edge::{RouteLimits, Sticky},
    secret::{SecretUse, is_file_name},
    shards::{MOST_SHARDS, ShardName, Shards},
    workload::{HealthCheck, HealthProbe, Port, Prepare, Schedule, ServiceKind, StopPolicy},
    yaml,
};
use std::collections::BTreeMap;

const MAX_BYTES: usize = 256 << 10;
const KINDS: [(&str, ServiceKind); 3] =
    [("web", ServiceKind::Web), ("worker", ServiceKind::Worker), ("cron", ServiceKind::Cron)];
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Spec {
    /// Reads a spec; `file` is what faults call it. All faults are reported, in the order of the file.
    pub fn parse(file: &str, source: &str) -> Result<Self, Vec<Fault>> {
        let options = yaml::Options { max_bytes: MAX_BYTES, max_nodes: 20_000, ..yaml::Options::default() };
        let root = yaml::parse(file, source, &options).map_err(|fault| vec![fault])?;
        if root.is_null() {
            return Err(vec![root.fault(&faults::EMPTY)]);
        }
        let mut notes = Notes::default();
        let spec = read_root(&root, &mut notes);
        let mut found = notes.0;
        found.sort_by_key(|f| f.at.as_ref().map(|at| (at.line, at.col)));
        match spec {
            Some(spec) if found.is_empty() => Ok(spec),
            Some(_) | None => Err(found),
        }
    }
}

/// `None` only with something noted.
fn read_root(root: &yaml::Node, notes: &mut Notes) -> Option<Spec> {
    let top = Section::root(root, notes)?;
    if let Some(version) = top.require("version", "version: 1", notes)
        && version.text(notes).is_some_and(|v| v != "1")
    {
        notes.add(version.wrong(&faults::BAD_VERSION));
    }
    let service = top.require("service", "service: shop", notes).and_then(|f| slug::<ServiceName>(&f, notes));
    let kind = top.read("kind", ServiceKind::Web, notes, |f, n| f.choice(&KINDS, n));
    let pipeline = top.read("pipeline", Pipeline::IfPresent, notes, pipeline);
    let artifact = top.read("artifact", Artifact::default(), notes, artifact);
    let prepare = top.read("prepare", None, notes, |f, n| prepare(f, n).map(Some));
    let run = top.require("run", "run: { command: [python3, -u, app.py] }", notes).and_then(|f| run(&f, kind, notes));
    let schedule = top.read("schedule", None, notes, |f, n| schedule(f, n).map(Some));
    let rule = top.get("strategy").map(|f| strategy::read(&f, notes)).unwrap_or_default();
    let metrics = top.read("metrics", None, notes, |f, n| metrics::read(f, n).map(Some));
    let freeze_queue = top.get("on_failure").and_then(|f| freeze_queue(&f, notes));
    let environments = match top.get("environments") {
        Some(field) => environments(&field, notes),
        None => vec![Environment::default_one()],
    };
    check::between_sections(&top, kind, run.as_ref(), &rule, &environments, notes);
    Some(Spec {
        service: service?,
        kind: kind?,
        pipeline: pipeline?,
        artifact: artifact?,
        prepare: prepare?,
        run: run?,
        schedule: schedule?,
        environments,
        strategy: rule,
        metrics: metrics?,
        freeze_queue: freeze_queue.unwrap_or(defaults::FREEZE_QUEUE),
    })
}

fn slug<T: std::str::FromStr>(field: &Field<'_>, notes: &mut Notes) -> Option<T> {
    field.parsed(&faults::BAD_NAME, |s| s.parse().ok(), notes)
}

fn pipeline(field: &Field<'_>, notes: &mut Notes) -> Option<Pipeline> {
    if field.text(notes)? == "none" {
        return Some(Pipeline::None);
    }
    field.parsed(&faults::PATH_OUTSIDE, inside, notes).map(Pipeline::File)
}

fn inside(path: &str) -> Option<String> {
    values::is_inside(path).then(|| path.trim_start_matches("./").to_owned())
}

fn artifact(field: &Field<'_>, notes: &mut Notes) -> Option<Artifact> {
    let section = field.section(notes)?;
    let default = Artifact::default();
    let paths = section.read("paths", default.paths, notes, globs);
    let exclude = section.read("exclude", default.exclude, notes, globs);
    Some(Artifact { paths: paths?, exclude: exclude? })
}

fn globs(field: &Field<'_>, notes: &mut Notes) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for item in field.list(notes)? {
        let Some(text) = item.parsed(&faults::PATH_OUTSIDE, inside, notes) else { continue };
        match globset::Glob::new(&text) {
            Ok(_) => out.push(text),
            Err(e) => notes.add(item.wrong(&faults::BAD_GLOB).with("detail", e.kind())),
        }
    }
    Some(out)
}

fn prepare(field: &Field<'_>, notes: &mut Notes) -> Option<Prepare> {
    let section = field.section(notes)?;
    let command = section.require("command", "command: [make, install]", notes).and_then(|f| f.command(notes));
    let timeout = section.read("timeout", defaults::PREPARE_TIMEOUT_MS, notes, |f, n| f.duration(1_000..=DAY_MS, n));
    Some(Prepare { command: command?, timeout_ms: timeout? })
}

fn run(field: &Field<'_>, kind: Option<ServiceKind>, notes: &mut Notes) -> Option<Run> {
    let section = field.section(notes)?;
    let command = section.require("command", "command: [python3, -u, app.py]", notes).and_then(|f| f.command(notes));
    let env = section.get("env").map(|f| variables(&f, notes)).unwrap_or_default();
    let secrets = section.get("secrets").map(|f| secrets(&f, &env, notes)).unwrap_or_default();
    let default_port = match kind {
        Some(ServiceKind::Web) | None => Port::Assigned,
        Some(ServiceKind::Worker | ServiceKind::Cron) => Port::None,
    };
    let port = section.read("port", default_port, notes, port);
    let health = match section.get("health") {
        Some(f) => health(&f, notes).map(Some),
        None if port.is_none_or(|p| p == Port::None) || kind == Some(ServiceKind::Cron) => Some(None),
        None => Some(Some(default_health(HealthProbe::Tcp))),
    };
    let start = section.read("start_timeout", defaults::START_TIMEOUT_MS, notes, |f, n| f.duration(100..=DAY_MS, n));
    let stop = section.read("stop", default_stop(), notes, stop);
    let instances = section.get("instances").and_then(|f| f.count32(1..=200, notes));
    let shards = section.get("shards").and_then(|f| shards(&f, notes));
    let limits = section.get("limits").map(|f| limits(&f, notes)).unwrap_or_default();
    Some(Run {
        command: command?,
        env,
        secrets,
        port: port?,
        health: health?,
        start_timeout_ms: start?,
        stop: stop?,
        instances,
        shards,
        limits,
    })
}

/// Names, or how many there are.
fn shards(field: &Field<'_>, notes: &mut Notes) -> Option<Shards> {
    if field.node.as_scalar().is_some() {
        return field.count32(1..=MOST_SHARDS, notes).map(Shards::Numbered);
    }
    let names = field.list_of(&faults::BAD_SHARD, |s| s.parse::<ShardName>().ok(), notes)?;
    if field.node.as_sequence().is_some_and(|items| items.is_empty() || items.len() > MOST_SHARDS as usize) {
        notes.add(field.wrong(&faults::SHARD_COUNT).with("most", MOST_SHARDS));
    }
    Some(names).filter(|names| !names.is_empty()).map(Shards::Named)
}

fn variables(field: &Field<'_>, notes: &mut Notes) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (key, value) in field.named_entries(notes) {
        let name = key.as_str();
        if !values::is_variable(name) {
            notes.add(key.fault(&faults::BAD_VARIABLE).with("found", format!("`{name}`")));
            continue;
        }
        if is_reserved(name) {
            notes.add(key.fault(&faults::RESERVED_VARIABLE).with("name", name));
            continue;
        }
        if let Some(text) = value.text(notes) {
            out.insert(name.to_owned(), text.to_owned());
        }
    }
    out
}

/// `open`: the variables beside them, none of which may be secret too.
fn secrets(field: &Field<'_>, open: &BTreeMap<String, String>, notes: &mut Notes) -> Vec<SecretUse> {
    let mut out: Vec<SecretUse> = Vec::new();
    for item in field.list(notes).unwrap_or_default() {
        let Some(used) = secret(&item, notes) else { continue };
        let fault = |code| item.wrong(code).with("variable", &used.variable);
        if is_reserved(&used.variable) {
            notes.add(item.wrong(&faults::RESERVED_VARIABLE).with("name", &used.variable));
        } else if open.contains_key(&used.variable) {
            notes.add(fault(&faults::SECRET_AND_OPEN));
        } else if out.iter().any(|u| u.variable == used.variable || used.file.is_some() && u.file == used.file) {
            notes.add(fault(&faults::SECRET_TWICE));
        } else {
            out.push(used);
        }
    }
    out
}

fn secret(item: &Field<'_>, notes: &mut Notes) -> Option<SecretUse> {
    let name = |f: &Field<'_>, notes: &mut Notes| f.parsed(&faults::BAD_SECRET, |s| s.parse().ok(), notes);
    if item.node.as_scalar().is_some() {
        return name(item, notes).map(SecretUse::plain);
    }
    let section = item.section(notes)?;
    let plain =
        section.require("name", "name: DB_PASSWORD", notes).and_then(|f| name(&f, notes)).map(SecretUse::plain)?;
    let variable = |s: &str| values::is_variable(s).then(|| s.to_owned());
    let file = |s: &str| is_file_name(s).then(|| s.to_owned());
    Some(SecretUse {
        variable: section.read("as", plain.variable, notes, |f, n| f.parsed(&faults::BAD_VARIABLE, variable, n))?,
        file: section.read("file", None, notes, |f, n| f.parsed(&faults::BAD_SECRET_FILE, file, n).map(Some))?,
        name: plain.name,
    })
}

fn is_reserved(variable: &str) -> bool {
    variable == "PORT" || variable == "HOME" || variable.starts_with("TRADEWIND_")
}

fn port(field: &Field<'_>, notes: &mut Notes) -> Option<Port> {
    match field.text(notes)? {
        "auto" => Some(Port::Assigned),
        "none" => Some(Port::None),
        text if text.starts_with(|c: char| c.is_ascii_digit()) => {
            let number = field.count(1..=65_535, notes)?;
            u16::try_from(number).ok().map(Port::Fixed)
        }
        text => {
            notes.add(field.not_a_choice(text, ["auto", "none", "1-65535"].into_iter()));
            None
        }
    }
}

fn default_health(probe: HealthProbe) -> HealthCheck {
    HealthCheck {
        probe,
        interval_ms: defaults::HEALTH_INTERVAL_MS,
        timeout_ms: defaults::HEALTH_TIMEOUT_MS,
        healthy_after: defaults::HEALTHY_AFTER,
        unhealthy_after: defaults::UNHEALTHY_AFTER,
    }
}

fn health(field: &Field<'_>, notes: &mut Notes) -> Option<HealthCheck> {
    let section = field.section(notes)?;
    let http = section.get("http").map(|f| f.parsed(&faults::BAD_URL_PATH, url_path, notes));
    let tcp = section.get("tcp").map(|f| f.flag(notes));
    let command = section.get("command").map(|f| f.command(notes));
    let probes = usize::from(http.is_some()) + usize::from(command.is_some()) + usize::from(tcp == Some(Some(true)));
    let probe = match (http, tcp, command) {
        (Some(path), None | Some(Some(false)), None) => path.map(|path| HealthProbe::Http { path }),
        (None, None | Some(Some(false)), Some(command)) => command.map(|command| HealthProbe::Command { command }),
        (None, Some(Some(true)), None) => Some(HealthProbe::Tcp),
        (None, Some(None), None) => None,
        _ => {
            notes.add(field.wrong(&faults::ONE_PROBE).with("count", probes));
            None
        }
    };
    let default = default_health(HealthProbe::Tcp);
    let interval = section.read("interval", default.interval_ms, notes, |f, n| f.duration(50..=HOUR_MS, n));
    let timeout = section.read("timeout", default.timeout_ms, notes, |f, n| f.duration(10..=HOUR_MS, n));
    let healthy = section.read("healthy_after", default.healthy_after, notes, |f, n| f.count32(1..=100, n));
    let unhealthy = section.read("unhealthy_after", default.unhealthy_after, notes, |f, n| f.count32(1..=100, n));
    Some(HealthCheck {
        probe: probe?,
        interval_ms: interval?,
        timeout_ms: timeout?,
        healthy_after: healthy?,
        unhealthy_after: unhealthy?,
    })
}

fn url_path(text: &str) -> Option<String> {
    values::is_url_path(text).then(|| text.to_owned())
}

fn default_stop() -> StopPolicy {
    StopPolicy { signal: defaults::STOP_SIGNAL, drain_ms: defaults::STOP_DRAIN_MS, grace_ms: defaults::STOP_GRACE_MS }
}

fn stop(field: &Field<'_>, notes: &mut Notes) -> Option<StopPolicy> {
    let section = field.section(notes)?;
    let default = default_stop();
    let signal = section.read("signal", default.signal, notes, signal);
    let drain = section.read("drain", default.drain_ms, notes, |f, n| f.duration(0..=DAY_MS, n));
    let grace = section.read("grace", default.grace_ms, notes, |f, n| f.duration(0..=DAY_MS, n));
    Some(StopPolicy { signal: signal?, drain_ms: drain?, grace_ms: grace? })
}

fn signal(field: &Field<'_>, notes: &mut Notes) -> Option<i32> {
    let text = field.text(notes)?;
    let signal = values::signal(text);
    if signal.is_none() {
        notes.add(field.not_a_choice(text, values::SIGNALS.iter().map(|(name, _)| *name)));
    }
    signal
}

fn limits(field: &Field<'_>, notes: &mut Notes) -> LimitsRule {
    let Some(section) = field.section(notes) else { return LimitsRule::default() };
    let cores = |text: &str| values::cpu_millis(text).filter(|millis| (10..=1_024_000).contains(millis));
    LimitsRule {
        memory_bytes: section.get("memory").and_then(|f| f.size(4 << 20..=64 << 40, notes)),
        cpu_millis: section.get("cpu").and_then(|f| f.parsed(&faults::BAD_CPU, cores, notes)),
        pids: section.get("pids").and_then(|f| f.count(1..=1_000_000, notes)),
        open_files: section.get("open_files").and_then(|f| f.count(16..=10_000_000, notes)),
    }
}

fn schedule(field: &Field<'_>, notes: &mut Notes) -> Option<Schedule> {
    let section = field.section(notes)?;
    let cron = section.require("cron", "cron: \"*/5 * * * *\"", notes).and_then(|f| cron(&f, notes));
    let timezone = section.read("timezone", defaults::SCHEDULE_TIMEZONE.to_owned(), notes, timezone);
    let timeout =
        section.read("timeout", defaults::SCHEDULE_TIMEOUT_MS, notes, |f, n| f.duration(1_000..=7 * DAY_MS, n));
    Some(Schedule { expression: cron?, timezone: timezone?, timeout_ms: timeout? })
}

fn cron(field: &Field<'_>, notes: &mut Notes) -> Option<String> {
    use croner::parser::{CronParser, Seconds, Year};
    let text = field.text(notes)?;
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    match parser.parse(text) {
        Ok(schedule) => {
            let start = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0);
            if schedule.find_next_occurrence(&start, true).is_err() {
                notes.add(field.wrong(&faults::CRON_NEVER));
                return None;
            }
            Some(text.to_owned())
        }
        Err(e) => {
            notes.add(field.wrong(&faults::BAD_CRON).with("detail", e));
            None
        }
    }
}

/// By the database that is built in, so that a spec means the same on every machine.
fn timezone(field: &Field<'_>, notes: &mut Notes) -> Option<String> {
    let text = field.text(notes)?;
    let database = jiff::tz::TimeZoneDatabase::bundled();
    if text.is_ascii() && database.get(text).is_ok() {
        return Some(text.to_owned());
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    notes.add(match near(text, names.iter().map(String::as_str)) {
        Some(close) => field.wrong(&faults::BAD_TIMEZONE_NEAR).with("near", close),
        None => field.wrong(&faults::BAD_TIMEZONE),
    });
    None
}

fn freeze_queue(field: &Field<'_>, notes: &mut Notes) -> Option<bool> {
    field.section(notes)?.get("freeze_queue")?.flag(notes)
}

fn environments(field: &Field<'_>, notes: &mut Notes) -> Vec<Environment> {
    let mut out = Vec::new();
    for (key, value) in field.named_entries(notes) {
        match key.as_str().parse::<EnvName>() {
            Ok(name) => out.extend(environment(name, &value, notes)),
            Err(_) => {
                let fault = key.fault(&faults::BAD_NAME).with("key", &field.path);
                notes.add(fault.with("found", format!("`{}`", key.as_str())));
            }
        }
    }
    if field.node.as_mapping().is_some_and(|m| m.entries.is_empty()) {
        let fault = field.node.fault(&faults::MISSING_KEY).with("key", "environments.NAME");
        notes.add(fault.with("example", "production: { branch: main }"));
    }
    out
}

fn environment(name: EnvName, field: &Field<'_>, notes: &mut Notes) -> Option<Environment> {
    if field.node.is_null() {
        return Some(Environment::named(name));
    }
    let section = field.section(notes)?;
    let mut env = Environment::named(name);
    env.branch = section
        .get("branch")
        .and_then(|f| f.parsed(&faults::BAD_BRANCH, |s| values::is_branch(s).then(|| s.to_owned()), notes));
    env.instances = section.get("instances").and_then(|f| f.count32(1..=200, notes));
    env.shards = section.get("shards").and_then(|f| shards(&f, notes));
    env.env = section.get("env").map(|f| variables(&f, notes)).unwrap_or_default();
    env.secrets = section.get("secrets").map(|f| secrets(&f, &env.env, notes)).unwrap_or_default();
    env.limits = section.get("limits").map(|f| limits(&f, notes)).unwrap_or_default();
    env.route = section.get("route").map(|f| route(&f, notes)).unwrap_or_default();
    env.strategy = section.get("strategy").map(|f| strategy::read(&f, notes)).unwrap_or_default();
    env.freeze_queue = section.get("on_failure").and_then(|f| freeze_queue(&f, notes));
    if let Some(f) = section.get("sites") {
        let sites = f.list_of(&faults::BAD_NAME, |s| s.parse::<SiteName>().ok(), notes).unwrap_or_default();
        if !sites.is_empty() {
            env.sites = sites;
        } else if f.node.as_sequence().is_some_and(<[yaml::Node]>::is_empty) {
            notes.add(f.node.fault(&faults::MISSING_KEY).with("key", &f.path).with("example", "sites: [default]"));
        }
    }
    Some(env)
}

fn route(field: &Field<'_>, notes: &mut Notes) -> RouteRule {
    let mut route = RouteRule::default();
    let Some(section) = field.section(notes) else { return route };
    let host = |s: &str| Some(s.to_ascii_lowercase()).filter(|s| values::is_host(s));
    if let Some(f) = section.get("hosts") {
        route.hosts = f.list_of(&faults::BAD_HOST, host, notes).unwrap_or_default();
    }
    if let Some(path) = section.get("path").and_then(|f| f.parsed(&faults::BAD_URL_PATH, url_path, notes)) {
        route.path = path;
    }
    if let Some(sticky) = section.get("sticky").and_then(|f| sticky(&f, notes)) {
        route.sticky = Some(sticky);
    }
    if let Some(f) = section.get("limits") {
        route_limits(&f, &mut route.limits, notes);
    }
    route
}

fn sticky(field: &Field<'_>, notes: &mut Notes) -> Option<Sticky> {
    let cookie = |name: String, max_age_ms: u64| Sticky::Cookie { name, max_age_s: max_age_ms / 1_000, secure: false };
    if field.node.as_scalar().is_some() {
        return match field.text(notes)? {
            "none" => Some(Sticky::None),
            "cookie" => Some(cookie(defaults::STICKY_COOKIE.into(), defaults::STICKY_MAX_AGE_MS)),
            _ => {
                notes.add(field.wrong(&faults::ONE_OF_STICKY));
                None
            }
        };
    }
    let section = field.section(notes)?;
    let token = |s: &str| values::is_token(s).then(|| s.to_owned());
    let age = section.get("max_age").map(|f| f.duration(1_000..=400 * DAY_MS, notes));
    match (section.get("cookie"), section.get("header")) {
        (Some(f), None) => {
            let name = f.parsed(&faults::BAD_HEADER, token, notes)?;
            Some(cookie(name, age.unwrap_or(Some(defaults::STICKY_MAX_AGE_MS))?))
        }
        (None, Some(f)) if age.is_none() => Some(Sticky::Header { name: f.parsed(&faults::BAD_HEADER, token, notes)? }),
        (Some(_) | None, Some(_)) | (None, None) => {
            notes.add(field.wrong(&faults::ONE_OF_STICKY));
            None
        }
    }
}

fn route_limits(field: &Field<'_>, limits: &mut RouteLimits, notes: &mut Notes) {
    let Some(section) = field.section(notes) else { return };
    if let Some(ms) = section.get("connect").and_then(|f| f.duration(10..=HOUR_MS, notes)) {
        limits.connect_ms = ms;
    }
    if let Some(ms) = section.get("response").and_then(|f| f.duration(10..=DAY_MS, notes)) {
        limits.response_ms = ms;
    }
    if let Some(bytes) = section.get("body").and_then(|f| f.size(1..=1 << 40, notes)) {
        limits.max_body_bytes = bytes;
    }
    if let Some(n) = section.get("in_flight").and_then(|f| f.count32(1..=1_000_000, notes)) {
        limits.max_in_flight = n;
    }
}

//! What an environment demands, whatever a pushed spec says. Written in the words of `tradewind.yaml`; a spec may be
//! stricter and not weaker.

use super::{
    CanaryRule, ResolvedSpec, Strategy, StrategyRule, StrategyType,
    keys::POLICY_KEYS,
    listed, policy_faults as faults,
    read::{Field, Notes, Section},
    resolve::fits,
    strategy, values,
};
use crate::{
    access::is_handle,
    fault::{At, Fault},
    id::EnvName,
    rollout::judging::{Judging, OnInconclusive, Promote},
    workload::ServiceKind,
    yaml,
};

const MAX_BYTES: usize = 64 << 10;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Patterns; empty: all.
    pub branches: Vec<String>,
    /// Users and groups; empty: whoever's role allows it.
    pub deployers: Vec<String>,
    pub approvals: Option<Approvals>,
    /// At least this strict.
    pub strategy: StrategyRule,
    /// With one, nothing is left out of the judgement but what it names.
    pub judges: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approvals {
    pub count: u32,
    pub hotfix: u32,
    /// Users and groups; empty: whoever's role allows it.
    pub from: Vec<String>,
    /// Whether the requester's own word counts.
    pub own: bool,
}

/// A value of a spec that is less strict than the policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weaker {
    /// Below an environment, or at the top: `strategy.judge.beta`.
    pub key: &'static str,
    pub found: String,
    pub wanted: String,
}

impl Policy {
    /// Reads a policy; `file` is what faults call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(file: &str, source: &str) -> Result<Self, Vec<Fault>> {
        let options = yaml::Options { max_bytes: MAX_BYTES, max_nodes: 5_000, ..yaml::Options::default() };
        let root = yaml::parse(file, source, &options).map_err(|fault| vec![fault])?;
        if root.is_null() {
            return Ok(Self::default());
        }
        let mut notes = Notes::default();
        let policy = Section::root_of(&root, POLICY_KEYS, &mut notes).map(|top| read(&top, &mut notes));
        let mut found = notes.0;
        found.sort_by_key(|f| f.at.as_ref().map(|at| (at.line, at.col)));
        match policy {
            Some(policy) if found.is_empty() => Ok(policy),
            Some(_) | None => Err(found),
        }
    }

    /// Whether commits of a branch (without `refs/heads/`) may be deployed here.
    pub fn allows_branch(&self, branch: &str) -> bool {
        self.branches.is_empty() || self.branches.iter().any(|p| p == branch || p.contains('*') && fits(p, branch))
    }

    /// # Errors
    /// [`faults::POLICY_BRANCH`].
    pub fn check_branch(&self, env: &EnvName, branch: &str) -> Result<(), Fault> {
        if self.allows_branch(branch) {
            return Ok(());
        }
        let allowed = listed(self.branches.iter().map(String::as_str));
        Err(Fault::new(&faults::POLICY_BRANCH).with("env", env).with("branch", branch).with("allowed", allowed))
    }

    /// What of a spec, as an environment reads it, is weaker than this.
    pub fn weaker(&self, spec: &ResolvedSpec) -> Vec<Weaker> {
        let mut found = Found::default();
        let rule = &self.strategy;
        if let Some(wanted) = rule.kind
            && has_a_choice(spec)
        {
            let is = type_of(spec.strategy);
            found.rank("strategy.type", is as u8 >= wanted as u8, is.as_str(), wanted.as_str());
        }
        found.at_least_ms("strategy.soak", spec.soak_ms, rule.soak_ms);
        found.at_least_ms("strategy.warm", spec.warm_ms, rule.warm_ms);
        if rule.verify == Some(true) && !spec.verify {
            found.add("strategy.verify", "false", "true");
        }
        let CanaryRule { limits, .. } = &rule.canary;
        let share = |bp: u32| values::show_percent(bp * 100);
        let ms = |ms: u32| values::show_duration(ms.into());
        found.capped("strategy.limits.error_rate", spec.limits.error_rate, limits.error_rate.flatten(), share);
        if spec.workload.kind == ServiceKind::Web {
            found.capped("strategy.limits.p99", spec.limits.p99_ms, limits.p99_ms.flatten(), ms);
        }
        found.at_most("strategy.limits.for", spec.limits.for_ms, limits.for_ms, values::show_duration);
        let count = |n: u64| n.to_string();
        found.at_most("strategy.limits.min_requests", spec.limits.min_requests, limits.min_requests, count);
        if let Some(canary) = &spec.canary {
            found.at_least_ms("strategy.watch", canary.watch_ms, rule.canary.watch_ms);
            let but_last = canary.stages.len().saturating_sub(1);
            let shortest = canary.stages[..but_last].iter().map(|s| s.min_ms).min();
            found.at_least_ms("strategy.min", shortest.unwrap_or(u64::MAX), rule.canary.min_ms);
            self.judge(&canary.judging, &mut found);
        }
        found.0
    }

    fn judge(&self, is: &Judging, found: &mut Found) {
        let rule = &self.strategy.canary;
        let j = &rule.judge;
        if rule.promote == Some(Promote::Manual) && is.promote != Promote::Manual {
            found.add("strategy.promote", "evidence", "manual");
        }
        if let Some(wanted) = rule.on_inconclusive {
            let word = |o| match o {
                OnInconclusive::Continue => (0, "continue"),
                OnInconclusive::Hold => (1, "hold"),
                OnInconclusive::Rollback => (2, "rollback"),
            };
            let ((is, is_word), (wanted, wanted_word)) = (word(is.on_inconclusive), word(wanted));
            found.rank("strategy.on_inconclusive", is >= wanted, is_word, wanted_word);
        }
        if let Some(least) = j.alpha_ppm.filter(|least| is.alpha_ppm < *least) {
            let show = values::show_percent;
            found.add("strategy.judge.alpha", show(is.alpha_ppm), format!("≥ {}", show(least)));
        }
        found.at_most("strategy.judge.beta", is.beta_ppm, j.beta_ppm, values::show_percent);
        found.at_most("strategy.judge.r0", is.r0_milli, j.r0_milli, values::show_milli);
        found.at_most("strategy.judge.r1", is.r1_milli, j.r1_milli, values::show_milli);
        found.at_most("strategy.judge.floor", is.floor_ppm, j.floor_ppm, values::show_percent);
        found.at_most("strategy.judge.warmup", is.warmup_ms, j.warmup_ms, values::show_duration);
        let show =
            |all: &[u32]| all.iter().map(|ms| values::show_duration((*ms).into())).collect::<Vec<_>>().join(", ");
        if let Some(wanted) = &j.bounds_ms
            && !wanted.iter().all(|b| is.bounds_ms.contains(b))
        {
            found.add("strategy.judge.latency", show(&is.bounds_ms), show(wanted));
        }
        if self.judges {
            let (paths, agents) =
                (j.ignore_paths.as_deref().unwrap_or_default(), j.ignore_agents.as_deref().unwrap_or_default());
            let below = |path: &String| {
                paths.iter().any(|p| {
                    path == p || path.strip_prefix(p.trim_end_matches('/')).is_some_and(|r| r.starts_with('/'))
                })
            };
            found.among("strategy.judge.ignore.paths", &is.ignore.paths, below, paths);
            found.among("strategy.judge.ignore.agents", &is.ignore.agents, |a| agents.contains(a), agents);
        }
    }

    /// What of a pushed spec is weaker in an environment, each where the file says it, or where it could have.
    pub fn check(&self, file: &str, source: &str, env: &EnvName, spec: &ResolvedSpec) -> Vec<Fault> {
        let weaker = self.weaker(spec);
        if weaker.is_empty() {
            return Vec::new();
        }
        let root = yaml::parse(file, source, &yaml::Options::default()).ok();
        let fault = |w: Weaker| {
            let fault = Fault::new(&faults::WEAKER).with("key", w.key).with("found", w.found);
            let fault = fault.with("wanted", w.wanted).with("env", env);
            match root.as_ref().map(|root| position(root, env, w.key)) {
                Some(at) => Fault { at: Some(at), ..fault },
                None => fault,
            }
        };
        weaker.into_iter().map(fault).collect()
    }
}

/// Where a spec says something about an environment: below it, else at the top, else the nearest key around it.
fn position(root: &yaml::Node, env: &EnvName, key: &str) -> At {
    let parts: Vec<&str> = key.split('.').collect();
    let below = ["environments", env.as_str()];
    for depth in (1..=parts.len()).rev() {
        let own = below.iter().copied().chain(parts[..depth].iter().copied());
        if let Some(at) = find(root, own).or_else(|| find(root, parts[..depth].iter().copied())) {
            return at;
        }
    }
    find(root, below.into_iter()).unwrap_or_else(|| root.at())
}

fn find<'a>(root: &yaml::Node, path: impl Iterator<Item = &'a str>) -> Option<At> {
    let mut node = root;
    for key in path {
        node = node.as_mapping()?.get(key)?;
    }
    Some(node.at())
}

fn type_of(strategy: Strategy) -> StrategyType {
    match strategy {
        Strategy::AllAtOnce => StrategyType::AllAtOnce,
        Strategy::Rolling { .. } => StrategyType::Rolling,
        Strategy::BlueGreen => StrategyType::BlueGreen,
        Strategy::Canary => StrategyType::Canary,
    }
}

/// Work that is not divided can only change over whole.
fn has_a_choice(spec: &ResolvedSpec) -> bool {
    match spec.workload.kind {
        ServiceKind::Web => true,
        ServiceKind::Worker | ServiceKind::Cron => spec.shards.is_some() && spec.instances > 1,
    }
}

#[derive(Default)]
struct Found(Vec<Weaker>);

impl Found {
    fn add(&mut self, key: &'static str, found: impl Into<String>, wanted: impl Into<String>) {
        self.0.push(Weaker { key, found: found.into(), wanted: wanted.into() });
    }

    fn rank(&mut self, key: &'static str, good: bool, is: &str, wanted: &str) {
        if !good {
            self.add(key, is, wanted);
        }
    }

    fn at_least_ms(&mut self, key: &'static str, is: u64, least: Option<u64>) {
        if let Some(least) = least.filter(|least| is < *least) {
            self.add(key, values::show_duration(is), format!("≥ {}", values::show_duration(least)));
        }
    }

    fn at_most<T: PartialOrd + Copy>(&mut self, key: &'static str, is: T, most: Option<T>, show: impl Fn(T) -> String) {
        if let Some(most) = most.filter(|most| is > *most) {
            self.add(key, show(is), format!("≤ {}", show(most)));
        }
    }

    /// A limit that has to be there.
    fn capped(&mut self, key: &'static str, is: Option<u32>, most: Option<u32>, show: impl Fn(u32) -> String) {
        if let Some(most) = most
            && is.is_none_or(|is| is > most)
        {
            self.add(key, is.map_or_else(|| "none".into(), &show), format!("≤ {}", show(most)));
        }
    }

    fn among(&mut self, key: &'static str, is: &[String], good: impl Fn(&String) -> bool, allowed: &[String]) {
        if let Some(bad) = is.iter().find(|one| !good(one)) {
            let allowed = if allowed.is_empty() { "[]".to_owned() } else { listed(allowed.iter().map(String::as_str)) };
            self.add(key, format!("`{bad}`"), allowed);
        }
    }
}

fn read(top: &Section<'_>, notes: &mut Notes) -> Policy {
    let field = top.get("strategy");
    let judges = field.as_ref().and_then(|f| f.node.as_mapping()).is_some_and(|m| m.get("judge").is_some());
    Policy {
        branches: top.get("branches").and_then(|f| texts(&f, values::is_branch, notes)).unwrap_or_default(),
        deployers: top.get("deployers").and_then(|f| texts(&f, is_handle, notes)).unwrap_or_default(),
        approvals: top.get("approvals").and_then(|f| approvals(&f, notes)),
        strategy: field.map(|f| strategy::read(&f, notes)).unwrap_or_default(),
        judges,
    }
}

fn approvals(field: &Field<'_>, notes: &mut Notes) -> Option<Approvals> {
    let section = field.section(notes)?;
    let count = section.read("count", 1, notes, |f, n| f.count32(0..=20, n))?;
    let hotfix = section.read("hotfix", count, notes, |f, n| f.count32(0..=20, n))?;
    let from = section.read("from", Vec::new(), notes, |f, n| texts(f, is_handle, n))?;
    let own = section.read("own", false, notes, |f, n| f.flag(n))?;
    Some(Approvals { count, hotfix, from, own })
}

fn texts(field: &Field<'_>, good: fn(&str) -> bool, notes: &mut Notes) -> Option<Vec<String>> {
    field.list_of(&faults::BAD_POLICY_NAME, |t| good(t).then(|| t.to_owned()), notes)
}

//! The control plane of the simulation, and what must hold after every step.

use super::{
    host::{Desired, Host, Nature, Observed, Phase as Process},
    random::Random,
};
use std::{collections::BTreeMap, fmt, time::Duration};
use tradewind_model::{
    id::{InstanceId, RevisionId, RolloutId, SiteName},
    protocol::{agent::DesiredPhase, edge::FULL_SHARE, edge::Mode},
    rollout::{
        decide::decide,
        desired::PlaceDesired,
        effect::{Effect, Happened},
        facts::{Facts, RouteFacts, Seen, SiteFacts, VerifyFacts, VerifyOutcome, count},
        faults,
        history::History,
        plan::{Flow, Kind, Plan, Request, SitePlan, Strategy, Timing},
        state::{Phase, State, Step},
        target::rollback_target,
    },
    said::Said,
    time::Timestamp,
    workload::ServiceKind,
};

/// An invariant that did not hold.
#[derive(Debug)]
pub struct Broken {
    pub seed: u64,
    pub what: String,
    pub story: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        for line in self.story.iter().rev().take(60).rev() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Broken {}

/// What a schedule went through, so that a test can see that it went through anything.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    pub decisions: u64,
    pub completed: u64,
    pub failed: u64,
    pub aborted: u64,
    pub superseded: u64,
    pub rollbacks: u64,
    pub lost: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, o: Self) {
        self.decisions += o.decisions;
        self.completed += o.completed;
        self.failed += o.failed;
        self.aborted += o.aborted;
        self.superseded += o.superseded;
        self.rollbacks += o.rollbacks;
        self.lost += o.lost;
    }
}

struct Rollout {
    id: RolloutId,
    plan: Plan,
    state: State,
}

pub struct World {
    seed: u64,
    random: Random,
    now: Timestamp,
    faults: bool,
    // rows
    places: BTreeMap<SiteName, PlaceDesired>,
    histories: BTreeMap<SiteName, History>,
    rollouts: Vec<Rollout>,
    verify: Vec<(SiteName, RevisionId, String)>,
    generation: u64,
    queue_frozen: bool,
    freeze: bool,
    seen: Observed,
    // elsewhere
    connected: bool,
    host: Host,
    natures: BTreeMap<RevisionId, Nature>,
    to_agent: Vec<Desired>,
    to_server: Vec<Observed>,
    service_kind: ServiceKind,
    strategy: Strategy,
    instances: u32,
    ids: i64,
    counts: Counts,
    story: Vec<String>,
}

type Check = Result<(), Box<Broken>>;

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let kind =
            *random.pick(&[ServiceKind::Web, ServiceKind::Web, ServiceKind::Worker]).unwrap_or(&ServiceKind::Web);
        let strategy = *random
            .pick(&[Strategy::BlueGreen, Strategy::Rolling { max_surge: 1 }, Strategy::AllAtOnce])
            .unwrap_or(&Strategy::BlueGreen);
        let instances = 1 + u32::try_from(random.below(3)).unwrap_or(0);
        let sites = 1 + random.below(2);
        let names: Vec<SiteName> =
            (0..sites).filter_map(|i| if i == 0 { "default" } else { "shopee-br" }.parse().ok()).collect();
        Self {
            seed,
            random,
            now: Timestamp(1_000_000_000),
            faults: true,
            places: names.iter().map(|n| (n.clone(), PlaceDesired::default())).collect(),
            histories: names.iter().map(|n| (n.clone(), History::default())).collect(),
            rollouts: Vec::new(),
            verify: Vec::new(),
            generation: 0,
            queue_frozen: false,
            freeze: false,
            seen: Observed::default(),
            connected: true,
            host: Host::default(),
            natures: BTreeMap::new(),
            to_agent: Vec::new(),
            to_server: Vec::new(),
            service_kind: kind,
            strategy,
            instances,
            ids: 0,
            counts: Counts::default(),
            story: vec![format!("{kind:?} {strategy:?} × {instances}, {sites} sites")],
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// One step of anything that may happen.
    pub fn anything(&mut self) -> Check {
        match self.random.below(140) {
            100.. => self.go_well()?,
            0..=24 => self.host.tick(&mut self.random, &self.natures, true),
            25..=39 => self.deliver_to_agent(),
            40..=54 => self.deliver_to_server(),
            55..=64 => self.report(),
            65..=69 => self.send(),
            70..=82 => self.decide_all()?,
            83..=88 => self.pass_time(),
            89 => self.disconnect_or_connect(),
            90 => self.kill_agent(),
            91..=93 => self.request(Kind::Normal)?,
            94..=95 => self.request(Kind::Rollback)?,
            96 => self.abort(),
            97 => self.pause_or_resume(),
            98 => self.freeze = !self.freeze,
            _ => {
                self.queue_frozen = false;
                self.retire();
            }
        }
        self.check_always()
    }

    /// A stretch without trouble, so that schedules get somewhere.
    fn go_well(&mut self) -> Check {
        self.send();
        self.deliver_all();
        for _ in 0..6 {
            self.host.tick(&mut self.random, &self.natures, true);
        }
        self.report();
        self.deliver_all();
        self.now = self.now.plus(Duration::from_millis(300));
        self.decide_all()
    }

    /// No more faults or wishes: everything must come to rest, and in the right place.
    pub fn calm_down(&mut self) -> Check {
        self.tell("calm");
        self.faults = false;
        self.freeze = false;
        self.queue_frozen = false;
        self.connected = true;
        for r in &mut self.rollouts {
            r.state.set_paused(false);
        }
        let mut quiet = 0;
        for _ in 0..6_000 {
            self.send();
            self.deliver_all();
            for _ in 0..8 {
                self.host.tick(&mut self.random, &self.natures, false);
            }
            self.report();
            self.deliver_all();
            self.decide_all()?;
            self.check_always()?;
            self.now = self.now.plus(Duration::from_millis(500));
            self.queue_frozen = false;
            quiet = if self.rollouts.iter().all(|r| r.state.phase.is_final()) { quiet + 1 } else { 0 };
            if quiet == 60 {
                return self.check_at_rest();
            }
        }
        let stuck: Vec<_> =
            self.rollouts.iter().filter(|r| !r.state.phase.is_final()).map(|r| format!("{:?}", r.state)).collect();
        Err(self.broken(format!("a rollout never ends: {stuck:?}")))
    }

    // ---------------------------------------------------------------- network

    fn send(&mut self) {
        let d = Desired { generation: self.generation, sites: self.places.clone(), verify: self.verify.clone() };
        if self.connected {
            self.to_agent.push(d);
        }
    }

    fn report(&mut self) {
        let o = self.host.report();
        if self.connected {
            self.to_server.push(o);
        }
    }

    fn deliver_to_agent(&mut self) {
        if self.to_agent.is_empty() {
            return;
        }
        let i = usize::try_from(self.random.below(self.to_agent.len() as u64)).unwrap_or(0);
        if self.random.one_in(8) {
            self.to_agent.remove(i);
            self.counts.lost += 1;
        } else if self.random.one_in(8) {
            self.host.receive(self.to_agent[i].clone());
        } else {
            let d = self.to_agent.remove(i);
            self.host.receive(d);
        }
    }

    fn deliver_to_server(&mut self) {
        if self.to_server.is_empty() {
            return;
        }
        let i = usize::try_from(self.random.below(self.to_server.len() as u64)).unwrap_or(0);
        if self.random.one_in(8) {
            self.to_server.remove(i);
            self.counts.lost += 1;
        } else {
            let o = if self.random.one_in(8) { self.to_server[i].clone() } else { self.to_server.remove(i) };
            self.observe(o);
        }
    }

    fn deliver_all(&mut self) {
        for d in std::mem::take(&mut self.to_agent) {
            self.host.receive(d);
        }
        for o in std::mem::take(&mut self.to_server) {
            self.observe(o);
        }
    }

    fn observe(&mut self, o: Observed) {
        if (o.epoch, o.seq) > (self.seen.epoch, self.seen.seq) {
            self.seen = o;
        }
    }

    fn disconnect_or_connect(&mut self) {
        self.connected = !self.connected;
        self.to_agent.clear();
        self.to_server.clear();
        self.tell(if self.connected { "connected" } else { "disconnected" });
    }

    fn kill_agent(&mut self) {
        match self.random.below(4) {
            0 => {
                self.tell("agent killed, its desired state lost");
                self.host.forget();
            }
            1 => {
                self.tell("host set up anew");
                self.host.begin_anew();
            }
            _ => {
                self.tell("agent killed");
                return self.host.restart_agent();
            }
        }
        // What was on its way to the process before is not for one that cannot tell that it is old.
        self.to_agent.clear();
        // The first thing said on a connection is how things are, before anything desired has come.
        self.report();
    }

    fn pass_time(&mut self) {
        let ms = match self.random.below(20) {
            0 => 120_000,
            1..=3 => 15_000,
            _ => self.random.below(2_000),
        };
        if self.random.one_in(25) {
            self.now = Timestamp(self.now.0 - 30_000_000);
        }
        self.now = self.now.plus(Duration::from_millis(ms));
    }

    // ---------------------------------------------------------------- wishes

    fn active(&self) -> Option<usize> {
        self.rollouts.iter().position(|r| matches!(r.state.phase, Phase::Running | Phase::Returning))
    }

    fn new_id(&mut self) -> Timestamp {
        self.ids += 1;
        Timestamp(self.ids)
    }

    fn request(&mut self, kind: Kind) -> Check {
        let active = self.active();
        let mut sites = Vec::new();
        let to_new = RevisionId::at(self.new_id());
        let further = self.random.one_in(3);
        let names: Vec<SiteName> = self.places.keys().cloned().collect();
        for site in names {
            let history = &self.histories[&site];
            let (from, to, half) = match kind {
                Kind::Rollback => {
                    let active = active.map(|i| (&self.rollouts[i].plan, &self.rollouts[i].state));
                    let wanted = history.revisions().first().copied().filter(|_| further);
                    match rollback_target(&site, active, history, wanted) {
                        Ok(t) => (t.from, t.to, t.from_half_made),
                        Err(_) => continue,
                    }
                }
                Kind::Normal | Kind::Hotfix | Kind::Drill => {
                    if self.rollouts.iter().filter(|r| !r.state.phase.is_final()).count() > 2 {
                        return Ok(());
                    }
                    (None, to_new, false)
                }
            };
            sites.push(SitePlan {
                site,
                from,
                from_label: None,
                from_half_made: half,
                to,
                to_label: String::new(),
                instances: self.instances,
            });
        }
        if sites.is_empty() {
            return Ok(());
        }
        if kind == Kind::Normal {
            let nature = match self.random.below(10) {
                0..=5 => Nature::Good,
                6 | 7 => Nature::NeverReady,
                8 => Nature::CannotStart,
                _ => Nature::Fails,
            };
            self.natures.insert(to_new, nature);
        }
        let id = RolloutId::at(self.new_id());
        self.tell(format!("{kind:?} requested"));
        if kind == Kind::Rollback {
            self.counts.rollbacks += 1;
            if let Some(i) = active {
                self.tell(format!("supersedes {:?}", self.rollouts[i].state.sites));
                self.rollouts[i].state.supersede(id);
                self.counts.superseded += 1;
            }
        }
        let plan = self.plan(kind, sites);
        let mut state = State::queued(&plan);
        if kind == Kind::Rollback {
            state.begin(self.now);
        }
        self.rollouts.push(Rollout { id, plan, state });
        if kind == Kind::Rollback { self.decide_all() } else { Ok(()) }
    }

    fn plan(&self, kind: Kind, sites: Vec<SitePlan>) -> Plan {
        Plan::new(Request {
            kind,
            service_kind: self.service_kind,
            strategy: self.strategy,
            stages: Vec::new(),
            judging: None,
            limits: None,
            sites,
            timing: Timing { soak_ms: 2_000, ..Timing::default() },
            verify: true,
            freeze_queue_on_failure: true,
        })
    }

    fn abort(&mut self) {
        if let Some(i) = self.active() {
            self.tell("abort requested");
            self.rollouts[i].state.request_abort("someone", "for a reason");
        }
    }

    fn pause_or_resume(&mut self) {
        if let Some(i) = self.active() {
            let paused = !self.rollouts[i].state.paused;
            self.rollouts[i].state.set_paused(paused);
        }
    }

    fn retire(&mut self) {
        if self.active().is_none() {
            for p in self.places.values_mut() {
                if p.retire(self.now) {
                    self.generation += 1;
                }
            }
        }
    }

    // ---------------------------------------------------------------- load, decide, persist

    fn decide_all(&mut self) -> Check {
        if self.active().is_none() && !self.queue_frozen {
            let now = self.now;
            let next = self.rollouts.iter().position(|r| r.state.phase == Phase::Queued);
            if let Some(i) = next {
                // A queued rollout starts from what completed before it.
                let sites = self.rollouts[i].plan.sites.clone();
                let sites =
                    sites.into_iter().map(|s| SitePlan { from: self.histories[&s.site].current(), ..s }).collect();
                let plan = self.plan(self.rollouts[i].plan.kind, sites);
                let r = &mut self.rollouts[i];
                r.plan = plan;
                r.state.begin(now);
            }
        }
        let Some(i) = self.active() else { return Ok(()) };
        self.counts.decisions += 1;
        let facts = self.facts(i);
        let r = &self.rollouts[i];
        let d = decide(&r.plan, &r.state, &facts, self.now);
        let again = decide(&r.plan, &d.state, &facts, self.now);
        if r.plan.kind != Kind::Rollback
            && facts.frozen
            && d.happened.iter().any(|h| matches!(h, Happened::WaveStarted { .. }))
        {
            return Err(self.broken("a wave began under a freeze".into()));
        }
        let story = format!("decided {:?} {:?}", d.state.phase, d.happened);
        self.check_judgement(r, &d.happened)?;
        let (plan, id) = (r.plan.clone(), r.id);
        let changed = d.state != r.state;
        self.rollouts[i].state = d.state.clone();
        if changed {
            self.tell(story);
        }
        if self.apply(&plan, id, &d.effects) {
            self.generation += 1;
        }
        let before = self.places.clone();
        self.apply(&plan, id, &d.effects);
        if before != self.places {
            return Err(self.broken(format!("effects applied twice changed more: {:?}", d.effects)));
        }
        if again.effects.iter().any(|e| matches!(e, Effect::Verify { .. }) && d.effects.contains(e)) {
            return Err(self.broken(format!("a verification was asked for twice: {:?}", again.effects)));
        }
        self.note_end(i, &d.happened)
    }

    fn apply(&mut self, plan: &Plan, id: RolloutId, effects: &[Effect]) -> bool {
        let (before, verify_before) = (self.places.clone(), self.verify.len());
        for e in effects {
            let site = match e {
                Effect::Want { site, .. }
                | Effect::StopOthers { site, .. }
                | Effect::Route { site, .. }
                | Effect::Complete { site, .. } => site,
                Effect::Verify { site, revision, attempt } => {
                    let task = format!("{id}/{site}/{attempt}");
                    if !self.verify.iter().any(|(_, _, t)| *t == task) {
                        self.verify.push((site.clone(), *revision, task));
                    }
                    continue;
                }
                Effect::FreezeQueue { .. } => {
                    self.queue_frozen = true;
                    continue;
                }
            };
            let ids = &mut self.ids;
            let mut new_id = || {
                *ids += 1;
                InstanceId::at(Timestamp(*ids))
            };
            if let Some(place) = self.places.get_mut(site) {
                place.apply(e, plan, &mut new_id);
            }
            if let Effect::Complete { site, revision, .. } = e
                && let Some(h) = self.histories.get_mut(site)
            {
                match plan.kind {
                    Kind::Rollback => h.went_back_to(*revision),
                    Kind::Normal | Kind::Hotfix | Kind::Drill => h.completed(*revision),
                }
            }
        }
        before != self.places || verify_before != self.verify.len()
    }

    fn facts(&self, i: usize) -> Facts {
        let r = &self.rollouts[i];
        let mut sites = BTreeMap::new();
        for (site, place) in &self.places {
            let seen: Vec<Seen> = self
                .seen
                .instances
                .iter()
                .filter(|(_, (s, _, _))| s == site)
                .map(|(id, (_, revision, phase))| Seen {
                    id: *id,
                    revision: *revision,
                    phase: phase.reported(),
                    message: None,
                })
                .collect();
            let revisions = count(place, &seen, self.service_kind);
            let attempt = r.state.sites.get(site).map_or(0, |s| s.verify_attempt);
            let verify = self.seen.verified.get(&format!("{}/{site}/{attempt}", r.id)).map(|passed| VerifyFacts {
                attempt,
                outcome: if *passed {
                    VerifyOutcome::Passed
                } else {
                    VerifyOutcome::Failed { detail: Said::plain("no") }
                },
            });
            let route = RouteFacts {
                version: place.route.as_ref().map_or(0, |r| r.version),
                acked: self.seen.routes.get(site).copied().unwrap_or(0),
                tripped: None,
            };
            let fresh = self.seen.generation >= self.generation;
            sites.insert(site.clone(), SiteFacts { fresh, revisions, route, verify, judged: None });
        }
        let frozen = self.freeze && r.plan.kind != Kind::Rollback;
        Facts { agents_present: self.connected, frozen, others_wait: false, sites }
    }

    // ---------------------------------------------------------------- what must hold

    fn note_end(&mut self, i: usize, happened: &[Happened]) -> Check {
        for h in happened {
            if let Happened::Finished { phase, .. } = h {
                match phase {
                    Phase::Completed => self.counts.completed += 1,
                    Phase::Failed => self.counts.failed += 1,
                    Phase::Aborted => self.counts.aborted += 1,
                    Phase::Queued | Phase::Running | Phase::Returning | Phase::Superseded => {}
                }
                self.check_end(i, *phase)?;
            }
        }
        Ok(())
    }

    /// A revision is not judged by a host that merely does not know of it.
    fn check_judgement(&self, r: &Rollout, happened: &[Happened]) -> Check {
        let unhealthy = faults::UNHEALTHY.id;
        let judged = happened.iter().any(|h| matches!(h, Happened::Returning { reason } if reason.code == unhealthy));
        if !judged {
            return Ok(());
        }
        let patience = Duration::from_millis(r.plan.timing.degraded_ms);
        let failed = |s: &SitePlan| {
            let long = r.state.sites[&s.site].degraded_since.is_some_and(|t| self.now >= t.plus(patience));
            let seen = self.seen.instances.values().filter(|(site, revision, _)| *site == s.site && *revision == s.to);
            long || seen.map(|(_, _, phase)| phase).any(|p| matches!(p, Process::Unready | Process::Failed))
        };
        if r.plan.sites.iter().any(failed) {
            return Ok(());
        }
        Err(self.broken(format!("judged by a report that says nothing of it: {:?}", self.seen)))
    }

    /// After a return every site it touched is on its own previous revision.
    fn check_end(&self, i: usize, phase: Phase) -> Check {
        let r = &self.rollouts[i];
        for s in &r.plan.sites {
            let place = &self.places[&s.site];
            let state = &r.state.sites[&s.site];
            let on = match phase {
                Phase::Completed => Some(s.to),
                Phase::Failed if !r.plan.returns() => Some(s.to),
                Phase::Failed | Phase::Aborted if state.step == Step::Stayed => Some(s.to),
                Phase::Failed | Phase::Aborted if state.touched => s.from,
                _ => continue,
            };
            let runs = |r| place.instances.iter().filter(|i| i.revision == r && i.phase == DesiredPhase::Run).count();
            match on {
                Some(on) => {
                    if runs(on) != self.instances as usize {
                        return Err(self.broken(format!("{phase:?}: {} wants {} of {on}", s.site, runs(on))));
                    }
                    let other = if on == s.to { s.from } else { Some(s.to) };
                    if phase != Phase::Completed && on != s.to && other.is_some_and(|o| runs(o) > 0) {
                        return Err(self.broken(format!("{phase:?}: {} still runs the other revision", s.site)));
                    }
                    if self.service_kind == ServiceKind::Web {
                        let full = place
                            .route
                            .as_ref()
                            .is_some_and(|r| r.mode == Mode::Serve && r.splits.contains(&(on, FULL_SHARE)));
                        if !full {
                            return Err(self.broken(format!("{phase:?}: {} routes {:?}", s.site, place.route)));
                        }
                    }
                }
                None => {
                    let served = place.route.as_ref().is_some_and(|r| r.mode == Mode::Serve);
                    if runs(s.to) > 0 || served {
                        return Err(self.broken(format!("{phase:?}: a first release left something on {}", s.site)));
                    }
                }
            }
        }
        Ok(())
    }

    fn check_always(&self) -> Check {
        if self.rollouts.iter().filter(|r| matches!(r.state.phase, Phase::Running | Phase::Returning)).count() > 1 {
            return Err(self.broken("two rollouts are active".into()));
        }
        for (site, table) in &self.host.edge {
            for t in &table.targets {
                if self.host.processes.get(t).is_none_or(|p| p.phase != Process::Ready) {
                    return Err(self.broken(format!("{site} routes to {t}, which is not ready")));
                }
            }
        }
        let exclusive = self.plan(Kind::Normal, Vec::new()).flow == Flow::Exclusive;
        for (site, place) in &self.places {
            if exclusive {
                let mut alive: Vec<RevisionId> = self
                    .host
                    .processes
                    .values()
                    .filter(|p| p.site == *site && p.phase.alive())
                    .map(|p| p.revision)
                    .collect();
                alive.dedup();
                alive.sort();
                alive.dedup();
                if alive.len() > 1 {
                    return Err(self.broken(format!("{site} is worked by {alive:?} at once")));
                }
            } else if let Some(route) = place.route.as_ref().filter(|r| r.mode == Mode::Serve) {
                for (r, w) in &route.splits {
                    let runs = place.instances.iter().any(|i| i.revision == *r && i.phase == DesiredPhase::Run);
                    if *w > 0 && !runs {
                        return Err(self.broken(format!("{site} gives {w} to {r}, which has no instances")));
                    }
                }
                if route.splits.iter().map(|(_, w)| w).sum::<u32>() != FULL_SHARE {
                    return Err(self.broken(format!("{site}'s shares do not add up: {:?}", route.splits)));
                }
            }
        }
        Ok(())
    }

    /// With everything delivered and done, the host is what the rows say.
    fn check_at_rest(&self) -> Check {
        for (site, place) in &self.places {
            if let Some(route) = &place.route
                && self.host.edge.get(site).map(|t| t.version) != Some(route.version)
            {
                return Err(self.broken(format!("{site}: the edge is not on the row's route")));
            }
        }
        let wanted = |id: &InstanceId| self.places.values().flat_map(|p| &p.instances).any(|i| i.id == *id);
        match self.host.processes.keys().find(|id| !wanted(id)) {
            Some(id) => Err(self.broken(format!("{id} runs and nobody wants it"))),
            None => Ok(()),
        }
    }

    fn tell(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.story.push(format!("{:>8} ms {line}", self.now.0 / 1000 - 1_000_000));
    }

    fn broken(&self, what: String) -> Box<Broken> {
        Box::new(Broken { seed: self.seed, what, story: self.story.clone() })
    }
}

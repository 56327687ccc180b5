//! The world of a schedule: what is in it, and what may happen next.

use super::{
    counts::{Broken, Counts},
    host::{Desired, Host, Nature, Observed, Surroundings},
    judge::Bookkeeping,
    random::Random,
    sizes::Size,
};
use std::{collections::BTreeMap, str::FromStr, time::Duration};
use tradewind_model::{
    id::{RevisionId, RolloutId, SiteName},
    protocol::{edge::FULL_SHARE, trial::Ignore},
    rollout::{
        desired::PlaceDesired,
        facts::Judged,
        history::History,
        judging::{Judging, OnInconclusive, Promote, Stage},
        plan::{Kind, Plan, Strategy, Timing},
        state::{State, Step},
    },
    time::Timestamp,
    workload::ServiceKind,
};

pub(super) struct Rollout {
    pub id: RolloutId,
    pub plan: Plan,
    pub state: State,
    pub books: Bookkeeping,
}

pub struct World {
    pub(super) seed: u64,
    pub(super) random: Random,
    /// What the server's clock says; it is set back at times.
    pub(super) now: Timestamp,
    /// Milliseconds since the schedule began.
    pub(super) mono_ms: u64,
    pub(super) faults: bool,
    /// The host keeps workers apart by itself.
    pub(super) fenced: bool,
    // rows
    pub(super) places: BTreeMap<SiteName, PlaceDesired>,
    pub(super) salts: BTreeMap<SiteName, RolloutId>,
    pub(super) histories: BTreeMap<SiteName, History>,
    pub(super) rollouts: Vec<Rollout>,
    pub(super) verify: Vec<(SiteName, RevisionId, String)>,
    pub(super) generation: u64,
    pub(super) queue_frozen: bool,
    pub(super) freeze: bool,
    pub(super) seen: Observed,
    /// What the judge says of the active rollout.
    pub(super) judged: BTreeMap<SiteName, Judged>,
    // elsewhere
    pub(super) connected: bool,
    pub(super) host: Host,
    pub(super) natures: BTreeMap<RevisionId, Nature>,
    pub(super) to_agent: Vec<Desired>,
    pub(super) to_server: Vec<Observed>,
    // the spec
    pub(super) service_kind: ServiceKind,
    pub(super) strategy: Strategy,
    pub(super) sizes: BTreeMap<RevisionId, Size>,
    /// Of the newest release.
    pub(super) usual: Size,
    pub(super) stages: Vec<Stage>,
    pub(super) judging: Judging,
    pub(super) limited: bool,
    pub(super) timing: Timing,
    /// The judge never finds anything.
    pub(super) silent: bool,
    pub(super) ids: u64,
    pub(super) counts: Counts,
    pub(super) story: Vec<String>,
}

pub(super) type Check = Result<(), Box<Broken>>;

/// The next id; the same in every run of a seed.
pub(super) fn numbered<T: FromStr>(ids: &mut u64) -> T {
    *ids += 1;
    let text = format!("00000000-0000-7000-8000-{:012x}", *ids);
    T::from_str(&text).unwrap_or_else(|_| unreachable!("{text} is an id"))
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let kinds = [ServiceKind::Web, ServiceKind::Web, ServiceKind::Worker, ServiceKind::Cron];
        let kind = *random.pick(&kinds).unwrap_or(&ServiceKind::Web);
        let strategies = [
            Strategy::BlueGreen,
            Strategy::Rolling { max_surge: 1 },
            Strategy::AllAtOnce,
            Strategy::Canary,
            Strategy::Canary,
            Strategy::Canary,
        ];
        let strategy = *random.pick(&strategies).unwrap_or(&Strategy::BlueGreen);
        let usual = Size::first(&mut random, kind);
        let sites = 1 + random.below(2);
        let names: Vec<SiteName> =
            (0..sites).filter_map(|i| if i == 0 { "default" } else { "shopee-br" }.parse().ok()).collect();
        let judging = judging(&mut random);
        let stages = stages(&mut random);
        let watch_ms = *random.pick(&[0, 4_000, 60_000]).unwrap_or(&0);
        let timing = Timing { soak_ms: 2_000, watch_ms, lease_ms: 45_000, ..Timing::default() };
        let silent = random.one_in(5);
        let fenced = kind != ServiceKind::Web && !random.one_in(4);
        let story = format!("{kind:?} {strategy:?} {usual:?}, {sites} sites, silent: {silent}, fenced: {fenced}");
        let rule = format!("{:?} {:?} {stages:?}", judging.promote, judging.on_inconclusive);
        Self {
            seed,
            now: Timestamp(1_000_000_000),
            mono_ms: 0,
            faults: true,
            fenced,
            places: names.iter().map(|n| (n.clone(), PlaceDesired::default())).collect(),
            salts: BTreeMap::new(),
            histories: names.iter().map(|n| (n.clone(), History::default())).collect(),
            rollouts: Vec::new(),
            verify: Vec::new(),
            generation: 0,
            queue_frozen: false,
            freeze: false,
            seen: Observed::default(),
            judged: BTreeMap::new(),
            connected: true,
            host: Host::of(kind),
            natures: BTreeMap::new(),
            to_agent: Vec::new(),
            to_server: Vec::new(),
            service_kind: kind,
            strategy,
            sizes: BTreeMap::new(),
            usual,
            stages,
            judging,
            limited: !random.one_in(4),
            timing,
            silent,
            ids: 0,
            counts: Counts::default(),
            story: vec![story, rule],
            random,
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// One step of anything that may happen.
    pub fn anything(&mut self) -> Check {
        match self.random.below(158) {
            0..=24 => self.host_works(),
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
            99 => {
                self.queue_frozen = false;
                self.retire();
            }
            100..=106 => self.judge_speaks(false),
            107 => self.promote(),
            108..=109 => self.outlast_lease(),
            110..=112 => self.mend(),
            113..=123 => self.set_share(),
            _ => self.go_well()?,
        }
        self.check_always()
    }

    /// What was broken or held is set right, so that trouble does not last for most of a schedule.
    fn mend(&mut self) {
        if !self.connected {
            self.disconnect_or_connect();
        }
        self.freeze = false;
        self.queue_frozen = false;
        if self.active().is_some_and(|i| self.rollouts[i].state.paused) {
            self.pause_or_resume();
        }
    }

    /// A stretch without trouble, so that schedules get somewhere.
    fn go_well(&mut self) -> Check {
        self.send();
        self.deliver_all();
        for _ in 0..6 {
            self.host_works();
        }
        self.report();
        self.deliver_all();
        self.judge_speaks(true);
        self.wait(300);
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
        for _ in 0..20_000 {
            self.send();
            self.deliver_all();
            for _ in 0..8 {
                self.host_works();
            }
            self.report();
            self.deliver_all();
            self.judge_speaks(true);
            self.answer();
            self.decide_all()?;
            self.check_always()?;
            self.wait(500);
            self.queue_frozen = false;
            quiet = if self.rollouts.iter().all(|r| r.state.phase.is_final()) { quiet + 1 } else { 0 };
            // Each process is looked at now and then, by chance: rest comes soon, and now and then late.
            if quiet >= 20 {
                match self.check_at_rest() {
                    Ok(()) => return Ok(()),
                    Err(broken) if quiet == 400 => return Err(broken),
                    Err(_) => {}
                }
            }
        }
        let stuck: Vec<_> =
            self.rollouts.iter().filter(|r| !r.state.phase.is_final()).map(|r| format!("{:?}", r.state)).collect();
        Err(self.broken(format!("a rollout never ends: {stuck:?}")))
    }

    /// Someone who was asked says something, some time later.
    fn answer(&mut self) {
        let asks = |i: usize| {
            let asked = |step| matches!(step, Step::Judging { asked: true, .. });
            self.rollouts[i].state.sites.values().any(|s| asked(s.step))
        };
        if self.active().is_some_and(asks) && self.random.one_in(30) {
            match self.random.below(8) {
                0..=1 => self.abort(),
                2..=3 => self.set_share(),
                _ => self.promote(),
            }
        }
    }

    /// As long as it is connected, the agent hears of the server.
    pub(super) fn host_works(&mut self) {
        if self.connected {
            self.host.heard_ms = self.mono_ms;
        }
        let size = |r: RevisionId| self.sizes.get(&r).unwrap_or(&self.usual).clone();
        let surroundings = Surroundings {
            natures: &self.natures,
            faults: self.faults,
            now_ms: self.mono_ms,
            fenced: self.fenced,
            size: &size,
        };
        self.host.tick(&mut self.random, &surroundings);
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.mono_ms += ms;
        self.now = self.now.plus(Duration::from_millis(ms));
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
        self.wait(ms);
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

    pub(super) fn new_id<T: FromStr>(&mut self) -> T {
        numbered(&mut self.ids)
    }

    pub(super) fn tell(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.story.push(format!("{:>8} ms {line}", self.mono_ms));
    }

    pub(super) fn broken(&self, what: String) -> Box<Broken> {
        Box::new(Broken { seed: self.seed, what, story: self.story.clone() })
    }
}

fn judging(random: &mut Random) -> Judging {
    let promote = *random.pick(&[Promote::Evidence, Promote::Evidence, Promote::Manual]).unwrap_or(&Promote::Evidence);
    let rules = [OnInconclusive::Hold, OnInconclusive::Continue, OnInconclusive::Rollback];
    Judging {
        promote,
        on_inconclusive: *random.pick(&rules).unwrap_or(&OnInconclusive::Hold),
        alpha_ppm: 10_000,
        beta_ppm: 50_000,
        r0_milli: 1_000,
        r1_milli: 2_000,
        floor_ppm: 10_000,
        bounds_ms: vec![100, 1_000],
        ignore: Ignore::default(),
        warmup_ms: 0,
        scrape: None,
    }
}

fn stages(random: &mut Random) -> Vec<Stage> {
    let mut shares = vec![FULL_SHARE];
    for share in [5_000, 1_000, 100] {
        if !random.one_in(3) {
            shares.insert(0, share);
        }
    }
    let min_ms = *random.pick(&[0, 1_000, 3_000, 30_000]).unwrap_or(&0);
    let max_ms = min_ms + *random.pick(&[1_000, 10_000, 120_000]).unwrap_or(&10_000);
    shares.into_iter().map(|share| Stage { share, min_ms, max_ms }).collect()
}

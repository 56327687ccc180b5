//! A rollout of two revisions on hosts that do as they are told, so that a story tells only what is out of the ordinary.

use super::super::{
    decide::decide,
    desired::{PlaceDesired, WantedRoute},
    effect::{Effect, Happened},
    facts::{Facts, Judged, RouteFacts, Seen, SiteFacts, VerifyFacts, VerifyOutcome, count},
    judging::{Judging, OnInconclusive, Promote, Stage, Verdict},
    plan::{Kind, Plan, Request, SitePlan, Strategy, Timing},
    state::{Phase, State, Step},
};
use crate::{
    fault::Fault,
    id::{InstanceId, RevisionId, SiteName},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        edge::{FULL_SHARE, Mode},
        trial::{Ignore, Limits, TripCause},
    },
    said::Said,
    time::Timestamp,
    workload::ServiceKind,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub const BEGUN: Timestamp = Timestamp(3_600_000_000_000);
pub const MIN: u64 = 60;
pub const MAX: u64 = 600;
pub const SOAK: u64 = 5;
pub const WATCH: u64 = 1_800;

pub fn old() -> RevisionId {
    "01900000-0000-7000-8000-000000000001".parse().unwrap()
}

pub fn new() -> RevisionId {
    "01900000-0000-7000-8000-000000000002".parse().unwrap()
}

pub fn site(name: &str) -> SiteName {
    name.parse().unwrap()
}

pub fn judged(wave: usize, verdict: Verdict) -> Judged {
    Judged { wave, turn: 0, verdict, why: Said::plain("as the judge says") }
}

pub fn judging() -> Judging {
    Judging {
        promote: Promote::Evidence,
        on_inconclusive: OnInconclusive::Hold,
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

/// 10 %, 50 %, 100 % of four instances of one site, promoted by evidence.
pub fn request() -> Request {
    let min_of = |share| if share < FULL_SHARE { MIN * 1_000 } else { 0 };
    let stage = |share| Stage { share, min_ms: min_of(share), max_ms: MAX * 1_000 };
    Request {
        kind: Kind::Normal,
        service_kind: ServiceKind::Web,
        strategy: Strategy::Canary,
        stages: [1_000, 5_000, FULL_SHARE].map(stage).to_vec(),
        judging: Some(judging()),
        limits: Some(Limits { error_rate: Some(500), p99_ms: None, for_ms: 30_000, min_requests: 100 }),
        sites: vec![from_to("default", Some(old()), new())],
        timing: Timing { soak_ms: SOAK * 1_000, watch_ms: WATCH * 1_000, ..Timing::default() },
        verify: true,
        freeze_queue_on_failure: true,
    }
}

pub fn from_to(name: &str, from: Option<RevisionId>, to: RevisionId) -> SitePlan {
    SitePlan {
        site: site(name),
        from,
        from_label: from.map(|_| "v1".into()),
        from_half_made: false,
        to,
        to_label: "v2".into(),
        instances: 4,
        from_instances: None,
        layout: None,
        from_layout: None,
    }
}

pub struct Story {
    pub plan: Plan,
    pub state: State,
    pub now: Timestamp,
    pub places: BTreeMap<SiteName, PlaceDesired>,
    pub judged: BTreeMap<SiteName, Judged>,
    pub tripped: BTreeMap<SiteName, TripCause>,
    pub others_wait: bool,
    pub frozen: bool,
    pub away: bool,
    /// Edges take no new table.
    pub deaf: bool,
    /// Instances of these revisions do not get beyond this phase.
    pub phases: BTreeMap<RevisionId, InstancePhase>,
    /// Carriers whose processes do not end although they were told to.
    pub lingering: BTreeSet<(RevisionId, u32)>,
    /// Instances that are wanted running and do not pass their checks.
    pub broken: BTreeSet<(RevisionId, u32)>,
    /// Processes that no row names.
    pub strays: (RevisionId, i64),
    /// Reports were made under an older desired state.
    pub stale: bool,
    pub verifies: Option<bool>,
    pub happened: Vec<Happened>,
    /// When the last decision wants to be asked again.
    pub wake: Option<Timestamp>,
    ids: i64,
}

impl Story {
    /// Every site runs what its plan comes from, with all its traffic.
    pub fn begin(request: Request) -> Self {
        let plan = Plan::new(request);
        let mut state = State::queued(&plan);
        state.begin(BEGUN);
        let mut story = Self {
            state,
            now: BEGUN,
            places: BTreeMap::new(),
            judged: BTreeMap::new(),
            tripped: BTreeMap::new(),
            others_wait: false,
            frozen: false,
            away: false,
            deaf: false,
            phases: BTreeMap::new(),
            lingering: BTreeSet::new(),
            broken: BTreeSet::new(),
            strays: (old(), 0),
            stale: false,
            verifies: Some(true),
            happened: Vec::new(),
            wake: None,
            ids: 0,
            plan,
        };
        for s in story.plan.sites.clone() {
            let mut place = PlaceDesired::default();
            if let Some(from) = s.from {
                let want = Effect::Want {
                    site: s.site.clone(),
                    revision: from,
                    count: s.back_instances(),
                    phase: DesiredPhase::Run,
                };
                place.apply(&want, &story.plan, &mut || story.ids.next_id());
                let splits = vec![(from, FULL_SHARE)];
                place.route = Some(WantedRoute { version: 1, mode: Mode::Serve, splits, trial: None });
            }
            story.places.insert(s.site.clone(), place);
        }
        story
    }

    /// Another rollout begins where this one stands.
    pub fn then(&mut self, request: Request) {
        self.plan = Plan::new(request);
        self.state = State::queued(&self.plan);
        self.state.begin(self.now);
        self.judged.clear();
        self.tripped.clear();
        self.happened.clear();
    }

    pub fn facts(&self) -> Facts {
        let sites = self.places.iter().map(|(site, place)| (site.clone(), self.site_facts(site, place))).collect();
        Facts { agents_present: !self.away, frozen: self.frozen, others_wait: self.others_wait, sites }
    }

    fn site_facts(&self, site: &SiteName, place: &PlaceDesired) -> SiteFacts {
        let seen: Vec<Seen> = place
            .instances
            .iter()
            .map(|i| Seen {
                id: i.id,
                revision: i.revision,
                phase: match i.phase {
                    DesiredPhase::Run if self.broken.contains(&(i.revision, i.ordinal)) => InstancePhase::Unhealthy,
                    DesiredPhase::Run => self.phases.get(&i.revision).copied().unwrap_or(InstancePhase::Ready),
                    DesiredPhase::Stopped if self.lingering.contains(&(i.revision, i.ordinal)) => {
                        InstancePhase::Stopping
                    }
                    DesiredPhase::Stopped => InstancePhase::Stopped,
                },
                message: None,
            })
            .chain((0..self.strays.1).map(|i| Seen {
                id: InstanceId::at(Timestamp(i)),
                revision: self.strays.0,
                phase: InstancePhase::Ready,
                message: None,
            }))
            .collect();
        let version = place.route.as_ref().map_or(0, |r| r.version);
        let attempt = self.state.sites.get(site).map_or(0, |s| s.verify_attempt);
        let outcome = match self.verifies {
            None => VerifyOutcome::Pending,
            Some(true) => VerifyOutcome::Passed,
            Some(false) => VerifyOutcome::Failed { detail: Said::plain("no") },
        };
        SiteFacts {
            fresh: !self.stale,
            revisions: count(place, &seen, self.plan.service_kind),
            route: RouteFacts { version, acked: if self.deaf { 0 } else { version } },
            tripped: self.tripped.get(site).cloned(),
            verify: (attempt > 0).then_some(VerifyFacts { attempt, outcome }),
            judged: self.judged.get(site).cloned(),
        }
    }

    /// One decision, with all it wants done.
    pub fn decide(&mut self) {
        let d = decide(&self.plan, &self.state, &self.facts(), self.now);
        for e in &d.effects {
            let (Effect::Want { site, .. }
            | Effect::StopOthers { site, .. }
            | Effect::Carry { site, .. }
            | Effect::StopOthersBelow { site, .. }
            | Effect::Route { site, .. }
            | Effect::Complete { site, .. }) = e
            else {
                continue;
            };
            let place = self.places.get_mut(site).unwrap();
            place.apply(e, &self.plan, &mut || self.ids.next_id());
        }
        self.state = d.state;
        self.happened.extend(d.happened);
        self.wake = d.next_wake_at;
    }

    /// Decides until nothing more follows.
    pub fn settle(&mut self) -> &mut Self {
        for _ in 0..100 {
            let before = (self.state.clone(), self.places.clone());
            self.decide();
            if before == (self.state.clone(), self.places.clone()) {
                return self;
            }
        }
        panic!("it never settles: {:?}", self.state);
    }

    pub fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.settle()
    }

    pub fn says(&mut self, name: &str, wave: usize, verdict: Verdict) -> &mut Self {
        self.judged.insert(site(name), judged(wave, verdict));
        self.settle()
    }

    /// The same of a wave whose share was changed so often.
    pub fn says_of(&mut self, wave: usize, turn: u32, verdict: Verdict) -> &mut Self {
        self.judged.insert(site("default"), Judged { turn, ..judged(wave, verdict) });
        self.settle()
    }

    /// Somebody promotes the wave begun last.
    pub fn promote(&mut self) -> Result<SiteName, Fault> {
        let wave = self.state.begun().unwrap_or(0);
        self.state.promote(wave, "lin", "seen", self.now)
    }

    pub fn set_share(&mut self, share: u32) -> Result<(), Fault> {
        let wave = self.state.begun().unwrap_or(0);
        self.state.set_share(&self.plan, wave, share).map(drop)
    }

    /// The judge finds each wave from the current one on good, until `wave` has begun.
    pub fn promoted_to(&mut self, wave: usize) -> &mut Self {
        self.settle();
        while self.state.wave < wave {
            let (name, at) = (self.plan.waves[self.state.wave].site.clone(), self.state.wave);
            self.says(name.as_str(), at, Verdict::Better).after(MIN.max(SOAK));
        }
        self
    }

    pub fn step(&self) -> Step {
        self.step_of("default")
    }

    pub fn step_of(&self, name: &str) -> Step {
        self.state.sites[&site(name)].step
    }

    /// Basis points that a revision has of a site's traffic.
    pub fn share(&self, name: &str, of: RevisionId) -> u32 {
        let route = self.places[&site(name)].route.as_ref().filter(|r| r.mode == Mode::Serve);
        route.and_then(|r| r.splits.iter().find(|(r, _)| *r == of)).map_or(0, |(_, share)| *share)
    }

    pub fn on_trial(&self, name: &str) -> bool {
        self.places[&site(name)].route.as_ref().is_some_and(|r| r.trial.is_some())
    }

    pub fn running(&self, name: &str, of: RevisionId) -> usize {
        let runs = |i: &&super::super::desired::WantedInstance| i.revision == of && i.phase == DesiredPhase::Run;
        self.places[&site(name)].instances.iter().filter(runs).count()
    }

    pub fn told(&self) -> Vec<&'static str> {
        let kind = |h: &Happened| h.kind().strip_prefix("rollout.").unwrap();
        self.happened.iter().map(kind).collect()
    }

    pub fn count(&self, kind: &str) -> usize {
        self.told().into_iter().filter(|k| *k == kind).count()
    }

    /// Why it ended or is going back.
    pub fn reason(&self) -> &str {
        self.state.reason.as_ref().map_or("", |r| r.code.as_str())
    }

    /// All sites are where they were before, and nothing of the new revision is left.
    pub fn assert_returned(&self) {
        assert!(matches!(self.state.phase, Phase::Failed | Phase::Aborted), "{:?}", self.state);
        for s in &self.plan.sites {
            let name = s.site.as_str();
            assert_eq!(self.running(name, s.to), 0, "{name}");
            assert!(!self.on_trial(name), "{name}");
            if let Some(from) = s.from {
                assert_eq!(self.share(name, from), FULL_SHARE, "{name}");
                assert_eq!(self.running(name, from), s.back_instances() as usize, "{name}");
            }
        }
    }
}

trait NextId {
    fn next_id(&mut self) -> InstanceId;
}

impl NextId for i64 {
    fn next_id(&mut self) -> InstanceId {
        *self += 1;
        InstanceId::at(Timestamp(*self))
    }
}

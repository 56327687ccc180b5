//! One decision: from what is planned, how far it is and what was seen, to what follows.
//!
//! Called on a signal, a fact or a timer; [`Decision::next_wake_at`] is absolute, so that waiting writes nothing. A
//! decision that changes nothing returns the state it was given.

use super::{
    effect::{Effect, Happened},
    facts::{Facts, SiteFacts},
    plan::{Kind, Plan, SitePlan},
    reason::Reason,
    state::{Phase, SiteState, State, Step},
};
use crate::{id::SiteName, protocol::trial::Trial, time::Timestamp};
use std::time::Duration;

#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    pub state: State,
    pub effects: Vec<Effect>,
    pub happened: Vec<Happened>,
    /// When to decide again if nothing is seen before.
    pub next_wake_at: Option<Timestamp>,
}

pub fn decide(plan: &Plan, state: &State, facts: &Facts, now: Timestamp) -> Decision {
    let mut d = Deciding { plan, facts, now, effects: Vec::new(), happened: Vec::new(), wake: None };
    let mut state = state.clone();
    match state.phase {
        Phase::Queued => d.queued(&mut state),
        Phase::Running | Phase::Returning => d.active(&mut state),
        Phase::Completed | Phase::Failed | Phase::Aborted | Phase::Superseded => {}
    }
    Decision { state, effects: d.effects, happened: d.happened, next_wake_at: d.wake }
}

/// What the steps of a decision share.
pub(super) struct Deciding<'a> {
    pub plan: &'a Plan,
    pub facts: &'a Facts,
    pub now: Timestamp,
    pub effects: Vec<Effect>,
    pub happened: Vec<Happened>,
    wake: Option<Timestamp>,
}

/// What keeps a rollout from moving on.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// A person paused it: nothing goes on, failures still count.
    pub paused: bool,
    /// A freeze is on: no wave begins, and one that has not reached traffic or work yet does not.
    pub frozen: bool,
}

impl Held {
    pub fn at_all(self) -> bool {
        self.paused || self.frozen
    }
}

/// What working on a site came to.
pub(super) enum Progress {
    /// Nothing more can be done now.
    Waits,
    /// The step changed: look again.
    Moved,
    /// The new revision is no good here.
    Broken(Reason),
}

impl Deciding<'_> {
    fn queued(&mut self, state: &mut State) {
        if let Some(reason) = state.abort.clone() {
            self.finish(state, Phase::Aborted, Some(reason));
        }
    }

    fn active(&mut self, state: &mut State) {
        if !self.facts.agents_present {
            state.away_since.get_or_insert(self.now);
            // Turning round needs no agent: the intent is written and waits for it.
            if let Some(reason) = self.must_turn_round(state) {
                self.turn_round(state, reason);
            }
            return;
        }
        if let Some(since) = state.away_since.take() {
            let by = self.now.since(since);
            for site in state.sites.values_mut() {
                site.step = site.step.postponed(by);
                site.degraded_since = site.degraded_since.map(|t| t.plus(by));
            }
        }
        for site in state.sites.values_mut() {
            let share = if let Step::Soaking { share, .. } = site.step { share } else { 0 };
            site.step = site.step.not_after(self.now, self.soak_of(site, share));
            site.degraded_since = site.degraded_since.map(|t| t.min(self.now));
        }
        if state.phase == Phase::Running {
            match self.must_turn_round(state) {
                Some(reason) => self.turn_round(state, reason),
                None => self.forward(state),
            }
        }
        if state.phase == Phase::Returning {
            self.back(state);
        }
    }

    /// A person, the judge, a fixed limit or a lease wants the rollout taken back, whatever steps its sites are in.
    fn must_turn_round(&self, state: &State) -> Option<Reason> {
        if state.phase != Phase::Running || !self.plan.returns() {
            return None;
        }
        let condemned = |plan: &SitePlan| {
            let site = state.sites.get(&plan.site)?;
            self.condemned(plan, site, &self.facts_of(&plan.site))
        };
        state.abort.clone().or_else(|| self.plan.sites.iter().find_map(condemned))
    }

    fn forward(&mut self, state: &mut State) {
        let held = Held { paused: state.paused, frozen: self.facts.frozen };
        loop {
            let mut moved = self.begin_due_waves(state);
            for plan in &self.plan.sites {
                let Some(site) = state.sites.get_mut(&plan.site) else { continue };
                let Some(wave) = self.plan.wave_now(plan, site) else { continue };
                match self.step_forward(plan, &wave, site, held) {
                    Progress::Waits => {}
                    Progress::Moved => moved = true,
                    Progress::Broken(reason) if self.plan.returns() => {
                        self.turn_round(state, reason);
                        return;
                    }
                    Progress::Broken(reason) => moved |= self.press_on(plan, &wave, site, reason),
                }
            }
            moved |= self.finish_waves(state);
            if state.phase != Phase::Running || !moved {
                return;
            }
        }
    }

    /// Begins the wave that is due, or every wave of a plan that works on all sites at once.
    fn begin_due_waves(&mut self, state: &mut State) -> bool {
        if state.paused || self.facts.frozen {
            return false;
        }
        let due = if self.plan.parallel { 0..self.plan.waves.len() } else { state.wave..state.wave + 1 };
        let mut begun = false;
        for index in due {
            let Some(wave) = self.plan.waves.get(index) else { continue };
            let Some(plan) = self.plan.site(&wave.site) else { continue };
            let Some(site) = state.sites.get_mut(&wave.site) else { continue };
            if site.wave.is_none_or(|w| w < index) {
                site.wave = Some(index);
                site.touched = true;
                self.happened.push(Happened::WaveStarted { wave: index, site: wave.site.clone(), share: wave.share });
                self.begin_wave(plan, wave, site);
                begun = true;
            }
        }
        begun
    }

    /// Counts finished waves, and those whose share a person gave the site before; completes the rollout after the last.
    fn finish_waves(&mut self, state: &mut State) -> bool {
        let before = state.wave;
        while let Some(w) = self.plan.waves.get(state.wave) {
            let Some(site) = state.sites.get(&w.site) else { break };
            let (wave, name) = (state.wave, w.site.clone());
            match site.step {
                Step::Serving { share } if site.wave == Some(wave) => {
                    self.happened.push(Happened::WaveFinished { wave, site: name, share });
                }
                Step::Serving { share } if share >= w.share => {
                    self.happened.push(Happened::WaveSkipped { wave, site: name, share: w.share, has: share });
                }
                Step::Stayed => {}
                _ => break,
            }
            state.wave += 1;
        }
        if state.wave == self.plan.waves.len() && !state.paused {
            for s in &self.plan.sites {
                // One that was on its revision already has had no wave.
                let Some(site) = state.sites.get(&s.site).filter(|site| site.touched) else { continue };
                self.complete(s, matches!(site.step, Step::Stayed));
            }
            let stayed = state.sites.values().find(|s| matches!(s.step, Step::Stayed)).and_then(|s| s.remark.clone());
            let phase = if stayed.is_some() { Phase::Failed } else { Phase::Completed };
            self.finish(state, phase, stayed);
        }
        state.wave != before
    }

    fn turn_round(&mut self, state: &mut State, reason: Reason) {
        self.happened.push(Happened::Returning { reason: reason.clone() });
        state.phase = Phase::Returning;
        for s in &self.plan.sites {
            if let Some(site) = state.sites.get_mut(&s.site) {
                self.begin_back(s, site, &reason);
            }
        }
        state.reason = Some(reason);
    }

    fn back(&mut self, state: &mut State) {
        for s in &self.plan.sites {
            let Some(site) = state.sites.get_mut(&s.site) else { continue };
            while self.step_back(s, site) {}
        }
        let at_rest = |s: &SiteState| matches!(s.step, Step::Waiting | Step::Returned | Step::Stayed);
        if state.sites.values().all(at_rest) {
            for s in &self.plan.sites {
                if state.sites.get(&s.site).is_some_and(|s| matches!(s.step, Step::Stayed)) {
                    self.complete(s, true);
                }
            }
            let reason = state.reason.clone();
            if self.plan.freeze_queue_on_failure
                && state.abort.is_none()
                && let Some(reason) = &reason
            {
                self.effects.push(Effect::FreezeQueue { reason: reason.clone() });
            }
            let phase = if state.abort.is_some() { Phase::Aborted } else { Phase::Failed };
            self.finish(state, phase, reason);
        }
    }

    fn finish(&mut self, state: &mut State, phase: Phase, reason: Option<Reason>) {
        state.phase = phase;
        state.reason.clone_from(&reason);
        self.happened.push(Happened::Finished { phase, reason });
    }

    /// The site is on its new revision from here on, as far as rows and history go. What a rollback left is not kept,
    /// unless the rollback is in doubt: then it may be all that still answers.
    fn complete(&mut self, plan: &SitePlan, in_doubt: bool) {
        let warm = self.now.plus(Duration::from_millis(self.plan.timing.warm_ms));
        let keep = match self.plan.kind {
            Kind::Rollback if !in_doubt => None,
            Kind::Rollback | Kind::Normal | Kind::Hotfix | Kind::Drill => {
                plan.from.filter(|from| *from != plan.to).map(|r| (r, warm))
            }
        };
        self.effects.push(Effect::Complete { site: plan.site.clone(), revision: plan.to, keep });
    }

    // ------------------------------------------------------------ shared by forward and back

    pub(super) fn facts_of(&self, site: &SiteName) -> SiteFacts {
        self.facts.sites.get(site).cloned().unwrap_or_default()
    }

    /// True once `ms` have gone by since `since`; until then the decision asks to be woken.
    pub(super) fn elapsed(&mut self, since: Timestamp, ms: u64) -> bool {
        let due = since.plus(Duration::from_millis(ms));
        if self.now >= due {
            return true;
        }
        self.wake_at(due);
        false
    }

    pub(super) fn wake_at(&mut self, t: Timestamp) {
        self.wake = Some(self.wake.map_or(t, |w| w.min(t)));
    }

    /// Sets a route and returns the version to wait for.
    pub(super) fn route(
        &mut self,
        site: &SiteName,
        mode: crate::protocol::edge::Mode,
        splits: Vec<(crate::id::RevisionId, u32)>,
        trial: Option<Trial>,
    ) -> u64 {
        // A second change in one decision replaces the first: it must carry its version.
        let version = self.facts_of(site).route.version + 1;
        self.effects.retain(|e| !matches!(e, Effect::Route { site: s, .. } if s == site));
        self.effects.push(Effect::Route { site: site.clone(), version, mode, splits, trial });
        version
    }
}

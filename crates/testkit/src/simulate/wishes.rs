//! What people ask for: rollouts, rollbacks, an abort, a pause, the promotion of a wave, another share for it.

use super::{
    host::Nature,
    judge::Bookkeeping,
    sizes::Size,
    world::{Check, Rollout, World},
};
use tradewind_model::{
    id::{RevisionId, SiteName},
    protocol::{edge::FULL_SHARE, trial::Limits},
    rollout::{
        plan::{Kind, Plan, Request, SitePlan},
        state::{Phase, State},
        target::rollback_target,
    },
};

impl World {
    pub(super) fn request(&mut self, kind: Kind) -> Check {
        let active = self.active();
        let mut sites = Vec::new();
        let names: Vec<SiteName> = self.places.keys().cloned().collect();
        let further = self.random.one_in(3);
        // Now and then what completed before is deployed once more.
        let known: Vec<_> = self.histories.values().flat_map(|h| h.revisions().iter().copied()).collect();
        let again = if self.random.one_in(8) { self.random.pick(&known).copied() } else { None };
        let to_new = again.unwrap_or_else(|| self.new_id());
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
            sites.push((site, from, to, half));
        }
        if sites.is_empty() {
            return Ok(());
        }
        if kind == Kind::Normal && again.is_none() {
            let nature = match self.random.below(12) {
                0..=5 => Nature::Good,
                6 | 7 => Nature::NeverReady,
                8 => Nature::CannotStart,
                9 | 10 => Nature::Fails,
                _ => Nature::Wrong,
            };
            self.natures.insert(to_new, nature);
        }
        if kind == Kind::Normal && again.is_none() {
            let size = self.next_size();
            self.sizes.insert(to_new, size);
        }
        let sites = sites.into_iter().map(|(site, from, to, half)| self.site_plan(site, from, to, half)).collect();
        let id = self.new_id();
        self.tell(format!("{kind:?} requested"));
        if kind == Kind::Rollback {
            self.counts.rollbacks += 1;
            if let Some(i) = active {
                self.tell(format!("supersedes {:?}", self.rollouts[i].state.sites));
                if !self.shard_trials().is_empty() {
                    self.generation += 1;
                }
                self.rollouts[i].state.supersede(id);
                self.counts.superseded += 1;
                self.judged.clear();
            }
        }
        let plan = self.plan(kind, sites);
        let mut state = State::queued(&plan);
        if kind == Kind::Rollback {
            state.begin(self.now);
        }
        self.rollouts.push(Rollout { id, plan, state, books: Bookkeeping::default() });
        if kind == Kind::Rollback { self.decide_all() } else { Ok(()) }
    }

    /// What a site's plan takes from the specs of both revisions.
    pub(super) fn site_plan(&self, site: SiteName, from: Option<RevisionId>, to: RevisionId, half: bool) -> SitePlan {
        let before = from.and_then(|r| self.sizes.get(&r));
        SitePlan {
            site,
            from,
            from_label: None,
            from_half_made: half,
            to,
            to_label: String::new(),
            instances: self.size(to).instances,
            from_instances: before.map(|b| b.instances),
            layout: self.size(to).layout(),
            from_layout: before.and_then(Size::layout),
        }
    }

    pub(super) fn plan(&self, kind: Kind, sites: Vec<SitePlan>) -> Plan {
        Plan::new(Request {
            kind,
            service_kind: self.service_kind,
            strategy: self.strategy,
            stages: self.stages.clone(),
            judging: Some(self.judging.clone()),
            limits: self.limited.then_some(Limits {
                error_rate: Some(500),
                p99_ms: Some(3_000),
                for_ms: 30_000,
                min_requests: 100,
            }),
            sites,
            timing: self.timing,
            verify: true,
            freeze_queue_on_failure: true,
        })
    }

    pub(super) fn abort(&mut self) {
        if let Some(i) = self.active() {
            self.tell("abort requested");
            let now = self.now;
            self.rollouts[i].state.request_abort("someone", "for a reason", now);
        }
    }

    pub(super) fn pause_or_resume(&mut self) {
        if let Some(i) = self.active() {
            let paused = !self.rollouts[i].state.paused;
            self.tell(if paused { "paused" } else { "resumed" });
            self.rollouts[i].state.set_paused(paused);
        }
    }

    pub(super) fn promote(&mut self) {
        let Some(i) = self.active() else { return };
        let Some(wave) = self.seen_wave(i) else { return };
        let now = self.now;
        if let Ok(site) = self.rollouts[i].state.promote(wave, "someone", "for a reason", now) {
            self.tell(format!("wave {wave} at {site} promoted by hand"));
        }
    }

    pub(super) fn set_share(&mut self) {
        let Some(i) = self.active() else { return };
        let Some(wave) = self.seen_wave(i) else { return };
        let any = u32::try_from(self.random.below(u64::from(FULL_SHARE) + 1)).unwrap_or(0);
        let share = *self.random.pick(&[1, 1_000, 5_000, 6_000, 9_999, any]).unwrap_or(&any);
        let Rollout { plan, state, .. } = &mut self.rollouts[i];
        if let Ok(change) = state.set_share(plan, wave, share) {
            if change.to > change.from {
                self.counts.raised += 1;
            } else {
                self.counts.lowered += 1;
            }
            self.tell(format!("{change:?}"));
        }
    }

    /// The wave that somebody looks at: the newest, or, where they looked a while ago, one before it.
    fn seen_wave(&mut self, i: usize) -> Option<usize> {
        let newest = self.rollouts[i].state.begun()?;
        let late = self.random.one_in(6);
        Some(if late { newest.saturating_sub(1) } else { newest })
    }

    pub(super) fn active(&self) -> Option<usize> {
        self.rollouts.iter().position(|r| matches!(r.state.phase, Phase::Running | Phase::Returning))
    }
}

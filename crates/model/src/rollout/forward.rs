//! A site's way to its new revision.

use super::{
    canary::Judging,
    decide::{Deciding, Held, Progress},
    effect::{Effect, Happened},
    facts::{RevisionFacts, SiteFacts, VerifyOutcome},
    faults,
    plan::{Flow, SitePlan, Strategy, Wave},
    reason::Reason,
    state::{SiteState, Step},
};
use crate::{
    id::RevisionId,
    protocol::{
        agent::DesiredPhase,
        edge::{FULL_SHARE, Mode},
    },
    said,
    said::Said,
    workload::ServiceKind,
};
use std::time::Duration;

impl Deciding<'_> {
    pub(super) fn step_forward(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState, held: Held) -> Progress {
        let facts = self.facts_of(&plan.site);
        let new = facts.of(plan.to);
        match site.step {
            Step::Waiting => Progress::Waits,
            Step::Preparing { since } => self.preparing(plan, wave, site, &facts, since, held),
            Step::Pausing { since, version } => {
                if facts.route.acked >= version {
                    self.stop_old(plan, wave, site)
                } else {
                    self.edge_timeout(plan, since)
                }
            }
            // No time-out: the shim kills what outstays its grace, and starting beside it is never right.
            Step::StoppingOld { .. } => match self.plan.flow_at(plan) {
                Flow::ByShard => self.take_over(plan, wave, site, &facts),
                Flow::Exclusive | Flow::Overlapping if facts.fresh && !facts.others_alive(plan.to) => {
                    self.start(plan, wave, site)
                }
                Flow::Exclusive | Flow::Overlapping => Progress::Waits,
            },
            Step::Starting { since } => self.starting(plan, wave, site, &new, since, held),
            Step::Shifting { since, version, share } => {
                if facts.route.acked >= version {
                    self.shifted(plan, wave, site, share)
                } else {
                    self.watch(plan, wave, site, &new).unwrap_or_else(|| self.edge_timeout(plan, since))
                }
            }
            Step::Verifying { since, share } => self.verifying(plan, wave, site, &facts, since, share),
            Step::Judging { since, share, asked } => {
                self.judging(plan, wave, site, &facts, Judging { since, share, asked, held })
            }
            Step::Soaking { until, share } => {
                if let Some(broken) = self.watch(plan, wave, site, &new) {
                    return broken;
                }
                let early = until.minus(self.soak_of(site, share).saturating_sub(self.least_soak(site)));
                let until = if self.facts.others_wait && self.is_last(site) { early } else { until };
                if self.now < until {
                    self.wake_at(until);
                    return Progress::Waits;
                }
                // A wave is not over while some of what it put there is missing.
                if site.degraded_since.is_some() {
                    return Progress::Waits;
                }
                site.step = Step::Serving { share };
                Progress::Moved
            }
            Step::Serving { share } => {
                debug_assert_eq!(share, wave.share, "a served share belongs to the wave it came from");
                self.watch(plan, wave, site, &new).unwrap_or(Progress::Waits)
            }
            Step::BackStoppingNew { .. }
            | Step::BackStarting { .. }
            | Step::BackShifting { .. }
            | Step::Returned
            | Step::Stayed => Progress::Waits,
        }
    }

    pub(super) fn begin_wave(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState) {
        match self.plan.flow_at(plan) {
            Flow::Overlapping => {
                self.start(plan, wave, site);
            }
            // By shard, all carriers are prepared before the first changes over.
            flow @ (Flow::Exclusive | Flow::ByShard) => {
                if flow == Flow::Exclusive && self.plan.wished_by_shard(plan) {
                    self.happened.push(Happened::ChangesWhole { site: plan.site.clone() });
                }
                // What already runs of it (a rollback out of a half-made change) is left running.
                let new = self.facts_of(&plan.site).of(plan.to);
                let missing: Vec<u32> = (0..plan.instances).filter(|i| !new.carriers.contains_key(i)).collect();
                if new.wanted == 0 {
                    self.want(plan, plan.to, plan.instances, DesiredPhase::Stopped);
                } else if !missing.is_empty() {
                    let (site, revision, phase) = (plan.site.clone(), plan.to, DesiredPhase::Stopped);
                    self.effects.push(Effect::Carry { site, revision, ordinals: missing, phase });
                }
                site.step = Step::Preparing { since: self.now };
            }
        }
    }

    fn preparing(
        &mut self,
        plan: &SitePlan,
        wave: &Wave,
        site: &mut SiteState,
        facts: &SiteFacts,
        since: crate::time::Timestamp,
        held: Held,
    ) -> Progress {
        let new = facts.of(plan.to);
        if let Some(detail) = &new.failed {
            return Progress::Broken(self.failed(plan, detail));
        }
        if new.prepared + new.ready < plan.instances {
            if self.elapsed(since, self.plan.timing.start_ms) {
                return Progress::Broken(self.start_timeout(plan, wave, &new));
            }
            return Progress::Waits;
        }
        if held.at_all() {
            return Progress::Waits;
        }
        if self.plan.service_kind == ServiceKind::Web
            && let Some(from) = plan.from
        {
            let mode = Mode::Pause { max_ms: self.plan.timing.pause_ms, max_requests: 10_000 };
            let version = self.route(&plan.site, mode, vec![(from, FULL_SHARE)], None);
            site.held = true;
            site.step = Step::Pausing { since: self.now, version };
            return Progress::Moved;
        }
        self.stop_old(plan, wave, site)
    }

    pub(super) fn stop_old(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState) -> Progress {
        let (name, than) = (plan.site.clone(), plan.to);
        self.effects.push(match self.plan.flow_at(plan) {
            Flow::ByShard if wave.share < FULL_SHARE => {
                Effect::StopOthersBelow { site: name, than, below: wave.instances }
            }
            Flow::Overlapping | Flow::Exclusive | Flow::ByShard => Effect::StopOthers { site: name, than },
        });
        site.old_stopped = true;
        site.step = Step::StoppingOld { since: self.now };
        // The stop has just been asked for: no fact seen so far can say that it was done.
        Progress::Waits
    }

    /// Each carrier starts as soon as the old one with its ordinal is gone.
    fn take_over(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState, facts: &SiteFacts) -> Progress {
        let new = facts.of(plan.to);
        if let Some(detail) = &new.failed {
            return Progress::Broken(self.failed(plan, detail));
        }
        if !self.carry(plan, plan.to, wave.instances, facts) {
            return Progress::Waits;
        }
        site.step = Step::Starting { since: self.now };
        Progress::Moved
    }

    /// Lets a revision's carriers up to this many run, each once nobody else is at its ordinal. True when all may.
    pub(super) fn carry(&mut self, plan: &SitePlan, revision: RevisionId, count: u32, facts: &SiteFacts) -> bool {
        let own = facts.of(revision);
        let waiting: Vec<u32> = (0..count).filter(|i| !own.carriers.get(i).is_some_and(|c| c.wanted)).collect();
        let free = |i: &u32| facts.fresh && !facts.others_alive_at(revision, *i);
        let ordinals: Vec<u32> = waiting.iter().copied().filter(free).collect();
        let all = ordinals.len() == waiting.len();
        if !ordinals.is_empty() {
            let site = plan.site.clone();
            self.effects.push(Effect::Carry { site, revision, ordinals, phase: DesiredPhase::Run });
        }
        all
    }

    pub(super) fn start(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState) -> Progress {
        self.want(plan, plan.to, wave.instances, DesiredPhase::Run);
        site.step = Step::Starting { since: self.now };
        Progress::Moved
    }

    fn starting(
        &mut self,
        plan: &SitePlan,
        wave: &Wave,
        site: &mut SiteState,
        new: &RevisionFacts,
        since: crate::time::Timestamp,
        held: Held,
    ) -> Progress {
        if new.ready >= wave.instances {
            // Where the old one has stopped, nobody else does the work: there is nothing to be gained by waiting.
            let held = held.frozen || held.paused && !site.set_through_pause();
            if held && self.plan.flow_at(plan) == Flow::Overlapping {
                return Progress::Waits;
            }
            self.happened.push(Happened::InstancesReady { site: plan.site.clone(), instances: new.ready });
            return self.shift(plan, wave, site);
        }
        if let Some(detail) = &new.failed {
            return Progress::Broken(self.failed(plan, detail));
        }
        if self.elapsed(since, self.plan.timing.start_ms) {
            return Progress::Broken(self.start_timeout(plan, wave, new));
        }
        Progress::Waits
    }

    pub(super) fn shift(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState) -> Progress {
        match self.plan.service_kind {
            ServiceKind::Web => {
                let mut splits = vec![(plan.to, wave.share)];
                if let (Some(from), Flow::Overlapping) = (plan.from, self.plan.flow_at(plan)) {
                    splits.push((from, FULL_SHARE - wave.share));
                }
                let trial = self.trial(plan);
                let version = self.route(&plan.site, Mode::Serve, splits, trial);
                site.shifted = true;
                site.held = false;
                site.step = Step::Shifting { since: self.now, version, share: wave.share };
                Progress::Waits
            }
            ServiceKind::Worker | ServiceKind::Cron => {
                site.shifted = true;
                let told = self.plan.flow_at(plan) == Flow::ByShard || self.plan.judging.is_some();
                if let Some(layout) = plan.layout.as_ref().filter(|_| told) {
                    let (name, shards) = (plan.site.clone(), layout.shards_of_first(wave.instances));
                    self.happened.push(Happened::ShardsMoved { site: name, share: wave.share, shards });
                }
                self.after_shift(plan, site, wave.share)
            }
        }
    }

    /// The edge has acknowledged: no new request follows the older table.
    fn shifted(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState, share: u32) -> Progress {
        self.happened.push(Happened::TrafficMoved { site: plan.site.clone(), share });
        if let (Strategy::Rolling { .. }, Flow::Overlapping, Some(from)) =
            (self.plan.strategy, self.plan.flow_at(plan), plan.from)
            && self.plan.kind != super::plan::Kind::Rollback
        {
            let left = plan.instances.saturating_sub(wave.instances);
            let old = (plan.back_instances() * left).div_ceil(plan.instances.max(1));
            self.want(plan, from, old, DesiredPhase::Run);
        }
        self.spare(plan, wave, site);
        self.after_shift(plan, site, share)
    }

    fn after_shift(&mut self, plan: &SitePlan, site: &mut SiteState, share: u32) -> Progress {
        if self.plan.verify && share == FULL_SHARE {
            site.verify_attempt += 1;
            self.effects.push(Effect::Verify {
                site: plan.site.clone(),
                revision: plan.to,
                attempt: site.verify_attempt,
            });
            site.step = Step::Verifying { since: self.now, share };
            return Progress::Waits;
        }
        self.soak(site, share)
    }

    fn soak(&mut self, site: &mut SiteState, share: u32) -> Progress {
        if share < FULL_SHARE && self.plan.judging.is_some() {
            site.step = Step::Judging { since: self.now, share, asked: false };
            return Progress::Moved;
        }
        site.step = Step::Soaking { until: self.now.plus(self.soak_of(site, share)), share };
        Progress::Moved
    }

    /// How long a site is watched with all its traffic: as long as its last step says, and after the plan's last wave as long
    /// as the canary wants.
    pub(super) fn soak_of(&self, site: &SiteState, share: u32) -> Duration {
        if share < FULL_SHARE {
            return Duration::ZERO;
        }
        let watch = if self.is_last(site) { self.plan.timing.watch_ms } else { 0 };
        self.least_soak(site).max(Duration::from_millis(self.plan.timing.soak_ms + watch))
    }

    /// How long whatever waits.
    fn least_soak(&self, site: &SiteState) -> Duration {
        let own = site.wave.and_then(|w| self.plan.waves.get(w)).map_or(0, |w| w.min_ms);
        Duration::from_millis(self.plan.timing.soak_ms + own)
    }

    fn verifying(
        &mut self,
        plan: &SitePlan,
        wave: &Wave,
        site: &mut SiteState,
        facts: &SiteFacts,
        since: crate::time::Timestamp,
        share: u32,
    ) -> Progress {
        let outcome = facts.verify.as_ref().filter(|v| v.attempt == site.verify_attempt).map(|v| &v.outcome);
        let detail = match outcome {
            Some(VerifyOutcome::Passed) => {
                self.happened.push(Happened::Verified { site: plan.site.clone() });
                return self.soak(site, share);
            }
            Some(VerifyOutcome::Failed { detail }) => detail.clone(),
            Some(VerifyOutcome::Pending) | None => {
                if let Some(broken) = self.watch(plan, wave, site, &facts.of(plan.to)) {
                    return broken;
                }
                if !self.elapsed(since, self.plan.timing.verify_ms) {
                    return Progress::Waits;
                }
                let seconds = self.plan.timing.verify_ms / 1000;
                said!("no answer within {seconds} s", "{seconds} 秒内没有结果", seconds = seconds)
            }
        };
        Progress::Broken(self.about(plan, Reason::new(&faults::VERIFY_FAILED).with("detail", detail)))
    }

    /// Health after traffic moved: a failed set breaks at once, a thinned one after a while. So does one of which nothing
    /// is left without any failure, as in the first reports of a host that began anew: it is started again meanwhile.
    pub(super) fn watch(
        &mut self,
        plan: &SitePlan,
        wave: &Wave,
        site: &mut SiteState,
        new: &RevisionFacts,
    ) -> Option<Progress> {
        if new.ready >= wave.instances {
            site.degraded_since = None;
            return None;
        }
        let since = *site.degraded_since.get_or_insert(self.now);
        let all_down = new.ready == 0 && new.down > 0;
        let broken = all_down || new.failed.is_some() || self.elapsed(since, self.plan.timing.degraded_ms);
        broken.then(|| {
            let detail = new.failed.clone().or_else(|| new.message.clone()).unwrap_or_default();
            let reason = Reason::new(&faults::UNHEALTHY)
                .with("ready", new.ready)
                .with("wanted", wave.instances)
                .with("detail", detail);
            Progress::Broken(self.about(plan, reason))
        })
    }

    fn edge_timeout(&mut self, plan: &SitePlan, since: crate::time::Timestamp) -> Progress {
        let ms = self.plan.timing.shift_ms;
        if self.elapsed(since, ms) {
            Progress::Broken(self.about(plan, Reason::new(&faults::EDGE_TIMEOUT).with("seconds", ms / 1000)))
        } else {
            Progress::Waits
        }
    }

    fn start_timeout(&self, plan: &SitePlan, wave: &Wave, new: &RevisionFacts) -> Reason {
        let reason = Reason::new(&faults::START_TIMEOUT)
            .with("seconds", self.plan.timing.start_ms / 1000)
            .with("ready", new.ready)
            .with("wanted", wave.instances)
            .with("detail", new.message.clone().unwrap_or_default());
        self.about(plan, reason)
    }

    fn failed(&self, plan: &SitePlan, detail: &Said) -> Reason {
        self.about(plan, Reason::new(&faults::INSTANCE_FAILED).with("detail", detail))
    }

    pub(super) fn about(&self, plan: &SitePlan, reason: Reason) -> Reason {
        reason.with("site", &plan.site).with("release", &plan.to_label)
    }

    pub(super) fn want(&mut self, plan: &SitePlan, revision: RevisionId, count: u32, phase: DesiredPhase) {
        // The last wish of a decision is the one that counts: an earlier one must not stop what this one needs.
        let same =
            |e: &Effect| matches!(e, Effect::Want { site, revision: r, .. } if *site == plan.site && *r == revision);
        self.effects.retain(|e| !same(e));
        self.effects.push(Effect::Want { site: plan.site.clone(), revision, count, phase });
    }
}

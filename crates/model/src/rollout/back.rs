//! A site's way back to its own previous revision. It never gives up half-way and never starts a canary.

use super::{
    decide::Deciding,
    effect::{Effect, Happened},
    facts::SiteFacts,
    faults,
    plan::{Flow, Kind, SitePlan, Wave},
    reason::Reason,
    state::{SiteState, Step},
};
use crate::{
    id::RevisionId,
    protocol::{
        agent::DesiredPhase,
        edge::{FULL_SHARE, Mode},
    },
    workload::ServiceKind,
};

/// Seconds the maintenance page tells clients to wait.
const MAINTENANCE_RETRY_S: u32 = 30;

impl Deciding<'_> {
    pub(super) fn begin_back(&mut self, plan: &SitePlan, site: &mut SiteState, reason: &Reason) {
        if !site.touched {
            site.step = Step::Returned;
            return;
        }
        if self.plan.kind == Kind::Rollback && site.shifted {
            // Someone judged the newer revision bad; flipping back to it by ourselves would undo their decision.
            self.stay(plan, site, reason);
            return;
        }
        let facts = self.facts_of(&plan.site);
        match (plan.from, self.plan.flow_at(plan)) {
            (None, _) => self.back_to_nothing(plan, site),
            (Some(from), Flow::Overlapping) => {
                self.want(plan, from, plan.back_instances(), DesiredPhase::Run);
                if !site.shifted {
                    self.want(plan, plan.to, 0, DesiredPhase::Run);
                    self.returned(plan, site);
                } else if facts.of(from).ready > 0 {
                    self.shift_back(plan, site, from);
                } else {
                    site.step = Step::BackStarting { since: self.now };
                }
            }
            // Carriers that were never told to stop do not notice.
            (Some(from), Flow::ByShard) => {
                if site.old_stopped {
                    self.effects.push(Effect::StopOthers { site: plan.site.clone(), than: from });
                    site.step = Step::BackStoppingNew { since: self.now };
                } else {
                    self.want(plan, plan.to, 0, DesiredPhase::Run);
                    self.returned(plan, site);
                }
            }
            (Some(from), Flow::Exclusive) => {
                if site.old_stopped {
                    self.effects.push(Effect::StopOthers { site: plan.site.clone(), than: from });
                    self.want(plan, from, plan.back_instances(), DesiredPhase::Stopped);
                    site.step = Step::BackStoppingNew { since: self.now };
                } else {
                    self.want(plan, plan.to, 0, DesiredPhase::Run);
                    if site.held { self.shift_back(plan, site, from) } else { self.returned(plan, site) }
                }
            }
        }
    }

    /// For a rollback out of a half-made change, a failure is told but stops nothing. True when the step changed.
    pub(super) fn press_on(&mut self, plan: &SitePlan, wave: &Wave, site: &mut SiteState, reason: Reason) -> bool {
        match site.step {
            // Nothing has been taken away yet; it goes on as soon as the release can be unpacked.
            Step::Preparing { .. } => {
                site.remark = Some(reason);
                false
            }
            Step::Pausing { .. } => {
                site.remark = Some(reason);
                self.stop_old(plan, wave, site);
                true
            }
            Step::Starting { .. } => {
                self.shift(plan, wave, site);
                self.stay(plan, site, &reason);
                true
            }
            Step::Shifting { .. }
            | Step::Verifying { .. }
            | Step::Judging { .. }
            | Step::Soaking { .. }
            | Step::Serving { .. } => {
                self.stay(plan, site, &reason);
                true
            }
            Step::Waiting
            | Step::StoppingOld { .. }
            | Step::BackStoppingNew { .. }
            | Step::BackStarting { .. }
            | Step::BackShifting { .. }
            | Step::Returned
            | Step::Stayed => false,
        }
    }

    /// A rollback that moved traffic stays where it is, whatever its checks say.
    fn stay(&mut self, plan: &SitePlan, site: &mut SiteState, reason: &Reason) {
        let remark = Reason::new(&faults::ROLLBACK_STAYS).with("detail", reason.said());
        site.remark = Some(self.about(plan, remark));
        site.step = Step::Stayed;
    }

    /// True when the step changed and there is more to do.
    pub(super) fn step_back(&mut self, plan: &SitePlan, site: &mut SiteState) -> bool {
        let facts = self.facts_of(&plan.site);
        match site.step {
            Step::BackStoppingNew { .. } => {
                let Some(from) = plan.from else { return false };
                if self.plan.flow_at(plan) == Flow::ByShard {
                    if self.carry(plan, from, plan.back_instances(), &facts) {
                        site.step = Step::BackStarting { since: self.now };
                    }
                    return matches!(site.step, Step::BackStarting { .. });
                }
                if self.just_asked_to_stop(plan) || !facts.fresh || facts.others_alive(from) {
                    return false;
                }
                self.want(plan, from, plan.back_instances(), DesiredPhase::Run);
                site.step = Step::BackStarting { since: self.now };
                true
            }
            Step::BackStarting { since } => self.back_starting(plan, site, &facts, since),
            Step::BackShifting { since, version } => {
                if facts.route.acked >= version {
                    self.happened.push(Happened::TrafficReturned { site: plan.site.clone() });
                } else if !self.elapsed(since, self.plan.timing.shift_ms) {
                    return false;
                } else {
                    let ms = self.plan.timing.shift_ms;
                    let remark = Reason::new(&faults::EDGE_TIMEOUT).with("seconds", ms / 1000);
                    site.remark = Some(self.about(plan, remark));
                }
                self.want(plan, plan.to, 0, DesiredPhase::Run);
                self.returned(plan, site);
                true
            }
            Step::Waiting
            | Step::Preparing { .. }
            | Step::Pausing { .. }
            | Step::StoppingOld { .. }
            | Step::Starting { .. }
            | Step::Shifting { .. }
            | Step::Verifying { .. }
            | Step::Judging { .. }
            | Step::Soaking { .. }
            | Step::Serving { .. }
            | Step::Returned
            | Step::Stayed => false,
        }
    }

    fn back_starting(
        &mut self,
        plan: &SitePlan,
        site: &mut SiteState,
        facts: &SiteFacts,
        since: crate::time::Timestamp,
    ) -> bool {
        let Some(from) = plan.from else { return false };
        let old = facts.of(from);
        let enough = match self.plan.flow_at(plan) {
            Flow::Overlapping => 1,
            Flow::Exclusive | Flow::ByShard => plan.back_instances(),
        };
        if old.ready < enough {
            if !self.elapsed(since, self.plan.timing.start_ms) {
                return false;
            }
            let detail = old.failed.or(old.message).unwrap_or_default();
            let release = plan.from_label.clone().unwrap_or_default();
            site.remark = Some(
                Reason::new(&faults::PREVIOUS_DOWN)
                    .with("release", release)
                    .with("site", &plan.site)
                    .with("detail", detail),
            );
        }
        match self.plan.service_kind {
            ServiceKind::Web => self.shift_back(plan, site, from),
            ServiceKind::Worker | ServiceKind::Cron => {
                self.want(plan, plan.to, 0, DesiredPhase::Run);
                self.returned(plan, site);
            }
        }
        true
    }

    fn shift_back(&mut self, plan: &SitePlan, site: &mut SiteState, from: RevisionId) {
        let version = self.route(&plan.site, Mode::Serve, vec![(from, FULL_SHARE)], None);
        site.held = false;
        site.step = Step::BackShifting { since: self.now, version };
    }

    fn back_to_nothing(&mut self, plan: &SitePlan, site: &mut SiteState) {
        match self.plan.service_kind {
            ServiceKind::Web => {
                let mode = Mode::Maintenance { retry_after_s: MAINTENANCE_RETRY_S };
                let version = self.route(&plan.site, mode, Vec::new(), None);
                site.step = Step::BackShifting { since: self.now, version };
            }
            ServiceKind::Worker | ServiceKind::Cron => {
                self.want(plan, plan.to, 0, DesiredPhase::Run);
                self.returned(plan, site);
            }
        }
    }

    fn returned(&mut self, plan: &SitePlan, site: &mut SiteState) {
        self.happened.push(Happened::SiteReturned { site: plan.site.clone(), remark: site.remark.clone() });
        site.step = Step::Returned;
    }

    /// The stop is part of this very decision: no fact can say yet that it was done.
    fn just_asked_to_stop(&self, plan: &SitePlan) -> bool {
        self.effects.iter().any(|e| matches!(e, Effect::StopOthers { site, .. } if *site == plan.site))
    }
}

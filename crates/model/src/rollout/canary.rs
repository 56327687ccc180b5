//! A wave that waits for evidence, and what ends a rollout from outside its steps: the judge, a fixed limit, a lease.

use super::{
    decide::{Deciding, Held, Progress},
    effect::Happened,
    facts::SiteFacts,
    faults,
    hand::Passed,
    judging::{OnInconclusive, Promote, Verdict},
    plan::{Flow, Plan, SitePlan, Wave},
    reason::Reason,
    state::{Phase, SiteState, State, Step},
};
use crate::{
    id::{Place, RolloutId},
    protocol::trial::{Ignore, Limits, ShardTrial, Trial, TripCause},
    said,
    said::Said,
    spec::values::{show_duration, show_percent},
    time::Timestamp,
};

/// [`Step::Judging`], and what keeps the rollout.
pub(super) struct Judging {
    pub since: Timestamp,
    pub share: u32,
    pub asked: bool,
    pub held: Held,
}

const NO_LIMITS: Limits = Limits { error_rate: None, p99_ms: None, for_ms: 30_000, min_requests: 1 };

/// What a host is told of a site whose shards are moving, so that it can take them back by itself.
pub fn shard_trial(
    plan: &Plan,
    state: &State,
    site: &SitePlan,
    place: Place,
    rollout: RolloutId,
) -> Option<ShardTrial> {
    let (Some(from), Flow::ByShard) = (site.from, plan.flow_at(site)) else { return None };
    let at = state.sites.get(&site.site)?;
    let under_way = match state.phase {
        Phase::Running | Phase::Returning => at.step != Step::Returned,
        Phase::Queued | Phase::Completed | Phase::Failed | Phase::Aborted | Phase::Superseded => false,
    };
    if !under_way || !at.old_stopped || plan.judging.is_none() && plan.limits.is_none() {
        return None;
    }
    let limits = Limits { p99_ms: None, ..plan.limits.unwrap_or(NO_LIMITS) };
    let rollout = rollout.to_string();
    Some(ShardTrial { place, rollout, canary: site.to, baseline: from, limits, lease_ms: plan.timing.lease_ms })
}

impl Deciding<'_> {
    /// What a route carries while its site can still go back at once.
    pub(super) fn trial(&self, plan: &SitePlan) -> Option<Trial> {
        let (Some(from), Flow::Overlapping) = (plan.from, self.plan.flow_at(plan)) else { return None };
        if self.plan.judging.is_none() && self.plan.limits.is_none() {
            return None;
        }
        let judging = self.plan.judging.as_ref();
        Some(Trial {
            canary: plan.to,
            baseline: from,
            counted: judging.is_some(),
            bounds_ms: judging.map(|j| j.bounds_ms.clone()).unwrap_or_default(),
            ignore: judging.map_or_else(Ignore::default, |j| j.ignore.clone()),
            limits: self.plan.limits.unwrap_or(NO_LIMITS),
            lease_ms: self.plan.timing.lease_ms,
        })
    }

    /// Why the new revision must not keep its traffic, whatever step it is in.
    pub(super) fn condemned(&self, plan: &SitePlan, site: &SiteState, facts: &SiteFacts) -> Option<Reason> {
        // A host can give shards back before the new release has begun to work them.
        let given = site.shifted || site.old_stopped && self.plan.flow_at(plan) == Flow::ByShard;
        if let Some(cause) = facts.tripped.as_ref().filter(|_| given) {
            return Some(self.about(plan, tripped(cause)));
        }
        if !site.shifted {
            return None;
        }
        let judged = facts.judged.as_ref().filter(|j| j.verdict == Verdict::Worse)?;
        let before = plan.from_label.clone().unwrap_or_default();
        let reason = Reason::new(&faults::JUDGED_WORSE).with("before", before).with("why", &judged.why);
        Some(self.about(plan, reason))
    }

    pub(super) fn judging(
        &mut self,
        plan: &SitePlan,
        wave: &Wave,
        site: &mut SiteState,
        facts: &SiteFacts,
        step: Judging,
    ) -> Progress {
        let new = facts.of(plan.to);
        if let Some(broken) = self.watch(plan, wave, site, &new) {
            return broken;
        }
        let Judging { since, share, asked, held } = step;
        if site.has_share_to_move_to() {
            return self.move_share(plan, site, &new, share, held);
        }
        let (Some(rule), Some(index)) = (&self.plan.judging, site.wave) else { return serve(site, share) };
        // A wave is not over while some of what it put there is missing.
        if held.paused || site.degraded_since.is_some() {
            return Progress::Waits;
        }
        if site.promoted == Some(index) {
            return serve(site, share);
        }
        let judged = facts.judged.as_ref().filter(|j| j.wave == index && j.turn == site.turn());
        let better = judged.is_some_and(|j| j.verdict == Verdict::Better);
        let why = judged.map_or_else(nothing_seen, |j| j.why.clone());
        let min_over = self.elapsed(since, wave.min_ms);
        let max_over = wave.max_ms.is_some_and(|ms| self.elapsed(since, ms));
        let site_name = plan.site.clone();
        match (rule.promote, rule.on_inconclusive) {
            (Promote::Evidence, _) if better && min_over => {
                site.passed = Some((index, Passed::Evidence { why: why.clone() }));
                self.happened.push(Happened::Promoted { wave: index, site: site_name, share, why });
                serve(site, share)
            }
            (Promote::Evidence, OnInconclusive::Continue) if max_over => {
                site.passed = Some((index, Passed::Time));
                self.happened.push(Happened::WentOn { wave: index, site: site_name, share, why });
                serve(site, share)
            }
            (_, OnInconclusive::Rollback) if max_over && !better => {
                let share = show_percent(share * 100);
                let reason = Reason::new(&faults::INCONCLUSIVE).with("share", share).with("why", why);
                Progress::Broken(self.about(plan, reason))
            }
            (Promote::Manual, _) if min_over && better && !asked => self.ask(site, index, site_name, since, share, why),
            (Promote::Evidence | Promote::Manual, OnInconclusive::Hold | OnInconclusive::Continue)
                if max_over && !asked =>
            {
                self.ask(site, index, site_name, since, share, why)
            }
            (Promote::Evidence | Promote::Manual, _) => Progress::Waits,
        }
    }

    fn ask(
        &mut self,
        site: &mut SiteState,
        wave: usize,
        name: crate::id::SiteName,
        since: Timestamp,
        share: u32,
        why: Said,
    ) -> Progress {
        self.happened.push(Happened::Asks { wave, site: name, share, why });
        site.step = Step::Judging { since, share, asked: true };
        Progress::Waits
    }

    /// Whether a site works on the plan's last wave.
    pub(super) fn is_last(&self, site: &SiteState) -> bool {
        site.wave.is_some_and(|w| w + 1 == self.plan.waves.len())
    }
}

fn serve(site: &mut SiteState, share: u32) -> Progress {
    site.step = Step::Serving { share };
    Progress::Moved
}

fn nothing_seen() -> Said {
    said!("the judge has seen no request of this wave yet", "判定器还没有看到这一波的任何请求")
}

fn tripped(cause: &TripCause) -> Reason {
    match *cause {
        TripCause::ErrorRate { failed, requests, limit, for_ms } => Reason::new(&faults::TOO_MANY_ERRORS)
            .with("failed", failed)
            .with("requests", requests)
            .with("limit", show_percent(limit * 100))
            .with("seconds", for_ms / 1000),
        TripCause::P99 { slow, requests, limit_ms, for_ms } => Reason::new(&faults::TOO_SLOW)
            .with("slow", slow)
            .with("requests", requests)
            .with("limit", show_duration(u64::from(limit_ms)))
            .with("seconds", for_ms / 1000),
        TripCause::Events { ref metric, failed, of, limit, for_ms } => Reason::new(&faults::TOO_MANY_EVENTS)
            .with("metric", metric)
            .with("failed", failed)
            .with("of", of)
            .with("limit", show_percent(limit * 100))
            .with("seconds", for_ms / 1000),
        TripCause::Lease { lease_ms } => Reason::new(&faults::LEASE_OVER).with("seconds", lease_ms / 1000),
    }
}

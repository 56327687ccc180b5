//! A judge that speaks at random, right and wrong, and what must follow from what it says: invariants of canaries.

use super::{
    host::Nature,
    world::{Check, World},
};
use std::collections::BTreeMap;
use tradewind_model::{
    id::{RevisionId, SiteName},
    protocol::{agent::DesiredPhase, edge::FULL_SHARE},
    rollout::{
        decide::Decision,
        desired::{PlaceDesired, WantedInstance},
        effect::Happened,
        facts::{Facts, Judged, SiteFacts},
        faults,
        judging::{OnInconclusive, Promote, Verdict},
        plan::{Flow, Kind, Plan, SitePlan, Wave},
        state::{Phase, SiteState, State, Step},
    },
    said::Said,
    workload::ServiceKind,
};

/// What the world notes of a rollout, by a clock that nobody sets; milliseconds.
#[derive(Default)]
pub struct Bookkeeping {
    /// Since when a wave has its share.
    judged_since: BTreeMap<usize, u64>,
    soaking_since: BTreeMap<SiteName, u64>,
    /// A decision has seen evidence against it, or that an agent gave it up.
    condemned: bool,
}

fn shifted(state: &State, site: &SiteName) -> bool {
    state.sites.get(site).is_some_and(|s| s.shifted)
}

fn against(facts: &SiteFacts) -> bool {
    facts.tripped.is_some() || facts.judged.as_ref().is_some_and(|j| j.verdict == Verdict::Worse)
}

/// Of the new revision; 0 where there is no route.
fn share(place: &PlaceDesired, of: RevisionId) -> u32 {
    let split = place.route.as_ref().and_then(|r| r.splits.iter().find(|(r, _)| *r == of));
    split.map_or(0, |(_, share)| *share)
}

impl World {
    /// About a site that has moved, or none; of the wave it is in, or another.
    pub(super) fn judge_speaks(&mut self, well: bool) {
        let Some(i) = self.active() else { return };
        if self.rollouts[i].plan.judging.is_none() || self.silent {
            return;
        }
        let sites = self.rollouts[i].plan.sites.clone();
        let Some(s) = self.random.pick(&sites).cloned() else { return };
        let state = &self.rollouts[i].state;
        let Some(at) = state.sites.get(&s.site) else { return };
        let (Some(wave), turn) = (at.wave, at.turn()) else { return };
        let other = usize::try_from(self.random.below(self.rollouts[i].plan.waves.len() as u64)).unwrap_or(0);
        let wave = if well || !self.random.one_in(4) { wave } else { other };
        let wrong = self.natures.get(&s.to) == Some(&Nature::Wrong);
        let verdict = match self.random.below(if well { 4 } else { 40 }) {
            0 | 1 if wrong => Verdict::Worse,
            0..=2 if !wrong => Verdict::Better,
            4 => Verdict::Worse,
            5 => Verdict::Better,
            _ => Verdict::Continue,
        };
        // Now and then what it says is older than the last change of the wave's share.
        let turn = if !self.random.one_in(3) { turn } else { turn.saturating_sub(1) };
        let judged = Judged { wave, turn, verdict, why: Said::plain("as it says") };
        if self.judged.get(&s.site) != Some(&judged) {
            self.tell(format!("the judge finds wave {wave}, turn {turn}, at {} {verdict:?}", s.site));
        }
        self.judged.insert(s.site, judged);
    }

    /// What a decision about a canary must be.
    pub(super) fn check_canary(&mut self, i: usize, facts: &Facts, d: &Decision, before: &Before) -> Check {
        self.note_times(i, d);
        self.check_turned_round(i, facts, d, before)?;
        self.check_waves(i, facts, d)?;
        self.check_soak(i, facts, d)?;
        self.check_shares(i, facts, d, before)?;
        self.check_set_shares(i, d, before)?;
        self.check_carriers(i, facts, d, before)
    }

    fn note_times(&mut self, i: usize, d: &Decision) {
        let now = self.mono_ms;
        let r = &mut self.rollouts[i];
        for (site, after) in &d.state.sites {
            let before = r.state.sites.get(site).map(|s| s.step);
            match after.step {
                Step::Judging { .. } if !matches!(before, Some(Step::Judging { .. })) => {
                    r.books.judged_since.insert(after.wave.unwrap_or(0), now);
                }
                // It is on its way to a share, a person's perhaps: its time begins anew.
                Step::Starting { .. } | Step::Shifting { .. } => {
                    r.books.judged_since.remove(&after.wave.unwrap_or(0));
                }
                Step::Soaking { .. } if !matches!(before, Some(Step::Soaking { .. })) => {
                    r.books.soaking_since.insert(site.clone(), now);
                }
                _ => {}
            }
        }
    }

    /// Evidence against a release, a fixed limit and a lease take it back at once, whoever is away.
    fn check_turned_round(&mut self, i: usize, facts: &Facts, d: &Decision, before: &Before) -> Check {
        let r = &self.rollouts[i];
        let condemned = |s: &SitePlan| shifted(&r.state, &s.site) && facts.sites.get(&s.site).is_some_and(against);
        if r.state.phase == Phase::Running && r.plan.returns() && r.plan.sites.iter().any(condemned) {
            self.rollouts[i].books.condemned = true;
            if matches!(d.state.phase, Phase::Running | Phase::Completed) {
                return Err(self.broken(format!("it goes on although it is condemned: {:?}", d.state)));
            }
        }
        let r = &self.rollouts[i];
        // A rollback that moved traffic stays where it is.
        let forward = r.plan.kind != Kind::Rollback;
        let turned = forward && r.state.phase == Phase::Running && d.state.phase == Phase::Returning;
        for s in r.plan.sites.iter().filter(|s| turned && shifted(&r.state, &s.site) && !before.exclusive) {
            let Some(from) = s.from else { continue };
            let warm = facts.sites.get(&s.site).is_some_and(|f| f.of(from).ready > 0);
            if warm && share(&self.places[&s.site], from) != FULL_SHARE {
                return Err(self.broken(format!("the traffic of {} did not go back at once", s.site)));
            }
        }
        if r.books.condemned && d.state.phase == Phase::Completed {
            return Err(self.broken("it completed although it was condemned".into()));
        }
        Ok(())
    }

    /// A wave of a canary goes on by evidence, by a person, or as the spec says of one without a verdict; by the first
    /// and the last never before its time.
    fn check_waves(&mut self, i: usize, facts: &Facts, d: &Decision) -> Check {
        for h in &d.happened {
            match h {
                Happened::WaveFinished { wave, site, .. } => {
                    let r = &self.rollouts[i];
                    if let Some(w) = r.plan.waves.get(*wave).filter(|w| judged(&r.plan, w))
                        && !self.may_go_on(i, *wave, w.clone(), site, facts)
                    {
                        return Err(self.broken(format!("wave {wave} went on for no reason: {facts:?}")));
                    }
                }
                Happened::WaveSkipped { wave, site, share, has } => {
                    self.counts.skipped += 1;
                    let set = d.state.sites[site].set;
                    if !set.is_some_and(|s| s.wave < *wave && s.share == *has && s.share >= *share) {
                        return Err(self.broken(format!("wave {wave} was left out for no reason: {set:?}")));
                    }
                }
                Happened::Promoted { .. } => self.counts.promoted += 1,
                Happened::WentOn { .. } => self.counts.went_on += 1,
                Happened::Asks { .. } => self.counts.asked += 1,
                Happened::Returning { reason } => self.count_cause(&reason.code),
                Happened::WaveStarted { wave, .. } => {
                    let parallel = self.rollouts[i].plan.parallel;
                    if !parallel && d.state.wave < *wave {
                        return Err(self.broken(format!("wave {wave} began before the one before it was over")));
                    }
                }
                Happened::ShardsMoved { .. } => {
                    self.counts.by_shard += 1;
                    self.counts.cron_by_shard += u64::from(self.service_kind == ServiceKind::Cron);
                }
                Happened::InstancesReady { .. }
                | Happened::ChangesWhole { .. }
                | Happened::TrafficMoved { .. }
                | Happened::Verified { .. }
                | Happened::TrafficReturned { .. }
                | Happened::SiteReturned { .. }
                | Happened::Finished { .. } => {}
            }
        }
        Ok(())
    }

    fn may_go_on(&mut self, i: usize, wave: usize, w: Wave, site: &SiteName, facts: &Facts) -> bool {
        let r = &self.rollouts[i];
        let Some(rule) = r.plan.judging.as_ref() else { return false };
        // One that came and went in this very decision has not waited at all.
        let waited = r.books.judged_since.get(&wave).map_or(0, |since| self.mono_ms - since);
        if r.state.sites.get(site).is_some_and(|s| s.promoted == Some(wave)) {
            self.counts.promoted_by_hand += 1;
            return true;
        }
        let found = facts.sites.get(site).and_then(|f| f.judged.as_ref());
        let turn = r.state.sites.get(site).map_or(0, SiteState::turn);
        let better = found.is_some_and(|j| j.wave == wave && j.turn == turn && j.verdict == Verdict::Better);
        let late = w.max_ms.is_some_and(|max| waited >= max);
        let goes_on = late && rule.on_inconclusive == OnInconclusive::Continue;
        rule.promote == Promote::Evidence && (better && waited >= w.min_ms || goes_on)
    }

    fn count_cause(&mut self, code: &str) {
        if code == faults::JUDGED_WORSE.id {
            self.counts.judged_worse += 1;
        } else if code == faults::TOO_MANY_ERRORS.id || code == faults::TOO_SLOW.id {
            self.counts.over_limit += 1;
        } else if code == faults::TOO_MANY_EVENTS.id {
            self.counts.over_limit_by_shard += 1;
        } else if code == faults::LEASE_OVER.id {
            self.counts.lease_over += 1;
        }
    }

    /// The soak is never cut short; the watch only where others wait.
    fn check_soak(&mut self, i: usize, facts: &Facts, d: &Decision) -> Check {
        let r = &self.rollouts[i];
        let mut cut = false;
        for (site, after) in &d.state.sites {
            let Some(SiteState { step: Step::Soaking { share: FULL_SHARE, .. }, wave, .. }) = r.state.sites.get(site)
            else {
                continue;
            };
            if !matches!(after.step, Step::Serving { .. }) {
                continue;
            }
            let soaked = r.books.soaking_since.get(site).map_or(0, |since| self.mono_ms - since);
            let last = *wave == Some(r.plan.waves.len() - 1);
            let watched = if last { r.plan.timing.soak_ms + r.plan.timing.watch_ms } else { r.plan.timing.soak_ms };
            if soaked < r.plan.timing.soak_ms || (soaked < watched && !facts.others_wait) {
                return Err(self.broken(format!("{site} was watched for {soaked} ms only")));
            }
            cut |= soaked < watched;
        }
        self.counts.watch_cut += u64::from(cut);
        Ok(())
    }

    /// No share rises while a person or a freeze holds the rollout, nor on the way back; only one that was asked for after a
    /// pause goes through it. Where the old one has stopped, nobody is left to be waited for.
    fn check_shares(&mut self, i: usize, facts: &Facts, d: &Decision, before: &Before) -> Check {
        let r = &self.rollouts[i];
        let back = d.state.phase != Phase::Running && d.state.phase != Phase::Completed;
        if before.exclusive || !(r.state.paused || facts.frozen || back) || !r.plan.returns() {
            return Ok(());
        }
        for s in &r.plan.sites {
            let (was, is) = (share(&before.places[&s.site], s.to), share(&self.places[&s.site], s.to));
            let stays = d.state.sites[&s.site].step == Step::Stayed;
            let asked = r.state.sites[&s.site].set.is_some_and(|set| {
                let own = Some(set.wave) == d.state.sites[&s.site].wave && set.share == is;
                own && set.through_pause && !facts.frozen && !back
            });
            if is > was && !stays && !asked {
                return Err(self.broken(format!("the share of {} rose from {was} to {is}", s.site)));
            }
        }
        Ok(())
    }

    /// A canary's share is the plan's, or what a person gave its wave; going forward it sinks by a person's hand alone,
    /// and the rows always want the instances it needs.
    fn check_set_shares(&mut self, i: usize, d: &Decision, before: &Before) -> Check {
        let r = &self.rollouts[i];
        let forward = d.state.phase == Phase::Running && r.state.phase == Phase::Running;
        if !forward || r.plan.judging.is_none() || before.exclusive {
            return Ok(());
        }
        for s in r.plan.sites.iter().filter(|s| s.from.is_some() && r.plan.waves.iter().any(|w| w.site == s.site)) {
            let site = &d.state.sites[&s.site];
            if !site.shifted {
                continue;
            }
            let (was, is) = (share(&before.places[&s.site], s.to), share(&self.places[&s.site], s.to));
            let due = r.plan.wave_now(s, site).map(|w| w.share);
            if is != was && due != Some(is) {
                return Err(self.broken(format!("{} has {is} instead of {due:?}: {site:?}", s.site)));
            }
            if is < was && !site.set.is_some_and(|set| Some(set.wave) == site.wave && set.share == is) {
                return Err(self.broken(format!("the share of {} sank from {was} to {is} by itself", s.site)));
            }
            let wanted = |i: &&WantedInstance| i.revision == s.to && i.phase == DesiredPhase::Run;
            let runs = self.places[&s.site].instances.iter().filter(wanted).count();
            if runs < s.instances_for(is) as usize {
                return Err(self.broken(format!("{runs} instances for {is} of {}'s traffic", s.site)));
            }
        }
        Ok(())
    }

    /// Carriers whose wave has not come never notice; none is stopped while a person or a freeze holds the rollout.
    fn check_carriers(&mut self, i: usize, facts: &Facts, d: &Decision, before: &Before) -> Check {
        let r = &self.rollouts[i];
        for s in r.plan.sites.iter().filter(|s| r.plan.flow_at(s) == Flow::ByShard) {
            let Some(from) = s.from else { continue };
            let runs = |place: &PlaceDesired, ordinal: u32| {
                let wanted = |i: &&WantedInstance| i.phase == DesiredPhase::Run;
                place.instances.iter().filter(wanted).any(|i| i.revision == from && i.ordinal == ordinal)
            };
            let wave = d.state.sites[&s.site].wave.and_then(|w| r.plan.waves.get(w));
            let reached = match wave {
                Some(w) if w.share == FULL_SHARE => s.back_instances(),
                Some(w) => w.instances,
                None => 0,
            };
            let held = d.state.phase == Phase::Running && (r.state.paused || facts.frozen);
            for ordinal in 0..s.back_instances() {
                let (was, is) = (runs(&before.places[&s.site], ordinal), runs(&self.places[&s.site], ordinal));
                if !is && ordinal >= reached && r.state.phase != Phase::Queued && !d.state.phase.is_final() {
                    return Err(self.broken(format!("carrier {ordinal} of {} stopped before its wave", s.site)));
                }
                if was && !is && held {
                    return Err(self.broken(format!("carrier {ordinal} of {} stopped while held", s.site)));
                }
            }
        }
        Ok(())
    }

    /// A route carries a trial exactly while a rollout that is under way can take its traffic back at once.
    pub(super) fn check_trials(&self) -> Check {
        let active = self.active().map(|i| &self.rollouts[i]);
        for (site, place) in &self.places {
            let Some(route) = &place.route else { continue };
            let site_of = active.and_then(|r| Some((r, r.plan.site(site)?, r.state.sites.get(site)?)));
            let expected = site_of.is_some_and(|(r, s, at)| {
                let tried = s.from.is_some() && (r.plan.judging.is_some() || r.plan.limits.is_some());
                let back = matches!(at.step, Step::BackShifting { .. } | Step::Returned | Step::Stayed);
                tried && at.shifted && !back && r.plan.flow == Flow::Overlapping
            });
            // What a rollback took over is there until it has moved the traffic.
            let inherited =
                site_of.is_some_and(|(r, s, at)| s.from_half_made && !at.shifted && r.plan.limits.is_none());
            if route.trial.is_some() != expected && !inherited {
                return Err(self.broken(format!("{site}: on trial {:?}, and {:?}", route.trial, site_of.map(|s| s.2))));
            }
            if let (Some(trial), Some((_, s, _))) = (&route.trial, site_of)
                && expected
                && (trial.canary != s.to || Some(trial.baseline) != s.from)
            {
                return Err(self.broken(format!("{site}: the wrong ones are on trial: {trial:?}")));
            }
        }
        Ok(())
    }
}

/// How things were before a decision.
pub struct Before {
    pub places: BTreeMap<SiteName, PlaceDesired>,
    pub exclusive: bool,
}

fn judged(plan: &Plan, wave: &Wave) -> bool {
    plan.judging.is_some() && wave.share < FULL_SHARE && wave.max_ms.is_some()
}

//! The control plane: load, decide, persist.

use super::{
    judge::Before,
    world::{Check, World},
};
use std::collections::BTreeMap;
use tradewind_model::{
    id::RolloutId,
    rollout::{
        decide::decide,
        effect::{Effect, Happened},
        facts::{Facts, RouteFacts, Seen, SiteFacts, VerifyFacts, VerifyOutcome, count},
        plan::{Flow, Kind, Plan, SitePlan},
        state::Phase,
    },
    said::Said,
};

impl World {
    pub(super) fn decide_all(&mut self) -> Check {
        self.begin_next();
        let Some(i) = self.active() else { return Ok(()) };
        self.counts.decisions += 1;
        let facts = self.facts(i);
        let r = &self.rollouts[i];
        let d = decide(&r.plan, &r.state, &facts, self.now);
        let again = decide(&r.plan, &d.state, &facts, self.now);
        if facts.frozen && d.happened.iter().any(|h| matches!(h, Happened::WaveStarted { .. })) {
            return Err(self.broken("a wave began under a freeze".into()));
        }
        let story = format!("decided {:?} {:?}", d.state.phase, d.happened);
        self.check_judgement(r, &d.happened)?;
        let (plan, id) = (r.plan.clone(), r.id);
        let changed = d.state != r.state;
        let before = Before { places: self.places.clone(), exclusive: plan.flow != Flow::Overlapping };
        if self.apply(&plan, id, &d.effects) {
            self.generation += 1;
        }
        self.check_canary(i, &facts, &d, &before)?;
        let on_trial = self.shard_trials();
        self.rollouts[i].state = d.state.clone();
        if on_trial != self.shard_trials() {
            self.generation += 1;
        }
        if changed {
            self.tell(story);
        }
        let once = self.places.clone();
        self.apply(&plan, id, &d.effects);
        if once != self.places {
            return Err(self.broken(format!("effects applied twice changed more: {:?}", d.effects)));
        }
        if again.effects.iter().any(|e| matches!(e, Effect::Verify { .. }) && d.effects.contains(e)) {
            return Err(self.broken(format!("a verification was asked for twice: {:?}", again.effects)));
        }
        if d.state.phase.is_final() {
            self.judged.clear();
        }
        self.note_end(i, &d.happened)
    }

    /// A queued rollout starts from what completed before it.
    fn begin_next(&mut self) {
        if self.active().is_some() || self.queue_frozen {
            return;
        }
        let next = self.rollouts.iter().position(|r| r.state.phase == Phase::Queued);
        if let Some(i) = next {
            let sites = self.rollouts[i].plan.sites.clone();
            let again = |s: SitePlan| {
                let from = self.histories[&s.site].current();
                self.site_plan(s.site, from, s.to, false)
            };
            let sites = sites.into_iter().map(again).collect();
            let plan = self.plan(self.rollouts[i].plan.kind, sites);
            let now = self.now;
            let r = &mut self.rollouts[i];
            r.plan = plan;
            r.state.begin(now);
            self.judged.clear();
        }
    }

    fn apply(&mut self, plan: &Plan, id: RolloutId, effects: &[Effect]) -> bool {
        let (before, verify_before) = (self.places.clone(), self.verify.len());
        for e in effects {
            let site = match e {
                Effect::Want { site, .. }
                | Effect::StopOthers { site, .. }
                | Effect::Carry { site, .. }
                | Effect::StopOthersBelow { site, .. }
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
            let mut new_id = || super::world::numbered(ids);
            if let Some(place) = self.places.get_mut(site) {
                let version = place.route.as_ref().map(|r| r.version);
                place.apply(e, plan, &mut new_id);
                if place.route.as_ref().map(|r| r.version) != version {
                    self.salts.insert(site.clone(), id);
                }
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
            let (acked, trip) = self.seen.routes.get(site).cloned().unwrap_or((0, None));
            let route = RouteFacts { version: place.route.as_ref().map_or(0, |r| r.version), acked };
            let of_shards = self.seen.shard_trips.get(site).filter(|(t, _)| t.rollout == r.id.to_string());
            let of_route = trip.filter(|t| t.rollout == r.id).map(|t| t.cause);
            let tripped = of_route.or_else(|| of_shards.map(|(_, cause)| cause.clone()));
            let fresh = self.seen.generation >= self.generation;
            let judged = self.judged.get(site).cloned();
            sites.insert(site.clone(), SiteFacts { fresh, revisions, route, verify, tripped, judged });
        }
        let frozen = self.freeze && r.plan.kind != Kind::Rollback;
        let others_wait = self.rollouts.iter().any(|r| r.state.phase == Phase::Queued);
        Facts { agents_present: self.connected, frozen, others_wait, sites }
    }

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
}

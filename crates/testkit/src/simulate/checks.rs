//! What must hold after every step, at the end of a rollout, and at rest.

use super::{
    host::{Phase as Now, Process},
    world::{Check, Rollout, World},
};
use std::time::Duration;
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::DesiredPhase,
        edge::{FULL_SHARE, Mode},
    },
    rollout::{
        effect::Happened,
        faults,
        plan::{Flow, Kind, SitePlan},
        state::{Phase, Step},
    },
    workload::ServiceKind,
};

impl World {
    /// A revision is not judged by a host that merely does not know of it.
    pub(super) fn check_judgement(&self, r: &Rollout, happened: &[Happened]) -> Check {
        let unhealthy = faults::UNHEALTHY.id;
        let judged = happened.iter().any(|h| matches!(h, Happened::Returning { reason } if reason.code == unhealthy));
        if !judged {
            return Ok(());
        }
        let patience = Duration::from_millis(r.plan.timing.degraded_ms);
        let failed = |s: &SitePlan| {
            let long = r.state.sites[&s.site].degraded_since.is_some_and(|t| self.now >= t.plus(patience));
            let seen = self.seen.instances.values().filter(|(site, revision, _)| *site == s.site && *revision == s.to);
            long || seen.map(|(_, _, phase)| phase).any(|p| matches!(p, Now::Unready | Now::Failed))
        };
        if r.plan.sites.iter().any(failed) {
            return Ok(());
        }
        Err(self.broken(format!("judged by a report that says nothing of it: {:?}", self.seen)))
    }

    /// After a return every site it touched is on its own previous revision.
    pub(super) fn check_end(&self, i: usize, phase: Phase) -> Check {
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
                    if runs(on) != self.size(on).instances as usize {
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

    pub(super) fn check_always(&self) -> Check {
        if self.rollouts.iter().filter(|r| matches!(r.state.phase, Phase::Running | Phase::Returning)).count() > 1 {
            return Err(self.broken("two rollouts are active".into()));
        }
        self.check_trials()?;
        for (site, table) in &self.host.edge {
            for t in &table.targets {
                if self.host.processes.get(t).is_none_or(|p| p.phase != Now::Ready) {
                    return Err(self.broken(format!("{site} routes to {t}, which is not ready")));
                }
            }
        }
        let overlaps = self.plan(Kind::Normal, Vec::new()).flow == Flow::Overlapping;
        for (site, place) in &self.places {
            if !overlaps {
                let alive: Vec<_> =
                    self.host.processes.values().filter(|p| p.site == *site && p.phase.alive()).collect();
                for (i, a) in alive.iter().enumerate() {
                    let beside = |b: &&&Process| {
                        let two = a.revision != b.revision || a.ordinal == b.ordinal;
                        two && self.size(a.revision).collides(a.ordinal, &self.size(b.revision), b.ordinal)
                    };
                    if let Some(b) = alive[i + 1..].iter().find(beside) {
                        return Err(self.broken(format!("{site}: the same is worked by {a:?} and {b:?}")));
                    }
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
    pub(super) fn check_at_rest(&self) -> Check {
        for (site, place) in &self.places {
            if let Some(route) = &place.route
                && self.host.edge.get(site).map(|t| t.version) != Some(route.version)
            {
                return Err(self.broken(format!("{site}: the edge is not on the row's route")));
            }
            if place.route.as_ref().is_some_and(|r| r.trial.is_some()) {
                return Err(self.broken(format!("{site}: a trial outlived its rollout")));
            }
            if self.host.edge.get(site).is_some_and(|t| t.trip.is_some()) {
                return Err(self.broken(format!("{site}: the server never followed what the agent gave up")));
            }
        }
        if !self.host.desired.shard_trials.is_empty() {
            return Err(self.broken("shards are on trial without a rollout".into()));
        }
        let wanted = |id: &InstanceId| self.places.values().flat_map(|p| &p.instances).any(|i| i.id == *id);
        match self.host.processes.keys().find(|id| !wanted(id)) {
            Some(id) => Err(self.broken(format!("{id} runs and nobody wants it"))),
            None => Ok(()),
        }
    }
}

//! Between the control plane and the host: what is sent is lost, repeated, delayed and reordered.

use super::{
    host::{Desired, Observed},
    world::World,
};
use std::collections::BTreeMap;
use tradewind_model::{
    id::{Place, SiteName},
    protocol::trial::ShardTrial,
    rollout::{canary::shard_trial, plan::SitePlan},
};

impl World {
    pub(super) fn send(&mut self) {
        let d = Desired {
            generation: self.generation,
            sites: self.places.clone(),
            salts: self.salts.clone(),
            shard_trials: self.shard_trials(),
            verify: self.verify.clone(),
        };
        if self.connected {
            self.to_agent.push(d);
        }
    }

    pub(super) fn report(&mut self) {
        let o = self.host.report();
        if self.connected {
            self.to_server.push(o);
        }
    }

    pub(super) fn deliver_to_agent(&mut self) {
        if self.to_agent.is_empty() {
            return;
        }
        let i = usize::try_from(self.random.below(self.to_agent.len() as u64)).unwrap_or(0);
        if self.random.one_in(8) {
            self.to_agent.remove(i);
            self.counts.lost += 1;
        } else if self.random.one_in(8) {
            self.host.receive(self.to_agent[i].clone());
        } else {
            let d = self.to_agent.remove(i);
            self.host.receive(d);
        }
    }

    pub(super) fn deliver_to_server(&mut self) {
        if self.to_server.is_empty() {
            return;
        }
        let i = usize::try_from(self.random.below(self.to_server.len() as u64)).unwrap_or(0);
        if self.random.one_in(8) {
            self.to_server.remove(i);
            self.counts.lost += 1;
        } else {
            let o = if self.random.one_in(8) { self.to_server[i].clone() } else { self.to_server.remove(i) };
            self.observe(o);
        }
    }

    pub(super) fn deliver_all(&mut self) {
        for d in std::mem::take(&mut self.to_agent) {
            self.host.receive(d);
        }
        for o in std::mem::take(&mut self.to_server) {
            self.observe(o);
        }
    }

    fn observe(&mut self, o: Observed) {
        if (o.epoch, o.seq) > (self.seen.epoch, self.seen.seq) {
            self.seen = o;
        }
    }

    pub(super) fn disconnect_or_connect(&mut self) {
        self.connected = !self.connected;
        self.to_agent.clear();
        self.to_server.clear();
        self.tell(if self.connected { "connected" } else { "disconnected" });
    }

    /// The server is away for longer than a canary's lease.
    pub(super) fn outlast_lease(&mut self) {
        let on_trial = self.places.values().any(|p| p.route.as_ref().is_some_and(|r| r.trial.is_some()));
        if self.connected && (on_trial || !self.shard_trials().is_empty()) {
            self.disconnect_or_connect();
            self.wait(self.timing.lease_ms);
            for _ in 0..20 {
                self.host_works();
            }
        }
    }

    /// Of the rollout under way.
    pub(super) fn shard_trials(&self) -> BTreeMap<SiteName, ShardTrial> {
        let Some(r) = self.active().map(|i| &self.rollouts[i]) else { return BTreeMap::new() };
        let of_site = |s: &SitePlan| {
            let (service, env) = ("shop".parse().ok()?, "production".parse().ok()?);
            let place = Place { service, env, site: s.site.clone() };
            Some((s.site.clone(), shard_trial(&r.plan, &r.state, s, place, r.id)?))
        };
        r.plan.sites.iter().filter_map(of_site).collect()
    }

    pub(super) fn kill_agent(&mut self) {
        match self.random.below(4) {
            0 => {
                self.tell("agent killed, its desired state lost");
                self.host.forget();
            }
            1 => {
                self.tell("host set up anew");
                self.host.begin_anew();
            }
            _ => {
                self.tell("agent killed");
                return self.host.restart_agent();
            }
        }
        // What was on its way to the process before is not for one that cannot tell that it is old.
        self.to_agent.clear();
        // The first thing said on a connection is how things are, before anything desired has come.
        self.report();
    }
}

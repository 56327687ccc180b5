//! Clients who come again, retry, and are not alike: what a unit is decides whether the guarantee holds.

use super::random::{normal, poisson};
use crate::{Arm, Judge, Kind, MetricSpec, Params, Verdict};
use fastrand::Rng;

/// What is counted as a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// What the edge counts: a client, until it fails for the first time in this rollout.
    FirstFailure,
    /// Every request of a client that stays on its side.
    StickyRequest,
    /// A client in each span of so many seconds.
    ClientPer(u64),
    /// Every request, assigned by itself.
    Request,
}

#[derive(Clone, Copy, Debug)]
pub struct Clients {
    pub unit: Unit,
    pub clients: usize,
    pub requests_per_s: f64,
    /// Of a request, for most clients; times `ratio` on the canary.
    pub fails: f64,
    pub ratio: f64,
    /// Part of the clients whose every second request fails, on either side.
    pub unlucky: f64,
    /// How often a client tries again after a failure.
    pub retries: u32,
    /// The canary's share, and from when.
    pub shares: &'static [(f64, f64)],
    pub until_s: u64,
}

impl Clients {
    /// Nothing is wrong with the canary. A share that rises moves clients over.
    pub fn alike(unit: Unit) -> Self {
        Self {
            unit,
            clients: 2_000,
            requests_per_s: 100.0,
            fails: 0.001,
            ratio: 1.0,
            unlucky: 0.01,
            retries: 3,
            shares: &[(0.0, 0.1), (600.0, 0.25), (1_200.0, 0.5)],
            until_s: 3_600,
        }
    }

    /// The canary fails twice as often.
    pub fn doubled(clients: usize) -> Self {
        Self {
            clients,
            fails: 0.005,
            ratio: 2.0,
            unlucky: 0.0,
            retries: 0,
            shares: &[(0.0, 0.1)],
            ..Self::alike(Unit::FirstFailure)
        }
    }

    pub fn until_worse(&self, rng: &mut Rng, params: Params) -> Option<f64> {
        let mut crowd = Crowd::new(self, rng);
        let mut judge = Judge::new(params, vec![MetricSpec::new("errors", Kind::Error)]).ok()?;
        let span = if let Unit::ClientPer(seconds) = self.unit { seconds } else { 1 };
        for second in 1..=self.until_s {
            let t = second as f64;
            let share = self.shares.iter().rev().find(|(from, _)| *from < t).map_or(0.0, |(_, share)| *share);
            for _ in 0..poisson(rng, self.requests_per_s) {
                crowd.visit(self, rng, share);
            }
            if second % span == 0 {
                let [canary, baseline] = crowd.count(self.unit);
                judge.observe(t, 0, canary, baseline).ok()?;
                if judge.brief().verdict == Verdict::Worse {
                    return Some(t);
                }
            }
        }
        None
    }
}

#[derive(Clone, Copy, Default)]
struct Client {
    /// Where it stands; below the share it is the canary's.
    point: f64,
    unlucky: bool,
    has_failed: bool,
    /// Within the span.
    active: bool,
    failed_now: bool,
    on_canary: bool,
}

struct Crowd {
    clients: Vec<Client>,
    /// Running sums of how often each comes.
    activity: Vec<f64>,
    /// Those seen in this span.
    seen: Vec<usize>,
    requests: [Arm; 2],
}

impl Crowd {
    fn new(setting: &Clients, rng: &mut Rng) -> Self {
        let client =
            |rng: &mut Rng| Client { point: rng.f64(), unlucky: rng.f64() < setting.unlucky, ..Client::default() };
        let clients = (0..setting.clients).map(|_| client(rng)).collect();
        let mut sum = 0.0;
        let activity = (0..setting.clients)
            .map(|_| {
                sum += normal(rng).exp();
                sum
            })
            .collect();
        Self { clients, activity, seen: Vec::new(), requests: [Arm::default(); 2] }
    }

    /// A request, and what it is retried for.
    fn visit(&mut self, setting: &Clients, rng: &mut Rng, share: f64) {
        let total = self.activity.last().copied().unwrap_or(0.0);
        let at = rng.f64() * total;
        let who = self.activity.partition_point(|sum| *sum < at).min(self.clients.len() - 1);
        let client = &mut self.clients[who];
        if !client.active {
            client.active = true;
            self.seen.push(who);
        }
        for _ in 0..=setting.retries {
            let on_canary = if setting.unit == Unit::Request { rng.f64() < share } else { client.point < share };
            client.on_canary = on_canary;
            let chance = if client.unlucky { 0.5 } else { setting.fails * if on_canary { setting.ratio } else { 1.0 } };
            let failed = rng.f64() < chance;
            let arm = &mut self.requests[usize::from(!on_canary)];
            arm.n += 1;
            arm.x += u64::from(failed);
            client.failed_now |= failed;
            if !failed {
                break;
            }
        }
    }

    /// The span's counts, by what a unit is; the next span begins.
    fn count(&mut self, unit: Unit) -> [Arm; 2] {
        let requests = std::mem::take(&mut self.requests);
        let mut clients = [Arm::default(); 2];
        for who in self.seen.drain(..) {
            let client = &mut self.clients[who];
            let arm = &mut clients[usize::from(!client.on_canary)];
            let at_risk = unit != Unit::FirstFailure || !client.has_failed;
            arm.n += u64::from(at_risk);
            arm.x += u64::from(at_risk && client.failed_now);
            client.has_failed |= client.failed_now;
            (client.active, client.failed_now) = (false, false);
        }
        match unit {
            Unit::FirstFailure | Unit::ClientPer(_) => clients,
            Unit::StickyRequest | Unit::Request => requests,
        }
    }
}

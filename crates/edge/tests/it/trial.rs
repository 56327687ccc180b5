//! An edge with a canary on trial, and what it has counted so far.

use crate::support::*;
use http::{Request, StatusCode};
use http_body_util::combinators::BoxBody;
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};
use tokio::sync::Semaphore;
use tradewind_edge::WorkerConfig;
use tradewind_model::protocol::{
    edge::{FULL_SHARE, FromEdge, Route, Sticky},
    trial::{Ignore, Limits, Trial, UnitCounts, UnitTick},
};

pub type Ask = Request<BoxBody<bytes::Bytes, Infallible>>;

pub fn trial(bounds_ms: &[u32]) -> Trial {
    Trial {
        canary: revision(2),
        baseline: revision(1),
        counted: true,
        bounds_ms: bounds_ms.to_vec(),
        ignore: Ignore::default(),
        limits: Limits { error_rate: None, p99_ms: None, for_ms: 30_000, min_requests: 50 },
        lease_ms: 600_000,
    }
}

/// An instance that does what the path says.
pub async fn habits(gate: Arc<Semaphore>) -> Instance {
    Instance::start(move |request| {
        let gate = gate.clone();
        Box::pin(async move {
            let mut answer = text("ok");
            match request.uri().path() {
                "/fail" => *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
                "/hang" => gate.acquire().await.unwrap().forget(),
                _ => {}
            }
            answer
        })
    })
    .await
}

/// Who asks, by a header.
pub fn by(client: &str, path: &str) -> Ask {
    Request::get(path).header("host", HOST).header("x-client", client).body(full("")).unwrap()
}

/// All that was counted so far.
#[derive(Default)]
pub struct Counted(pub BTreeMap<(String, u64), UnitTick>);

impl Counted {
    pub fn note(&mut self, ticks: &[UnitTick]) {
        for t in ticks {
            for arm in [&t.canary, &t.baseline] {
                assert!(arm.n.iter().zip(&arm.x).all(|(n, x)| n >= x), "more fail than are active: {t:?}");
            }
            let known = self.0.insert((t.epoch.clone(), t.seq), t.clone());
            assert!(known.is_none_or(|k| k == *t), "a tick does not change");
        }
    }

    pub fn sum(&self, arm: impl Fn(&UnitTick) -> &UnitCounts) -> UnitCounts {
        let mut sum = UnitCounts::default();
        for t in self.0.values().map(arm) {
            sum.n.resize(t.n.len(), 0);
            sum.x.resize(t.x.len(), 0);
            sum.n.iter_mut().zip(&t.n).for_each(|(s, n)| *s += n);
            sum.x.iter_mut().zip(&t.x).for_each(|(s, x)| *s += x);
            sum.new += t.new;
            sum.requests += t.requests;
            sum.failed += t.failed;
            assert!(t.latency.last() != Some(&0), "no noughts at the end: {t:?}");
            sum.latency.resize(sum.latency.len().max(t.latency.len()), 0);
            sum.latency.iter_mut().zip(&t.latency).for_each(|(s, n)| *s += n);
        }
        sum
    }

    pub fn canary(&self) -> UnitCounts {
        self.sum(|t| &t.canary)
    }

    pub fn baseline(&self) -> UnitCounts {
        self.sum(|t| &t.baseline)
    }

    /// First failures of the baseline.
    pub fn failures(&self) -> u64 {
        self.baseline().x.first().copied().unwrap_or_default()
    }

    pub fn epochs(&self) -> Vec<&str> {
        let mut epochs: Vec<_> = self.0.keys().map(|(e, _)| e.as_str()).collect();
        epochs.dedup();
        epochs
    }

    pub fn seqs(&self, epoch: &str) -> Vec<u64> {
        self.0.keys().filter(|(e, _)| e == epoch).map(|(_, s)| *s).collect()
    }
}

pub struct World {
    pub edge: Edge,
    pub agent: Agent,
    pub client: Client,
    pub baseline: Instance,
    _canary: Instance,
    pub gate: Arc<Semaphore>,
    pub route: Route,
    pub version: u64,
    pub counted: Counted,
}

impl World {
    /// All traffic on the baseline; clients are named by a header.
    pub async fn start(bounds_ms: &[u32]) -> Self {
        Self::with(bounds_ms, |_| {}).await
    }

    pub async fn with(bounds_ms: &[u32], change: impl FnOnce(&mut WorkerConfig)) -> Self {
        let edge = Edge::with(change);
        let agent = edge.agent().await;
        let gate = Arc::new(Semaphore::new(0));
        let (baseline, canary) = (habits(gate.clone()).await, habits(gate.clone()).await);
        let mut route = route(vec![split(1, FULL_SHARE, &[baseline.target()]), split(2, 0, &[canary.target()])]);
        route.sticky = Sticky::Header { name: "x-client".into() };
        route.trial = Some(trial(bounds_ms));
        let client = Client::dial(edge.addr).await;
        let counted = Counted::default();
        let mut this = Self { edge, agent, client, baseline, _canary: canary, gate, route, version: 0, counted };
        this.put(|_| {}).await;
        this
    }

    pub async fn put(&mut self, change: impl FnOnce(&mut Route)) {
        change(&mut self.route);
        self.version += 1;
        self.agent.put(table(self.version, vec![self.route.clone()])).await;
    }

    pub async fn share(&mut self, canary: u32) {
        self.put(|r| (r.splits[0].weight, r.splits[1].weight) = (FULL_SHARE - canary, canary)).await;
    }

    pub async fn ask(&mut self, client: &str, path: &str) -> StatusCode {
        self.client.send(by(client, path)).await.unwrap().status
    }

    /// Hears ticks until the counts are so.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Counted) -> bool) {
        loop {
            for message in self.agent.heard.drain(..) {
                if let FromEdge::Units { ticks } = message {
                    self.counted.note(&ticks);
                }
            }
            if holds(&self.counted) {
                return;
            }
            let next = tokio::time::timeout(HANG, self.agent.next()).await;
            match next {
                Ok(Some(message)) => self.agent.heard.push(message),
                Ok(None) | Err(_) => panic!("never: {what}\n{:#?}", self.counted.0.values().collect::<Vec<_>>()),
            }
        }
    }

    /// Everything that has happened so far is in the counts.
    pub async fn settle(&mut self) {
        // What was said before the answer to this has been heard with it.
        self.put(|_| {}).await;
        self.until("what was said so far", |_| true).await;
        let before = self.counted.0.len();
        self.until("two more seconds", |c| c.0.len() >= before + 2).await;
    }

    /// Forgets what was counted so far.
    pub async fn afresh(&mut self) {
        self.settle().await;
        self.counted = Counted::default();
    }
}

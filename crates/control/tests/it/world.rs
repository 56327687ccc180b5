//! A control plane on a real store with one host, whose agent the test plays by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tradewind_control::{
    Ctx,
    agents::{Agents, Stay, desired, observed},
    ctx::Asker,
    hosts,
    rollouts::{reconcile, request, rollback},
    services,
};
use tradewind_model::{
    id::{Commit, Digest, EnvName, HostId, Place, RolloutId, ServiceName, SiteName},
    protocol::agent::{
        Desired, DesiredPhase, InstancePhase, Observed, ObservedInstance, ObservedRoute, ObservedSplit, ObservedTask,
        TaskResult, TaskState, VerifyReport, Work,
    },
    protocol::trial::ShardTrip,
    release::{BundleRef, ReleaseManifest},
    rollout::plan::Kind,
    time::{Clock, Timestamp},
};
use tradewind_store::{Store, rows, transact};

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // No two readings are equal, as on a real machine.
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

pub struct World {
    pub ctx: Ctx,
    pub clock: Arc<TestClock>,
    pub host: HostId,
    /// What the fake host does with instances, by release label; unlisted ones become ready.
    pub never_ready: Vec<String>,
    /// What the fake agent did by itself.
    pub trip: Option<tradewind_model::protocol::trial::Trip>,
    seq: u64,
    epoch: u32,
    _folder: TempDir,
}

pub fn service() -> ServiceName {
    "shop".parse().unwrap()
}
pub fn env() -> EnvName {
    "production".parse().unwrap()
}
pub fn place() -> Place {
    Place { service: service(), env: env(), site: SiteName::default_site() }
}
pub fn asker() -> Asker {
    Asker::trusted(tradewind_model::event::Actor::named("ming"))
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000_000)));
        let path = folder.path().join("tradewind.db");
        let store = Store::open(path.to_str().unwrap(), clock.clone()).await.unwrap();
        let ctx = Ctx::new(store);
        let host: HostId = transact!(ctx.store, tx => {
            hosts::enrol(tx, "local", &Digest::of(b"key"), &asker()).await
        })
        .unwrap();
        services::create(&ctx, &service(), &asker()).await.unwrap();
        Self { ctx, clock, host, never_ready: Vec::new(), trip: None, seq: 0, epoch: 0, _folder: folder }
    }

    pub fn pass(&self, d: Duration) {
        self.clock.0.fetch_add(i64::try_from(d.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Stores a release made of this spec and returns its label.
    pub async fn release(&self, n: u8, spec: &str) -> String {
        self.release_of(&service(), n, spec).await
    }

    pub async fn release_of(&self, service: &ServiceName, n: u8, spec: &str) -> String {
        let commit: Commit = format!("{n:040}").parse().unwrap();
        let bundle = BundleRef { digest: Digest::of(&[n]), size: 1 };
        let manifest = ReleaseManifest {
            version: 1,
            service: service.clone(),
            commit,
            bundle,
            spec: spec.to_owned(),
            files: Vec::new(),
        };
        let done: tradewind_control::Result<_> = transact!(self.ctx.store, tx => {
            tx.without_event("a test's release");
            Ok(rows::releases::insert(tx, &manifest, None).await?.0.label())
        });
        done.unwrap()
    }

    pub async fn deploy(&self, label: &str) -> RolloutId {
        let wish = request::Wish::default();
        request::deploy(&self.ctx, &service(), &env(), label, Kind::Normal, &wish, &asker()).await.unwrap()
    }

    pub async fn rollback(&self) -> RolloutId {
        rollback::rollback(&self.ctx, &service(), &env(), None, "orders arrive twice", &asker()).await.unwrap()
    }

    pub async fn rollout(&self, id: RolloutId) -> rows::rollouts::Rollout {
        rows::rollouts::get(&mut self.ctx.store.read().await.unwrap(), id).await.unwrap()
    }

    pub async fn desired(&self) -> Desired {
        desired::compose(&mut self.ctx.store.read().await.unwrap(), self.host).await.unwrap()
    }

    /// Share of the place's traffic per release label, as the rows want it.
    pub async fn route(&self) -> Vec<(String, u32)> {
        let desired = self.desired().await;
        let route = desired.routes.into_iter().find(|r| r.place == place());
        route.into_iter().flat_map(|r| r.splits).filter(|s| s.weight > 0).map(|s| (s.label, s.weight)).collect()
    }

    pub fn connect<'a>(
        &self,
        agents: &'a Agents,
    ) -> (Stay<'a>, mpsc::Receiver<tradewind_model::protocol::agent::ToAgent>) {
        let (tx, rx) = mpsc::channel(1_000);
        (agents.connect(self.host, tx), rx)
    }

    /// The host does everything it is asked, at once, and reports.
    pub async fn obey(&mut self, stay: &Stay<'_>) {
        let desired = self.desired().await;
        let observed = self.perform(&desired);
        observed::ingest(&self.ctx, stay, &format!("epoch-{}", self.epoch), observed).await.unwrap();
    }

    pub fn perform(&mut self, desired: &Desired) -> Observed {
        self.seq += 1;
        let phase = |label: &str, phase| match phase {
            DesiredPhase::Run if self.never_ready.iter().any(|l| l == label) => InstancePhase::Starting,
            DesiredPhase::Run => InstancePhase::Ready,
            DesiredPhase::Stopped => InstancePhase::Stopped,
        };
        let instances = desired
            .instances
            .iter()
            .map(|i| ObservedInstance {
                id: i.id,
                revision: i.revision,
                phase: phase(&i.label, i.phase),
                since: self.clock.now(),
                pid: None,
                addr: None,
                restarts: 0,
                last_exit: None,
                message: None,
                runs: Vec::new(),
            })
            .collect();
        let routes = desired
            .routes
            .iter()
            .map(|r| ObservedRoute {
                place: r.place.clone(),
                version: r.version,
                splits: r
                    .splits
                    .iter()
                    .map(|s| ObservedSplit { revision: s.revision, weight: s.weight, ready_targets: 1 })
                    .collect(),
                tripped: self.trip.clone(),
            })
            .collect();
        let tasks = desired
            .tasks
            .iter()
            .map(|t| {
                let Work::Verify(_) = &t.work else { panic!("only verifications are asked for here") };
                let report = VerifyReport { passed: true, checks: Vec::new() };
                ObservedTask {
                    id: t.id,
                    state: TaskState::Done(Box::new(TaskResult::Verify { report })),
                    started_at: None,
                    finished_at: None,
                    log_bytes: 0,
                    commands: Vec::new(),
                }
            })
            .collect();
        Observed {
            seq: self.seq,
            generation: desired.generation,
            at: self.clock.now(),
            releases: Vec::new(),
            instances,
            routes,
            tasks,
            edge: None,
            scrapes: Vec::new(),
            certificates: desired.certificates.clone(),
            challenges: desired.challenges.iter().map(|c| c.token.clone()).collect(),
            shard_trips: desired
                .shard_trials
                .iter()
                .flat_map(|t| Some(ShardTrip { place: t.place.clone(), trip: self.trip.clone()? }))
                .collect(),
        }
    }

    /// Obeys and decides until the rollout ends.
    pub async fn see_through(&mut self, stay: &Stay<'_>, id: RolloutId) -> rows::rollouts::Rollout {
        for _ in 0..50 {
            self.obey(stay).await;
            reconcile::once(&self.ctx).await.unwrap();
            self.pass(Duration::from_secs(1));
            let row = self.rollout(id).await;
            if row.finished_at.is_some() {
                return row;
            }
        }
        panic!("the rollout does not end: {:?}", self.rollout(id).await);
    }

    /// The control plane dies and comes back: connections and everything in memory are gone, rows are not.
    pub async fn restart(&mut self) {
        let path = self._folder.path().join("tradewind.db");
        self.ctx.store.close().await;
        let store = Store::open(path.to_str().unwrap(), self.clock.clone()).await.unwrap();
        self.ctx = Ctx::new(store);
    }
}

//! The host's loop: the one place that knows everything about this host.
//!
//! Instances, releases, tasks, the server's session and the edge's link are tasks of their own and talk to the loop
//! only. Whatever it hears, it then does the same two things: brings the children in line with the desired state
//! (`reconcile`), and says what is (`publish`). It holds no state that a kill could lose: the desired state is on disk
//! before it is acted upon, and the children find again what runs.

mod desired;
mod instances;
mod scrapes;
mod shards;
mod table;
mod tally;
mod trials;

use crate::{
    config::AgentConfig,
    confine::Confinement,
    disk,
    edge::{
        certificates::{self, Wanted as CertificatesWanted},
        ledger::Ledger,
        link::{self, EdgeNews},
        units::Units,
        versions::Versions,
    },
    home::Home,
    instance::{
        launch::Launcher,
        task::{Found, InstanceNews},
    },
    logs::LogReaders,
    machine,
    release::{Bringer, ReleaseNews, Releases},
    scrape::task::{Reader, Round, Wanted as WantedScrape},
    secrets::{self, Secrets},
    server::{FromServer, Greeting, Outbox, Server, keep_session},
    task::{Shop, Slots, TaskNews, Tasks},
    time::Time,
    tree::Bounds,
    users::Users,
};
use desired::Accepted;
use futures_util::future::join_all;
use instances::Held;
use shards::Shards;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tally::Tallies;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tradewind_model::{
    id::{Digest, InstanceId},
    protocol::{
        agent::{Desired, DesiredInstance, FromAgent, Observed, ObservedEdge, ObservedInstance},
        edge::{Stats, Table},
        scrape::ObservedScrape,
        trial::UnitsTaken,
    },
    workload::Port,
};
use tradewind_targets::{ports::Ports, process::ProcessTarget};
use trials::Trials;

/// The observed state is sent so often even when nothing changed.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often a canary's lease, and what cron services' runs came to, is looked at, at least.
const LOOK: Duration = Duration::from_secs(1);
/// What is left of ended instances is looked through so often.
const SWEEP: Duration = Duration::from_secs(600);

/// Why an agent ends.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] tradewind_model::fault::Fault),
    #[error("the key cannot be sent: {0}")]
    Key(#[from] http::header::InvalidHeaderValue),
    #[error(transparent)]
    Disk(#[from] disk::DiskError),
    #[error("the record of {what}: {source}")]
    Record { what: &'static str, source: std::io::Error },
    /// The supervisor starts another one, which adopts what runs.
    #[error("a part of the agent broke: {0}")]
    Broke(#[from] tokio::task::JoinError),
}

/// What tasks may know of the host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sight {
    pub instances: BTreeMap<InstanceId, (Arc<DesiredInstance>, ObservedInstance)>,
    /// Where the edge listens; empty without one.
    pub listen: Vec<std::net::SocketAddr>,
    pub probe_token: String,
}

pub struct Host {
    home: Home,
    time: Time,
    launcher: Arc<Launcher>,
    desired: Option<Desired>,
    instances: BTreeMap<InstanceId, Held>,
    releases: Releases,
    tasks: Tasks,
    readers: LogReaders,

    ledger: Ledger,
    versions: Versions,
    units: Units,
    trials: Trials,
    shards: Shards,
    tallies: Tallies,
    /// Where the server's session takes the edge's counts.
    session: Option<(u64, mpsc::Sender<FromAgent>)>,
    units_taken: mpsc::UnboundedSender<Vec<UnitsTaken>>,
    /// An edge has greeted and not gone since.
    edge: Option<ObservedEdge>,
    /// What the edge shows of what it was sent beside the table.
    shown: Shown,
    certificates: watch::Sender<Option<CertificatesWanted>>,
    /// The next table is sent under a new number even if it equals the last.
    afresh: bool,

    seq: u64,
    observed: watch::Sender<Arc<Observed>>,
    table: watch::Sender<Option<Table>>,
    traffic: watch::Sender<Option<Arc<Stats>>>,
    scrapes: watch::Sender<Arc<Vec<WantedScrape>>>,
    /// What was said last of trials whose own counters are not all read.
    unread: Vec<ObservedScrape>,
    sight: watch::Sender<Arc<Sight>>,
    /// Everything that runs beside the loop; dropped with it.
    children: JoinSet<()>,
    inbox: Inbox,
    instance_news: mpsc::UnboundedSender<InstanceNews>,
}

/// Certificates and challenges, by digest and token.
#[derive(Clone, Debug, Default)]
struct Shown {
    certificates: Vec<Digest>,
    challenges: Vec<String>,
}

struct Inbox {
    server: mpsc::UnboundedReceiver<FromServer>,
    edge: mpsc::UnboundedReceiver<EdgeNews>,
    instances: mpsc::UnboundedReceiver<InstanceNews>,
    releases: mpsc::UnboundedReceiver<ReleaseNews>,
    tasks: mpsc::UnboundedReceiver<TaskNews>,
    scrapes: mpsc::UnboundedReceiver<Round>,
}

impl Host {
    /// Adopts what is on this host, then begins to talk to edge and server.
    pub async fn open(config: AgentConfig) -> Result<Self, Error> {
        config.check()?;
        let time = Time::new(config.clock.clone());
        let home = Home::at(std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone()));
        home.create()?;
        let server = Server::new(config.server.clone(), &config.key)?;
        let record = |what| move |source| Error::Record { what, source };
        let users = Arc::new(Users::open(&home, config.run_as).map_err(record("users"))?);
        let target = ProcessTarget::new(config.shim.0.clone(), config.shim.1.clone()).with_keys(secrets::keys(&home)?);
        let confinement = {
            let config = config.clone();
            tokio::task::spawn_blocking(move || Confinement::on_this_host(&config)).await.map(Arc::new)?
        };
        let handing = Secrets { server: server.clone(), target: target.clone() };
        let launcher = Arc::new(Launcher {
            home: home.clone(),
            target: target.clone(),
            users: users.clone(),
            ports: open_ports(&home).map_err(record("ports"))?,
            cgroups: config.cgroups,
            path: config.path.clone(),
            secrets: handing.clone(),
        });
        let bringer = Arc::new(Bringer {
            home: home.clone(),
            server: server.clone(),
            target: target.clone(),
            users: users.clone(),
            confinement: confinement.clone(),
            cgroups: config.cgroups,
            path: config.path.clone(),
            bounds: Bounds::default(),
            preparing: tokio::sync::Mutex::new(()),
        });

        let (to_server_inbox, from_server) = mpsc::unbounded_channel();
        let (to_edge_inbox, from_edge) = mpsc::unbounded_channel();
        let (instance_news, from_instances) = mpsc::unbounded_channel();
        let (release_news, from_releases) = mpsc::unbounded_channel();
        let (task_news, from_tasks) = mpsc::unbounded_channel();
        let desired = desired::load(&home);
        let generation = desired.as_ref().map_or(0, |d| d.generation);
        let found = adopt_all(&home, &launcher, desired.as_ref()).await?;
        for Found { kept, .. } in &found {
            if let (Port::Assigned, Some(port)) = (kept.desired.workload.port, kept.port) {
                launcher.ports.keep(&kept.desired.id.to_string(), port).map_err(record("ports"))?;
            }
        }
        // What an earlier agent gave out and could not take back.
        let kept = |owner: &str| found.iter().any(|f| f.kept.desired.id.to_string() == owner);
        launcher.ports.retain(kept).map_err(record("ports"))?;
        let inherited = found.iter().filter(|f| f.was_ready() && f.is_running()).map(|f| f.kept.desired.id).collect();
        let in_use = found.iter().filter(|f| f.is_running()).map(|f| f.kept.desired.release).collect();
        let versions = Versions::open(home.edge_state())?;
        let routes = desired.as_ref().map_or(&[][..], |d| &d.routes);
        let (trials, shards) = (Trials::open(&home, time.wall(), routes), Shards::open(&home));
        let tallies = Tallies::open(&home);

        let (observed, observed_rx) = watch::channel(Arc::new(Observed { generation, ..Observed::default() }));
        let (table, table_rx) = watch::channel(None);
        let (certificates, certificates_rx) = watch::channel(None);
        let (units_taken, units_taken_rx) = mpsc::unbounded_channel();
        let (traffic, traffic_rx) = watch::channel(None);
        let (sight, sight_rx) = watch::channel(Arc::default());
        let (scrapes, scrapes_rx) = watch::channel(Arc::default());
        let (to_scrape_inbox, from_scrapes) = mpsc::unbounded_channel();
        let mut children = JoinSet::new();
        let shop = Shop {
            home: home.clone(),
            server: server.clone(),
            target,
            users,
            launcher: launcher.clone(),
            secrets: handing,
            confinement,
            cgroups: config.cgroups,
            path: config.path,
            time: time.clone(),
            sight: sight_rx,
            slots: Slots::new(config.slots),
        };
        let tasks = Tasks::open(shop, task_news, &mut children)?;
        let mut host = Self {
            ledger: Ledger::new(versions.probe_token().to_owned(), inherited),
            releases: Releases::open(bringer, &in_use, release_news)?,
            tasks,
            readers: LogReaders::new(home.clone()),
            home,
            time,
            launcher,
            desired,
            instances: BTreeMap::new(),
            versions,
            units: Units::default(),
            trials,
            shards,
            tallies,
            session: None,
            units_taken,
            edge: None,
            shown: Shown::default(),
            certificates,
            afresh: false,
            seq: 0,
            observed,
            table,
            traffic,
            scrapes,
            unread: Vec::new(),
            sight,
            children,
            inbox: Inbox {
                server: from_server,
                edge: from_edge,
                instances: from_instances,
                releases: from_releases,
                tasks: from_tasks,
                scrapes: from_scrapes,
            },
            instance_news,
        };
        host.take_up_all(found);
        host.reconcile();
        host.publish(true);
        if let Some(socket) = config.edge_socket {
            let (to_edge, certificates) = watch::channel(None);
            host.children.spawn(certificates::bring(host.home.clone(), server.clone(), certificates_rx, to_edge));
            host.children.spawn(link::keep_link(socket, table_rx, certificates, units_taken_rx, to_edge_inbox));
        }
        let reader = Reader::new(host.time.clone());
        host.children.spawn(reader.run(scrapes_rx, traffic_rx.clone(), to_scrape_inbox));
        let greeting = Greeting { epoch: uuid::Uuid::now_v7().to_string(), hostname: config.hostname };
        let (machine, machine_rx) = watch::channel(None);
        host.children.spawn(machine::watch(host.home.clone(), host.time.clone(), observed_rx.clone(), machine));
        let outbox = Outbox { observed: observed_rx, traffic: traffic_rx, machine: machine_rx };
        host.children.spawn(keep_session(server, greeting, outbox, to_server_inbox));
        Ok(host)
    }

    /// Until `shutdown`; what runs on the host goes on.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        tokio::pin!(shutdown);
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweep = interval(SWEEP);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut beat = false;
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(news) = self.inbox.server.recv() => self.server_said(news).await,
                Some(news) = self.inbox.edge.recv() => self.edge_said(news),
                Some(news) = self.inbox.instances.recv() => self.instance_said(news),
                Some(news) = self.inbox.releases.recv() => self.releases.note(news),
                Some(news) = self.inbox.tasks.recv() => self.tasks.note(news),
                Some(round) = self.inbox.scrapes.recv() => self.scrape_said(round),
                Some(ended) = self.children.join_next() => ended?,
                _ = heartbeat.tick() => beat = true,
                // The rest is done below.
                _ = look.tick() => self.send_runs(),
                _ = sweep.tick() => self.readers.sweep(self.time.wall()),
            }
            // Whatever else was said meanwhile is answered in the same breath.
            while let Ok(news) = self.inbox.instances.try_recv() {
                self.instance_said(news);
            }
            while let Ok(news) = self.inbox.edge.try_recv() {
                self.edge_said(news);
            }
            self.reconcile();
            self.publish(beat);
        }
    }

    async fn server_said(&mut self, news: FromServer) {
        let is_there = !matches!(news, FromServer::Gone { .. });
        match news {
            FromServer::Alive => {}
            FromServer::Connected { session, answers } => {
                self.readers.connected(session, answers.clone());
                self.session = Some((session, answers));
                self.units.connected();
                self.send_units();
            }
            FromServer::Gone { session } => {
                self.readers.gone(session);
                self.session.take_if(|(s, _)| *s == session);
            }
            FromServer::UnitsTaken(taken) => {
                self.units.taken(&taken);
                self.tallies.taken(&taken);
                // Without a link there is nobody to tell: the edge says them again, and is answered again.
                let _ = self.units_taken.send(taken);
            }
            FromServer::ReadLog { session, request, instance, tail_lines, follow } => {
                self.readers.read(session, request, instance, tail_lines, follow);
            }
            FromServer::StopLog { session, request } => self.readers.stop(session, request),
            FromServer::Desired(desired) => match desired::accept(&self.home, self.desired.as_ref(), *desired).await {
                Accepted::New(desired) => self.desired = Some(desired),
                Accepted::Same => {}
                Accepted::Refused(fault) => tracing::error!(%fault, "a desired state was refused"),
            },
        }
        if is_there {
            self.heard_server();
        }
    }

    /// Brings the children in line with what is desired and what is known.
    fn reconcile(&mut self) {
        let desired = self.desired.take();
        if let Some(desired) = &desired {
            self.watch_trials(&desired.routes);
            self.watch_shards(&desired.shard_trials);
            self.take_up_new(desired);
            let used: BTreeSet<_> = self.instances.values().map(|h| h.desired().release).collect();
            self.releases.reconcile(&desired.releases, &used, &mut self.children);
            self.tasks.reconcile(&desired.tasks, &mut self.children);
            let wanted = Some(CertificatesWanted {
                certificates: desired.certificates.clone(),
                challenges: desired.challenges.clone(),
            });
            self.certificates.send_if_modified(|held| {
                let differs = *held != wanted;
                *held = wanted;
                differs
            });
        }
        self.plan_table(desired.as_ref());
        self.plan_scrapes(desired.as_ref());
        self.tally_runs(desired.as_ref());
        self.tell_instances(desired.as_ref());
        self.desired = desired;
    }

    /// Says what is, if it changed; on a heartbeat even if not.
    fn publish(&mut self, heartbeat: bool) {
        let sight = Sight {
            instances: self.instances.iter().map(|(id, held)| (*id, (held.desired(), held.observed.clone()))).collect(),
            listen: self.edge.as_ref().map(|e| e.listen.clone()).unwrap_or_default(),
            probe_token: self.ledger.probe_token().to_owned(),
        };
        self.sight.send_replace(Arc::new(sight));
        let mut observed = Observed {
            seq: self.seq,
            generation: match &self.desired {
                Some(desired) if self.all_have_heard() => desired.generation,
                Some(_) => self.observed.borrow().generation,
                None => 0,
            },
            at: self.observed.borrow().at,
            releases: self.releases.observed(),
            instances: self.instances.values().map(|h| h.observed.clone()).collect(),
            routes: self.ledger.observed(),
            tasks: self.tasks.observed(),
            edge: self.edge.clone(),
            scrapes: self.observed_scrapes(),
            shard_trips: self.observed_shards(),
            certificates: self.shown.certificates.clone(),
            challenges: self.shown.challenges.clone(),
        };
        if heartbeat || observed != **self.observed.borrow() {
            self.seq += 1;
            (observed.seq, observed.at) = (self.seq, self.time.wall());
            self.observed.send_replace(Arc::new(observed));
        }
    }
}

/// Every instance an earlier agent left, with its process if it lives.
async fn adopt_all(home: &Home, launcher: &Arc<Launcher>, desired: Option<&Desired>) -> Result<Vec<Found>, Error> {
    let ids: Vec<InstanceId> = disk::names(&home.instances())?.iter().filter_map(|name| name.parse().ok()).collect();
    let listed = |id| desired.and_then(|d| d.instances.iter().find(|i| i.id == id));
    Ok(join_all(ids.into_iter().map(|id| Found::adopt(launcher, id, listed(id)))).await.into_iter().flatten().collect())
}

/// The instances' own records name their ports too.
fn open_ports(home: &Home) -> std::io::Result<Ports> {
    let path = home.ports();
    match Ports::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            tracing::error!(%error, path = %path.display(), "the record of ports is damaged; it is made again");
            Ports::renew(&path)
        }
        opened => opened,
    }
}

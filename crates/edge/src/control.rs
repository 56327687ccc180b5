//! The control loop: hears the agent and the draining targets, and tells the agent what became of its tables.
//!
//! One agent is listened to, the one that spoke last; without any the edge serves on. A worker that takes over from
//! another ([`succession`](crate::succession)) speaks to it over the same socket as an agent does, and is not done with a
//! table before that one is.

use crate::{
    faults,
    link::{Event, Link, LinkId},
    metrics,
    proxy::Proxy,
    succession::{FromOld, PREDECESSOR, Predecessor, ToOld},
    switch::{Applied, Switch},
    target::Target,
    tls::Certificates,
    units::Pending,
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::pending,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::UnixListener,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    fault::Fault,
    id::InstanceId,
    protocol::{
        edge::{FromEdge, Stats, Table, TargetStats, ToEdge, VERSION},
        trial::UnitTick,
    },
    time::Clock,
};

const STATS_EVERY: Duration = Duration::from_secs(1);
const TICKS_A_LINE: usize = 256;

pub struct Control {
    pub proxy: Arc<Proxy>,
    pub switch: Switch,
    pub clock: Arc<dyn Clock>,
    /// Names this worker in its counters.
    pub epoch: String,
    /// What was counted of trials and no agent has taken.
    pub pending: Pending,
    pub listen: Vec<SocketAddr>,
    /// None once a successor has it.
    pub listener: Option<UnixListener>,
    pub predecessor: Option<Predecessor>,
    /// Cancelled when this worker is to stop accepting.
    pub retire: CancellationToken,
    pub events: mpsc::Sender<(LinkId, Event)>,
    pub inbox: mpsc::Receiver<(LinkId, Event)>,
    pub emptied: mpsc::UnboundedReceiver<Arc<Target>>,
    pub health: mpsc::UnboundedReceiver<()>,
    pub scrapes: mpsc::Receiver<oneshot::Sender<String>>,
    pub links: Links,
    pub certificates: Certificates,
}

/// Who is connected, and as what.
#[derive(Default)]
pub struct Links {
    open: HashMap<LinkId, Link>,
    last: LinkId,
    agent: Option<LinkId>,
    successor: Option<LinkId>,
    /// Versions in force here whose acknowledgement waits for the predecessor.
    owed: BTreeSet<u64>,
    /// Instances drained here that the predecessor may still work with.
    drained: HashSet<InstanceId>,
}

impl Control {
    /// Runs until `finish`: then says what was counted last.
    pub async fn run(mut self, finish: CancellationToken) {
        let mut ticks = interval(STATS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut health_changed = false;
        loop {
            let accept = async {
                match &self.listener {
                    Some(listener) => listener.accept().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = finish.cancelled() => break,
                accepted = accept => match accepted {
                    Ok((stream, _)) => self.greet(stream),
                    Err(error) => {
                        tracing::warn!(%error, "cannot take the agent's connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some((id, event)) = self.inbox.recv() => match (id, event) {
                    (PREDECESSOR, Event::Line(line)) => self.hear_predecessor(&line),
                    (PREDECESSOR, Event::Closed) => self.predecessor_left(),
                    (id, Event::Line(line)) => self.hear(id, &line).await,
                    (id, Event::Closed) => self.left(id),
                },
                Some(target) = self.emptied.recv() => {
                    if let Some(instance) = self.switch.emptied(&target) {
                        self.links.drained.insert(instance);
                        self.tell_drained();
                    }
                }
                Some(()) = self.health.recv() => health_changed = true,
                Some(reply) = self.scrapes.recv() => {
                    let page = metrics::page(&self.proxy, &self.switch, &self.targets(), self.certificates.tls());
                    drop(reply.send(page));
                }
                _ = ticks.tick() => {
                    self.proxy.uptime.adjust(&*self.clock);
                    self.end_second();
                    if std::mem::take(&mut health_changed) {
                        self.switch.keep().await;
                    }
                    self.switch.tick().await;
                    self.certificates.tick().await;
                    self.send_stats();
                }
            }
        }
        self.end_second();
        for link in self.links.open.into_values() {
            link.finish().await;
        }
    }

    fn greet(&mut self, stream: tokio::net::UnixStream) {
        self.links.last += 1;
        let link = Link::open(self.links.last, stream, self.events.clone());
        let listen = self.listen.clone();
        link.send(&FromEdge::Hello {
            protocol: VERSION,
            pid: std::process::id(),
            table: self.switch.serving(),
            listen,
        });
        self.links.open.insert(link.id, link);
    }

    async fn hear(&mut self, id: LinkId, line: &str) {
        if !self.links.open.contains_key(&id) {
            return;
        }
        if let Ok(message) = serde_json::from_str::<ToEdge>(line) {
            if !self.become_agent(id) {
                return;
            }
            match message {
                ToEdge::Hello { .. } => {}
                ToEdge::Table(table) => self.table(table).await,
                ToEdge::Certificates(certificates) => {
                    let (shown, challenges) = self.certificates.take(certificates).await;
                    self.tell(&FromEdge::Certificates { shown, challenges });
                }
                ToEdge::UnitsTaken { taken } => self.pending.taken(&taken),
            }
            return;
        }
        match serde_json::from_str::<ToOld>(line) {
            Ok(ToOld::Succeed) => self.hand_over(id),
            Ok(ToOld::Retire) if self.links.successor == Some(id) => self.stand_down(id),
            Ok(ToOld::Retire) => {}
            Err(_) => self.unreadable(id, line),
        }
    }

    /// Messages of a kind that a newer agent knows are ignored; a table is answered.
    fn unreadable(&self, id: LinkId, line: &str) {
        #[derive(serde::Deserialize)]
        struct Head {
            #[serde(rename = "type")]
            kind: String,
            version: Option<u64>,
        }
        let why = match serde_json::from_str::<Head>(line) {
            Ok(head) if head.kind != "table" => return,
            Ok(head) => serde_json::from_str::<Table>(line).err().map(|e| (head.version, e.to_string())),
            Err(e) => Some((None, e.to_string())),
        };
        if let (Some((version, why)), Some(link)) = (why, self.links.open.get(&id)) {
            let reason = Fault::new(&faults::TABLE_UNREADABLE).with("why", why).to_string();
            link.send(&FromEdge::Refused {
                version: version.unwrap_or_default(),
                serving: self.switch.serving(),
                reason,
            });
        }
    }

    /// The newest to speak is the agent; but who takes over from this worker is not displaced.
    fn become_agent(&mut self, id: LinkId) -> bool {
        if self.links.successor.is_some_and(|s| s != id) {
            self.links.open.remove(&id);
            return false;
        }
        if self.links.agent != Some(id) {
            if let Some(before) = self.links.agent.replace(id) {
                self.links.open.remove(&before);
            }
            for instance in self.switch.drained().collect::<Vec<_>>() {
                self.tell(&FromEdge::Drained { instance });
            }
            for ticks in self.pending.all().cloned().collect::<Vec<_>>().chunks(TICKS_A_LINE) {
                self.tell(&FromEdge::Units { ticks: ticks.to_vec() });
            }
        }
        true
    }

    async fn table(&mut self, table: Table) {
        let version = table.version;
        let for_predecessor = self.predecessor.is_some().then(|| table.clone());
        match self.switch.apply(table).await {
            Ok(applied) => {
                if let (Some(predecessor), Some(table), Applied::New) =
                    (&mut self.predecessor, for_predecessor, applied)
                    && !predecessor.follow(&table)
                {
                    self.predecessor_left();
                }
                self.links.owed.insert(version);
                self.acknowledge();
            }
            Err(fault) => {
                tracing::warn!(version, %fault, "table refused");
                self.tell(&FromEdge::Refused { version, serving: self.switch.serving(), reason: fault.to_string() });
            }
        }
    }

    /// Tells the agent what holds everywhere.
    fn acknowledge(&mut self) {
        let followed = self.predecessor.as_ref().map_or(u64::MAX, |p| p.acked);
        let waiting = self.links.owed.split_off(&followed.saturating_add(1));
        let settled = std::mem::replace(&mut self.links.owed, waiting);
        for version in &settled {
            self.tell(&FromEdge::Ack { version: *version });
        }
        if !settled.is_empty() {
            self.send_stats();
        }
    }

    fn tell_drained(&mut self) {
        let predecessor = self.predecessor.as_ref();
        let settled: Vec<_> =
            self.links.drained.extract_if(|i| predecessor.is_none_or(|p| !p.holds.contains(i))).collect();
        for instance in settled {
            self.switch.remember_drained(instance);
            self.tell(&FromEdge::Drained { instance });
        }
    }

    fn tell(&mut self, message: &FromEdge) {
        if let Some(agent) = self.links.agent
            && !self.links.open.get(&agent).is_some_and(|l| l.send(message))
        {
            self.left(agent);
        }
    }

    fn end_second(&mut self) {
        let ticks = self.switch.end_second(Instant::now(), self.clock.now());
        self.pending.end_second(ticks.iter().cloned());
        self.send_units(ticks);
    }

    fn send_units(&mut self, ticks: Vec<UnitTick>) {
        if !ticks.is_empty() {
            self.tell(&FromEdge::Units { ticks });
        }
    }

    fn send_stats(&mut self) {
        if self.links.agent.is_some() {
            let stats = Stats {
                epoch: self.epoch.clone(),
                at: self.clock.now(),
                table: self.switch.serving(),
                splits: self.switch.split_stats(),
                targets: self.targets(),
            };
            self.tell(&FromEdge::Stats(stats));
        }
    }

    /// Every target there is something to do with. Who is not named here is free: so those the predecessor may have
    /// requests on are named until it says otherwise.
    fn targets(&self) -> Vec<TargetStats> {
        let mut targets = self.switch.target_stats();
        let Some(predecessor) = &self.predecessor else { return targets };
        let in_flight = |i| predecessor.targets.iter().filter(|t| t.instance == i).map(|t| t.in_flight).sum::<u64>();
        for instance in &predecessor.holds {
            match targets.iter_mut().find(|t| t.instance == *instance) {
                Some(ours) => ours.in_flight += in_flight(*instance),
                None => targets.push(TargetStats {
                    instance: *instance,
                    in_flight: in_flight(*instance),
                    healthy: true,
                    draining: true,
                }),
            }
        }
        targets
    }

    fn left(&mut self, id: LinkId) {
        self.links.open.remove(&id);
        if self.links.agent == Some(id) {
            self.links.agent = None;
        }
        if self.links.successor == Some(id) {
            self.links.successor = None;
        }
    }

    // ------------------------------------------------------------ succession

    /// Someone takes over: from now on only they are listened to.
    fn hand_over(&mut self, id: LinkId) {
        self.links.successor = Some(id);
        self.links.agent = Some(id);
        self.links.open.retain(|other, _| *other == id);
        let (draining, drained) = (self.switch.draining().collect(), self.switch.drained().collect());
        if let Some(link) = self.links.open.get(&id) {
            link.send(&FromOld::Succession {
                kept: self.switch.kept(),
                draining,
                drained,
                memories: self.switch.trials().memories(),
                ticks: self.pending.all().cloned().collect(),
            });
        }
    }

    fn stand_down(&mut self, id: LinkId) {
        self.listener = None;
        self.links.open.retain(|other, _| *other == id);
        self.switch.leave_disk_to_successor();
        self.certificates.leave_disk_to_successor();
        self.retire.cancel();
    }

    fn hear_predecessor(&mut self, line: &str) {
        let Some(predecessor) = &mut self.predecessor else { return };
        match serde_json::from_str(line) {
            Ok(FromEdge::Ack { version }) => predecessor.acked = predecessor.acked.max(version),
            Ok(FromEdge::Drained { instance }) => {
                predecessor.holds.remove(&instance);
                if self.switch.is_idle(instance) {
                    self.links.drained.insert(instance);
                }
            }
            Ok(FromEdge::Stats(stats)) => predecessor.targets = stats.targets,
            Ok(FromEdge::Refused { version, reason, .. }) => {
                tracing::error!(
                    version,
                    reason,
                    "the worker before this one does not follow; it answers no new client"
                );
                predecessor.acked = predecessor.acked.max(version);
            }
            Ok(FromEdge::Units { ticks }) => {
                self.pending.add(ticks.iter().cloned());
                self.send_units(ticks);
            }
            Ok(FromEdge::Hello { .. } | FromEdge::Certificates { .. }) | Err(_) => {}
        }
        self.acknowledge();
        self.tell_drained();
    }

    fn predecessor_left(&mut self) {
        let held = self.predecessor.take().map(|p| p.holds).unwrap_or_default();
        let free = held.into_iter().filter(|i| self.switch.is_idle(*i));
        self.links.drained.extend(free);
        self.acknowledge();
        self.tell_drained();
    }
}

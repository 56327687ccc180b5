//! The agents: who is connected, what they are to do ([`desired`]), what they saw ([`observed`]).

pub mod desired;
pub mod flow;
pub mod observed;

use std::{collections::HashMap, sync::Mutex};
use tokio::sync::{mpsc, watch};
use tradewind_model::{
    id::{HostId, Place},
    protocol::{
        agent::{LogLine, Observed, ToAgent},
        edge::Stats,
        machine::Machine,
    },
    time::Timestamp,
};

/// Live connections of this process. What must outlive it is in the store.
#[derive(Default)]
pub struct Agents {
    inner: Mutex<Inner>,
    /// Rises when an agent comes, reports for the first time, or goes.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    connections: HashMap<HostId, Connection>,
    /// What each host last said of itself, connected or not.
    machines: HashMap<HostId, (Timestamp, Machine)>,
    next_connection: u64,
    next_request: u64,
}

struct Connection {
    number: u64,
    to_agent: mpsc::Sender<ToAgent>,
    /// It has reported since it connected: only then do the stored facts speak of now.
    reported: bool,
    last: Option<Observed>,
    traffic: Option<Stats>,
    flow: flow::Past,
    logs: HashMap<u64, mpsc::Sender<(Vec<LogLine>, bool)>>,
}

/// One agent's stay. Dropping it takes the agent off the list, unless a newer connection has taken its place.
pub struct Stay<'a> {
    agents: &'a Agents,
    pub host: HostId,
    number: u64,
}

impl Agents {
    /// The newest connection of a host wins: the older one's channel closes.
    pub fn connect(&self, host: HostId, to_agent: mpsc::Sender<ToAgent>) -> Stay<'_> {
        let mut inner = self.lock();
        inner.next_connection += 1;
        let number = inner.next_connection;
        let connection = Connection {
            number,
            to_agent,
            reported: false,
            last: None,
            traffic: None,
            flow: flow::Past::default(),
            logs: HashMap::new(),
        };
        inner.connections.insert(host, connection);
        drop(inner);
        self.changed();
        Stay { agents: self, host, number }
    }

    /// Connected, and has reported on this connection.
    pub fn is_present(&self, host: HostId) -> bool {
        self.lock().connections.get(&host).is_some_and(|c| c.reported)
    }

    /// What a host last said of its machine, and when; none where it has not since this process began.
    pub fn machine(&self, host: HostId) -> Option<(Timestamp, Machine)> {
        self.lock().machines.get(&host).cloned()
    }

    pub fn traffic(&self, host: HostId) -> Option<Stats> {
        self.lock().connections.get(&host)?.traffic.clone()
    }

    /// What a place's requests come to lately, over all hosts; `None` before anything is known.
    pub fn flow(&self, place: &Place) -> Option<flow::Flow> {
        let route = place.to_string();
        let inner = self.lock();
        inner.connections.values().filter_map(|c| c.flow.of(&route)).reduce(flow::Flow::and)
    }

    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Sends to one agent; `false` when it is not connected or does not take messages any more.
    pub async fn send(&self, host: HostId, message: ToAgent) -> bool {
        let Some(to_agent) = self.lock().connections.get(&host).map(|c| c.to_agent.clone()) else { return false };
        to_agent.send(message).await.is_ok()
    }

    /// Asks an agent for an instance's log; lines come through the receiver until the flag says they are all there.
    pub async fn read_log(
        &self,
        host: HostId,
        instance: tradewind_model::id::InstanceId,
        tail_lines: u64,
        follow: bool,
    ) -> Option<(u64, mpsc::Receiver<(Vec<LogLine>, bool)>)> {
        let (tx, rx) = mpsc::channel(64);
        let request = {
            let mut inner = self.lock();
            inner.next_request += 1;
            let request = inner.next_request;
            inner.connections.get_mut(&host)?.logs.insert(request, tx);
            request
        };
        let asked = self.send(host, ToAgent::ReadLog { request, instance, tail_lines, follow }).await;
        asked.then_some((request, rx))
    }

    pub async fn stop_log(&self, host: HostId, request: u64) {
        if let Some(c) = self.lock().connections.get_mut(&host) {
            c.logs.remove(&request);
        }
        self.send(host, ToAgent::StopLog { request }).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }
}

impl Stay<'_> {
    /// False once a newer connection of the same host took over.
    pub fn is_current(&self) -> bool {
        self.agents.lock().connections.get(&self.host).is_some_and(|c| c.number == self.number)
    }

    pub fn traffic(&self, stats: Stats) {
        if let Some(c) = self.mine(&mut self.agents.lock()) {
            c.flow.note(&stats);
            c.traffic = Some(stats);
        }
    }

    pub fn machine(&self, at: Timestamp, machine: Machine) {
        let mut inner = self.agents.lock();
        if self.mine(&mut inner).is_some() {
            inner.machines.insert(self.host, (at, machine));
        }
    }

    /// Hands log lines to whoever asked; a reader that went away or is too slow is told to the agent by `false`.
    pub fn log(&self, request: u64, lines: Vec<LogLine>, done: bool) -> bool {
        let mut inner = self.agents.lock();
        let Some(c) = self.mine(&mut inner) else { return false };
        let taken = c.logs.get(&request).is_some_and(|tx| tx.try_send((lines, done)).is_ok());
        if done || !taken {
            c.logs.remove(&request);
        }
        taken
    }

    /// Whether a report says anything the last one on this connection did not.
    fn is_news(&self, observed: &Observed) -> bool {
        let mut inner = self.agents.lock();
        let Some(c) = self.mine(&mut inner) else { return false };
        c.last.as_ref().is_none_or(|last| Observed { seq: last.seq, at: last.at, ..observed.clone() } != *last)
    }

    fn reported(&self, observed: Observed) {
        let first = match self.mine(&mut self.agents.lock()) {
            Some(c) => {
                c.last = Some(observed);
                !std::mem::replace(&mut c.reported, true)
            }
            None => false,
        };
        if first {
            self.agents.changed();
        }
    }

    fn mine<'b>(&self, inner: &'b mut Inner) -> Option<&'b mut Connection> {
        inner.connections.get_mut(&self.host).filter(|c| c.number == self.number)
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let mut inner = self.agents.lock();
        if inner.connections.get(&self.host).is_some_and(|c| c.number == self.number) {
            inner.connections.remove(&self.host);
        }
        drop(inner);
        self.agents.changed();
    }
}

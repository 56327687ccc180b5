//! The host's side of the edge.

use super::{Host, Shown, instances::wish};
use crate::{
    edge::{
        compose::{Ready, compose},
        link::EdgeNews,
    },
    instance::decide::Wish,
};
use std::sync::Arc;
use tradewind_model::protocol::{
    agent::{Desired, FromAgent, InstancePhase, ObservedEdge},
    edge::FromEdge,
};

impl Host {
    pub(super) fn edge_said(&mut self, news: EdgeNews) {
        match news {
            EdgeNews::Gone => {
                self.edge = None;
                self.shown = Shown::default();
            }
            EdgeNews::Said(FromEdge::Hello { pid, table, listen, .. }) => {
                self.versions.seen(table);
                self.edge = Some(ObservedEdge { pid, table, listen });
                self.afresh = true;
            }
            EdgeNews::Said(FromEdge::Ack { version }) => {
                self.ledger.acknowledge(version);
                if let Some(edge) = &mut self.edge {
                    edge.table = edge.table.max(version);
                }
            }
            EdgeNews::Said(FromEdge::Refused { version, serving, reason }) => {
                tracing::error!(version, serving, %reason, "the edge refused a table and serves on with its own");
                if version == self.ledger.newest_version() && serving >= version {
                    self.versions.seen(serving);
                    self.afresh = true;
                }
            }
            EdgeNews::Said(FromEdge::Drained { instance }) => self.ledger.drained(instance),
            EdgeNews::Said(FromEdge::Certificates { shown, challenges }) => {
                self.shown = Shown { certificates: shown, challenges };
            }
            EdgeNews::Said(FromEdge::Stats(stats)) => {
                self.ledger.counted(&stats);
                self.trials.counted(self.desired.as_ref().map_or(&[], |d| &d.routes), &stats, self.time.now().mono);
                self.traffic.send_replace(Some(Arc::new(stats)));
            }
            EdgeNews::Said(FromEdge::Units { ticks }) => {
                self.trials.units_came(&ticks);
                self.units.came(ticks, self.time.now().mono);
                self.send_units();
            }
        }
    }

    /// Passes on what the edge counted, for as long as the session takes it without waiting; the rest a second later.
    pub(super) fn send_units(&mut self) {
        let Some((_, session)) = &self.session else { return };
        self.units.send(self.time.now().mono, |ticks| session.try_send(FromAgent::Units { ticks }).is_ok());
    }

    /// Instances that may take requests: ready, and wanted running.
    fn ready(&self, desired: &Desired) -> Vec<Ready> {
        desired
            .instances
            .iter()
            .filter_map(|wanted| {
                let held = &self.instances.get(&wanted.id)?.observed;
                let serves = held.phase == InstancePhase::Ready && wish(wanted) == Wish::Run;
                let addr = held.addr.filter(|_| serves)?;
                Some(Ready { instance: wanted.id, place: wanted.place.clone(), revision: wanted.revision, addr })
            })
            .collect()
    }

    /// Hands a table to the link if the edge should serve another than the newest. Without an edge nothing is
    /// planned: what was never sent is never served.
    pub(super) fn plan_table(&mut self, desired: Option<&Desired>) {
        let (Some(desired), Some(_)) = (desired, &self.edge) else { return };
        let plan = compose(&desired.routes, &self.ready(desired), self.trials.trips());
        let afresh = std::mem::take(&mut self.afresh);
        let versions = &mut self.versions;
        let table = self.ledger.plan(plan, afresh, || {
            versions.take().unwrap_or_else(|error| {
                tracing::error!(%error, "table numbers could not be reserved on disk");
                versions.take_unreserved()
            })
        });
        if let Some(table) = table {
            self.table.send_replace(Some(table));
        }
    }
}

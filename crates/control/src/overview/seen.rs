//! What the hosts reported last, as far as an overview needs it: the rest of the reports is not even read.

use crate::{Ctx, Result};
use serde::Deserialize;
use std::collections::HashMap;
use tradewind_model::{
    id::{InstanceId, Place},
    protocol::agent::{InstancePhase, ObservedSplit},
    said::Said,
};
use tradewind_store::{Reader, rows};

#[derive(Deserialize)]
struct Report {
    instances: Vec<Instance>,
    routes: Vec<Route>,
}

#[derive(Deserialize)]
pub(super) struct Instance {
    id: InstanceId,
    pub phase: InstancePhase,
    pub message: Option<Said>,
}

#[derive(Deserialize)]
struct Route {
    place: Place,
    splits: Vec<ObservedSplit>,
}

pub(super) struct Seen {
    pub instances: HashMap<InstanceId, Instance>,
    /// As an edge has acknowledged them.
    pub splits: HashMap<Place, Vec<ObservedSplit>>,
    /// Every host's agent is connected.
    pub all_present: bool,
}

pub(super) async fn seen(r: &mut impl Reader, ctx: &Ctx) -> Result<Seen> {
    let hosts = rows::hosts::list(r).await?;
    let mut seen = Seen {
        instances: HashMap::new(),
        splits: HashMap::new(),
        all_present: hosts.iter().all(|h| ctx.agents.is_present(h.id)),
    };
    for row in rows::observed::list(r).await? {
        let report: Report = row.body.read()?;
        seen.instances.extend(report.instances.into_iter().map(|i| (i.id, i)));
        for route in report.routes {
            seen.splits.entry(route.place).or_insert(route.splits);
        }
    }
    Ok(seen)
}

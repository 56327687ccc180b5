//! One worker taking over from another without a table or a request lost.
//!
//! The new worker dials the old one's control socket and says `succeed`: the old one stops listening to agents and hands
//! over what it serves. The new one puts that in force, accepts connections, and says `retire`: the old one stops accepting and
//! answers with `Connection: close` until its clients are gone. Until then the new one passes every table on, and
//! acknowledges it only when the old one has; an instance is drained when it is drained in both. A new one that dies
//! before it said `retire` leaves everything as it was.

use crate::{
    disk::Kept,
    link::{Event, Link, LinkId, ShortPath},
    units::Memory,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io, path::Path, time::Duration};
use tokio::{net::UnixStream, sync::mpsc, time::timeout};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        edge::{Table, TargetStats, ToEdge, VERSION},
        trial::UnitTick,
    },
};

/// The link to the worker before this one.
pub const PREDECESSOR: LinkId = 0;
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToOld {
    Succeed,
    Retire,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromOld {
    /// `draining` left the table and have requests in flight; `drained` have none any more. `ticks` were not taken by
    /// any agent; later ones follow as they would to an agent.
    Succession {
        kept: Kept,
        draining: Vec<InstanceId>,
        drained: Vec<InstanceId>,
        #[serde(default)]
        memories: Vec<Memory>,
        #[serde(default)]
        ticks: Vec<UnitTick>,
    },
}

/// What a worker begins with that takes over from another.
#[derive(Debug, Default)]
pub struct Handed {
    pub kept: Kept,
    pub drained: Vec<InstanceId>,
    pub memories: Vec<Memory>,
    pub ticks: Vec<UnitTick>,
}

/// The worker before this one, for as long as it has connections.
#[derive(Debug)]
pub struct Predecessor {
    pub link: Link,
    /// The newest table it follows.
    pub acked: u64,
    /// Instances it may have requests in flight on: in a table of its, and not drained since.
    pub holds: BTreeSet<InstanceId>,
    /// What it counted last.
    pub targets: Vec<TargetStats>,
}

impl Predecessor {
    /// Passes a table on; false when it is gone.
    pub fn follow(&mut self, table: &Table) -> bool {
        self.holds.extend(instances(table));
        self.link.send(&ToEdge::Table(table.clone()))
    }
}

fn instances(table: &Table) -> impl Iterator<Item = InstanceId> {
    table.routes.iter().flat_map(|r| &r.splits).flat_map(|s| &s.targets).map(|t| t.instance)
}

/// `None` when nobody serves there.
pub async fn succeed(
    control: &Path,
    events: mpsc::Sender<(LinkId, Event)>,
    inbox: &mut mpsc::Receiver<(LinkId, Event)>,
) -> io::Result<Option<(Predecessor, Handed)>> {
    let short = ShortPath::of(control)?;
    let stream = match UnixStream::connect(&short.path).await {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(e),
    };
    let link = Link::open(PREDECESSOR, stream, events);
    link.send(&ToEdge::Hello { protocol: VERSION });
    link.send(&ToOld::Succeed);
    let answer = async {
        while let Some((_, event)) = inbox.recv().await {
            match event {
                Event::Closed => return None,
                Event::Line(line) => {
                    if let Ok(FromOld::Succession { kept, draining, drained, memories, ticks }) =
                        serde_json::from_str(&line)
                    {
                        return Some((draining, Handed { kept, drained, memories, ticks }));
                    }
                }
            }
        }
        None
    };
    let answer = timeout(ANSWER_LIMIT, answer).await.map_err(|_| io::ErrorKind::TimedOut)?;
    Ok(answer.map(|(draining, handed)| {
        let acked = handed.kept.table.version;
        let holds = instances(&handed.kept.table).chain(draining).collect();
        (Predecessor { link, acked, holds, targets: Vec::new() }, handed)
    }))
}

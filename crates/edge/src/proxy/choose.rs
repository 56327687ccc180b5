//! From a request's head to a place on a target.

use super::{
    Proxy, client,
    headers::{self, Seen},
};
use crate::{
    faults, registry,
    table::{Live, LiveRoute, LiveSticky, assign::ClientPoint},
    target::{Flight, Target},
    units::Who,
};
use http::{HeaderValue, request};
use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Instant,
};
use subtle::ConstantTimeEq;
use tradewind_model::{
    fault::Code,
    id::{InstanceId, RevisionId},
    protocol::edge::Mode,
};

/// What is known of one asker over all tries of one request: a try never changes who a client is.
pub struct Asker {
    seen: Seen,
    is_secure: bool,
    id: Option<client::ClientId>,
    entropy: Option<u64>,
    /// `Set-Cookie` for a client that brought no id.
    pub minted: Option<String>,
    pub tried: Vec<InstanceId>,
    asked: Option<Asked>,
    /// Whom the split it was given last is counted for, if it is.
    pub unit: Option<Who>,
}

impl Asker {
    pub fn of(seen: Seen, is_secure: bool) -> Self {
        Self { seen, is_secure, id: None, entropy: None, minted: None, tried: Vec::new(), asked: None, unit: None }
    }

    /// False for a verification.
    pub fn is_traffic(&self) -> bool {
        matches!(self.asked, None | Some(Asked::Traffic))
    }
}

/// A verification: it may choose a revision and is told who served it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Traffic,
    Probe(Want),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Want {
    /// What the split gives.
    Any,
    Revision(RevisionId),
    /// It asked for something that is no revision: it must not be told that something else is it.
    Unreadable,
}

pub enum Choice {
    Go {
        route: Arc<LiveRoute>,
        split: usize,
        flight: Flight,
    },
    /// The route is paused.
    Hold {
        route: Arc<LiveRoute>,
        max_ms: u64,
        max_requests: u32,
    },
    /// Every target has `max_in_flight` requests; the least busy is named.
    Full {
        route: Arc<LiveRoute>,
        split: usize,
        target: Arc<Target>,
    },
    /// All of the split's targets were tried, or there are none.
    Exhausted {
        route: Arc<LiveRoute>,
        split: usize,
    },
    Refuse {
        code: &'static Code,
        retry_after_s: Option<u32>,
    },
    /// To be asked over TLS, there.
    Secure {
        location: HeaderValue,
    },
    /// The table was replaced in between: choose again.
    Stale,
}

impl Proxy {
    pub fn choose(&self, head: &request::Parts, asker: &mut Asker, now: Instant) -> Choice {
        let live = self.live.load();
        let refuse = |code, retry_after_s| Choice::Refuse { code, retry_after_s };
        let Ok(host) = headers::host(head) else { return refuse(&faults::BAD_HOST, None) };
        let Some(index) = live.hosts.find(host.as_deref().unwrap_or_default(), head.uri.path()) else {
            return refuse(&faults::NO_ROUTE, None);
        };
        let route = &live.routes[index];
        // Asked once: on its way the request loses the headers that say so.
        let asked = *asker.asked.get_or_insert_with(|| match asker.seen.has(Seen::PROBE) {
            true => asked(head, &live),
            false => Asked::Traffic,
        });
        if let (Some(port), false, Some(host)) = (self.rules.redirect_to, asker.is_secure, &host)
            && asked == Asked::Traffic
            && self.tls.covers(host)
        {
            return Choice::Secure { location: secured(host, port, head) };
        }
        match route.mode {
            Mode::Serve => {}
            // A verification goes through a closed door: that is how one knows it may be opened.
            Mode::Pause { .. } | Mode::Maintenance { .. } if asked != Asked::Traffic => {}
            Mode::Pause { max_ms, max_requests } => return Choice::Hold { route: route.clone(), max_ms, max_requests },
            Mode::Maintenance { retry_after_s } => {
                return refuse(&faults::MAINTENANCE, Some(retry_after_s));
            }
        }
        asker.unit = None;
        let split = match asked {
            Asked::Probe(Want::Unreadable) => return refuse(&faults::NO_TARGET, None),
            Asked::Probe(Want::Revision(want)) => match route.splits.iter().position(|s| s.revision == want) {
                Some(split) => split,
                None => return refuse(&faults::NO_TARGET, None),
            },
            Asked::Probe(Want::Any) | Asked::Traffic => {
                let (point, once) = self.place(route, head, asker);
                let Some(split) = route.assign(point) else {
                    return refuse(&faults::NO_TARGET, Some(super::RETRY_SOON_S));
                };
                match route.splits[split].targets.is_empty().then(|| route.assign_with_targets(point)).flatten() {
                    Some(other) => {
                        route.splits[split].counters.spilled();
                        other
                    }
                    None => {
                        if let Some(trial) = &route.trial
                            && asked == Asked::Traffic
                            && !trial.ignored.covers(head)
                        {
                            asker.unit = Some(Who::of(point, once));
                        }
                        split
                    }
                }
            }
        };
        let route = route.clone();
        let Some(target) = self.least_busy(&route.splits[split].targets, &asker.tried, now) else {
            return Choice::Exhausted { route, split };
        };
        let Some(flight) = target.enter(route.limits.max_in_flight) else {
            return Choice::Full { target: target.clone(), route, split };
        };
        if self.serial.load(SeqCst) != live.serial {
            return Choice::Stale;
        }
        Choice::Go { route, split, flight }
    }

    /// With whether it has no id, and so will not come again.
    fn place(&self, route: &LiveRoute, head: &request::Parts, asker: &mut Asker) -> (ClientPoint, bool) {
        match &route.sticky {
            LiveSticky::None => {}
            LiveSticky::Header(name) => {
                if let Some(value) = head.headers.get(name).filter(|v| !v.is_empty()) {
                    return (route.key.place(value.as_bytes()), false);
                }
            }
            LiveSticky::Cookie { name, attributes } => {
                let id = asker.id.or_else(|| self.ids.read(&head.headers, name)).unwrap_or_else(|| {
                    let (id, value) = self.ids.mint();
                    asker.minted = Some(format!("{name}={value}{attributes}"));
                    id
                });
                asker.id = Some(id);
                // With one split there is nothing to choose.
                let is_idle = route.only.is_some() && route.trial.is_none();
                return (if is_idle { ClientPoint::random(0) } else { route.key.place(&id) }, false);
            }
        }
        (ClientPoint::random(*asker.entropy.get_or_insert_with(client::entropy)), true)
    }

    /// Of the best in health, the one with the least in flight; turn by turn among equals. Targets in poor health are
    /// the last resort, not out: the last targets of a split are always tried.
    fn least_busy<'a>(
        &self,
        targets: &'a [Arc<Target>],
        tried: &[InstanceId],
        now: Instant,
    ) -> Option<&'a Arc<Target>> {
        thread_local! {
            static TURN: Cell<usize> = const { Cell::new(0) };
        }
        if let [only] = targets {
            return (!tried.contains(&only.instance)).then_some(only);
        }
        let first = TURN.get();
        TURN.set(first.wrapping_add(1));
        let mut best = None;
        for i in 0..targets.len() {
            let target = &targets[first.wrapping_add(i) % targets.len()];
            if tried.contains(&target.instance) {
                continue;
            }
            let health = match (target.is_failing(), target.is_ejected(self.uptime.ms(now))) {
                (false, false) => 0,
                (false, true) => 1,
                (true, _) => 2,
            };
            let rank = (health, target.in_flight());
            if best.is_none_or(|(_, least)| rank < least) {
                best = Some((target, rank));
            }
        }
        best.map(|(target, _)| target)
    }

    /// After a failure: puts a target aside for a while when it failed often, unless fewer than half of its split's
    /// targets would be left.
    pub fn blame(&self, route: &LiveRoute, split: usize, target: &Target, now: Instant) {
        if !target.failed() {
            return;
        }
        let now_ms = self.uptime.ms(now);
        let targets = &route.splits[split].targets;
        let fit = targets.iter().filter(|t| !t.is_failing() && !t.is_ejected(now_ms)).count();
        if fit > 1 && (fit - 1) * 2 >= targets.len() {
            tracing::warn!(instance = %target.instance, addr = %target.addr, "put aside: it fails requests");
            target.eject(now_ms);
        }
    }
}

/// The same address over TLS.
fn secured(host: &str, port: u16, head: &request::Parts) -> HeaderValue {
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
    registry::header(&format!("https://{host}{port}{path}"))
}

fn asked(head: &request::Parts, live: &Live) -> Asked {
    let Some(token) = head.headers.get(headers::PROBE) else { return Asked::Traffic };
    let expected = live.table.probe_token.as_bytes();
    if expected.is_empty() || !bool::from(token.as_bytes().ct_eq(expected)) {
        return Asked::Traffic;
    }
    let Some(want) = head.headers.get(headers::WANT) else { return Asked::Probe(Want::Any) };
    let revision = want.to_str().ok().and_then(|v| v.parse().ok());
    Asked::Probe(revision.map_or(Want::Unreadable, Want::Revision))
}

//! Asks every instance of a revision, directly and through the edge, whether it serves.

use super::Shop;
use crate::{
    host::Sight,
    instance::{check::check_of, probe},
};
use http::HeaderMap;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tradewind_model::{
    id::{InstanceId, RevisionId},
    protocol::agent::{EdgeProbe, InstancePhase, VerifyCheck, VerifyReport, VerifyWork},
    rollout::facts::serves,
};

/// Between two attempts of a check that did not pass.
const PAUSE: Duration = Duration::from_millis(50);
/// One request through the edge.
const REQUEST: Duration = Duration::from_secs(5);

/// Every check is tried until it passes or the time is over; a new agent begins again.
pub async fn verify(shop: &Arc<Shop>, work: &VerifyWork) -> VerifyReport {
    let deadline = Instant::now() + Duration::from_millis(work.timeout_ms);
    let mut checks = Vec::new();
    let instances = work
        .instances
        .iter()
        .map(|id| attempt(format!("instance {id}"), deadline, move || check_instance(shop, work, *id)));
    checks.extend(futures_util::future::join_all(instances).await);
    if let Some(edge) = &work.through_edge {
        let what = format!("edge {}{}", edge.host, edge.path);
        checks.push(attempt(what, deadline, move || check_edge(shop, edge, work.revision)).await);
    }
    VerifyReport { passed: !checks.is_empty() && checks.iter().all(|c| c.passed), checks }
}

async fn attempt<F>(what: String, deadline: Instant, mut check: impl FnMut() -> F) -> VerifyCheck
where
    F: Future<Output = Result<String, String>>,
{
    loop {
        let began = Instant::now();
        let result = match tokio::time::timeout_at(deadline, check()).await {
            Ok(result) => result,
            Err(_) => Err("no answer before the verification's time was over".into()),
        };
        let took_ms = began.elapsed().as_millis() as u64;
        match result {
            Ok(detail) => return VerifyCheck { what, passed: true, took_ms, detail },
            Err(detail) if Instant::now() + PAUSE >= deadline => {
                return VerifyCheck { what, passed: false, took_ms, detail };
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn check_instance(shop: &Arc<Shop>, work: &VerifyWork, id: InstanceId) -> Result<String, String> {
    let sight = shop.sight();
    let (desired, observed) = sight.instances.get(&id).ok_or("it is not on this host")?;
    if observed.revision != work.revision {
        return Err(format!("it is of revision {}", observed.revision));
    }
    if let Some(check) = check_of(&shop.launcher, desired, work.health.as_ref(), observed.addr) {
        check.await?;
    }
    match (observed.phase, observed.addr) {
        (InstancePhase::Ready, Some(addr)) => Ok(format!("ready at {addr}")),
        (InstancePhase::Ready, None) => Ok("ready".into()),
        (phase, _) if serves(phase, desired.workload.kind) => Ok("waits for its next run".into()),
        (phase, _) => Err(format!("it is {phase:?}: {}", observed.message.as_deref().unwrap_or("no more is known"))),
    }
}

async fn check_edge(shop: &Arc<Shop>, edge: &EdgeProbe, revision: RevisionId) -> Result<String, String> {
    let sight = shop.sight();
    let listen = sight.listen.first().ok_or("this host has no edge that listens")?;
    let want = revision.to_string();
    let headers =
        [("host", edge.host.as_str()), ("x-tradewind-probe", &sight.probe_token), ("x-tradewind-want", &want)];
    let head = probe::within(REQUEST, probe::get(reachable(*listen), &edge.path, &headers)).await?;
    let named = |name: &str| text(&head.headers, name).unwrap_or_else(|| "nobody".to_owned());
    let (served, by) = (named("x-tradewind-revision"), named("x-tradewind-instance"));
    if served != want {
        return Err(format!("answered {} by revision {served}", head.status));
    }
    if !(head.status.is_success() || head.status.is_redirection()) {
        return Err(format!("answered {} by instance {by}", head.status));
    }
    Ok(format!("answered {} by instance {by}", head.status))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// An address that listens everywhere is asked here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

impl Shop {
    fn sight(&self) -> Arc<Sight> {
        self.sight.borrow().clone()
    }
}

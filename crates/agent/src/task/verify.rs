//! Asks every instance of a revision, directly and through the edge, whether it serves.

use super::Shop;
use crate::{
    host::Sight,
    instance::{check::check_of, probe},
};
use futures_util::future::join_all;
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
    said,
    said::Said,
};

/// Between two attempts of a check that did not pass.
const PAUSE: Duration = Duration::from_millis(50);
/// One request through the edge.
const REQUEST: Duration = Duration::from_secs(5);

/// Every check is tried until it passes or the time is over; a new agent begins again.
pub async fn verify(shop: &Arc<Shop>, work: &VerifyWork) -> VerifyReport {
    let deadline = Instant::now() + Duration::from_millis(work.timeout_ms);
    let instances = work.instances.iter().map(|id| {
        attempt(said!("instance {id}", "实例 {id}", id = id), deadline, move || check_instance(shop, work, *id))
    });
    let edge = work.through_edge.iter().map(|edge| {
        let what = said!("edge {host}{path}", "边缘代理 {host}{path}", host = edge.host, path = edge.path);
        attempt(what, deadline, move || check_edge(shop, edge, work.revision))
    });
    // Side by side: an instance that never passes leaves the edge its time.
    let (mut checks, through) = tokio::join!(join_all(instances), join_all(edge));
    checks.extend(through);
    VerifyReport { passed: !checks.is_empty() && checks.iter().all(|c| c.passed), checks }
}

async fn attempt<F>(what: Said, deadline: Instant, mut check: impl FnMut() -> F) -> VerifyCheck
where
    F: Future<Output = Result<Said, Said>>,
{
    let mut last = None;
    loop {
        let began = Instant::now();
        let result = match tokio::time::timeout_at(deadline, check()).await {
            Ok(result) => result,
            // What the attempt before found says more than that the time came in the middle of this one.
            Err(_) => Err(last
                .unwrap_or_else(|| said!("no answer before the verification's time was over", "验证时限内没有应答"))),
        };
        let took_ms = began.elapsed().as_millis() as u64;
        match result {
            Ok(detail) => return VerifyCheck { what, passed: true, took_ms, detail },
            Err(detail) if Instant::now() + PAUSE >= deadline => {
                return VerifyCheck { what, passed: false, took_ms, detail };
            }
            Err(detail) => {
                last = Some(detail);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn check_instance(shop: &Arc<Shop>, work: &VerifyWork, id: InstanceId) -> Result<Said, Said> {
    let sight = shop.sight();
    let (desired, observed) =
        sight.instances.get(&id).ok_or_else(|| said!("it is not on this host", "本机上没有该实例"))?;
    if observed.revision != work.revision {
        let revision = observed.revision;
        return Err(said!("it is of revision {revision}", "该实例属于修订 {revision}", revision = revision));
    }
    if let Some(check) = check_of(&shop.launcher, desired, work.health.as_ref(), observed.addr) {
        check.await?;
    }
    match (observed.phase, observed.addr) {
        (InstancePhase::Ready, Some(addr)) => Ok(said!("ready at {addr}", "已就绪，地址 {addr}", addr = addr)),
        (InstancePhase::Ready, None) => Ok(said!("ready", "已就绪")),
        (phase, _) if serves(phase, desired.workload.kind) => Ok(said!("waits for its next run", "等待下一次运行")),
        (phase, _) => {
            let message = observed.message.clone().unwrap_or_else(|| said!("no more is known", "原因未知"));
            Err(said!("it is {phase}: {why}", "实例{phase}：{why}", phase = phase.said(), why = message))
        }
    }
}

async fn check_edge(shop: &Arc<Shop>, edge: &EdgeProbe, revision: RevisionId) -> Result<Said, Said> {
    let sight = shop.sight();
    let listen = sight
        .listen
        .first()
        .ok_or_else(|| said!("this host has no edge that listens", "本机没有正在监听的边缘代理"))?;
    let want = revision.to_string();
    let headers =
        [("host", edge.host.as_str()), ("x-tradewind-probe", &sight.probe_token), ("x-tradewind-want", &want)];
    let head = probe::within(REQUEST, probe::get(reachable(*listen), &edge.path, &headers)).await?;
    let named = |name| text(&head.headers, name).map_or_else(|| said!("nobody", "（未知）"), Said::plain);
    let (served, by) = (named("x-tradewind-revision"), named("x-tradewind-instance"));
    let status = head.status;
    if served.en() != want {
        return Err(said!(
            "answered {status} by revision {revision}",
            "返回 {status}，由修订 {revision} 应答",
            status = status,
            revision = served
        ));
    }
    let answered =
        said!("answered {status} by instance {id}", "返回 {status}，由实例 {id} 应答", status = status, id = by);
    if status.is_success() || status.is_redirection() { Ok(answered) } else { Err(answered) }
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

//! The edge's own checks: every target is checked for as long as it is in the table.
//!
//! Checks by command are the agent's. A target that fails is avoided while its split has others; it is never the
//! reason that nobody answers.

use crate::{table::Live, target::Target};
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    task::AbortHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tradewind_model::{
    id::InstanceId,
    workload::{HealthCheck, HealthProbe},
};

/// The running checks, one per target. Dropping it ends them.
pub struct Checks {
    running: HashMap<InstanceId, Running>,
    changed: mpsc::UnboundedSender<()>,
}

struct Running {
    check: HealthCheck,
    target: Arc<Target>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checks {
    /// `changed` hears of every target that fails or recovers.
    pub fn new(changed: mpsc::UnboundedSender<()>) -> Self {
        Self { running: HashMap::new(), changed }
    }

    /// Begins the checks of new targets, at once, and ends those of targets that left.
    pub fn follow(&mut self, live: &Live) {
        let mut before = std::mem::take(&mut self.running);
        for (route, source) in live.routes.iter().zip(&live.table.routes) {
            let Some(check) = &source.health else { continue };
            for target in route.splits.iter().flat_map(|s| &s.targets) {
                if self.running.contains_key(&target.instance) {
                    continue;
                }
                let kept =
                    before.remove(&target.instance).filter(|r| r.check == *check && Arc::ptr_eq(&r.target, target));
                let running = kept.or_else(|| self.begin(check, target));
                self.running.extend(running.map(|r| (target.instance, r)));
            }
        }
        // What is not checked cannot recover by a check.
        for target in live.targets().filter(|t| t.is_failing() && !self.running.contains_key(&t.instance)) {
            target.set_failing(false);
        }
    }

    fn begin(&self, check: &HealthCheck, target: &Arc<Target>) -> Option<Running> {
        match check.probe {
            HealthProbe::Http { .. } | HealthProbe::Tcp => {}
            HealthProbe::Command { .. } => return None,
        }
        let task = tokio::spawn(watch(check.clone(), target.clone(), self.changed.clone()));
        Some(Running { check: check.clone(), target: target.clone(), task: task.abort_handle() })
    }
}

async fn watch(check: HealthCheck, target: Arc<Target>, changed: mpsc::UnboundedSender<()>) {
    let mut ticks = interval(Duration::from_millis(check.interval_ms.max(100)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let limit = Duration::from_millis(check.timeout_ms.max(1));
    let (mut passes, mut failures) = (0u32, 0u32);
    loop {
        ticks.tick().await;
        let result = timeout(limit, probe(&check.probe, &target)).await;
        let before = target.is_failing();
        match result.map_err(|_| Failure::Late(limit)).flatten() {
            Ok(()) => {
                (passes, failures) = (passes.saturating_add(1), 0);
                if before && passes >= check.healthy_after {
                    target.set_failing(false);
                    tracing::info!(instance = %target.instance, addr = %target.addr, "passes its checks again");
                }
            }
            Err(error) => {
                (passes, failures) = (0, failures.saturating_add(1));
                if !before && failures >= check.unhealthy_after {
                    target.set_failing(true);
                    tracing::warn!(instance = %target.instance, addr = %target.addr, %error, "fails its checks");
                }
            }
        }
        if target.is_failing() != before && changed.send(()).is_err() {
            return;
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("not a path: {0}")]
    Path(#[from] http::Error),
    #[error("answered {0}")]
    Status(u16),
}

async fn probe(probe: &HealthProbe, target: &Target) -> Result<(), Failure> {
    let stream = TcpStream::connect(target.addr).await?;
    let path = match probe {
        HealthProbe::Tcp | HealthProbe::Command { .. } => return Ok(()),
        HealthProbe::Http { path } => path,
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(header::HOST, target.addr.to_string())
        .header(header::USER_AGENT, "tradewind-edge-health")
        .header(header::CONNECTION, "close")
        .body(Empty::<bytes::Bytes>::new())?;
    let ask = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok::<_, hyper::Error>(status)
    };
    // Both in this task, so that a time-out leaves no connection behind.
    let (status, _) = tokio::join!(ask, connection);
    let status = status?;
    if status.is_success() || status.is_redirection() { Ok(()) } else { Err(Failure::Status(status.as_u16())) }
}

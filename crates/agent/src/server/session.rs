//! The stream to the server: dialled by us, dialled again whenever it ends.
//!
//! A session sends what is newest: the observed state as it is at that moment, never a queue of older ones. What the
//! server says goes to the host's loop. Losing the session loses nothing: both sides always send their whole state.

use super::requests::{Server, empty};
use crate::wire::{self, Lines};
use hyper::{Method, StatusCode, client::conn::http1, header, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{Desired, FromAgent, Observed, ToAgent, UPGRADE, VERSION},
        edge::Stats,
        machine::Machine,
        trial::UnitsTaken,
    },
};

const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// Changes closer together than this are sent as one.
const COALESCE: Duration = Duration::from_millis(2);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The server says something every five seconds. One that hangs keeps its connections; without a word for this long it
/// is dialled anew.
const SILENCE: Duration = Duration::from_secs(30);

/// What a session brings to the host's loop.
#[derive(Debug)]
pub enum FromServer {
    /// The number names the session; log answers and the edge's counts go through `answers`.
    Connected {
        session: u64,
        answers: mpsc::Sender<FromAgent>,
    },
    Desired(Box<Desired>),
    ReadLog {
        session: u64,
        request: u64,
        instance: InstanceId,
        tail_lines: u64,
        follow: bool,
    },
    StopLog {
        session: u64,
        request: u64,
    },
    /// It is there.
    Alive,
    /// It has these of the edge's counts.
    UnitsTaken(Vec<UnitsTaken>),
    Gone {
        session: u64,
    },
}

/// What a session takes from the host's loop.
#[derive(Clone)]
pub struct Outbox {
    pub observed: watch::Receiver<Arc<Observed>>,
    pub traffic: watch::Receiver<Option<Arc<Stats>>>,
    pub machine: watch::Receiver<Option<Arc<Machine>>>,
}

/// Who we say we are.
#[derive(Clone, Debug)]
pub struct Greeting {
    pub epoch: String,
    pub hostname: String,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("the server answered {0} to the upgrade")]
    Refused(StatusCode),
    #[error("the server was silent for too long")]
    Silent,
    #[error("expected a greeting, got something else")]
    NotAGreeting,
    #[error("the server speaks version {0} of the protocol; this agent speaks {VERSION}")]
    Version(u32),
    #[error("the stream ended")]
    Ended,
    #[error("the host's loop is gone")]
    Orphaned,
}

/// Dials, serves and dials again until the host's loop is gone.
pub async fn keep_session(
    server: Server,
    greeting: Greeting,
    outbox: Outbox,
    to_host: mpsc::UnboundedSender<FromServer>,
) {
    let mut backoff = FIRST_BACKOFF;
    let mut session = 0;
    let mut last_error = String::new();
    loop {
        session += 1;
        let mut welcomed = false;
        let end = serve(&server, &greeting, outbox.clone(), &to_host, session, &mut welcomed).await;
        if to_host.send(FromServer::Gone { session }).is_err() {
            return;
        }
        if let Err(error) = end {
            let error = error.to_string();
            if welcomed || error != last_error {
                tracing::warn!(%error, "no session with the server; the last desired state stays in force");
            }
            last_error = error;
        }
        if welcomed {
            backoff = FIRST_BACKOFF;
        }
        tokio::time::sleep(jittered(backoff)).await;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Between half of it and all of it, so that hosts do not come back in step.
fn jittered(d: Duration) -> Duration {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return d;
    }
    d.mul_f64(0.5 + 0.5 * f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX))
}

async fn serve(
    server: &Server,
    greeting: &Greeting,
    mut outbox: Outbox,
    to_host: &mpsc::UnboundedSender<FromServer>,
    session: u64,
    welcomed: &mut bool,
) -> Result<(), Broken> {
    let upgraded = tokio::time::timeout(HANDSHAKE, dial(server)).await.map_err(|_| Broken::Silent)??;
    let (read, mut write) = tokio::io::split(TokioIo::new(upgraded));
    let mut lines = Lines::new(read);

    let generation = outbox.observed.borrow().generation;
    let hello = FromAgent::Hello {
        protocol: VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        epoch: greeting.epoch.clone(),
        hostname: greeting.hostname.clone(),
        generation,
    };
    wire::send(&mut write, &hello).await?;
    let welcome = tokio::time::timeout(HANDSHAKE, lines.next::<ToAgent>()).await.map_err(|_| Broken::Silent)??;
    match welcome {
        Some(ToAgent::Welcome { protocol, host }) if protocol == VERSION => {
            tracing::info!(%host, "the server welcomed this host");
        }
        Some(ToAgent::Welcome { protocol, .. }) => return Err(Broken::Version(protocol)),
        Some(_) => return Err(Broken::NotAGreeting),
        None => return Err(Broken::Ended),
    }
    *welcomed = true;
    // Small: a slow server slows the readers of logs, not the host.
    let (answers, mut to_send) = mpsc::channel(16);
    tell(to_host, FromServer::Connected { session, answers: answers.clone() })?;

    let reading = async {
        loop {
            let message = tokio::time::timeout(SILENCE, lines.next::<ToAgent>()).await;
            match message.map_err(|_| Broken::Silent)??.ok_or(Broken::Ended)? {
                ToAgent::Welcome { .. } => return Err(Broken::NotAGreeting),
                ToAgent::Desired(desired) => tell(to_host, FromServer::Desired(desired))?,
                ToAgent::ReadLog { request, instance, tail_lines, follow } => {
                    tell(to_host, FromServer::ReadLog { session, request, instance, tail_lines, follow })?;
                }
                ToAgent::StopLog { request } => tell(to_host, FromServer::StopLog { session, request })?,
                ToAgent::UnitsTaken { taken } => tell(to_host, FromServer::UnitsTaken(taken))?,
                ToAgent::Ping { n } => {
                    tell(to_host, FromServer::Alive)?;
                    if answers.send(FromAgent::Pong { n }).await.is_err() {
                        return Err(Broken::Ended);
                    }
                }
            }
        }
    };
    let writing = async {
        outbox.observed.mark_changed();
        outbox.machine.mark_changed();
        loop {
            tokio::select! {
                changed = outbox.observed.changed() => {
                    changed.map_err(|_| Broken::Orphaned)?;
                    let observed = outbox.observed.borrow_and_update().clone();
                    wire::send(&mut write, &FromAgent::Observed(Box::new((*observed).clone()))).await?;
                    tokio::time::sleep(COALESCE).await;
                }
                changed = outbox.traffic.changed() => {
                    changed.map_err(|_| Broken::Orphaned)?;
                    let stats = outbox.traffic.borrow_and_update().clone();
                    if let Some(stats) = stats {
                        wire::send(&mut write, &FromAgent::Traffic((*stats).clone())).await?;
                    }
                }
                changed = outbox.machine.changed() => {
                    changed.map_err(|_| Broken::Orphaned)?;
                    let machine = outbox.machine.borrow_and_update().clone();
                    if let Some(machine) = machine {
                        wire::send(&mut write, &FromAgent::Machine((*machine).clone())).await?;
                    }
                }
                answer = to_send.recv() => {
                    let answer = answer.ok_or(Broken::Orphaned)?;
                    wire::send(&mut write, &answer).await?;
                }
            }
        }
    };
    tokio::select! {
        end = reading => end,
        end = writing => end,
    }
}

fn tell(to_host: &mpsc::UnboundedSender<FromServer>, message: FromServer) -> Result<(), Broken> {
    to_host.send(message).map_err(|_| Broken::Orphaned)
}

async fn dial(server: &Server) -> Result<Upgraded, Broken> {
    let stream = server.connect().await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "the stream's connection ended");
        }
    });
    let request = server
        .request(Method::GET, "/api/v1/agent/stream")
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, UPGRADE)
        .body(empty())
        .expect("a path of ours is a URI");
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Broken::Refused(response.status()));
    }
    Ok(hyper::upgrade::on(response).await?)
}

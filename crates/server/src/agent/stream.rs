//! One agent's connection: what it reports goes to the control plane, what it is to do goes out.

use futures_util::StreamExt as _;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tradewind_control::{
    Ctx, Error,
    agents::{Stay, desired, observed},
    judging::intake,
};
use tradewind_model::{
    id::HostId,
    protocol::agent::{FromAgent, LONGEST_LINE, ToAgent, VERSION},
};

/// Messages on their way to an agent that reads slowly.
const WAITING: usize = 64;
const HELLO_LIMIT: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(5);
/// Without a word for this long the agent is gone, whatever TCP believes.
const SILENCE: Duration = Duration::from_secs(20);
/// An agent that does not take a message for this long does not read any more.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("no hello came")]
    NoHello,
    #[error("it speaks protocol {theirs}; this server speaks {VERSION} and the one before")]
    Protocol { theirs: u32 },
    #[error("it sent something unreadable")]
    Garbled(#[source] LinesCodecError),
    #[error("it was silent for {SILENCE:?}")]
    Silent,
    #[error("it does not read")]
    Stuck,
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    #[error("its report could not be taken in")]
    Report(#[source] Error),
}

type Lines<R> = FramedRead<R, LinesCodec>;

/// Until the agent goes away, or a newer connection of its host takes over.
pub async fn serve(ctx: &Ctx, host: HostId, socket: impl AsyncRead + AsyncWrite + Send) -> Result<(), StreamError> {
    let (from, mut to) = tokio::io::split(socket);
    let mut lines = FramedRead::new(from, LinesCodec::new_with_max_length(LONGEST_LINE));
    let (protocol, epoch, held) = hello(&mut lines).await?;
    // Before it is present: nothing it reports may be taken for an answer to rows it has not seen.
    desired::outrun(ctx, host, held).await.map_err(StreamError::Report)?;
    write(&mut to, &ToAgent::Welcome { protocol, host }).await?;
    let (send, mut wait) = mpsc::channel(WAITING);
    let stay = ctx.agents.connect(host, send);
    let writing = async {
        let mut ping = tokio::time::interval(PING_EVERY);
        let mut n = 0;
        loop {
            let message = tokio::select! {
                message = wait.recv() => match message {
                    Some(message) => message,
                    None => return Ok(()),
                },
                _ = ping.tick() => {
                    n += 1;
                    ToAgent::Ping { n }
                }
            };
            write(&mut to, &message).await?;
        }
    };
    tokio::select! {
        ended = writing => ended,
        ended = read(ctx, &stay, &epoch, &mut lines) => ended,
        () = desired::pump(ctx, host, held) => Ok(()),
    }
}

/// The first message: the protocol to speak, the agent's epoch, and the number of the desired state it holds.
async fn hello<R: AsyncRead + Unpin>(lines: &mut Lines<R>) -> Result<(u32, String, u64), StreamError> {
    let first = tokio::time::timeout(HELLO_LIMIT, lines.next()).await.map_err(|_| StreamError::NoHello)?;
    let line = first.ok_or(StreamError::NoHello)?.map_err(StreamError::Garbled)?;
    match serde_json::from_str(&line) {
        Ok(FromAgent::Hello { protocol, epoch, version, generation, .. }) => {
            if protocol.saturating_add(1) < VERSION {
                return Err(StreamError::Protocol { theirs: protocol });
            }
            tracing::debug!(version, epoch, generation, "hello");
            Ok((protocol.min(VERSION), epoch, generation))
        }
        Ok(_) | Err(_) => Err(StreamError::NoHello),
    }
}

async fn read<R: AsyncRead + Unpin>(
    ctx: &Ctx,
    stay: &Stay<'_>,
    epoch: &str,
    lines: &mut Lines<R>,
) -> Result<(), StreamError> {
    loop {
        let next = tokio::time::timeout(SILENCE, lines.next()).await.map_err(|_| StreamError::Silent)?;
        let Some(line) = next else { return Ok(()) };
        let line = line.map_err(StreamError::Garbled)?;
        // What a newer agent says besides is not for this server.
        let Ok(message) = serde_json::from_str::<FromAgent>(&line) else {
            tracing::debug!(host = %stay.host, "an unknown message");
            continue;
        };
        match message {
            FromAgent::Observed(observed) => {
                observed::ingest(ctx, stay, epoch, *observed).await.map_err(StreamError::Report)?;
            }
            FromAgent::Log { request, lines, done } => {
                if !stay.log(request, lines, done) && !done {
                    ctx.agents.send(stay.host, ToAgent::StopLog { request }).await;
                }
            }
            FromAgent::Traffic(stats) => stay.traffic(stats),
            FromAgent::Machine(machine) => stay.machine(ctx.now(), machine),
            FromAgent::Units { ticks } => {
                let taken = intake::take_in(ctx, stay, ticks).await.map_err(StreamError::Report)?;
                ctx.agents.send(stay.host, ToAgent::UnitsTaken { taken }).await;
            }
            FromAgent::Pong { .. } | FromAgent::Hello { .. } => {}
        }
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), message: &ToAgent) -> Result<(), StreamError> {
    let mut line = serde_json::to_vec(message).map_err(|e| StreamError::Broken(e.into()))?;
    line.push(b'\n');
    let written = async {
        to.write_all(&line).await?;
        to.flush().await
    };
    let written = tokio::time::timeout(WRITE_LIMIT, written).await.map_err(|_| StreamError::Stuck)?;
    written.map_err(StreamError::Broken)
}

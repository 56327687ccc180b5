//! The socket to the edge: dialled by us, dialled again whenever it ends. It sends the newest table only.

use crate::wire::{self, Lines};
use std::{io, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    net::UnixStream,
    sync::{mpsc, watch},
};
use tradewind_model::protocol::{
    edge::{Certificates, FromEdge, Table, ToEdge, VERSION},
    trial::UnitsTaken,
};

/// The edge's worker is back within 50 ms of a kill; a dial that fails costs nothing.
const AGAIN: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);
const HANDSHAKE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum EdgeNews {
    Said(FromEdge),
    Gone,
}

/// Dials, serves and dials again until the host's loop is gone. Each table is sent once: the host's loop hands over a
/// new one whenever an edge greets. What the server has taken of its counts is passed on beside.
pub async fn keep_link(
    socket: PathBuf,
    mut table: watch::Receiver<Option<Table>>,
    mut certificates: watch::Receiver<Option<Arc<Certificates>>>,
    mut taken: mpsc::UnboundedReceiver<Vec<UnitsTaken>>,
    to_host: mpsc::UnboundedSender<EdgeNews>,
) {
    let mut pause = AGAIN;
    let mut complained = false;
    loop {
        match serve(&socket, &mut table, &mut certificates, &mut taken, &to_host).await {
            Ok(()) => return,
            Err((greeted, error)) => {
                if greeted {
                    pause = AGAIN;
                    complained = false;
                }
                if !complained {
                    tracing::warn!(%error, socket = %socket.display(), "no link to the edge; it goes on with its last table");
                    complained = true;
                }
                if greeted && to_host.send(EdgeNews::Gone).is_err() {
                    return;
                }
            }
        }
        if to_host.is_closed() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// `Ok` when the host's loop is gone; otherwise whether the edge had greeted, and why it ended.
async fn serve(
    socket: &PathBuf,
    table: &mut watch::Receiver<Option<Table>>,
    certificates: &mut watch::Receiver<Option<Arc<Certificates>>>,
    taken: &mut mpsc::UnboundedReceiver<Vec<UnitsTaken>>,
    to_host: &mpsc::UnboundedSender<EdgeNews>,
) -> Result<(), (bool, io::Error)> {
    let early = |e: io::Error| (false, e);
    let late = |e: io::Error| (true, e);
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());

    let stream = UnixStream::connect(socket).await.map_err(early)?;
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read);
    wire::send(&mut write, &ToEdge::Hello { protocol: VERSION }).await.map_err(early)?;
    let hello = tokio::time::timeout(HANDSHAKE, lines.next::<FromEdge>())
        .await
        .map_err(|_| early(io::ErrorKind::TimedOut.into()))?
        .map_err(early)?
        .ok_or_else(|| early(io::ErrorKind::UnexpectedEof.into()))?;
    match &hello {
        FromEdge::Hello { protocol, .. } if *protocol == VERSION => {}
        FromEdge::Hello { protocol, .. } => {
            return Err(early(invalid(&format!("the edge speaks version {protocol}; this agent speaks {VERSION}"))));
        }
        FromEdge::Ack { .. }
        | FromEdge::Refused { .. }
        | FromEdge::Drained { .. }
        | FromEdge::Stats(_)
        | FromEdge::Certificates { .. }
        | FromEdge::Units { .. } => {
            return Err(early(invalid("the edge did not greet first")));
        }
    }
    // What was meant for an earlier edge is not for this one.
    table.borrow_and_update();
    // Certificates are for any.
    certificates.mark_changed();
    if to_host.send(EdgeNews::Said(hello)).is_err() {
        return Ok(());
    }

    let reading = async {
        loop {
            match lines.next::<FromEdge>().await {
                Ok(Some(message)) => {
                    if to_host.send(EdgeNews::Said(message)).is_err() {
                        return Ok(());
                    }
                }
                Ok(None) => return Err(late(io::ErrorKind::UnexpectedEof.into())),
                Err(e) => return Err(late(e)),
            }
        }
    };
    let writing = async {
        loop {
            tokio::select! {
                changed = table.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let newest = table.borrow_and_update().clone();
                    if let Some(newest) = newest {
                        wire::send(&mut write, &ToEdge::Table(newest)).await.map_err(late)?;
                    }
                }
                changed = certificates.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let newest = certificates.borrow_and_update().clone();
                    if let Some(newest) = newest {
                        wire::send(&mut write, &ToEdge::Certificates(Certificates::clone(&newest))).await.map_err(late)?;
                    }
                }
                Some(taken) = taken.recv() => {
                    wire::send(&mut write, &ToEdge::UnitsTaken { taken }).await.map_err(late)?;
                }
            }
        }
    };
    tokio::select! {
        end = reading => end,
        end = writing => end,
    }
}

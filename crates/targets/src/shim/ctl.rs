//! The shim's socket: one JSON value a line, [`ToShim`] in, [`FromShim`] out.

use crate::folder;
use rustix::{
    io::{Errno, read},
    net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send},
};
use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::Path,
};
use tradewind_model::protocol::shim::{FromShim, ToShim};

const MOST_CLIENTS: usize = 16;
const LONGEST_REQUEST: usize = 4 << 10;

pub struct Control {
    listener: UnixListener,
    clients: Vec<Client>,
    next: u64,
}

struct Client {
    id: u64,
    socket: OwnedFd,
    request: Vec<u8>,
}

impl Control {
    /// `dir` must be short enough for a socket's address: the shim passes `.`.
    pub fn listen(dir: &Path) -> io::Result<Self> {
        let path = dir.join(folder::SOCKET);
        folder::remove(&path)?;
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, clients: Vec::new(), next: 0 })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// A new client, greeted; its number and its socket to watch.
    pub fn accept(&mut self, greeting: &FromShim) -> Option<(u64, BorrowedFd<'_>)> {
        let socket = accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).ok()?;
        if self.clients.len() >= MOST_CLIENTS {
            // The oldest is the likeliest to be forgotten.
            self.clients.remove(0);
        }
        if !tell(&socket, greeting) {
            return None;
        }
        self.next += 1;
        self.clients.push(Client { id: self.next, socket, request: Vec::new() });
        self.clients.last().map(|c| (c.id, c.socket.as_fd()))
    }

    /// What a client asks for; it is dropped when it has gone or does not keep to the protocol.
    pub fn requests(&mut self, id: u64) -> Vec<ToShim> {
        let Some(at) = self.clients.iter().position(|c| c.id == id) else { return Vec::new() };
        let client = &mut self.clients[at];
        let mut asked = Vec::new();
        let mut bytes = [0; 1024];
        let keep = loop {
            match recv(&client.socket, &mut bytes, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => break false,
                Ok((_, n)) => client.request.extend_from_slice(&bytes[..n]),
                Err(Errno::AGAIN) => break true,
                Err(Errno::INTR) => continue,
                Err(_) => break false,
            }
            while let Some(end) = client.request.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = client.request.drain(..=end).collect();
                asked.extend(serde_json::from_slice::<ToShim>(&line).ok());
            }
            if client.request.len() > LONGEST_REQUEST {
                break false;
            }
        };
        if !keep {
            self.clients.remove(at);
        }
        asked
    }

    pub fn tell_all(&self, message: &FromShim) {
        for client in &self.clients {
            tell(&client.socket, message);
        }
    }
}

/// One message fits into a socket's buffer; a client that lets it fill up is not waited for.
fn tell(socket: &OwnedFd, message: &FromShim) -> bool {
    let Ok(mut line) = serde_json::to_vec(message) else { return false };
    line.push(b'\n');
    send(socket, &line, SendFlags::NOSIGNAL | SendFlags::DONTWAIT).is_ok_and(|n| n == line.len())
}

/// Empties a descriptor that only wakes.
pub fn empty(fd: &OwnedFd) {
    let mut bytes = [0; 512];
    while read(fd, &mut bytes).is_ok_and(|n| n > 0) {}
}

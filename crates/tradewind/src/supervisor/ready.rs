//! Whether a role does its work yet: asked from outside, as its users would.

use crate::{
    config::{Config, reachable, registry as set},
    folder::Folder,
    role::Role,
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

const ASK: Duration = Duration::from_secs(2);

/// One look at the process that is kept, which another that still makes room must not answer for.
pub async fn is_ready(role: Role, pid: u32, folder: &Folder, config: &Config) -> bool {
    if role.running(folder).is_none_or(|r| r.identity.pid != pid) {
        return false;
    }
    let asked = async {
        match role {
            Role::Server => healthz(config).await,
            // The table's socket opens when a worker serves, and the address is bound by then.
            Role::Edge => {
                UnixStream::connect(folder.run("edge.sock")).await?;
                TcpStream::connect(reachable(config.addr(&set::EDGE))).await.map(|_| true)
            }
            Role::Agent => Ok(true),
        }
    };
    matches!(timeout(ASK, asked).await, Ok(Ok(true)))
}

/// One request to the API.
pub async fn healthz(config: &Config) -> io::Result<bool> {
    let addr = reachable(config.addr(&set::LISTEN));
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(&head == b"HTTP/1.1 200")
}

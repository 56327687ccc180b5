//! Listening sockets: bound once by the holder, inherited by workers.

use rustix::{
    io::{FdFlags, fcntl_setfd},
    net::listen,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
};

/// Names the inherited sockets: `5:http,6:http,7:admin,8:https`. Systemd's `LISTEN_FDS` is understood, too.
pub const SOCKETS_VAR: &str = "TRADEWIND_EDGE_SOCKETS";

/// Names of sockets.
pub const HTTP: &str = "http";
pub const HTTPS: &str = "https";
pub const ADMIN: &str = "admin";

const BACKLOG: i32 = 4_096;

#[derive(Debug, Default)]
pub struct Sockets {
    pub http: Vec<TcpListener>,
    pub https: Vec<TcpListener>,
    pub admin: Option<TcpListener>,
}

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("cannot listen on {addr}")]
    Bind { addr: SocketAddr, source: io::Error },
    #[error("`{0}` does not name inherited sockets")]
    Inherited(String),
    #[error("an inherited socket cannot be used")]
    Use(#[from] io::Error),
}

impl Sockets {
    pub fn bind(http: &[SocketAddr], admin: Option<SocketAddr>) -> Result<Self, SocketError> {
        let bind = |addr: SocketAddr| bind(addr).map_err(|source| SocketError::Bind { addr, source });
        Ok(Self {
            http: http.iter().copied().map(bind).collect::<Result<_, _>>()?,
            https: Vec::new(),
            admin: admin.map(bind).transpose()?,
        })
    }

    /// With these for TLS.
    pub fn with_https(mut self, https: &[SocketAddr]) -> Result<Self, SocketError> {
        for addr in https {
            self.https.push(bind(*addr).map_err(|source| SocketError::Bind { addr: *addr, source })?);
        }
        Ok(self)
    }

    /// What the parent left, if it left anything.
    pub fn inherited() -> Result<Option<Self>, SocketError> {
        if let Ok(names) = std::env::var(SOCKETS_VAR) {
            let pairs = names.split(',').map(|p| {
                let (fd, name) = p.split_once(':')?;
                Some((fd.parse().ok()?, name))
            });
            let pairs: Option<Vec<_>> = pairs.collect();
            return Self::adopt(&pairs.ok_or_else(|| SocketError::Inherited(names.clone()))?).map(Some);
        }
        let ours = std::env::var("LISTEN_PID").ok().is_none_or(|p| p == std::process::id().to_string());
        match std::env::var("LISTEN_FDS") {
            Ok(count) if ours => {
                let count: RawFd = count.parse().map_err(|_| SocketError::Inherited(count.clone()))?;
                Self::adopt(&(3..3 + count).map(|fd| (fd, HTTP)).collect::<Vec<_>>()).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn adopt(named: &[(RawFd, &str)]) -> Result<Self, SocketError> {
        let mut sockets = Self::default();
        for (fd, name) in named {
            // SAFETY: the parent names descriptors it left open for this process, each once; nothing here owns them.
            let fd = unsafe { OwnedFd::from_raw_fd(*fd) };
            sockets.add(name, fd)?;
        }
        Ok(sockets)
    }

    /// Takes one in under its name.
    pub fn add(&mut self, name: &str, fd: OwnedFd) -> Result<(), SocketError> {
        fcntl_setfd(&fd, FdFlags::CLOEXEC).map_err(io::Error::from)?;
        let listener = TcpListener::from(fd);
        listener.local_addr()?;
        listener.set_nonblocking(true)?;
        match name {
            HTTP => self.http.push(listener),
            HTTPS => self.https.push(listener),
            ADMIN => self.admin = Some(listener),
            other => return Err(SocketError::Inherited(other.to_owned())),
        }
        Ok(())
    }

    /// All of them with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &TcpListener)> {
        let http = self.http.iter().map(|l| (HTTP, l));
        http.chain(self.admin.iter().map(|l| (ADMIN, l))).chain(self.https.iter().map(|l| (HTTPS, l)))
    }

    /// The value of [`SOCKETS_VAR`] for a child that inherits them.
    pub fn names(&self) -> String {
        self.named().map(|(name, l)| format!("{}:{name}", l.as_raw_fd())).collect::<Vec<_>>().join(",")
    }

    /// Whether programs started from now on inherit them.
    pub fn set_inherited(&self, inherited: bool) -> io::Result<()> {
        let flags = if inherited { FdFlags::empty() } else { FdFlags::CLOEXEC };
        self.named().try_for_each(|(_, l)| Ok(fcntl_setfd(l.as_fd(), flags)?))
    }

    pub fn http_addrs(&self) -> Vec<SocketAddr> {
        self.http.iter().filter_map(|l| l.local_addr().ok()).collect()
    }

    pub fn https_addrs(&self) -> Vec<SocketAddr> {
        self.https.iter().filter_map(|l| l.local_addr().ok()).collect()
    }

    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            http: self.http.iter().map(TcpListener::try_clone).collect::<Result<_, _>>()?,
            https: self.https.iter().map(TcpListener::try_clone).collect::<Result<_, _>>()?,
            admin: self.admin.as_ref().map(TcpListener::try_clone).transpose()?,
        })
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(addr)?;
    // The standard library's backlog is short for a second in which no worker accepts.
    listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

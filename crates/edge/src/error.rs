//! Why an edge does not start or ends.

use crate::sockets::SocketError;
use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    #[error(transparent)]
    Sockets(#[from] SocketError),
    #[error("the data folder cannot be used")]
    Folder(#[source] io::Error),
    #[error("the key of client ids cannot be used")]
    Key(#[source] io::Error),
    #[error("the access log cannot be opened")]
    AccessLog(#[source] io::Error),
    #[error("the socket {path} cannot be used")]
    Socket { path: PathBuf, source: io::Error },
    #[error("the worker that serves did not hand over")]
    Succession(#[source] io::Error),
    #[error("another edge has this data folder: it holds {0}")]
    Taken(PathBuf),
    #[error("the worker cannot be started")]
    Start(#[source] io::Error),
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("a serving thread died")]
    Died,
}

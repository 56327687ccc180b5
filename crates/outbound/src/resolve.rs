use futures_util::future::BoxFuture;
use std::{io, net::IpAddr};

/// Where names become addresses: the machine's resolver, or a test's.
pub trait Resolve: Send + Sync + 'static {
    /// Every address of the name, in the order they should be tried.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Resolve for System {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

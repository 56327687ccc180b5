use crate::{faults, guard::Refusal};
use std::{io, net::IpAddr};
use tradewind_model::fault::Fault;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("`{url}` is not an address of http or https: {why}")]
    Address { url: String, why: String },
    #[error("{host} has no address")]
    Unresolved {
        host: String,
        #[source]
        source: Option<io::Error>,
    },
    #[error("{host} leads to {address}, which is not to be connected to")]
    Refused { host: String, address: IpAddr, why: Refusal },
    #[error("{host} leads to {address}, out into the open, and it is http")]
    Open { host: String, address: IpAddr },
    #[error("no connection to {host}")]
    Connect {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("the exchange with {host} broke")]
    Exchange {
        host: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{host} took longer than {seconds} s")]
    Late { host: String, seconds: u64 },
    #[error("{host} answered more than {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("{host} sends on more than {limit} times")]
    Redirects { host: String, limit: usize },
    #[error("{host} sends on to {to}, from https to http")]
    Downgrade { host: String, to: String },
}

impl OutboundError {
    /// What a person is told.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Address { url, why } => Fault::new(&faults::ADDRESS).with("url", url).with("why", why),
            Self::Unresolved { host, .. } => Fault::new(&faults::UNRESOLVED).with("host", host),
            Self::Refused { host, address, why: Refusal::Metadata } => {
                Fault::new(&faults::METADATA).with("host", host).with("address", address)
            }
            Self::Refused { host, address, why: Refusal::Loopback | Refusal::Private | Refusal::Special } => {
                Fault::new(&faults::REFUSED).with("host", host).with("address", address)
            }
            Self::Open { host, address } => Fault::new(&faults::OPEN).with("host", host).with("address", address),
            Self::Connect { host, source } => Fault::new(&faults::CONNECT).with("host", host).with("why", source),
            Self::Exchange { host, source } => {
                Fault::new(&faults::EXCHANGE).with("host", host).with("why", innermost(source.as_ref()))
            }
            Self::Late { host, seconds } => Fault::new(&faults::LATE).with("host", host).with("seconds", seconds),
            Self::TooLarge { host, limit } => Fault::new(&faults::TOO_LARGE).with("host", host).with("limit", limit),
            Self::Redirects { host, limit } => Fault::new(&faults::REDIRECTS).with("host", host).with("limit", limit),
            Self::Downgrade { host, to } => Fault::new(&faults::DOWNGRADE).with("host", host).with("to", to),
        }
    }
}

fn innermost(e: &(dyn std::error::Error + 'static)) -> String {
    let mut e = e;
    while let Some(next) = e.source() {
        e = next;
    }
    e.to_string()
}

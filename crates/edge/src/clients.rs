//! The rules for clients: what they may take their time with, how many there may be, and whom of them is believed.

use crate::network::Network;
use std::{net::IpAddr, time::Duration};

#[derive(Clone, Debug)]
pub struct ClientRules {
    /// For a TLS handshake, and for the line of a proxy before it.
    pub handshake: Duration,
    /// For the first request's head to be whole.
    pub first_head: Duration,
    /// Without a request; so also for the head of a later one.
    pub keep_alive: Duration,
    /// A client that takes nothing of its answer for this long is left.
    pub stall: Duration,
    /// Bytes a second that a request's body has to come with, while the instance takes them; 0 is no such rule.
    pub min_body_rate: u32,
    /// Over so long a time.
    pub body_window: Duration,
    /// Connections at once from one address (of IPv6, one network of 64 bits); 0 is any number. Trusted proxies and this
    /// machine may have any number.
    pub connections_per_address: u32,
    /// Whose word on the client's address and protocol is taken.
    pub trusted: Vec<Network>,
    /// Trusted proxies begin connections with the PROXY protocol, version 1 or 2.
    pub proxy_protocol: bool,
    /// Where clients that ask without TLS are sent, if there is a certificate for the host: to this port.
    pub redirect_to: Option<u16>,
    /// `Strict-Transport-Security: max-age`, seconds; 0 is none.
    pub hsts_s: u64,
}

impl Default for ClientRules {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            stall: Duration::from_secs(60),
            min_body_rate: 240,
            body_window: Duration::from_secs(30),
            connections_per_address: 1_024,
            trusted: Vec::new(),
            proxy_protocol: false,
            redirect_to: None,
            hsts_s: 0,
        }
    }
}

impl ClientRules {
    pub fn trusts(&self, addr: IpAddr) -> bool {
        self.trusted.iter().any(|n| n.contains(addr))
    }

    /// How often connections are looked at.
    pub(crate) fn look_every(&self) -> Duration {
        const LOOK: Duration = Duration::from_secs(5);
        const LOOK_MIN: Duration = Duration::from_millis(10);
        let shortest = self.stall.min(self.first_head).min(self.keep_alive);
        LOOK.min(shortest / 4).max(LOOK_MIN)
    }
}

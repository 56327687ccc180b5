//! Networks: `10.0.0.0/8`, `fd00::/8`, or one address.

use std::{fmt, net::IpAddr, str::FromStr};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    addr: IpAddr,
    /// Bits that count.
    prefix: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a network such as 10.0.0.0/8 or fd00::/8")]
pub struct NetworkError(String);

impl Network {
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = u32::from(ours) ^ u32::from(theirs);
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = u128::from(ours) ^ u128::from(theirs);
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// A list with commas or spaces between.
    ///
    /// # Errors
    /// The first that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, NetworkError> {
        text.split([',', ' ']).filter(|t| !t.is_empty()).map(str::parse).collect()
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let addr = addr.parse::<IpAddr>().map_err(|_| wrong())?;
        let most = if addr.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most {
            return Err(wrong());
        }
        Ok(Self { addr, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        let has = |network: &str, addr: &str| network.parse::<Network>().unwrap().contains(addr.parse().unwrap());
        for (network, addr) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("192.0.2.1", "192.0.2.1"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("fd00::/8", "fd12::1"),
            ("::/0", "2001:db8::1"),
        ] {
            assert!(has(network, addr), "{network} {addr}");
        }
        for (network, addr) in
            [("10.0.0.0/8", "11.0.0.1"), ("192.0.2.1", "192.0.2.2"), ("0.0.0.0/0", "::1"), ("fd00::/8", "fe00::1")]
        {
            assert!(!has(network, addr), "{network} {addr}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "a/8", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert_eq!(Network::list("10.0.0.0/8, ::1").unwrap().len(), 2);
        assert!(Network::list("10.0.0.0/8;::1").is_err());
    }
}

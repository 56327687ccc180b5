//! Which addresses may be connected to.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Addresses with a common beginning: `10.0.0.0/8`, `fd00::/8`, or a single one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Net {
    address: IpAddr,
    bits: u8,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a network: expected 10.1.0.0/16, fd00::/8 or one address")]
pub struct BadNet(pub String);

impl FromStr for Net {
    type Err = BadNet;
    fn from_str(s: &str) -> Result<Self, BadNet> {
        let bad = || BadNet(s.to_owned());
        let (address, bits) = match s.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (s, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let net = Self { address, bits: bits.unwrap_or(most) };
        if net.bits <= most { Ok(net) } else { Err(bad()) }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Net {
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(a)) => {
                let shift = 32 - u32::from(self.bits);
                (u64::from(u32::from(net)) >> shift) == (u64::from(u32::from(a)) >> shift)
            }
            (IpAddr::V6(net), IpAddr::V6(a)) => {
                self.bits == 0 || (u128::from(net) ^ u128::from(a)) >> (128 - u32::from(self.bits)) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    fn is_single(&self) -> bool {
        self.bits == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

/// Why an address may not be connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// This machine.
    Loopback,
    /// A network of somebody's own, or the link.
    Private,
    /// Where clouds hand out their machines' credentials.
    Metadata,
    /// Nobody in particular: multicast, documentation, reserved.
    Special,
}

/// Everything public may be connected to, and of the rest what was allowed.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allow: Vec<Net>,
}

/// AWS and most others, over IPv4 and IPv6; Alibaba Cloud, within a network that carriers share; Oracle Cloud; Azure's host.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

impl Guard {
    pub fn allowing(allow: Vec<Net>) -> Self {
        Self { allow }
    }

    /// Whether it is in a network that was allowed by name.
    pub fn names(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|net| net.holds(address.to_canonical()))
    }

    /// # Errors
    /// Why not.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        // `::ffff:127.0.0.1` is connected to as 127.0.0.1.
        let address = address.to_canonical();
        let Some(why) = reach(address) else { return Ok(()) };
        // A wide network that was allowed for something else does not open this.
        let allowed = |net: &&Net| net.holds(address) && (why != Refusal::Metadata || net.is_single());
        if self.allow.iter().any(|net| allowed(&net)) { Ok(()) } else { Err(why) }
    }
}

/// None: it is public.
fn reach(address: IpAddr) -> Option<Refusal> {
    if METADATA.contains(&address) {
        return Some(Refusal::Metadata);
    }
    match address {
        IpAddr::V4(a) => v4(a),
        IpAddr::V6(a) => v6(a),
    }
}

/// By IANA's registry of special-purpose addresses (RFC 6890 and its successors).
fn v4(a: Ipv4Addr) -> Option<Refusal> {
    match a.octets() {
        [127, ..] => Some(Refusal::Loopback),
        // Linux connects 0.0.0.0 to this machine.
        [0, ..] => Some(Refusal::Loopback),
        [10, ..] | [192, 168, ..] | [169, 254, ..] => Some(Refusal::Private),
        [172, b, ..] if (16..32).contains(&b) => Some(Refusal::Private),
        [100, b, ..] if (64..128).contains(&b) => Some(Refusal::Private),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Refusal::Special),
        [198, 18 | 19, ..] => Some(Refusal::Special),
        [224..=255, ..] => Some(Refusal::Special),
        _ => None,
    }
}

fn v6(a: Ipv6Addr) -> Option<Refusal> {
    let within = |x: u16, y: u16| Ipv4Addr::from((u32::from(x) << 16) | u32::from(y));
    match a.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some(Refusal::Loopback),
        [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] => Some(Refusal::Private),
        // Translated to IPv4 on the way: what counts is what is inside.
        [0x64, 0xff9b, 0, 0, 0, 0, x, y] | [0x2002, x, y, ..] => v4(within(x, y)).or(Some(Refusal::Special)),
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Refusal::Special),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Refusal::Special),
    }
}

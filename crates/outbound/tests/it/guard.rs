use std::net::IpAddr;
use tradewind_outbound::{Guard, Net, Refusal};

fn check(guard: &Guard, address: &str) -> Result<(), Refusal> {
    guard.check(address.parse::<IpAddr>().unwrap())
}

#[test]
fn what_is_not_public_is_refused() {
    let guard = Guard::default();
    for (address, why) in [
        ("127.0.0.1", Refusal::Loopback),
        ("127.255.255.254", Refusal::Loopback),
        ("0.0.0.0", Refusal::Loopback),
        ("::1", Refusal::Loopback),
        ("::", Refusal::Loopback),
        ("::ffff:127.0.0.1", Refusal::Loopback),
        ("10.0.0.1", Refusal::Private),
        ("172.16.0.1", Refusal::Private),
        ("172.31.255.255", Refusal::Private),
        ("192.168.1.1", Refusal::Private),
        ("169.254.1.1", Refusal::Private),
        ("100.64.0.1", Refusal::Private),
        ("fc00::1", Refusal::Private),
        ("fdff::1", Refusal::Private),
        ("fe80::1", Refusal::Private),
        ("fec0::1", Refusal::Private),
        ("::ffff:10.0.0.1", Refusal::Private),
        ("64:ff9b::10.0.0.1", Refusal::Private),
        ("2002:a00:1::", Refusal::Private),
        ("2002:7f00:1::", Refusal::Loopback),
        ("169.254.169.254", Refusal::Metadata),
        ("::ffff:169.254.169.254", Refusal::Metadata),
        ("fd00:ec2::254", Refusal::Metadata),
        ("100.100.100.200", Refusal::Metadata),
        ("224.0.0.1", Refusal::Special),
        ("255.255.255.255", Refusal::Special),
        ("192.0.2.1", Refusal::Special),
        ("198.19.0.1", Refusal::Special),
        ("ff02::1", Refusal::Special),
        ("2001:db8::1", Refusal::Special),
        ("2001::1", Refusal::Special),
        ("::7f00:1", Refusal::Special),
        ("64:ff9b::8.8.8.8", Refusal::Special),
    ] {
        assert_eq!(check(&guard, address), Err(why), "{address}");
    }
    for public in ["8.8.8.8", "172.32.0.1", "172.15.0.1", "100.128.0.1", "169.253.0.1", "2606:4700::1111", "240e::1"] {
        assert_eq!(check(&guard, public), Ok(()), "{public}");
    }
}

#[test]
fn what_was_allowed_is_and_metadata_only_by_its_own_address() {
    let allow = |nets: &[&str]| Guard::allowing(nets.iter().map(|n| n.parse().unwrap()).collect());
    let guard = allow(&["10.1.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fd00::/8", "127.0.0.1"]);
    for (address, may) in [
        ("10.1.255.1", true),
        ("10.2.0.1", false),
        ("100.100.0.1", true),
        ("100.100.100.200", false),
        ("169.254.169.254", false),
        ("fd12::1", true),
        ("fd00:ec2::254", false),
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("::ffff:127.0.0.1", true),
    ] {
        assert_eq!(check(&guard, address).is_ok(), may, "{address}");
    }
    assert_eq!(check(&allow(&["169.254.169.254"]), "169.254.169.254"), Ok(()));
    assert_eq!(check(&allow(&["0.0.0.0/0"]), "10.0.0.1"), Ok(()));
    assert!(check(&allow(&["0.0.0.0/0"]), "::1").is_err());
    assert_eq!(check(&allow(&["::/0"]), "::1"), Ok(()));
    for bad in ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "example.com", "10.0.0.0/-1", "10.0.0.0/8/8"] {
        assert!(bad.parse::<Net>().is_err(), "{bad}");
    }
}

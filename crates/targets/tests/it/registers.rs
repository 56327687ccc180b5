//! Numbers that are given out and kept.

use crate::host::Host;
use std::net::TcpListener;
use tradewind_targets::{
    ports::{self, Ports},
    users::{self, InstanceUsers},
};

#[test]
fn a_port_is_kept_over_restarts_and_never_shared() {
    let host = Host::new();
    let file = host.path().join("ports.json");
    let ports = Ports::open(&file).unwrap();
    let (a, b) = (ports.assign("a").unwrap(), ports.assign("b").unwrap());
    assert_ne!(a, b);
    assert!(ports::RANGE.contains(&a) && ports::RANGE.contains(&b));
    drop(ports);
    let ports = Ports::open(&file).unwrap();
    // Its own instance may well listen there already.
    let _listener = TcpListener::bind(("127.0.0.1", a)).unwrap();
    assert!(ports::in_use(a));
    assert_eq!((ports.assign("a").unwrap(), ports.get("b")), (a, Some(b)));

    // One that was given back is not the next to be given out: the edge may still know it.
    ports.release("b").unwrap();
    let c = ports.assign("c").unwrap();
    assert!(c != a && c != b);
    ports.retain(|owner| owner == "c").unwrap();
    assert_eq!((ports.get("a"), ports.get("c")), (None, Some(c)));
    assert_eq!(Ports::open(&file).unwrap().get("c"), Some(c));
}

#[test]
fn a_port_somebody_listens_on_is_not_given_out() {
    let host = Host::new();
    let ports = Ports::open(&host.path().join("ports.json")).unwrap();
    let first = ports.assign("first").unwrap();
    let taken: Vec<TcpListener> =
        (first + 1..first + 4).filter_map(|p| TcpListener::bind(("0.0.0.0", p)).ok()).collect();
    let next = ports.assign("next").unwrap();
    assert!(taken.iter().all(|l| l.local_addr().unwrap().port() != next));
    assert!(!ports::in_use(next));
}

#[test]
fn a_service_in_an_environment_has_one_user_for_ever() {
    let host = Host::new();
    let file = host.path().join("users.json");
    let users = InstanceUsers::open(&file).unwrap();
    let shop = users.of("shop", "production").unwrap().unwrap();
    let staging = users.of("shop", "staging").unwrap().unwrap();
    assert_ne!(shop, staging);
    assert_eq!(shop.uid, shop.gid);
    assert!(users::INSTANCES.contains(&shop.uid) && !users::JOBS.contains(&shop.uid));
    assert_eq!(InstanceUsers::open(&file).unwrap().of("shop", "production").unwrap(), Some(shop));
}

//! The kernel's own word on where a user's connections lead.

use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::process::Command;
use tradewind_targets::{
    metadata::{ADDRESSES, hide, open_to},
    users::{INSTANCES, JOBS, may_switch_user},
};

/// What the kernel would do with a connection of this user; `Err` is its refusal.
fn route(address: &str, uid: u32, protocol: &str) -> Result<(), String> {
    let uid = uid.to_string();
    let words = ["route", "get", address, "uid", &uid, "ipproto", protocol];
    let done = Command::new("ip").args(words).env("LC_ALL", "C").output().unwrap();
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn ip(words: &str) {
    assert!(Command::new("ip").args(words.split(' ')).status().unwrap().success(), "ip {words}");
}

#[test]
fn jobs_do_not_reach_the_metadata_address_and_others_do() {
    if may_switch_user().is_err() {
        return;
    }
    // A thread's network is its own from here on, and that of the programs it starts.
    let apart = || {
        // SAFETY: no file descriptors are unshared.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
        ip("link set lo up");
        ip("route add default dev lo");
        ip("-6 route add default dev lo");
        assert_eq!(open_to(&JOBS).unwrap(), ADDRESSES);
        assert_eq!(route("169.254.169.254", JOBS.start, "tcp"), Ok(()));
        for _ in 0..2 {
            hide(&JOBS).unwrap();
        }
        assert_eq!(open_to(&JOBS).unwrap(), Vec::<&str>::new());
        assert_eq!(open_to(&INSTANCES).unwrap(), ADDRESSES, "only jobs were asked for");
        for address in ["169.254.169.254", "169.254.0.23", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"] {
            for uid in [JOBS.start, JOBS.end - 1] {
                let refused = route(address, uid, "tcp").unwrap_err();
                assert!(refused.contains("Permission denied"), "{address}: {refused}");
            }
            for uid in [0, INSTANCES.start, JOBS.start - 1] {
                assert_eq!(route(address, uid, "tcp"), Ok(()), "{address} for {uid}");
            }
        }
        // Where the same address answers DNS, names are found.
        assert_eq!(route("169.254.169.254", JOBS.start, "udp"), Ok(()));
        assert_eq!(route("100.100.100.201", JOBS.start, "tcp"), Ok(()), "a neighbour");
    };
    std::thread::spawn(apart).join().unwrap();
}

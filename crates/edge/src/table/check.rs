//! What a table must be before it is served. All of it is checked before anything changes.

use super::hosts::{Hosts, bare_host};
use crate::faults;
use http::HeaderName;
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
};
use tradewind_model::{
    fault::Fault,
    id::{InstanceId, RevisionId},
    protocol::{
        edge::{FULL_SHARE, Route, Sticky, Table},
        trial::{MOST_BOUNDS, Trial},
    },
};

pub fn check(table: &Table) -> Result<(), Fault> {
    let mut ids = HashSet::new();
    let mut hosts = Hosts::default();
    let mut addresses = HashMap::new();
    for (index, route) in table.routes.iter().enumerate() {
        let result = if ids.insert(route.id.as_str()) {
            check_route(route, index, &mut hosts, &mut addresses)
        } else {
            Err("is listed twice".into())
        };
        result.map_err(|wrong| Fault::new(&faults::TABLE_ROUTE).with("route", &route.id).with("wrong", wrong))?;
    }
    Ok(())
}

fn check_route(
    route: &Route,
    index: usize,
    hosts: &mut Hosts,
    addresses: &mut HashMap<InstanceId, SocketAddr>,
) -> Result<(), String> {
    let prefix = &route.path_prefix;
    if !prefix.starts_with('/') || prefix.contains(['?', '#', ' ']) {
        return Err(format!("`{prefix}` is not a path prefix: it begins with `/` and has no query"));
    }
    for host in &route.hosts {
        let bare = host.strip_prefix("*.").unwrap_or(host);
        if bare_host(bare).is_none_or(|b| b != bare) {
            return Err(format!("`{host}` is not a host name in lower case without port"));
        }
    }
    let every = [None];
    let named: Vec<_> = route.hosts.iter().map(|h| Some(h.as_str())).collect();
    for host in if named.is_empty() { &every[..] } else { &named[..] } {
        if !hosts.add(*host, prefix, index) {
            return Err(format!("{}{prefix} belongs to another route already", host.unwrap_or("*")));
        }
    }
    match &route.sticky {
        Sticky::None => {}
        Sticky::Cookie { name, .. } => {
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if name.is_empty() || !name.bytes().all(token) {
                return Err(format!("`{name}` is not a cookie name"));
            }
        }
        Sticky::Header { name } => {
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?;
        }
    }
    let mut revisions = HashSet::new();
    let mut sum = 0u64;
    for split in &route.splits {
        if !revisions.insert(split.revision) {
            return Err(format!("revision {} is listed twice", split.revision));
        }
        sum += u64::from(split.weight);
        for target in &split.targets {
            if addresses.insert(target.instance, target.addr).is_some_and(|a| a != target.addr) {
                return Err(format!("instance {} has two addresses", target.instance));
            }
        }
    }
    if sum != 0 && sum != u64::from(FULL_SHARE) {
        return Err(format!("weights sum to {sum}, not to {FULL_SHARE} or 0"));
    }
    if let Some(trial) = &route.trial {
        check_trial(trial, &revisions)?;
    }
    if route.limits.max_in_flight == 0 || route.limits.connect_ms == 0 || route.limits.response_ms == 0 {
        return Err("a limit of 0 would refuse every request".into());
    }
    Ok(())
}

fn check_trial(trial: &Trial, revisions: &HashSet<RevisionId>) -> Result<(), String> {
    if let Some(unknown) = [trial.canary, trial.baseline].iter().find(|r| !revisions.contains(r)) {
        return Err(format!("revision {unknown} of its trial has no split"));
    }
    if trial.canary == trial.baseline {
        return Err("its trial compares a revision with itself".into());
    }
    let bounds = &trial.bounds_ms;
    if bounds.len() > MOST_BOUNDS {
        return Err(format!("its trial has {} latency bounds, and {MOST_BOUNDS} are the most", bounds.len()));
    }
    if bounds.first() == Some(&0) || !bounds.is_sorted_by(|a, b| a < b) {
        return Err(format!("the latency bounds of its trial do not rise from above 0: {bounds:?} ms"));
    }
    if trial.ignore.paths.iter().any(|p| !p.starts_with('/')) {
        return Err("a path that its trial ignores does not begin with `/`".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::protocol::{
        edge::{Mode, RouteLimits, Split, Target},
        trial::{Ignore, Limits},
    };

    fn uuid<T: std::str::FromStr>(n: u8) -> T
    where
        T::Err: std::fmt::Debug,
    {
        format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn route() -> Route {
        Route {
            id: "shop/production/default".into(),
            hosts: vec!["shop.example.com".into()],
            path_prefix: "/".into(),
            mode: Mode::Serve,
            sticky: Sticky::None,
            salt: "s".into(),
            splits: vec![Split {
                revision: uuid::<RevisionId>(1),
                label: "v1".into(),
                weight: FULL_SHARE,
                targets: vec![Target { instance: uuid(2), addr: "127.0.0.1:1".parse().unwrap() }],
            }],
            limits: RouteLimits::default(),
            health: None,
            trial: None,
        }
    }

    /// A route with a revision 2 that is on trial.
    fn wrong_trial(change: impl FnOnce(&mut Trial)) -> String {
        let mut trial = Trial {
            canary: uuid(2),
            baseline: uuid(1),
            counted: true,
            bounds_ms: vec![100, 250],
            ignore: Ignore::default(),
            limits: Limits { error_rate: None, p99_ms: None, for_ms: 30_000, min_requests: 50 },
            lease_ms: 600_000,
        };
        change(&mut trial);
        wrong(|r| {
            let canary = Split { revision: uuid(2), weight: 0, targets: Vec::new(), ..r[0].splits[0].clone() };
            r[0].splits.push(canary);
            r[0].trial = Some(trial);
        })
    }

    fn wrong(change: impl FnOnce(&mut Vec<Route>)) -> String {
        let mut routes = vec![route()];
        change(&mut routes);
        check(&Table { version: 1, routes, probe_token: String::new() })
            .map_or_else(|f| f.what(tradewind_model::fault::Lang::En), |()| "sound".into())
    }

    #[test]
    fn each_fault_of_a_table_is_named() {
        let faults = [
            wrong(|_| {}),
            wrong(|r| r.push(route())),
            wrong(|r| {
                let mut other = route();
                other.id = "other".into();
                r.push(other);
            }),
            wrong(|r| r[0].path_prefix = "api".into()),
            wrong(|r| r[0].hosts = vec!["Shop.example.com".into()]),
            wrong(|r| r[0].hosts = vec!["shop.example.com:80".into()]),
            wrong(|r| r[0].sticky = Sticky::Cookie { name: "a b".into(), max_age_s: 1, secure: false }),
            wrong(|r| r[0].sticky = Sticky::Header { name: "x y".into() }),
            wrong(|r| r[0].splits[0].weight = 9_999),
            wrong(|r| {
                let again = r[0].splits[0].clone();
                r[0].splits.push(again);
            }),
            wrong(|r| {
                let mut other = r[0].splits[0].clone();
                other.revision = uuid(9);
                other.weight = 0;
                other.targets[0].addr = "127.0.0.1:2".parse().unwrap();
                r[0].splits.push(other);
            }),
            wrong(|r| r[0].limits.max_in_flight = 0),
            wrong_trial(|_| {}),
            wrong_trial(|t| t.canary = uuid(9)),
            wrong_trial(|t| t.baseline = t.canary),
            wrong_trial(|t| t.bounds_ms = (1..=9).collect()),
            wrong_trial(|t| t.bounds_ms = vec![250, 250]),
            wrong_trial(|t| t.bounds_ms = vec![0]),
            wrong_trial(|t| t.ignore.paths = vec!["healthz".into()]),
        ];
        insta::assert_snapshot!(faults.join("\n"), @r"
        sound
        route `shop/production/default`: is listed twice
        route `other`: shop.example.com/ belongs to another route already
        route `shop/production/default`: `api` is not a path prefix: it begins with `/` and has no query
        route `shop/production/default`: `Shop.example.com` is not a host name in lower case without port
        route `shop/production/default`: `shop.example.com:80` is not a host name in lower case without port
        route `shop/production/default`: `a b` is not a cookie name
        route `shop/production/default`: `x y` is not a header name
        route `shop/production/default`: weights sum to 9999, not to 10000 or 0
        route `shop/production/default`: revision 00000000-0000-7000-8000-000000000001 is listed twice
        route `shop/production/default`: instance 00000000-0000-7000-8000-000000000002 has two addresses
        route `shop/production/default`: a limit of 0 would refuse every request
        sound
        route `shop/production/default`: revision 00000000-0000-7000-8000-000000000009 of its trial has no split
        route `shop/production/default`: its trial compares a revision with itself
        route `shop/production/default`: its trial has 9 latency bounds, and 8 are the most
        route `shop/production/default`: the latency bounds of its trial do not rise from above 0: [250, 250] ms
        route `shop/production/default`: the latency bounds of its trial do not rise from above 0: [0] ms
        route `shop/production/default`: a path that its trial ignores does not begin with `/`
        ");
    }
}

//! The edge as the agent sees it: what it should serve ([`compose`]), what it may still be serving ([`ledger`]), the
//! numbers of its tables ([`versions`]), what it counts for the server ([`units`]), what a canary may not pass ([`limits`]),
//! for how many of its clients ([`clients`]), the certificates it shows ([`certificates`]), and what follows ([`trips`]), and the socket between them ([`link`]).

pub mod certificates;
pub mod clients;
pub mod compose;
pub mod ledger;
pub mod limits;
pub mod link;
pub mod trips;
pub mod units;
pub mod versions;

#[cfg(test)]
mod tests {
    use tradewind_model::{
        id::{Place, RevisionId},
        protocol::{
            agent::{DesiredRoute, DesiredSplit},
            edge::{Mode, RouteLimits, Sticky},
            trial::{Ignore, Limits, Trial},
        },
    };
    use uuid::Uuid;

    pub fn place() -> Place {
        Place { service: "shop".parse().unwrap(), env: "production".parse().unwrap(), site: "default".parse().unwrap() }
    }

    pub fn revision(n: u128) -> RevisionId {
        RevisionId(Uuid::from_u128(n))
    }

    pub fn route(splits: &[(u128, u32)]) -> DesiredRoute {
        DesiredRoute {
            place: place(),
            version: 7,
            hosts: vec!["shop.example.com".into()],
            path_prefix: "/".into(),
            mode: Mode::Serve,
            sticky: Sticky::None,
            salt: "s".into(),
            splits: splits
                .iter()
                .map(|&(r, weight)| DesiredSplit { revision: revision(r), label: format!("v{r}"), weight })
                .collect(),
            limits: RouteLimits::default(),
            health: None,
            trial: None,
        }
    }

    /// Revision 2 with a tenth beside revision 1; 5 % errors or a 99th percentile of 3 s, for 10 s and 50 requests.
    pub fn route_on_trial() -> DesiredRoute {
        let trial = Trial {
            canary: revision(2),
            baseline: revision(1),
            counted: true,
            bounds_ms: vec![],
            ignore: Ignore::default(),
            limits: Limits { error_rate: Some(500), p99_ms: Some(3_000), for_ms: 10_000, min_requests: 50 },
            lease_ms: 600_000,
        };
        DesiredRoute { trial: Some(trial), ..route(&[(1, 9_000), (2, 1_000)]) }
    }
}

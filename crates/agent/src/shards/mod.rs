//! Shards of workers on this host: what a release on trial may not pass while it has some of them ([`limits`]), what follows
//! when it does or the server is silent ([`trips`]), and whose work is the same ([`fence`]). All of it pure.

pub mod fence;
pub mod limits;
pub mod trips;

#[cfg(test)]
mod tests {
    use tradewind_model::{
        id::{Place, RevisionId},
        protocol::trial::{Limits, ShardTrial},
    };
    use uuid::Uuid;

    /// Revision 2 after revision 1; 5 % for 30 s and 100 cycles.
    pub fn trial() -> ShardTrial {
        let (service, env, site) = ("sync".parse(), "production".parse(), "default".parse());
        ShardTrial {
            place: Place { service: service.unwrap(), env: env.unwrap(), site: site.unwrap() },
            rollout: "r".into(),
            canary: RevisionId(Uuid::from_u128(2)),
            baseline: RevisionId(Uuid::from_u128(1)),
            limits: Limits { error_rate: Some(500), p99_ms: None, for_ms: 30_000, min_requests: 100 },
            lease_ms: 600_000,
        }
    }
}

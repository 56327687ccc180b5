//! Whether two instances would do the same work: they never do it at the same time.

use tradewind_model::{protocol::agent::DesiredInstance, shards::SHARDS_VARIABLE, workload::ServiceKind};

/// Of two workers or cron services of a place: where both name their shards, whether they share one; else whether they are of two revisions.
/// Instances of one revision that name none divide the work among themselves. Shards that are numbers mean the same here
/// whatever they are parts of: two such releases never change over one by one, and the server sees to that.
pub fn same_work(a: &DesiredInstance, b: &DesiredInstance) -> bool {
    let workers = [a, b].iter().all(|i| match i.workload.kind {
        ServiceKind::Worker | ServiceKind::Cron => true,
        ServiceKind::Web => false,
    });
    if !workers || a.id == b.id || a.place != b.place {
        return false;
    }
    match (shards(a), shards(b)) {
        (Some(mine), Some(theirs)) => mine.split(',').any(|shard| theirs.split(',').any(|other| shard == other)),
        (None, _) | (_, None) => a.revision != b.revision,
    }
}

fn shards(instance: &DesiredInstance) -> Option<&str> {
    instance.workload.env.get(SHARDS_VARIABLE).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::tests::trial;
    use std::collections::BTreeMap;
    use tradewind_model::{
        id::{Digest, InstanceId, RevisionId},
        protocol::agent::DesiredPhase,
        workload::{Limits, Port, RestartPolicy, StopPolicy, Workload},
    };
    use uuid::Uuid;

    fn instance(id: u128, revision: u128, shards: Option<&str>) -> DesiredInstance {
        let env = shards.map(|names| (SHARDS_VARIABLE.to_owned(), names.to_owned()));
        DesiredInstance {
            id: InstanceId(Uuid::from_u128(id)),
            place: trial().place,
            revision: RevisionId(Uuid::from_u128(revision)),
            release: Digest::of(b"x"),
            label: "v1".into(),
            workload: Workload {
                kind: ServiceKind::Worker,
                command: vec![],
                env: env.into_iter().collect::<BTreeMap<_, _>>(),
                secrets: Vec::new(),
                port: Port::None,
                health: None,
                stop: StopPolicy { signal: 15, drain_ms: 0, grace_ms: 0 },
                limits: Limits::default(),
                restart: RestartPolicy::default(),
                prepare: None,
                schedule: None,
            },
            phase: DesiredPhase::Run,
        }
    }

    #[test]
    fn a_shard_in_common_is_the_same_work() {
        for (mine, theirs, same) in [
            ((1, Some("br,my")), (2, Some("my")), true),
            ((1, Some("br,my")), (1, Some("my")), true),
            ((1, Some("br")), (2, Some("br-2,my")), false),
            ((1, None), (2, None), true),
            ((1, None), (1, None), false),
            ((1, None), (2, Some("br")), true),
        ] {
            let (a, b) = (instance(1, mine.0, mine.1), instance(2, theirs.0, theirs.1));
            assert_eq!((same_work(&a, &b), same_work(&b, &a)), (same, same), "{mine:?} {theirs:?}");
        }
        let a = instance(1, 1, None);
        assert!(!same_work(&a, &instance(1, 2, None)), "it is the same one");
        let mut elsewhere = instance(2, 2, None);
        elsewhere.place.site = "shopee-br".parse().unwrap();
        assert!(!same_work(&a, &elsewhere));
        let mut web = instance(2, 2, None);
        web.workload.kind = ServiceKind::Web;
        assert!(!same_work(&a, &web));
    }
}

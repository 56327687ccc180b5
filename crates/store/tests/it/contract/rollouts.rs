use std::time::Duration;
use tradewind_model::id::{InstanceId, RolloutId, ServiceName, TaskId};
use tradewind_store::{
    Json, Store, StoreError,
    rows::{self, Page, rollouts},
    transact,
};

use crate::fixture::{Fixture, event, place, production, someone};

pub fn new_rollout(store: &Store, service: &ServiceName) -> rollouts::NewRollout {
    rollouts::NewRollout {
        id: RolloutId::at(store.now()),
        service: service.clone(),
        env: production(),
        kind: "normal".into(),
        phase: "queued".into(),
        active: false,
        plan: Json::empty(),
        state: Json::empty(),
        next_wake_at: None,
        note: Some("11.11".into()),
        ticket: None,
        requester: someone(),
    }
}

pub async fn insert(store: &Store, new: rollouts::NewRollout) -> Result<rollouts::Rollout, StoreError> {
    let mut new = Some(new);
    transact!(store, tx => {
        tx.event(event("rollout.requested", "rollout/x")).await?;
        let copy = new.take().expect("one attempt suffices: nobody else writes");
        rollouts::insert(tx, copy).await
    })
}

async fn update(store: &Store, rollout: rollouts::Rollout) -> Result<rollouts::Rollout, StoreError> {
    transact!(store, tx => {
        tx.event(event("rollout.changed", "rollout/x")).await?;
        rollouts::update(tx, rollout.clone()).await
    })
}

pub async fn one_is_active_per_environment(f: Fixture) {
    let (shop, stock) = (f.with_service("shop").await, f.with_service("stock").await);
    let active = |service: &ServiceName| rollouts::NewRollout { active: true, ..new_rollout(&f.store, service) };
    let first = insert(&f.store, active(&shop)).await.unwrap();
    insert(&f.store, active(&stock)).await.unwrap();
    let refused = insert(&f.store, active(&shop)).await;
    assert!(matches!(&refused, Err(StoreError::Duplicate { what, .. }) if what.contains("shop in production")));

    let waiting = insert(&f.store, new_rollout(&f.store, &shop)).await.unwrap();
    let too_early = update(&f.store, rollouts::Rollout { active: true, ..waiting.clone() }).await;
    assert!(matches!(too_early, Err(StoreError::Duplicate { .. })));
    let env = production();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rollouts::active(&mut r, &shop, &env).await.unwrap().unwrap().id, first.id);
    drop(r);

    let end = Some(f.store.now());
    let first = update(&f.store, rollouts::Rollout { active: false, finished_at: end, ..first }).await.unwrap();
    let second = update(&f.store, rollouts::Rollout { active: true, ..waiting }).await.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rollouts::get(&mut r, second.id).await.unwrap(), second);
    assert_eq!(rollouts::active(&mut r, &shop, &env).await.unwrap().unwrap(), second);
    assert_eq!(rollouts::unfinished(&mut r).await.unwrap().len(), 2);
    drop(r);
    let late = update(&f.store, rollouts::Rollout { version: 1, ..first }).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })));
}

pub async fn queues_keep_their_order(f: Fixture) {
    let shop = f.with_service("shop").await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        // A clock that stands still or goes back does not change the order.
        f.clock.go_back(Duration::from_secs(1));
        ids.push(insert(&f.store, new_rollout(&f.store, &shop)).await.unwrap().id);
    }
    let mut r = f.store.read().await.unwrap();
    let queue = rollouts::queue(&mut r, &shop, &production()).await.unwrap();
    assert_eq!(queue.iter().map(|q| q.id).collect::<Vec<_>>(), ids);
    let newest = rollouts::list(&mut r, &shop, None, Page::first(3)).await.unwrap();
    assert_eq!(newest.len(), 3);
    let after = Page { after: Some(newest[2].id), limit: 3 };
    assert_eq!(rollouts::list(&mut r, &shop, Some(&production()), after).await.unwrap().len(), 1);
    let dev = "dev".parse().unwrap();
    assert!(rollouts::list(&mut r, &shop, Some(&dev), Page::first(3)).await.unwrap().is_empty());
    assert_eq!(rollouts::next_wake(&mut r).await.unwrap(), None);
    drop(r);
    let at = f.store.now();
    let soon = rollouts::Rollout { active: true, next_wake_at: Some(at), ..queue[0].clone() };
    update(&f.store, soon).await.unwrap();
    assert_eq!(rollouts::next_wake(&mut f.store.read().await.unwrap()).await.unwrap(), Some(at));
}

pub async fn a_failed_queue_is_held(f: Fixture) {
    let shop = f.with_service("shop").await;
    let env = production();
    let get = async || rows::queues::get(&mut f.store.read().await.unwrap(), &shop, &env).await.unwrap();
    let acknowledge = async || -> bool {
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("queue.acknowledged", "queue/x")).await?;
            rows::queues::acknowledge(tx, &shop, &env, &someone(), "seen").await
        });
        done.unwrap()
    };
    assert_eq!(get().await.frozen, None);
    assert!(!acknowledge().await);
    for reason in ["v4 never became ready", "v5 neither"] {
        let done: Result<(), StoreError> = transact!(f.store, tx => {
            tx.event(event("queue.frozen", "queue/x")).await?;
            rows::queues::freeze(tx, &shop, &env, &someone(), reason).await
        });
        done.unwrap();
        let queue = get().await;
        assert_eq!(queue.frozen.unwrap().reason, reason);
        assert_eq!(queue.acknowledged, None);
        assert_eq!(rows::queues::frozen(&mut f.store.read().await.unwrap()).await.unwrap().len(), 1);
        assert!(acknowledge().await);
        let queue = get().await;
        assert_eq!(queue.frozen, None);
        assert_eq!(queue.acknowledged.unwrap().note, "seen");
    }
}

pub async fn places_and_routes_are_swapped_by_version(f: Fixture) {
    let shop = f.with_service("shop").await;
    let place = place(&shop);
    let release = f.with_release(&shop, "one").await;
    let revision = f.with_revision(&place, release).await;
    let empty = rows::places::get(&mut f.store.read().await.unwrap(), &place).await.unwrap();
    assert_eq!((empty.version, empty.history.current()), (0, None));
    let put = async |row: rows::places::PlaceRow| -> Result<rows::places::PlaceRow, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("place.changed", "place/x")).await?;
            rows::places::put(tx, row.clone()).await
        })
    };
    let mut history = empty.history.clone();
    history.completed(revision);
    let first = put(rows::places::PlaceRow { history, ..empty.clone() }).await.unwrap();
    assert_eq!(first.version, 1);
    assert!(matches!(put(empty).await, Err(StoreError::Conflict { .. })));
    let second = put(first.clone()).await.unwrap();
    assert_eq!((second.version, second.history.current()), (2, Some(revision)));
    assert!(matches!(put(first).await, Err(StoreError::Conflict { .. })));
    let listed = rows::places::list(&mut f.store.read().await.unwrap(), Some(&shop)).await.unwrap();
    assert_eq!(listed, [second]);

    let route = async |over, body: &str| -> Result<i64, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("route.changed", "route/x")).await?;
            rows::routes::put(tx, &place, over, &Json::of(body)).await
        })
    };
    assert_eq!(route(0, "a").await.unwrap(), 1);
    assert_eq!(route(1, "b").await.unwrap(), 2);
    for stale in [0, 1, 3] {
        assert!(matches!(route(stale, "c").await, Err(StoreError::Conflict { .. })), "{stale}");
    }
    let mut r = f.store.read().await.unwrap();
    let stored = rows::routes::find(&mut r, &place).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.body.read::<String>().unwrap().as_str()), (2, "b"));
    assert_eq!(rows::routes::list(&mut r, None).await.unwrap(), [stored]);
}

pub async fn instances_and_tasks_leave_their_hosts(f: Fixture) {
    let shop = f.with_service("shop").await;
    let place = place(&shop);
    let release = f.with_release(&shop, "one").await;
    let revision = f.with_revision(&place, release).await;
    let host = f.with_host("h1").await;
    let other = f.with_host("h2").await;
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("instance.created", "instance/x")).await?;
        let new = rows::instances::NewInstance {
            id: InstanceId::at(tx.now()), host, place: place.clone(), revision, ordinal: 0, body: Json::empty(),
        };
        let instance = rows::instances::insert(tx, new).await?;
        let new = rows::tasks::NewTask {
            id: TaskId::at(tx.now()), host, kind: "verify".into(), owner: "rollout/1".into(), state: "new".into(),
            body: Json::empty(),
        };
        let task = rows::tasks::insert(tx, new).await?;
        let generation = rows::observed::bump_generation(tx, host).await?;
        Ok((instance, task, generation))
    });
    let (instance, task, generation) = done.unwrap();
    assert_eq!(generation, 1);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::instances::on_host(&mut r, host).await.unwrap(), vec![instance.clone()]);
    assert_eq!(rows::instances::of_revision(&mut r, revision).await.unwrap(), vec![instance.clone()]);
    assert_eq!(rows::instances::live(&mut r).await.unwrap(), vec![instance.clone()]);
    assert_eq!(rows::instances::of_place(&mut r, &place).await.unwrap(), vec![instance.clone()]);
    assert!(rows::instances::on_host(&mut r, other).await.unwrap().is_empty());
    assert_eq!(rows::tasks::on_host(&mut r, host).await.unwrap(), vec![task.clone()]);
    assert_eq!(rows::tasks::of_owner(&mut r, "rollout/1").await.unwrap(), vec![task.clone()]);
    assert_eq!(rows::observed::generation(&mut r, host).await.unwrap(), 1);
    assert_eq!(rows::observed::generation(&mut r, other).await.unwrap(), 0);
    drop(r);

    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("instance.retired", "instance/x")).await?;
        let now = Some(tx.now());
        let instance = rows::instances::Instance { retired_at: now, ..instance.clone() };
        let instance = rows::instances::update(tx, instance).await?;
        let result = Some(Json::of(&"ok"));
        let task = rows::tasks::Task { finished_at: now, result, state: "done".into(), ..task.clone() };
        let task = rows::tasks::update(tx, task).await?;
        Ok((instance, task, rows::observed::bump_generation(tx, host).await?))
    });
    let (instance, task, generation) = done.unwrap();
    assert_eq!((instance.version, task.version, generation), (2, 2, 2));
    let mut r = f.store.read().await.unwrap();
    assert!(rows::instances::on_host(&mut r, host).await.unwrap().is_empty());
    assert!(rows::instances::of_revision(&mut r, revision).await.unwrap().is_empty());
    assert!(rows::tasks::on_host(&mut r, host).await.unwrap().is_empty());
    assert!(rows::tasks::unfinished(&mut r).await.unwrap().is_empty());
    assert_eq!(rows::instances::get(&mut r, instance.id).await.unwrap(), instance);
    assert_eq!(rows::tasks::get(&mut r, task.id).await.unwrap(), task);
}

pub async fn previous_is_what_completed_before(f: Fixture) {
    let shop = f.with_service("shop").await;
    let place = place(&shop);
    let mut revisions = Vec::new();
    for spec in ["one", "two", "three", "four"] {
        let release = f.with_release(&shop, spec).await;
        f.clock.advance(Duration::from_secs(60));
        revisions.push(f.with_revision(&place, release).await);
    }
    let complete = async |n: usize| -> rows::revisions::Revision {
        f.clock.advance(Duration::from_secs(60));
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("revision.completed", "revision/x")).await?;
            rows::revisions::complete(tx, revisions[n]).await
        });
        done.unwrap()
    };
    // The third never completed: nobody goes back to it.
    complete(0).await;
    complete(1).await;
    let current = complete(3).await;
    let mut r = f.store.read().await.unwrap();
    let before = rows::revisions::completed(&mut r, &place, current.completed_at, 10).await.unwrap();
    assert_eq!(before.iter().map(|x| x.id).collect::<Vec<_>>(), [revisions[1], revisions[0]]);
    let same = rows::revisions::of_release(&mut r, &place, &current.release, 1).await.unwrap();
    assert_eq!(same.unwrap().id, current.id);
    assert_eq!(rows::revisions::of_release(&mut r, &place, &current.release, 2).await.unwrap(), None);
    let newest = rows::revisions::of_place(&mut r, &place, Page::first(1)).await.unwrap();
    assert_eq!(newest[0].id, revisions[3]);
    drop(r);
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("revision.retired", "revision/x")).await?;
        rows::revisions::retire(tx, revisions[2]).await?;
        rows::revisions::retire(tx, revisions[0]).await?;
        rows::revisions::revive(tx, revisions[0]).await
    });
    assert_eq!(done.unwrap().retired_at, None);
    let live = rows::revisions::live(&mut f.store.read().await.unwrap()).await.unwrap();
    assert_eq!(live.len(), 3);
}

pub async fn evidence_keeps_the_order_it_came_in(f: Fixture) {
    let shop = f.with_service("shop").await;
    let one = insert(&f.store, new_rollout(&f.store, &shop)).await.unwrap();
    let other = insert(&f.store, new_rollout(&f.store, &shop)).await.unwrap();
    let told =
        [(one.id, "edge-1", 3), (one.id, "", 0), (other.id, "edge-1", 9), (one.id, "edge-1", 5), (one.id, "edge-2", 1)];
    for (rollout, source, upto) in told {
        let body = Json::of(&upto);
        transact!(f.store, tx => rows::evidence::append(tx, rollout, source, upto, &body).await).unwrap();
    }
    let mut r = f.store.read().await.unwrap();
    let all = rows::evidence::after(&mut r, one.id, 0).await.unwrap();
    let seen: Vec<_> = all.iter().map(|e| (e.seq, e.source.as_str(), e.upto)).collect();
    assert_eq!(seen, [(1, "edge-1", 3), (2, "", 0), (3, "edge-1", 5), (4, "edge-2", 1)]);
    assert_eq!(all[2].body.read::<i64>().unwrap(), 5);
    assert_eq!(rows::evidence::after(&mut r, one.id, 3).await.unwrap(), all[3..]);
    assert_eq!(rows::evidence::first(&mut r, one.id, 2).await.unwrap(), all[..2]);
    assert_eq!(rows::evidence::upto(&mut r, one.id, "edge-1").await.unwrap(), 5);
    assert_eq!(rows::evidence::upto(&mut r, one.id, "edge-9").await.unwrap(), 0);
    drop(r);

    let ended = rollouts::Rollout { finished_at: Some(f.store.now()), ..one.clone() };
    update(&f.store, ended).await.unwrap();
    f.clock.advance(Duration::from_secs(1));
    let gone = transact!(f.store, tx => rows::evidence::purge(tx, tx.now()).await).unwrap();
    assert_eq!(gone, 4);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::evidence::after(&mut r, other.id, 0).await.unwrap().len(), 1);
}

pub async fn what_is_usual_is_kept_by_the_hour(f: Fixture) {
    let host = tradewind_model::id::HostId::at(tradewind_model::time::Timestamp(1));
    let row = |site: &str, hour: i64, upto: i64| rows::usual::Usual {
        place: tradewind_model::id::Place {
            service: "shop".parse().unwrap(),
            env: "production".parse().unwrap(),
            site: site.parse().unwrap(),
        },
        host,
        hour,
        source: "scrape-1".into(),
        upto,
        body: Json::of(&serde_json::json!({ "orders": [upto, 1] })),
    };
    let all = [row("br", 10, 1), row("br", 11, 2), row("my", 11, 3), row("my", 12, 4)];
    for row in &all {
        transact!(f.store, tx => rows::usual::put(tx, row).await).unwrap();
    }
    let (service, env) = (&all[0].place.service, &all[0].place.env);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::usual::between(&mut r, service, env, 11, 12).await.unwrap(), all[1..3]);
    assert_eq!(rows::usual::find(&mut r, &all[0].place, host, 10).await.unwrap().as_ref(), Some(&all[0]));
    assert_eq!(rows::usual::find(&mut r, &all[0].place, host, 12).await.unwrap(), None);
    drop(r);
    let more = row("br", 10, 9);
    transact!(f.store, tx => rows::usual::put(tx, &more).await).unwrap();
    let gone = transact!(f.store, tx => rows::usual::purge(tx, 11).await).unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!((gone, rows::usual::between(&mut r, service, env, 0, 99).await.unwrap()), (1, all[1..].to_vec()));
}

use std::sync::atomic::{AtomicU32, Ordering};
use tradewind_model::id::ServiceName;
use tradewind_store::{Json, StoreError, rows, transact};

use crate::fixture::{Fixture, add_service, event};

fn name(s: &str) -> ServiceName {
    s.parse().unwrap()
}

async fn services(f: &Fixture) -> Vec<String> {
    let all = rows::services::list(&mut f.store.read().await.unwrap(), None, 100).await.unwrap();
    all.into_iter().map(|s| s.name.to_string()).collect()
}

pub async fn a_change_without_an_event_does_not_happen(f: Fixture) {
    let shop = f.with_service("shop").await;
    let done: Result<(), StoreError> = transact!(f.store, tx => {
        let service = rows::services::get(tx, &shop).await?;
        rows::services::update(tx, rows::services::Service { owner: "nobody".into(), ..service }).await?;
        Ok(())
    });
    assert!(matches!(done, Err(StoreError::EventMissing { statement }) if statement.ends_with("services::UPDATE")));
    let service = rows::services::get(&mut f.store.read().await.unwrap(), &shop).await.unwrap();
    assert_eq!(service.owner, "orders team");

    let excused: Result<(), StoreError> = transact!(f.store, tx => {
        tx.without_event("a test's own housekeeping");
        let service = rows::services::get(tx, &shop).await?;
        rows::services::update(tx, rows::services::Service { owner: "us".into(), ..service }).await?;
        Ok(())
    });
    excused.unwrap();
    // A statement that changes no row needs no event.
    let none: Result<bool, StoreError> =
        transact!(f.store, tx => rows::environments::ensure(tx, &"dev".parse().unwrap()).await);
    assert!(matches!(none, Err(StoreError::EventMissing { .. })));
    let nothing: Result<u64, StoreError> = transact!(f.store, tx => rows::login_codes::purge(tx, tx.now()).await);
    assert_eq!(nothing.unwrap(), 0);
}

pub async fn an_error_undoes_everything(f: Fixture) {
    let done: Result<(), StoreError> = transact!(f.store, tx => {
        let new = rows::services::NewService {
            name: name("gone"), owner: "x".into(), default_branch: "main".into(), created_by: crate::fixture::someone(),
        };
        rows::services::insert(tx, new).await?;
        tx.event(event("service.created", "service/gone")).await?;
        Err(StoreError::Aborted)
    });
    assert!(matches!(done, Err(StoreError::Aborted)));
    assert!(services(&f).await.is_empty());
    assert_eq!(f.seal().await, 0);
}

/// PostgreSQL would refuse every later statement; SQLite would carry on with half of the change.
pub async fn a_swallowed_failure_does_not_commit(f: Fixture) {
    let shop = f.with_service("shop").await;
    let done: Result<(), StoreError> = transact!(f.store, tx => {
        tx.event(event("release.created", "release/x")).await?;
        let place = crate::fixture::place(&shop);
        let new = rows::revisions::NewRevision {
            id: tradewind_model::id::RevisionId::at(tx.now()),
            place,
            release: tradewind_model::id::Digest::of(b"no such release"),
            label: "v9".into(),
            config_version: 1,
            kind: "web".into(),
        };
        assert!(rows::revisions::insert(tx, new).await.is_err(), "a foreign key that does not exist");
        Ok(())
    });
    assert!(matches!(done, Err(StoreError::Aborted)), "{done:?}");
}

pub async fn commits_wake_those_who_wait(f: Fixture) {
    let mut commits = f.store.commits();
    commits.mark_unchanged();
    let nothing: Result<(), StoreError> = transact!(f.store, tx => { tx.now(); Ok(()) });
    nothing.unwrap();
    assert!(!commits.has_changed().unwrap(), "nothing was written");
    f.with_service("shop").await;
    assert!(commits.has_changed().unwrap());
    commits.mark_unchanged();
    assert_eq!(f.seal().await, 1);
    assert!(!commits.has_changed().unwrap(), "sealing is no news for reconcilers");
}

pub async fn reads_see_one_moment(f: Fixture) {
    f.with_service("a").await;
    let mut moment = f.store.read().await.unwrap();
    assert_eq!(rows::services::list(&mut moment, None, 10).await.unwrap().len(), 1);
    f.with_service("b").await;
    assert_eq!(rows::services::list(&mut moment, None, 10).await.unwrap().len(), 1);
    drop(moment);
    assert_eq!(services(&f).await, ["a", "b"]);
}

/// Every writer reads, thinks and writes back; none may be lost, whichever way they meet.
pub async fn writers_that_meet_are_run_again(f: Fixture) {
    const WRITERS: usize = 8;
    const TIMES: usize = 6;
    let runs = std::sync::Arc::new(AtomicU32::new(0));
    let writers = (0..WRITERS).map(|_| {
        let (store, runs) = (f.store.clone(), runs.clone());
        tokio::spawn(async move {
            for _ in 0..TIMES {
                let done: Result<(), StoreError> = transact!(store, tx => {
                    runs.fetch_add(1, Ordering::Relaxed);
                    let before = match rows::settings::get(tx, "count").await? {
                        Some(n) => n.read::<usize>()?,
                        None => 0,
                    };
                    rows::settings::put(tx, "count", &Json::of(&(before + 1))).await?;
                    tx.event(event("setting.changed", "setting/count")).await?;
                    Ok(())
                });
                done.unwrap();
            }
        })
    });
    for w in writers.collect::<Vec<_>>() {
        w.await.unwrap();
    }
    let count = rows::settings::get(&mut f.store.read().await.unwrap(), "count").await.unwrap();
    assert_eq!(count.unwrap().read::<usize>().unwrap(), WRITERS * TIMES);
    assert_eq!(f.seal().await as usize, WRITERS * TIMES, "one event for each change, none for those undone");
    assert!(runs.load(Ordering::Relaxed) as usize >= WRITERS * TIMES);
}

/// `tradewind admin token` opens the data folder beside the server.
pub async fn a_second_process_is_not_lost(f: Fixture) {
    let other = f.second().await;
    let (a, b) = (f.store.clone(), other.clone());
    let writer = |store: tradewind_store::Store, prefix: &'static str| async move {
        for n in 0..10 {
            add_service(&store, &name(&format!("{prefix}{n}"))).await.unwrap();
        }
    };
    tokio::join!(writer(a, "a"), writer(b, "b"));
    assert_eq!(services(&f).await.len(), 20);
    assert_eq!(f.seal().await, 20);
    other.close().await;
}

/// A client that goes away takes its request's future with it, wherever that is.
pub async fn a_change_that_is_dropped_midway_did_not_happen(f: Fixture) {
    for _ in 0..3 {
        let half = async {
            let never: Result<(), StoreError> = transact!(f.store, tx => {
                let new = rows::services::NewService {
                    name: name("half"), owner: "x".into(), default_branch: "main".into(),
                    created_by: crate::fixture::someone(),
                };
                rows::services::insert(tx, new).await?;
                tx.event(event("service.created", "service/half")).await?;
                std::future::pending().await
            });
            never.unwrap();
        };
        let mut half = Box::pin(half);
        let mut commits = f.store.commits();
        commits.mark_unchanged();
        // Far enough to have written, as a look from another connection cannot tell.
        for _ in 0..200 {
            if futures_util::poll!(&mut half).is_ready() {
                unreachable!("it never ends");
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        drop(half);
    }
    f.with_service("whole").await;
    assert_eq!(services(&f).await, ["whole"]);
    assert_eq!(f.seal().await, 1);
}

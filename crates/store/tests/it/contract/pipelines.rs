use std::collections::BTreeSet;
use tradewind_model::id::{JobId, RunId, ServiceName, TaskId};
use tradewind_store::{
    Json, Store, StoreError,
    rows::{self, Page, runs},
    transact,
};

use crate::fixture::{Fixture, commit, event, manifest, production, someone};

pub fn new_run(store: &Store, service: &ServiceName) -> runs::NewRun {
    runs::NewRun {
        id: RunId::at(store.now()),
        service: service.clone(),
        commit: commit(),
        git_ref: "refs/heads/main".into(),
        env: Some(production()),
        state: "pending".into(),
        plan: Json::of(&["build"]),
        body: Json::empty(),
        cause: Some("push".into()),
        actor: someone(),
    }
}

pub async fn insert(store: &Store, service: &ServiceName) -> Result<runs::Run, StoreError> {
    transact!(store, tx => {
        tx.event(event("run.created", "run/x")).await?;
        runs::insert(tx, new_run(store, service)).await
    })
}

pub async fn runs_count_per_service(f: Fixture) {
    let (shop, stock) = (f.with_service("shop").await, f.with_service("stock").await);
    let mut made = Vec::new();
    for service in [&shop, &stock, &shop, &shop] {
        made.push(insert(&f.store, service).await.unwrap());
    }
    assert_eq!(made.iter().map(|r| r.number).collect::<Vec<_>>(), [1, 1, 2, 3]);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(runs::get(&mut r, made[2].id).await.unwrap(), made[2]);
    assert_eq!(runs::by_number(&mut r, &shop, 3).await.unwrap().unwrap().id, made[3].id);
    let page = runs::list(&mut r, &shop, None, Page::first(2)).await.unwrap();
    assert_eq!(page.iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2]);
    let state = page[0].state.as_str();
    assert_eq!(runs::list(&mut r, &shop, Some(&["none", state]), Page::first(1)).await.unwrap(), page[..1]);
    assert_eq!(runs::list(&mut r, &shop, Some(&["none"]), Page::first(2)).await.unwrap(), []);
    let rest = runs::list(&mut r, &shop, None, Page { after: Some(page[1].number), limit: 2 }).await.unwrap();
    assert_eq!(rest.iter().map(|r| r.number).collect::<Vec<_>>(), [1]);
    assert_eq!(runs::unfinished(&mut r).await.unwrap().len(), 4);
    let latest = runs::latest_of_ref(&mut r, &shop, "refs/heads/main").await.unwrap();
    assert_eq!(latest.unwrap().number, 3);
    assert_eq!(runs::latest_of_ref(&mut r, &shop, "refs/heads/none").await.unwrap(), None);
    let nobody = runs::get(&mut r, RunId::at(f.store.now())).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
}

pub async fn runs_count_without_gaps_under_contention(f: Fixture) {
    let shop = f.with_service("shop").await;
    let writers: Vec<_> = (0..6)
        .map(|_| {
            let (store, shop) = (f.store.clone(), shop.clone());
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                for _ in 0..5 {
                    numbers.push(insert(&store, &shop).await.unwrap().number);
                }
                numbers
            })
        })
        .collect();
    let mut all = BTreeSet::new();
    for w in writers {
        all.extend(w.await.unwrap());
    }
    assert_eq!(all, (1..=30).collect());
}

pub async fn a_stale_run_is_refused(f: Fixture) {
    let shop = f.with_service("shop").await;
    let read = insert(&f.store, &shop).await.unwrap();
    let update = async |state: &str| -> Result<runs::Run, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("run.changed", "run/x")).await?;
            runs::update(tx, runs::Run { state: state.into(), finished_at: Some(tx.now()), ..read.clone() }).await
        })
    };
    let done = update("success").await.unwrap();
    assert_eq!((done.version, done.state.as_str()), (2, "success"));
    assert!(matches!(update("failed").await, Err(StoreError::Conflict { .. })));
    let mut r = f.store.read().await.unwrap();
    assert_eq!(runs::get(&mut r, read.id).await.unwrap(), done);
    assert!(runs::unfinished(&mut r).await.unwrap().is_empty());
}

pub async fn jobs_follow_their_plan(f: Fixture) {
    let shop = f.with_service("shop").await;
    let run = insert(&f.store, &shop).await.unwrap().id;
    let task = TaskId::at(f.store.now());
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        let mut made = Vec::new();
        for (position, name) in ["build", "test", "audit"].into_iter().enumerate() {
            let new = rows::jobs::NewJob {
                id: JobId::at(tx.now()),
                run,
                position: position as i64,
                name: name.into(),
                stage: "all".into(),
                state: "waiting".into(),
                body: Json::of(&position),
            };
            made.push(rows::jobs::insert(tx, new).await?);
        }
        tx.event(event("run.planned", "run/x")).await?;
        let test = rows::jobs::Job { task: Some(task), started_at: Some(tx.now()), ..made[1].clone() };
        let test = rows::jobs::update(tx, test).await?;
        Ok((made, test))
    });
    let (made, test) = done.unwrap();
    let mut r = f.store.read().await.unwrap();
    let names: Vec<_> = rows::jobs::of_run(&mut r, run).await.unwrap().into_iter().map(|j| j.name).collect();
    assert_eq!(names, ["build", "test", "audit"]);
    assert_eq!(rows::jobs::by_task(&mut r, task).await.unwrap(), Some(test.clone()));
    assert_eq!(rows::jobs::by_name(&mut r, run, "test").await.unwrap(), Some(test.clone()));
    assert_eq!(rows::jobs::get(&mut r, test.id).await.unwrap(), test);
    drop(r);
    let stale: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("job.changed", "job/x")).await?;
        rows::jobs::update(tx, made[1].clone()).await
    });
    assert!(matches!(stale, Err(StoreError::Conflict { .. })));
}

pub async fn the_same_content_is_the_same_release(f: Fixture) {
    let shop = f.with_service("shop").await;
    let run = insert(&f.store, &shop).await.unwrap().id;
    let add = async |spec: &str, run| -> (rows::releases::Release, bool) {
        let manifest = manifest(&shop, spec);
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("release.created", "release/x")).await?;
            rows::releases::insert(tx, &manifest, run).await
        });
        done.unwrap()
    };
    let (first, new) = add("one", Some(run)).await;
    assert!(new);
    let (second, _) = add("two", None).await;
    let (again, new) = add("one", None).await;
    assert!(!new);
    assert_eq!(again, first);
    assert_eq!((first.label().as_str(), second.label().as_str()), ("v1", "v2"));
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::releases::named(&mut r, &shop, "v2").await.unwrap(), second);
    assert_eq!(rows::releases::named(&mut r, &shop, &first.digest.to_string()).await.unwrap(), first);
    for unknown in ["v3", "vv", "latest", &first.digest.short()] {
        let none = rows::releases::named(&mut r, &shop, unknown).await;
        assert!(matches!(none, Err(StoreError::NotFound { .. })), "{unknown}");
    }
    assert_eq!(rows::releases::manifest(&mut r, &shop, &first.digest).await.unwrap(), manifest(&shop, "one"));
    assert_eq!(rows::releases::of_run(&mut r, &shop, run).await.unwrap(), Some(first.clone()));
    assert_eq!(rows::releases::of_commit(&mut r, &shop, &commit()).await.unwrap(), Some(second.clone()));
    let all = rows::releases::list(&mut r, &shop, Page::first(10)).await.unwrap();
    assert_eq!(all, [second, first]);
    assert_eq!(rows::releases::bundles(&mut r).await.unwrap().len(), 2);
}

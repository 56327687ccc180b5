use std::time::Duration;
use tradewind_model::{
    event::Actor,
    id::{EnvName, FreezeId, ServiceName},
};
use tradewind_store::{
    Store, StoreError,
    rows::freezes::{self, Freeze, NewFreeze},
    transact,
};

use crate::fixture::{Fixture, event, production, someone};

async fn set(store: &Store, service: Option<&str>, env: Option<&str>, until: Option<Duration>) -> Freeze {
    let new = NewFreeze {
        id: FreezeId::at(store.now()),
        service: service.map(|s| s.parse().unwrap()),
        env: env.map(|e| e.parse().unwrap()),
        reason: "11.11".into(),
        by: someone(),
        until: until.map(|d| store.now().plus(d)),
    };
    let set: Result<_, StoreError> = transact!(store, tx => {
        tx.event(event("freeze.set", "freeze/x")).await?;
        freezes::insert(tx, new.clone()).await
    });
    set.unwrap()
}

async fn end(store: &Store, id: FreezeId, by: &Actor) -> bool {
    let ended: Result<_, StoreError> = transact!(store, tx => {
        tx.event(event("freeze.lifted", "freeze/x")).await?;
        freezes::end(tx, id, by).await
    });
    ended.unwrap()
}

async fn covering(store: &Store, service: &str, env: &EnvName) -> Vec<FreezeId> {
    let service: ServiceName = service.parse().unwrap();
    let found = freezes::covering(&mut store.read().await.unwrap(), &service, env).await.unwrap();
    found.iter().map(|f| f.id).collect()
}

pub async fn several_may_hold_one_place(f: Fixture) {
    let mut ids = Vec::new();
    let scopes = [(Some("shop"), Some("production")), (Some("shop"), None), (None, Some("production")), (None, None)];
    for (service, env) in scopes {
        f.clock.advance(Duration::from_secs(1));
        ids.push(set(&f.store, service, env, None).await.id);
    }
    let (production, staging) = (production(), "staging".parse().unwrap());
    assert_eq!(covering(&f.store, "shop", &production).await, ids, "oldest first");
    assert_eq!(covering(&f.store, "shop", &staging).await, [ids[1], ids[3]]);
    assert_eq!(covering(&f.store, "stock", &production).await, [ids[2], ids[3]]);
    assert_eq!(covering(&f.store, "stock", &staging).await, [ids[3]]);
    assert!(end(&f.store, ids[3], &someone()).await);
    assert_eq!(covering(&f.store, "shop", &production).await, ids[..3], "the others stay");
    assert_eq!(covering(&f.store, "stock", &staging).await, []);
    let on = freezes::list(&mut f.store.read().await.unwrap()).await.unwrap();
    assert_eq!(on.iter().map(|f| f.id).collect::<Vec<_>>(), ids[..3]);
}

pub async fn one_ends_once(f: Fixture) {
    let set = set(&f.store, None, Some("production"), Some(Duration::from_secs(60))).await;
    let get = async || freezes::get(&mut f.store.read().await.unwrap(), set.id).await;
    assert_eq!(get().await.unwrap(), set);
    assert_eq!(set.until, Some(set.at.plus(Duration::from_secs(60))));
    let clock = Actor::System { part: "freeze".into() };
    assert!(end(&f.store, set.id, &clock).await);
    assert!(!end(&f.store, set.id, &someone()).await, "it is over");
    assert_eq!(get().await.unwrap().ended.unwrap().by, clock, "who ended it first has ended it");
    let none = freezes::get(&mut f.store.read().await.unwrap(), FreezeId::at(f.store.now())).await;
    assert!(matches!(none, Err(StoreError::NotFound { .. })));
}

pub async fn tenants_freeze_their_own(f: Fixture) {
    f.tamper("INSERT INTO orgs (id, created_at) VALUES ('agency', 0)").await;
    let agency = f.store.for_org("agency".parse().unwrap());
    let theirs = set(&agency, None, None, None).await;
    assert_eq!(covering(&f.store, "shop", &production()).await, []);
    assert!(!end(&f.store, theirs.id, &someone()).await);
    assert_eq!(covering(&agency, "shop", &production()).await, [theirs.id]);
}

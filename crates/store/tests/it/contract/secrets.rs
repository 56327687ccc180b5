use std::time::Duration;
use tradewind_model::{
    id::{InstanceId, SecretId},
    secret::{Scope, SecretName},
};
use tradewind_store::{
    Store, StoreError,
    rows::secrets::{self, NewSeal, Secret},
    transact,
};

use crate::fixture::{Fixture, event, someone};

fn seal(key: &str, text: &str) -> NewSeal {
    NewSeal { key: key.into(), sealed: text.as_bytes().to_vec(), fingerprint: format!("f-{text}") }
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn scope(service: Option<&str>, env: Option<&str>) -> Scope {
    Scope { service: service.map(|s| s.parse().unwrap()), env: env.map(|e| e.parse().unwrap()), site: None }
}

async fn set(store: &Store, secret: &str, at: &Scope, new: NewSeal) -> Result<Secret, StoreError> {
    let secret = name(secret);
    transact!(store, tx => {
        tx.event(event("secret.set", "secret/x")).await?;
        let known = match secrets::find(tx, &secret, at).await? {
            Some(known) => known,
            None => secrets::insert(tx, SecretId::at(tx.now()), &secret, at).await?,
        };
        secrets::set(tx, &known, &new, &someone()).await
    })
}

async fn remove(store: &Store, id: SecretId) -> bool {
    let done: Result<_, StoreError> = transact!(store, tx => {
        tx.event(event("secret.removed", "secret/x")).await?;
        secrets::remove(tx, id).await
    });
    done.unwrap()
}

pub async fn versions_rise_and_a_removed_secret_comes_back(f: Fixture) {
    let at = scope(Some("shop"), None);
    let first = set(&f.store, "A", &at, seal("k1", "one")).await.unwrap();
    f.clock.advance(Duration::from_secs(1));
    let second = set(&f.store, "A", &at, seal("k1", "two")).await.unwrap();
    assert_eq!((first.id, first.newest, second.newest), (second.id, 1, 2));
    let stale: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("secret.set", "secret/x")).await?;
        secrets::set(tx, &first, &seal("k1", "three"), &someone()).await
    });
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
    let mut r = f.store.read().await.unwrap();
    let all = secrets::versions(&mut r, second.id).await.unwrap();
    assert_eq!(
        all.iter().map(|v| (v.version, v.sealed.as_slice())).collect::<Vec<_>>(),
        [(2, &b"two"[..]), (1, b"one")]
    );
    assert_eq!((all[0].by.clone(), all[0].handed_at), (someone(), None));
    drop(r);
    assert!(remove(&f.store, second.id).await && !remove(&f.store, second.id).await);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(secrets::named(&mut r, &name("A")).await.unwrap(), []);
    assert!(secrets::list(&mut r).await.unwrap()[0].removed_at.is_some());
    drop(r);
    let third = set(&f.store, "A", &at, seal("k1", "three")).await.unwrap();
    assert_eq!((third.id, third.newest, third.removed_at), (first.id, 3, None));
    assert_eq!(secrets::named(&mut f.store.read().await.unwrap(), &name("A")).await.unwrap(), [third]);
}

pub async fn there_is_one_of_a_name_in_a_scope(f: Fixture) {
    for at in [scope(None, None), scope(Some("shop"), None), scope(None, Some("production"))] {
        set(&f.store, "A", &at, seal("k1", "one")).await.unwrap();
    }
    let mut r = f.store.read().await.unwrap();
    assert_eq!(secrets::named(&mut r, &name("A")).await.unwrap().len(), 3);
    drop(r);
    let twice: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("secret.set", "secret/x")).await?;
        secrets::insert(tx, SecretId::at(tx.now()), &name("A"), &scope(None, None)).await
    });
    assert!(twice.is_err(), "{twice:?}");
}

pub async fn a_seal_is_replaced_once(f: Fixture) {
    let at = scope(None, None);
    let secret = set(&f.store, "A", &at, seal("k1", "one")).await.unwrap();
    set(&f.store, "A", &at, seal("k2", "two")).await.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(secrets::keys(&mut r).await.unwrap(), [("k1".into(), 1), ("k2".into(), 1)]);
    let old = secrets::not_under(&mut r, "k2", 9).await.unwrap();
    drop(r);
    assert_eq!(old.iter().map(|v| (v.secret, v.version)).collect::<Vec<_>>(), [(secret.id, 1)]);
    for expected in [true, false] {
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("secret.resealed", "secret/x")).await?;
            secrets::reseal(tx, &old[0], &seal("k2", "one again")).await
        });
        assert_eq!(done.unwrap(), expected);
    }
    let mut r = f.store.read().await.unwrap();
    let now = secrets::version(&mut r, secret.id, 1).await.unwrap().unwrap();
    assert_eq!((now.key.as_str(), now.sealed.as_slice(), now.at), ("k2", &b"one again"[..], old[0].at));
    assert_eq!(secrets::not_under(&mut r, "k2", 9).await.unwrap(), []);
}

pub async fn who_was_given_what_is_known(f: Fixture) {
    let at = scope(None, None);
    let secret = set(&f.store, "A", &at, seal("k1", "one")).await.unwrap();
    set(&f.store, "A", &at, seal("k1", "two")).await.unwrap();
    let hand = async |holder: InstanceId, version: i64| {
        let done: Result<(), StoreError> =
            transact!(f.store, tx => secrets::hand_over(tx, holder, secret.id, version).await);
        done.unwrap();
    };
    let a = InstanceId::at(f.store.now());
    f.clock.advance(Duration::from_secs(60));
    let b = InstanceId::at(f.store.now());
    hand(b, 1).await;
    hand(a, 1).await;
    f.clock.advance(Duration::from_secs(60));
    hand(b, 2).await;
    let mut r = f.store.read().await.unwrap();
    assert_eq!(secrets::holders(&mut r, secret.id).await.unwrap(), [(a, 1), (b, 2)]);
    assert_eq!(secrets::version(&mut r, secret.id, 2).await.unwrap().unwrap().handed_at, Some(f.store.now()));
    drop(r);
    let gone: Result<_, StoreError> = transact!(f.store, tx => secrets::forget(tx, tx.now()).await);
    assert_eq!(gone.unwrap(), 1);
    let left = secrets::holders(&mut f.store.read().await.unwrap(), secret.id).await.unwrap();
    assert_eq!(left, [(b, 2)]);
}

pub async fn tenants_keep_their_own_secrets(f: Fixture) {
    f.tamper("INSERT INTO orgs (id, created_at) VALUES ('agency', 0)").await;
    let agency = f.store.for_org("agency".parse().unwrap());
    let theirs = set(&agency, "A", &scope(None, None), seal("k1", "theirs")).await.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(secrets::list(&mut r).await.unwrap(), []);
    assert!(matches!(secrets::get(&mut r, theirs.id).await, Err(StoreError::NotFound { .. })));
    assert_eq!(secrets::version(&mut r, theirs.id, 1).await.unwrap(), None);
    drop(r);
    assert!(!remove(&f.store, theirs.id).await);
    set(&f.store, "A", &scope(None, None), seal("k1", "ours")).await.unwrap();
}

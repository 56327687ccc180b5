use std::time::Duration;
use tradewind_store::{Store, StoreError, lease, transact};

use crate::fixture::Fixture;

const TTL: Duration = Duration::from_secs(10);

async fn acquire(store: &Store, holder: &str) -> Option<lease::Lease> {
    let done: Result<_, StoreError> = transact!(store, tx => lease::acquire(tx, "scheduler", holder, TTL).await);
    done.unwrap()
}

async fn check(store: &Store, held: &lease::Lease) -> Result<(), StoreError> {
    transact!(store, tx => lease::check(tx, held).await)
}

pub async fn one_holder_at_a_time(f: Fixture) {
    let a = acquire(&f.store, "a").await.expect("nobody holds it");
    assert!(acquire(&f.store, "b").await.is_none());
    f.clock.advance(TTL / 2);
    let again = acquire(&f.store, "a").await.expect("its own");
    assert_eq!(again.fence, a.fence, "prolonging is no change of holder");
    f.clock.advance(TTL * 3 / 4);
    assert!(acquire(&f.store, "b").await.is_none(), "prolonged");
    let released: Result<(), StoreError> = transact!(f.store, tx => lease::release(tx, &again).await);
    released.unwrap();
    let b = acquire(&f.store, "b").await.expect("given back");
    assert!(b.fence > a.fence);
}

pub async fn a_stale_fence_is_refused(f: Fixture) {
    let a = acquire(&f.store, "a").await.unwrap();
    check(&f.store, &a).await.unwrap();
    f.clock.advance(TTL);
    assert!(matches!(check(&f.store, &a).await, Err(StoreError::StaleFence { .. })), "it ran out");
    let b = acquire(&f.store, "b").await.expect("it ran out");
    for refused in [check(&f.store, &a).await, transact!(f.store, tx => lease::renew(tx, &a, TTL).await.map(|_| ()))] {
        assert!(matches!(refused, Err(StoreError::StaleFence { fence, .. }) if fence == a.fence), "{refused:?}");
    }
    let released: Result<(), StoreError> = transact!(f.store, tx => lease::release(tx, &a).await);
    released.unwrap();
    check(&f.store, &b).await.expect("what a stale holder gives back is not b's");
    let renewed: Result<_, StoreError> = transact!(f.store, tx => lease::renew(tx, &b, TTL * 2).await);
    assert_eq!(renewed.unwrap().fence, b.fence);
}

pub async fn a_clock_that_jumps_back_does_not_lock_everyone_out(f: Fixture) {
    f.clock.advance(Duration::from_secs(3600));
    let a = acquire(&f.store, "a").await.unwrap();
    f.clock.go_back(Duration::from_secs(3600));
    let b = acquire(&f.store, "b").await.expect("it would be held for an hour");
    assert!(b.fence > a.fence);
    assert!(matches!(check(&f.store, &a).await, Err(StoreError::StaleFence { .. })));
}

use tradewind_model::{id::Digest, time::Timestamp};
use tradewind_store::{
    Json, StoreError,
    rows::certificates::{self, NewCertificate, Order},
    transact,
};

use crate::fixture::{Fixture, event, someone};

pub async fn they_are_kept_with_their_keys_until_removed(f: Fixture) {
    let new = |n: u8| NewCertificate {
        digest: Digest::of(&[n]),
        origin: "uploaded".into(),
        names: Json::of(&["a.example.com"]),
        chain: "chain".into(),
        key_id: "0123456789abcdef".into(),
        sealed: vec![0, n, 255],
        not_before: Timestamp(1),
        not_after: Timestamp(100 - i64::from(n)),
        by: someone(),
    };
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("certificate.added", "certificate/x")).await?;
        certificates::insert(tx, &new(1)).await?;
        certificates::insert(tx, &new(2)).await?;
        certificates::warn(tx, &Digest::of(&[2])).await
    });
    done.unwrap();
    let all = certificates::list(&mut f.store.read().await.unwrap()).await.unwrap();
    let seen: Vec<_> = all.iter().map(|c| (c.sealed.clone(), c.warned_at.is_some())).collect();
    assert_eq!(seen, [(vec![0, 2, 255], true), (vec![0, 1, 255], false)], "the first to end first");
    let gone: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("certificate.removed", "certificate/x")).await?;
        Ok((certificates::remove(tx, &Digest::of(&[1])).await?, certificates::remove(tx, &Digest::of(&[9])).await?))
    });
    assert_eq!(gone.unwrap(), (true, false));
    let missing = certificates::get(&mut f.store.read().await.unwrap(), &Digest::of(&[1])).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
}

pub async fn an_order_is_one_a_host(f: Fixture) {
    let order = |challenge: Option<(&str, &str)>, failures| Order {
        host: "a.example.com".into(),
        challenge: challenge.map(|(t, a)| (t.to_owned(), a.to_owned())),
        failures,
        next_at: Timestamp(7),
        wrong: (failures > 0).then(|| "refused".into()),
    };
    for put in [order(None, 0), order(Some(("t", "a")), 0), order(None, 2)] {
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.without_event("a test");
            certificates::put_order(tx, &put).await
        });
        done.unwrap();
        assert_eq!(certificates::orders(&mut f.store.read().await.unwrap()).await.unwrap(), [put]);
    }
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.without_event("a test");
        certificates::end_order(tx, "a.example.com").await
    });
    done.unwrap();
    assert_eq!(certificates::orders(&mut f.store.read().await.unwrap()).await.unwrap(), []);
}

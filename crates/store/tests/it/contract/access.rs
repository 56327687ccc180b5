use std::time::Duration;
use tradewind_model::id::{Digest, TokenId};
use tradewind_store::{
    Json, StoreError,
    rows::{self, Page, idempotency, tokens},
    transact,
};

use crate::fixture::{Fixture, event, someone};

const HOUR: Duration = Duration::from_secs(3600);

pub async fn tokens_are_found_by_hash_until_revoked_or_expired(f: Fixture) {
    let end = f.store.now().plus(HOUR);
    let add = async |secret: &str, expires_at| -> tokens::Token {
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("token.created", "token/x")).await?;
            let new = tokens::NewToken {
                id: TokenId::at(tx.now()),
                name: "ci".into(),
                scopes: vec!["read".into(), "deploy".into()],
                hash: Digest::of(secret.as_bytes()),
                created_by: someone(),
                expires_at,
                owner: None,
                bounds: Default::default(),
            };
            tokens::insert(tx, new).await
        });
        done.unwrap()
    };
    let (short, long) = (add("short", Some(end)).await, add("long", None).await);
    let by = async |secret: &str| {
        tokens::by_hash(&mut f.store.read().await.unwrap(), &Digest::of(secret.as_bytes())).await.unwrap()
    };
    assert_eq!(by("short").await, Some(short.clone()));
    assert_eq!(by("other").await, None);
    assert!(short.is_valid(f.store.now()));
    assert!(!short.is_valid(end), "the end is exclusive");

    let revoke = async |id| -> Result<bool, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("token.revoked", "token/x")).await?;
            tokens::revoke(tx, id).await
        })
    };
    assert!(revoke(long.id).await.unwrap());
    assert!(!revoke(long.id).await.unwrap());
    assert!(matches!(revoke(TokenId::at(f.store.now())).await, Err(StoreError::NotFound { .. })));
    assert!(!by("long").await.unwrap().is_valid(f.store.now()));
    let touched: Result<(), StoreError> = transact!(f.store, tx => tokens::touch(tx, short.id).await);
    touched.expect("liveness needs no event");
    assert_eq!(by("short").await.unwrap().last_used_at, Some(f.store.now()));
    let mut r = f.store.read().await.unwrap();
    let page = tokens::list(&mut r, Page::first(1)).await.unwrap();
    let rest = tokens::list(&mut r, Page { after: Some(page[0].id), limit: 5 }).await.unwrap();
    assert_eq!((page.len(), rest.len()), (1, 1));
}

pub async fn a_login_code_works_once_and_in_time(f: Fixture) {
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let made: Result<(), StoreError> = transact!(f.store, tx => {
        tx.event(event("login_code.issued", "login")).await?;
        rows::login_codes::insert(tx, &a, tx.now().plus(HOUR)).await?;
        rows::login_codes::insert(tx, &b, tx.now().plus(HOUR)).await
    });
    made.unwrap();
    // Ten at once, and the code is good for one of them.
    let tries: Vec<_> = (0..10)
        .map(|_| {
            let store = f.store.clone();
            tokio::spawn(async move {
                let done: Result<bool, StoreError> = transact!(store, tx => {
                    tx.event(event("login.tried", "login")).await?;
                    rows::login_codes::consume(tx, &a).await
                });
                done.unwrap()
            })
        })
        .collect();
    let mut worked = 0;
    for t in tries {
        worked += u32::from(t.await.unwrap());
    }
    assert_eq!(worked, 1);
    f.clock.advance(HOUR);
    let consume = async |hash: &Digest| -> bool {
        let done: Result<bool, StoreError> = transact!(f.store, tx => {
            tx.event(event("login.tried", "login")).await?;
            rows::login_codes::consume(tx, hash).await
        });
        done.unwrap()
    };
    assert!(!consume(&b).await, "too late");
    assert!(!consume(&Digest::of(b"c")).await, "unknown");
    let purged: Result<u64, StoreError> = transact!(f.store, tx => rows::login_codes::purge(tx, tx.now()).await);
    assert_eq!(purged.unwrap(), 2);
}

pub async fn an_idempotency_key_answers_repeats(f: Fixture) {
    let request = |body: &str| idempotency::Request {
        actor: "token-1".into(),
        key: "k".into(),
        route: "POST /services".into(),
        hash: Digest::of(body.as_bytes()),
    };
    let begin = async |r: &idempotency::Request| -> idempotency::Admission {
        let done: Result<_, StoreError> =
            transact!(f.store, tx => idempotency::begin(tx, r, Duration::from_secs(60)).await);
        done.unwrap()
    };
    let first = request("a");
    assert_eq!(begin(&first).await, idempotency::Admission::New);
    assert_eq!(begin(&first).await, idempotency::Admission::InProgress);
    assert_eq!(begin(&request("b")).await, idempotency::Admission::Mismatch);
    let other = idempotency::Request { actor: "token-2".into(), ..request("b") };
    assert_eq!(begin(&other).await, idempotency::Admission::New, "keys of different callers never meet");
    f.clock.advance(Duration::from_secs(60));
    assert_eq!(begin(&first).await, idempotency::Admission::New, "whoever began it died");
    f.clock.go_back(HOUR);
    assert_eq!(begin(&first).await, idempotency::Admission::New, "nobody waits until the clock is there again");
    f.clock.advance(HOUR);
    let finish: Result<(), StoreError> = transact!(f.store, tx => idempotency::finish(tx, &first, 201, "{}").await);
    finish.unwrap();
    assert_eq!(begin(&first).await, idempotency::Admission::Done { status: 201, response: "{}".into() });
    let forget: Result<(), StoreError> = transact!(f.store, tx => {
        idempotency::forget(tx, &first).await?;
        idempotency::forget(tx, &other).await
    });
    forget.unwrap();
    assert_eq!(begin(&other).await, idempotency::Admission::New, "it was refused, and may come again");
    assert!(matches!(begin(&first).await, idempotency::Admission::Done { .. }), "what was done stays done");
    f.clock.advance(HOUR);
    let purged: Result<u64, StoreError> = transact!(f.store, tx => idempotency::purge(tx, tx.now()).await);
    assert_eq!(purged.unwrap(), 2);
    assert_eq!(begin(&first).await, idempotency::Admission::New);
}

pub async fn hosts_report_in_order(f: Fixture) {
    let host = f.with_host("h1").await;
    let put = async |epoch: &str, seq| -> bool {
        let done: Result<_, StoreError> =
            transact!(f.store, tx => rows::observed::put(tx, host, epoch, seq, &Json::of(&seq)).await);
        done.unwrap()
    };
    assert!(put("a", 5).await);
    assert!(!put("a", 5).await);
    assert!(!put("a", 4).await);
    assert!(put("a", 6).await);
    assert!(put("b", 1).await, "a new process counts from the beginning");
    let mut r = f.store.read().await.unwrap();
    let seen = rows::observed::find(&mut r, host).await.unwrap().unwrap();
    assert_eq!((seen.epoch.as_str(), seen.seq, seen.body.read::<i64>().unwrap()), ("b", 1, 1));
    assert_eq!(rows::observed::list(&mut r).await.unwrap(), [seen]);
    drop(r);
    let seen: Result<(), StoreError> = transact!(f.store, tx => rows::hosts::seen(tx, host).await);
    seen.expect("liveness needs no event");
    let key = Digest::of(b"another key");
    let rekeyed: Result<(), StoreError> = transact!(f.store, tx => {
        tx.event(event("host.enrolled", "host/x")).await?;
        rows::hosts::rekey(tx, host, &key).await
    });
    rekeyed.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::hosts::by_key(&mut r, &Digest::of(b"h1")).await.unwrap(), None);
    let host = rows::hosts::by_key(&mut r, &key).await.unwrap().unwrap();
    assert_eq!(host.last_seen_at, Some(f.store.now()));
    assert_eq!(rows::hosts::by_name(&mut r, "h1").await.unwrap(), Some(host.clone()));
    assert_eq!(rows::hosts::list(&mut r).await.unwrap(), vec![host]);
    drop(r);
    let again: Result<_, StoreError> = transact!(f.store, tx => {
        let id = tradewind_model::id::HostId::at(tx.now());
        rows::hosts::insert(tx, id, "h1", &Digest::of(b"x")).await
    });
    assert!(matches!(again, Err(StoreError::Duplicate { .. })));
}

pub async fn settings_are_kept(f: Fixture) {
    let change = async |value: &str, only_if_missing| -> bool {
        let done: Result<bool, StoreError> = transact!(f.store, tx => {
            tx.event(event("setting.changed", "setting/salt")).await?;
            let value = Json::of(value);
            if only_if_missing {
                return rows::settings::ensure(tx, "salt", &value).await;
            }
            rows::settings::put(tx, "salt", &value).await.map(|()| true)
        });
        done.unwrap()
    };
    assert!(change("first", true).await);
    assert!(!change("second", true).await);
    assert!(change("third", false).await);
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::settings::get(&mut r, "salt").await.unwrap(), Some(Json::of("third")));
    assert_eq!(rows::settings::get(&mut r, "none").await.unwrap(), None);
    assert_eq!(rows::settings::list(&mut r).await.unwrap(), [("salt".to_owned(), Json::of("third"))]);
}

pub async fn environments_have_policies(f: Fixture) {
    let (production, site) = (crate::fixture::production(), "shopee-br".parse().unwrap());
    let made: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("environment.created", "environment/production")).await?;
        Ok([
            rows::environments::ensure(tx, &production).await?,
            rows::environments::ensure(tx, &production).await?,
            rows::sites::ensure(tx, &production, &site).await?,
            rows::sites::ensure(tx, &production, &site).await?,
        ])
    });
    assert_eq!(made.unwrap(), [true, false, true, false]);
    let read = rows::environments::get(&mut f.store.read().await.unwrap(), &production).await.unwrap();
    assert_eq!(read.policy, Json::empty());
    let change = async || -> Result<rows::environments::Environment, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("environment.changed", "environment/production")).await?;
            let policy = Json::of(&["li.wei"]);
            rows::environments::update(tx, rows::environments::Environment { policy, ..read.clone() }).await
        })
    };
    let changed = change().await.unwrap();
    assert!(matches!(change().await, Err(StoreError::Conflict { .. })));
    let mut r = f.store.read().await.unwrap();
    assert_eq!(rows::environments::list(&mut r).await.unwrap(), [changed]);
    assert_eq!(rows::sites::list(&mut r, &production).await.unwrap().len(), 1);
    let none = rows::environments::get(&mut r, &"dev".parse().unwrap()).await;
    assert!(matches!(none, Err(StoreError::NotFound { .. })));
}

pub async fn tenants_do_not_see_each_other(f: Fixture) {
    f.tamper("INSERT INTO orgs (id, created_at) VALUES ('agency', 0)").await;
    let shop = f.with_service("shop").await;
    let other = f.store.for_org("agency".parse().unwrap());
    let mut r = other.read().await.unwrap();
    assert_eq!(rows::services::find(&mut r, &shop).await.unwrap(), None);
    drop(r);
    crate::fixture::add_service(&other, &shop).await.expect("names are unique within a tenant");
    f.seal().await;
    let filter = tradewind_store::events::Filter::default();
    for store in [&f.store, &other] {
        let events = tradewind_store::events::after(&mut store.read().await.unwrap(), 0, &filter, 10).await.unwrap();
        assert_eq!(events.len(), 1);
    }
}

use tradewind_model::{
    id::{DeliveryId, LinkId, RunId, UserId},
    time::Timestamp,
};
use tradewind_store::{
    Json, Store, StoreError,
    rows::{
        self, Page,
        forges::{Link, NewDelivery, NewLink, deliveries, links, statuses},
    },
    transact,
};

use crate::fixture::{Fixture, event, someone};

async fn linked(store: &Store, service: &str, hook: &str) -> Link {
    let done: Result<Link, StoreError> = transact!(store, tx => {
        tx.event(event("forge.linked", "forge/x")).await?;
        let account = rows::users::NewUser {
            id: UserId::at(tx.now()),
            handle: format!("forge.{service}"),
            is_service: true,
            name: "GitHub".into(),
            email: None,
            password: None,
            created_by: someone(),
        };
        let account = rows::users::insert(tx, account).await?;
        let new = NewLink {
            id: LinkId::at(tx.now()),
            service: service.parse().unwrap(),
            kind: "github".into(),
            url: "https://github.com/a/b".into(),
            api: None,
            hook: hook.into(),
            account: account.id,
            secret: "key.00".into(),
            token: None,
            created_by: someone(),
        };
        links::insert(tx, new).await
    });
    done.unwrap()
}

fn delivery(link: &Link, name: &str, part: u32, essence: Option<&str>) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::at(Timestamp(1)),
        link: link.id,
        delivery: name.into(),
        part,
        essence: essence.map(str::to_owned),
        branch: Some("main".into()),
        before: None,
        after: Some("a".repeat(40).parse().unwrap()),
        pusher: "li-wei".into(),
        state: "waiting".into(),
        waits: true,
        why: None,
    }
}

async fn arrives(store: &Store, new: NewDelivery) -> bool {
    let done: Result<bool, StoreError> = transact!(store, tx => {
        tx.event(event("forge.delivered", "forge/x")).await?;
        deliveries::insert(tx, &new).await
    });
    done.unwrap()
}

pub async fn a_delivery_is_known_by_its_name_and_by_what_is_signed(f: Fixture) {
    let link = linked(&f.store, "shop", "h1").await;
    let other = linked(&f.store, "stock", "h2").await;
    assert!(arrives(&f.store, delivery(&link, "a", 0, Some("e"))).await);
    assert!(arrives(&f.store, delivery(&link, "a", 1, Some("e"))).await, "another branch of it");
    assert!(!arrives(&f.store, delivery(&link, "a", 0, None)).await, "the name");
    assert!(!arrives(&f.store, delivery(&link, "b", 0, Some("e"))).await, "what is signed");
    assert!(arrives(&f.store, delivery(&link, "c", 0, None)).await);
    assert!(arrives(&f.store, delivery(&link, "d", 0, None)).await, "nothing signed is not the same");
    assert!(arrives(&f.store, delivery(&other, "a", 0, Some("e"))).await, "of another link");

    let mut r = f.store.read().await.unwrap();
    let first = deliveries::first_waiting(&mut r, link.id).await.unwrap().unwrap().id;
    let theirs = deliveries::first_waiting(&mut r, other.id).await.unwrap().unwrap();
    assert_eq!(theirs.link, other.id);
    drop(r);
    let why = Json::of("why");
    let done: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("forge.failed", "forge/x")).await?;
        deliveries::again(tx, first, Timestamp(5), &why).await?;
        deliveries::hurry(tx, link.id).await?;
        let hurried = deliveries::find(tx, first).await?.unwrap();
        assert_eq!((hurried.next_at, hurried.tries), (Some(tx.now()), 1));
        let ended = deliveries::end(tx, first, "failed", Some(why.clone()), None).await?;
        Ok((ended, deliveries::end(tx, first, "done", None, None).await?))
    });
    assert_eq!(done.unwrap(), (true, false), "it ends once");
    let mut r = f.store.read().await.unwrap();
    let ended = deliveries::find(&mut r, first).await.unwrap().unwrap();
    assert_eq!((ended.state.as_str(), ended.tries, ended.next_at, ended.why), ("failed", 1, None, Some(why)));
    assert!(ended.ended_at.is_some());
    let page = deliveries::list(&mut r, link.id, Page::first(2)).await.unwrap();
    let rest = deliveries::list(&mut r, link.id, Page { after: Some(page[1].id), limit: 9 }).await.unwrap();
    assert_eq!((page.len(), rest.len()), (2, 2));
    drop(r);
    let later = f.store.now().plus(std::time::Duration::from_secs(1));
    let purged: Result<(), StoreError> = transact!(f.store, tx => deliveries::purge(tx, later).await);
    purged.unwrap();
    let left = deliveries::list(&mut f.store.read().await.unwrap(), link.id, Page::first(9)).await.unwrap();
    assert_eq!(left.len(), 3, "what waits stays");
}

pub async fn a_link_goes_with_all_that_came_by_it(f: Fixture) {
    let link = linked(&f.store, "shop", "h1").await;
    arrives(&f.store, delivery(&link, "a", 0, None)).await;
    let run = RunId::at(f.store.now());
    let commit = "a".repeat(40).parse().unwrap();
    let begun: Result<(), StoreError> = transact!(f.store, tx => {
        tx.without_event("a test");
        statuses::begin(tx, run, link.id, &commit, &Json::empty()).await?;
        statuses::begin(tx, run, link.id, &commit, &Json::of("again")).await?;
        let told = statuses::find(tx, run).await?.unwrap();
        assert_eq!(told.lines, Json::empty(), "it begins once");
        let told = rows::forges::Told { lines: Json::of("x"), next_at: Some(Timestamp(3)), ..told };
        statuses::put(tx, &told).await?;
        links::refuse(tx, link.id, 3, "signature").await?;
        links::refuse(tx, link.id, 2, "unsigned").await
    });
    begun.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(statuses::open(&mut r).await.unwrap().len(), 1);
    assert_eq!(statuses::of_link(&mut r, link.id, 5).await.unwrap()[0].next_at, Some(Timestamp(3)));
    let known = links::of_hook(&mut r, "h1").await.unwrap().unwrap();
    assert_eq!((known.refused, known.refused_why.as_deref()), (5, Some("unsigned")));
    assert_eq!(links::of_hook(&mut r, "h9").await.unwrap(), None);
    drop(r);
    let stale = Link { version: 7, ..known.clone() };
    let changed: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("forge.changed", "forge/x")).await?;
        let fresh = links::update(tx, Link { token: Some("key.11".into()), ..known.clone() }).await?;
        links::tell(tx, fresh.id).await?;
        Ok(fresh.version)
    });
    assert_eq!(changed.unwrap(), 2);
    let conflict: Result<_, StoreError> = transact!(f.store, tx => {
        tx.event(event("forge.changed", "forge/x")).await?;
        match links::update(tx, stale.clone()).await {
            Err(StoreError::Conflict { .. }) => Ok(true),
            other => other.map(|_| false),
        }
    });
    assert!(conflict.unwrap());
    let gone: Result<(), StoreError> = transact!(f.store, tx => {
        tx.event(event("forge.unlinked", "forge/x")).await?;
        links::remove(tx, link.id).await
    });
    gone.unwrap();
    let mut r = f.store.read().await.unwrap();
    assert_eq!(links::list(&mut r).await.unwrap(), []);
    assert_eq!(links::of_service(&mut r, &link.service).await.unwrap(), None);
    assert_eq!(statuses::open(&mut r).await.unwrap(), []);
    assert_eq!(deliveries::first_waiting(&mut r, link.id).await.unwrap(), None);
}

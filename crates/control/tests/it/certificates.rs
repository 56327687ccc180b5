//! Certificates that the edges show: kept sealed, handed to hosts, and watched.

use crate::world::{World, asker};
use std::time::Duration;
use tradewind_api::v1::AddCertificate;
use tradewind_control::{
    Error, Result,
    agents::desired,
    certificates::{self, Keeper},
};
use tradewind_secrets::ring::Ring;
use tradewind_store::{events, rows};

const DAY: Duration = Duration::from_secs(86_400);

fn made(names: &[&str]) -> AddCertificate {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let (chain, key) = tradewind_tls::self_signed(&names, 2100).unwrap();
    AddCertificate { chain, key }
}

fn keeper() -> Keeper {
    Keeper::with(Ring::generate().unwrap())
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result.unwrap_err() {
        Error::Refused(fault) => fault.code.id,
        Error::Store(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn one_is_sealed_handed_to_hosts_by_digest_and_opened_for_them_alone() {
    let w = World::new().await;
    let (keeper, add) = (keeper(), made(&["shop.example.com", "*.example.com"]));
    let before = desired::generation(&mut w.ctx.store.read().await.unwrap(), w.host).await.unwrap();
    let added = certificates::add(&w.ctx, &keeper, &add, &asker()).await.unwrap();
    assert_eq!(
        (added.names.as_slice(), added.expiring, added.shown_on),
        (&["*.example.com".to_owned(), "shop.example.com".into()][..], false, 0)
    );
    let mut r = w.ctx.store.read().await.unwrap();
    let wanted = desired::compose(&mut r, w.host).await.unwrap();
    assert_eq!(wanted.certificates, [added.id]);
    assert!(wanted.generation > before);
    assert!(!serde_json::to_string(&wanted).unwrap().contains("PRIVATE KEY"));
    let row = rows::certificates::get(&mut r, &added.id).await.unwrap();
    let stored = String::from_utf8_lossy(&row.sealed).into_owned();
    assert!(!stored.contains("PRIVATE KEY") && !stored.contains(add.key.lines().nth(1).unwrap()));
    drop(r);
    let keyed = certificates::keyed(&w.ctx, &keeper, &added.id).await.unwrap();
    assert_eq!((keyed.chain, keyed.key), (add.chain.clone(), add.key.clone()));
    assert_eq!(code(certificates::keyed(&w.ctx, &self::keeper(), &added.id).await), "TW-CERT-005", "with another ring");
    assert_eq!(code(certificates::add(&w.ctx, &keeper, &add, &asker()).await), "TW-CERT-003");
    certificates::remove(&w.ctx, &added.id, &asker()).await.unwrap();
    assert_eq!(code(certificates::remove(&w.ctx, &added.id, &asker()).await), "TW-CERT-004");
    assert_eq!(code(certificates::keyed(&w.ctx, &keeper, &added.id).await), "TW-CERT-004");
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused() {
    let w = World::new().await;
    let (good, other) = (made(&["a.example.com"]), made(&["a.example.com"]));
    for bad in [
        AddCertificate { chain: good.chain.clone(), key: other.key },
        AddCertificate { chain: "no PEM".into(), key: good.key.clone() },
        AddCertificate { chain: good.chain.clone(), key: String::new() },
        made(&["127.0.0.1"]),
    ] {
        assert_eq!(code(certificates::add(&w.ctx, &keeper(), &bad, &asker()).await), "TW-CERT-001");
    }
}

#[tokio::test]
async fn that_one_ends_soon_is_said_once() {
    let w = World::new().await;
    let added = certificates::add(&w.ctx, &keeper(), &made(&["a.example.com"]), &asker()).await.unwrap();
    let told = async |w: &World| {
        events::Sealer::new(w.ctx.store.clone()).seal_now().await.unwrap();
        let mut r = w.ctx.store.read().await.unwrap();
        let all = events::after(&mut r, 0, &events::Filter::default(), 1_000).await.unwrap();
        all.iter().filter(|e| e.fact.kind == "certificate.expiring").count()
    };
    certificates::watch(&w.ctx).await.unwrap();
    assert_eq!(told(&w).await, 0);
    let left = added.valid_until.0.since(w.ctx.now());
    w.pass(left - 14 * DAY);
    for _ in 0..2 {
        certificates::watch(&w.ctx).await.unwrap();
    }
    assert_eq!(told(&w).await, 1);
    let shown = certificates::list(&w.ctx, &asker()).await.unwrap();
    assert_eq!((shown[0].expiring, shown[0].days_left), (true, 13));
}

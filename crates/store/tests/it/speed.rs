//! Measurements, not tests: `cargo test --release -p tradewind-store --test it speed -- --ignored --nocapture`.

use std::time::Instant;
use tradewind_store::{StoreError, events, transact};

use crate::fixture::{Fixture, event};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_million_events() {
    let f = Fixture::sqlite().await;
    let begin = Instant::now();
    for n in 0..1000 {
        let done: Result<(), StoreError> = transact!(f.store, tx => {
            for m in 0..1000 {
                let mut fact = event("run.finished", &format!("run/{n}-{m}"));
                fact.service = Some("shop".into());
                fact.after = Some(serde_json::json!({ "state": "success", "number": n * 1000 + m }));
                tx.event(fact).await?;
            }
            Ok(())
        });
        done.unwrap();
    }
    println!("written  {:?}", begin.elapsed());
    let begin = Instant::now();
    assert_eq!(f.seal().await, 1_000_000);
    println!("sealed   {:?}", begin.elapsed());
    for _ in 0..3 {
        let begin = Instant::now();
        events::verify(&mut f.store.read().await.unwrap(), vec![]).await.unwrap();
        println!("verified {:?}", begin.elapsed());
    }
    let whole = events::verify(&mut f.store.read().await.unwrap(), vec![]).await.unwrap();
    assert_eq!((whole.intact, whole.broken), (1_000_000, None));
}

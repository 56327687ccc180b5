use std::sync::Arc;
use tradewind_store::{Store, events, rows};

#[tokio::test]
async fn a_change_and_its_event_are_written_by_a_spawned_task_and_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let store = Store::open(path.to_str().unwrap(), Arc::new(tradewind_model::time::SystemClock)).await.unwrap();
    let s2 = store.clone();
    tokio::spawn(async move {
        let name: tradewind_model::id::ServiceName = "shop".parse().unwrap();
        tradewind_store::transact!(s2, tx => {
            let s = rows::services::insert(
                tx,
                rows::services::NewService {
                    name: name.clone(),
                    owner: "a".into(),
                    default_branch: "main".into(),
                    created_by: tradewind_model::event::Actor::System { part: "t".into() },
                },
            )
            .await?;
            tx.event(tradewind_model::event::NewEvent {
                kind: "service.created".into(),
                schema: 1,
                actor: s.created_by.clone(),
                subject: format!("service/{name}"),
                cause: None,
                service: Some("shop".into()),
                env: None,
                before: None,
                after: None,
            })
            .await?;
            Ok::<_, tradewind_store::StoreError>(())
        })
        .unwrap();
    })
    .await
    .unwrap();
    let n = events::Sealer::new(store.clone()).seal_now().await.unwrap();
    assert_eq!(n, 1);
    let v = events::verify(&mut store.read().await.unwrap()).await.unwrap();
    assert_eq!(v.broken, None);
    assert_eq!(v.intact, 1);
}

use crate::world::World;
use std::sync::Arc;
use tokio::sync::Notify;
use tradewind_control::{Result, agents::observed};
use tradewind_model::protocol::agent::Observed;
use tradewind_store::{rows, transact};

/// The report waits for the writer; while it does, another process of the agent connects.
#[tokio::test]
async fn a_report_that_was_overtaken_by_a_newer_connection_says_nothing() {
    let w = World::new().await;
    let agents = w.ctx.agents.clone();
    let (old, _old_rx) = w.connect(&agents);
    let (writing, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let writer = tokio::spawn({
        let w_host = w.host;
        let (store, writing, go_on) = (w.ctx.store.clone(), writing.clone(), go_on.clone());
        async move {
            let done: Result<()> = transact!(store, tx => {
                let _ = rows::observed::find(tx, w_host).await;
                writing.notify_one();
                go_on.notified().await;
                Ok(())
            });
            done
        }
    });
    writing.notified().await;
    let report = Observed { seq: 7, ..Observed::default() };
    let late = observed::ingest(&w.ctx, &old, "earlier", report);
    let overtaking = async {
        let (_new, _new_rx) = w.connect(&agents);
        go_on.notify_one();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        done = late => done.unwrap(),
        () = overtaking => {}
    }
    writer.await.unwrap().unwrap();
    let stored = rows::observed::find(&mut w.ctx.store.read().await.unwrap(), w.host).await.unwrap();
    assert_eq!(stored, None);
}

use futures_util::StreamExt as _;
use tokio::sync::oneshot;
use tradewind_model::event::{Actor, NewEvent};
use tradewind_store::{
    Store, StoreError,
    events::{self, Broken, Filter, Mark, Sealer, Verification},
    rows, transact,
};

use crate::fixture::{Fixture, event};

async fn write(store: &Store, event: NewEvent) {
    let done: Result<_, StoreError> = transact!(store, tx => tx.event(event.clone()).await);
    done.unwrap();
}

async fn verify(store: &Store) -> Verification {
    events::verify(&mut store.read().await.unwrap(), vec![]).await.unwrap()
}

async fn after(store: &Store, seq: i64, filter: &Filter, limit: u32) -> Vec<tradewind_model::event::Event> {
    events::after(&mut store.read().await.unwrap(), seq, filter, limit).await.unwrap()
}

/// Ten sealed events, whose chain holds.
async fn ten(f: &Fixture) {
    for n in 0..10 {
        let details = serde_json::json!({ "n": n, "名": "信风", "ratio": 0.1 });
        write(&f.store, NewEvent { after: Some(details), ..event("run.finished", &format!("run/{n}")) }).await;
    }
    assert_eq!(f.seal().await, 10);
    let whole = verify(&f.store).await;
    assert_eq!((whole.intact, whole.unsealed, &whole.broken), (10, 0, &None));
}

async fn broken(f: &Fixture, tampering: &'static str) -> (i64, Broken) {
    ten(f).await;
    f.tamper(tampering).await;
    let found = verify(&f.store).await;
    (found.intact, found.broken.expect("it was tampered with"))
}

pub async fn events_are_numbered_chained_and_read_in_order(f: Fixture) {
    let full = NewEvent {
        kind: "rollout.wave_started".into(),
        schema: 3,
        actor: Actor::System { part: "rollout".into() },
        subject: "rollout/1".into(),
        cause: Some("request/9".into()),
        service: Some("shop".into()),
        env: Some("production".into()),
        before: Some(serde_json::json!({"b": 1, "a": [null, true]})),
        after: Some(serde_json::json!("信风")),
    };
    let written: Result<_, StoreError> = transact!(f.store, tx => {
        let first = tx.event(full.clone()).await?;
        // The order within a transaction is kept, though time stands still.
        for n in 0..5 {
            tx.event(event("run.started", &format!("run/{n}"))).await?;
        }
        Ok(first)
    });
    let first = written.unwrap();
    assert_eq!(f.seal().await, 6);
    let all = after(&f.store, 0, &Filter::default(), 100).await;
    assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((&all[0].fact, all[0].id, all[0].at), (&full, first, f.store.now()));
    assert_eq!(
        all[1..].iter().map(|e| &*e.fact.subject).collect::<Vec<_>>(),
        ["run/0", "run/1", "run/2", "run/3", "run/4"]
    );
    for pair in all.windows(2) {
        assert_eq!(pair[1].prev, pair[0].hash);
    }
    let mut r = f.store.read().await.unwrap();
    assert_eq!(events::get(&mut r, first).await.unwrap(), all[0]);
    let newest = events::before(&mut r, i64::MAX, &Filter::default(), 2).await.unwrap();
    assert_eq!(newest.iter().map(|e| e.seq).collect::<Vec<_>>(), [6, 5]);
    assert_eq!(*f.store.head().borrow(), 6);
    assert_eq!(*f.second().await.head().borrow(), 6, "a process that starts knows where the log ends");
}

pub async fn what_is_not_sealed_is_not_seen(f: Fixture) {
    write(&f.store, event("run.started", "run/1")).await;
    assert!(after(&f.store, 0, &Filter::default(), 10).await.is_empty());
    assert_eq!(verify(&f.store).await.unsealed, 1);
    f.seal().await;
    assert_eq!(after(&f.store, 0, &Filter::default(), 10).await.len(), 1);
    assert_eq!(f.seal().await, 0, "once");
    write(&f.store, event("run.finished", "run/1")).await;
    assert_eq!(f.seal().await, 1, "and goes on where it ended");
}

pub async fn filters_choose(f: Fixture) {
    let agent = Actor::Agent { host: "h1".into() };
    write(&f.store, NewEvent { service: Some("shop".into()), ..event("run.started", "run/1") }).await;
    write(&f.store, NewEvent { service: Some("shop".into()), ..event("rollout.started", "rollout/1") }).await;
    write(&f.store, NewEvent { service: Some("stock".into()), ..event("run.started", "run/2") }).await;
    write(&f.store, NewEvent { actor: agent, ..event("run.finished", "run/1") }).await;
    f.seal().await;
    let seqs = async |filter: Filter| -> Vec<i64> {
        let forward: Vec<_> = after(&f.store, 0, &filter, 10).await.into_iter().map(|e| e.seq).collect();
        let mut r = f.store.read().await.unwrap();
        let backward = events::before(&mut r, i64::MAX, &filter, 10).await.unwrap();
        assert!(forward.iter().eq(backward.iter().rev().map(|e| &e.seq)), "both directions agree");
        forward
    };
    let shop = Some("shop".parse().unwrap());
    assert_eq!(seqs(Filter { service: shop.clone(), ..Filter::default() }).await, [1, 2]);
    assert_eq!(seqs(Filter { kind: Some("run.".into()), ..Filter::default() }).await, [1, 3, 4]);
    assert_eq!(seqs(Filter { service: shop, kind: Some("run.".into()), ..Filter::default() }).await, [1]);
    assert_eq!(seqs(Filter { actor: Some("h1".into()), ..Filter::default() }).await, [4]);
    assert_eq!(seqs(Filter { kind: Some("run_".into()), ..Filter::default() }).await, [0; 0], "no wildcards");
    let story = events::of_subject(&mut f.store.read().await.unwrap(), "run/1", 0, 10).await.unwrap();
    assert_eq!(story.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 4]);
}

pub async fn a_follower_sees_everything_once(f: Fixture) {
    const WRITERS: usize = 4;
    const EACH: usize = 90;
    write(&f.store, event("run.started", "before")).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let sealing = tokio::spawn(Sealer::new(f.store.clone()).run(async { drop(stopped.await) }));
    let follower = events::follow(&f.store, 0, Filter::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| {
            let store = f.store.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    write(&store, event("run.started", &format!("{w}/{n}"))).await;
                }
            })
        })
        .collect();
    let seen: Vec<_> = follower.take(1 + WRITERS * EACH).collect().await;
    let seen: Vec<_> = seen.into_iter().map(Result::unwrap).collect();
    assert!(seen.iter().map(|e| e.seq).eq(1..=(1 + WRITERS * EACH) as i64), "in order, without a gap");
    for w in 0..WRITERS {
        // What one writer wrote one after another stays in that order.
        let mine: Vec<_> = seen.iter().filter_map(|e| e.fact.subject.strip_prefix(&format!("{w}/"))).collect();
        assert!(mine.iter().map(|n| n.parse::<usize>().unwrap()).eq(0..EACH));
    }
    for w in writers {
        w.await.unwrap();
    }
    write(&f.store, event("run.started", "last")).await;
    stop.send(()).unwrap();
    sealing.await.unwrap();
    assert_eq!(verify(&f.store).await.unsealed, 0, "a sealer that is stopped leaves nothing behind");
}

pub async fn two_sealers_make_one_chain(f: Fixture) {
    let stores = [f.store.clone(), f.second().await];
    let mut stops = Vec::new();
    let mut tasks = Vec::new();
    for store in &stores {
        let (stop, stopped) = oneshot::channel::<()>();
        tasks.push(tokio::spawn(Sealer::new(store.clone()).run(async { drop(stopped.await) })));
        stops.push(stop);
    }
    for n in 0..40 {
        write(&stores[n % 2], event("run.started", &format!("run/{n}"))).await;
    }
    // Both learn of every event, whoever sealed it.
    for store in &stores {
        store.head().wait_for(|head| *head == 40).await.unwrap();
    }
    drop(stops);
    for task in tasks {
        task.await.unwrap();
    }
    let whole = verify(&f.store).await;
    assert_eq!((whole.intact, whole.broken), (40, None));
}

pub async fn altered_rows_are_named(f: Fixture) {
    ten(&f).await;
    // Every field is under the hash.
    for (change, undo) in [
        ("actor_name = 'somebody'", "actor_name = 'wei'"),
        ("actor_type = 'agent'", "actor_type = 'user'"),
        ("at = at + 1", "at = at - 1"),
        ("service = ''", "service = NULL"),
        ("cause = 'x'", "cause = NULL"),
        ("env = 'x'", "env = NULL"),
        ("before_json = '{}'", "before_json = NULL"),
        ("kind = 'run.failed'", "kind = 'run.finished'"),
        ("subject = 'run/x'", "subject = 'run/3'"),
        ("id = 'x' || id", "id = substr(id, 2)"),
        ("org_id = 'x'", "org_id = 'default'"),
        ("schema_version = 2", "schema_version = 1"),
    ] {
        let set = |what| format!("UPDATE events SET {what} WHERE seq = 4");
        let (change, undo) = (set(change), set(undo));
        f.tamper(&change).await;
        let found = verify(&f.store).await;
        assert!(matches!(&found.broken, Some(Broken::Altered { seq: 4, .. })), "{change}: {found:?}");
        assert_eq!(found.intact, 3);
        f.tamper(&undo).await;
        assert_eq!(verify(&f.store).await.broken, None, "{undo}");
    }
    f.tamper("UPDATE events SET after_json = '{}' WHERE seq = 7; UPDATE events SET hash = NULL WHERE seq = 4").await;
    let found = verify(&f.store).await;
    assert!(matches!(found.broken, Some(Broken::Altered { seq: 4, .. })), "the first of them");
}

pub async fn removed_rows_are_named(f: Fixture) {
    let found = broken(&f, "DELETE FROM events WHERE seq IN (5, 6)").await;
    assert_eq!(found, (4, Broken::Removed { from: 5, to: 6 }));
    // Closing the gap does not help.
    f.tamper("UPDATE events SET seq = seq - 2 WHERE seq = 7").await;
    f.tamper("UPDATE events SET seq = seq - 2 WHERE seq = 8").await;
    f.tamper("UPDATE events SET seq = seq - 2 WHERE seq = 9").await;
    f.tamper("UPDATE events SET seq = seq - 2 WHERE seq = 10").await;
    f.tamper("UPDATE chain_head SET seq = 8").await;
    let found = verify(&f.store).await;
    assert!(matches!(found.broken, Some(Broken::Renumbered { seq: 5, .. })), "{found:?}");
}

pub async fn reordered_rows_are_named(f: Fixture) {
    let swap = "UPDATE events SET seq = -1 WHERE seq = 3; UPDATE events SET seq = 3 WHERE seq = 6;
        UPDATE events SET seq = 6 WHERE seq = -1";
    let (intact, found) = broken(&f, swap).await;
    assert!(matches!(found, Broken::Reordered { seq: 3, .. }), "{found:?}");
    assert_eq!(intact, 2);
}

pub async fn a_cut_off_end_is_named(f: Fixture) {
    let found = broken(&f, "DELETE FROM events WHERE seq > 8").await;
    assert_eq!(found, (8, Broken::Removed { from: 9, to: 10 }));
}

pub async fn a_moved_head_is_named(f: Fixture) {
    let found = broken(&f, "UPDATE chain_head SET seq = 8").await;
    assert_eq!(found, (10, Broken::HeadBehind { head: 8, last: 10 }));
}

pub async fn an_inserted_row_is_named(f: Fixture) {
    let forged = "UPDATE events SET seq = 11 WHERE seq = 10;
        INSERT INTO events (org_id, id, at, kind, schema_version, actor_type, actor_name, subject, seq, prev, hash)
        SELECT org_id, 'forged', at, kind, schema_version, actor_type, actor_name, subject, 10, prev, hash
        FROM events WHERE seq = 11";
    let (intact, found) = broken(&f, forged).await;
    assert_eq!((intact, found), (9, Broken::Altered { seq: 10, id: "forged".into() }));
    f.tamper("DELETE FROM events WHERE seq = 10; UPDATE events SET seq = 10 WHERE seq = 11").await;
    assert_eq!(verify(&f.store).await.broken, None);
    f.tamper("UPDATE events SET seq = -5 WHERE seq = 10").await;
    assert!(matches!(verify(&f.store).await.broken, Some(Broken::Renumbered { seq: -5, .. })));
}

pub async fn a_rewritten_log_does_not_fit_a_checkpoint(f: Fixture) {
    ten(&f).await;
    let marks: Vec<Mark> = after(&f.store, 0, &Filter::default(), 99)
        .await
        .into_iter()
        .filter(|e| [4, 10].contains(&e.seq))
        .map(|e| Mark { seq: e.seq, hash: e.hash })
        .collect();
    let against =
        async |marks: &[Mark]| events::verify(&mut f.store.read().await.unwrap(), marks.to_vec()).await.unwrap();
    assert_eq!((against(&marks).await.met, against(&marks).await.broken), (2, None));
    // Altered, and all that follows sealed anew, head included: the chain is whole.
    f.tamper(
        "UPDATE events SET actor_name = 'eve' WHERE seq = 7;
         UPDATE events SET seq = NULL, prev = NULL, hash = NULL WHERE seq > 6;
         UPDATE chain_head SET seq = 6, hash = (SELECT hash FROM events WHERE seq = 6)",
    )
    .await;
    assert_eq!(f.seal().await, 4);
    assert_eq!(verify(&f.store).await.broken, None);
    assert_eq!(against(&marks).await.broken, Some(Broken::Rewritten { from: 5, checkpoint: 10 }));
    f.tamper("DELETE FROM events WHERE seq > 6; UPDATE chain_head SET seq = 6, hash = (SELECT hash FROM events WHERE seq = 6)")
        .await;
    assert_eq!(verify(&f.store).await.broken, None);
    assert_eq!(against(&marks).await.broken, Some(Broken::Truncated { last: 6, checkpoint: 10 }));
}

pub async fn a_beginning_that_was_cut_off_is_told_of_or_missed(f: Fixture) {
    ten(&f).await;
    let all = after(&f.store, 0, &Filter::default(), 99).await;
    let at = Mark { seq: 6, hash: all[5].hash };
    let planned: Result<(), StoreError> = transact!(f.store, tx => {
        let told = NewEvent { after: Some(serde_json::json!({ "until": 6 })), ..event("audit.pruned", "audit/log") };
        let id = tx.event(told).await?;
        rows::audit::plan_cut(tx, 6, id).await
    });
    planned.unwrap();
    f.seal().await;
    let other: Result<u64, StoreError> = transact!(f.store, tx => rows::audit::cut(tx, Mark { seq: 5, ..at }).await);
    assert!(matches!(other, Err(StoreError::Conflict { .. })));
    let cut: Result<u64, StoreError> = transact!(f.store, tx => rows::audit::cut(tx, at).await);
    assert_eq!(cut.unwrap(), 6);
    let found = verify(&f.store).await;
    assert_eq!((found.intact, found.anchor, found.broken), (5, 6, None));
    assert_eq!(after(&f.store, 0, &Filter::default(), 99).await[0].seq, 7);
    // The same by someone who tells nobody.
    f.tamper("DELETE FROM events WHERE seq < 9; UPDATE audit_anchor SET seq = 8, hash = (SELECT prev FROM events WHERE seq = 9)")
        .await;
    assert_eq!(verify(&f.store).await.broken, Some(Broken::Unannounced { until: 8 }));
}

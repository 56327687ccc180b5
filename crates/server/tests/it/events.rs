use crate::app::{TestApp, until};
use tradewind_api::{EventQuery, Paging, v1};

/// The first `n` events, once they are sealed.
pub async fn all(app: &TestApp, n: usize) -> Vec<v1::Event> {
    let client = app.client();
    until("sealed events", async || {
        let page = client.events(&EventQuery::default(), &Paging::limit(200)).await.unwrap();
        (page.items.len() >= n).then_some(page.items)
    })
    .await
}

#[tokio::test]
async fn a_follower_that_comes_back_misses_nothing_and_sees_nothing_twice() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        app.token(v1::Scope::Read).await;
    }
    let mut seen = Vec::new();
    let mut from = Some(0);
    for part in [1, 2, 1] {
        let mut follow = app.client().follow_events(&EventQuery::default(), from);
        for _ in 0..part {
            let event = follow.next().await.unwrap().unwrap();
            seen.push(event.seq);
            from = Some(event.seq);
        }
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    let mut live = app.client().follow_events(&EventQuery::default(), None);
    let next = tokio::spawn(async move { live.next().await.unwrap().unwrap() });
    // The stream may begin before or after the first of these; it is told of one of them.
    until("a live event", async || {
        if next.is_finished() {
            return Some(());
        }
        app.token(v1::Scope::Read).await;
        None
    })
    .await;
    assert!(next.await.unwrap().seq > 4);
}

#[tokio::test]
async fn events_come_in_pages_and_cursors_are_checked() {
    let app = TestApp::start().await;
    app.token(v1::Scope::Read).await;
    app.token(v1::Scope::Read).await;
    all(&app, 4).await;
    let client = app.client();
    let first = client.events(&EventQuery::default(), &Paging::limit(2)).await.unwrap();
    assert_eq!(first.items.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
    let rest = client.events(&EventQuery::default(), &Paging { after: first.next, limit: Some(3) }).await.unwrap();
    assert_eq!(rest.items.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(rest.next, None);
    let of_none = client.events(&EventQuery::of("shop".parse().unwrap()), &Paging::default()).await.unwrap();
    assert!(of_none.items.is_empty());
    let bad =
        client.events(&EventQuery::default(), &Paging { after: Some("-4".into()), limit: None }).await.unwrap_err();
    assert_eq!(bad.problem().unwrap().code, "TW-API-011");
}

#[tokio::test]
async fn a_whole_chain_verifies() {
    let app = TestApp::start().await;
    app.token(v1::Scope::Read).await;
    let last = all(&app, 3).await.pop().unwrap();
    let report = app.client().verify_audit().await.unwrap();
    assert!(report.ok && report.finding.is_none());
    assert_eq!(report.head, Some(v1::ChainHead { seq: last.seq, hash: last.hash }));
}

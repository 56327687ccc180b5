//! The customers have to notice: a generator that overlooks a lost request proves nothing.

use super::{shopper, site};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tradewind_testkit::traffic::{Ledger, Line, NOBODY};

/// Answers each request of one connection with the next of `answers`, then closes it.
async fn stock_after(answers: &'static [&'static str]) -> Arc<Ledger> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let edge = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            let mut head = [0; 4096];
            if stream.read(&mut head).await.unwrap() == 0 {
                return;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let ledger = Arc::new(Ledger::new());
    let mut line = Line::new(site(edge), ledger.clone());
    for _ in 0..answers.len() {
        let _ = shopper::watch_stock(&mut line).await;
    }
    server.await.unwrap();
    ledger
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nX-Shop-Version: v1\r\nContent-Length: 12\r\n\r\n{\"stock\": 3}";

#[tokio::test]
async fn right_answers_are_counted_for_the_release_that_gave_them() {
    let ledger = stock_after(&[GOOD, GOOD]).await;
    assert_eq!((ledger.tally("v1").sent, ledger.losses().0), (2, 0));
}

#[tokio::test]
async fn every_kind_of_loss_is_noticed_and_told() {
    let cases: [(&'static [&'static str], &str, &str); 6] = [
        (&["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"], NOBODY, "answered 503"),
        (&["HTTP/1.1 500 Oops\r\nX-Shop-Version: v1\r\nContent-Length: 0\r\n\r\n"], "v1", "answered 500"),
        (&["HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"stock\": 3}"], NOBODY, "names no release"),
        (&["HTTP/1.1 200 OK\r\nX-Shop-Version: v1\r\nContent-Length: 12\r\n\r\n{\"stock\": 0}"], "v1", "no stock"),
        (&["HTTP/1.1 200 OK\r\nX-Shop-Version: v1\r\nContent-Length: 12\r\n\r\n{\"sto"], NOBODY, "in the answer"),
        (&[""], NOBODY, "connection closed"),
    ];
    for (answers, release, how) in cases {
        let ledger = stock_after(answers).await;
        let (lost, told) = ledger.losses();
        assert_eq!(lost, 1, "{how}");
        assert_eq!(told[0].release, release, "{how}");
        assert!(told[0].how.contains(how), "{:?} does not say {how}", told[0]);
    }
}

#[tokio::test]
async fn a_connection_that_closes_between_two_answers_is_no_loss_but_a_refused_one_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let edge = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await.unwrap();
            let closing = GOOD.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
            stream.write_all(closing.as_bytes()).await.unwrap();
        }
    });
    let ledger = Arc::new(Ledger::new());
    let mut line = Line::new(site(edge), ledger.clone());
    for _ in 0..2 {
        shopper::watch_stock(&mut line).await.unwrap();
    }
    server.await.unwrap();
    assert_eq!(ledger.losses().0, 0);
    assert!(shopper::watch_stock(&mut line).await.is_none());
    assert!(ledger.losses().1[0].how.contains("no connection"), "{:?}", ledger.losses().1);
}

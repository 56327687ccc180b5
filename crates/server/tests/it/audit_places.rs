//! Where checkpoints go, and what is taken away once they are there.

use crate::{
    app::{TestApp, until},
    events::all,
};
use axum::{
    Router,
    extract::{Request, State},
    response::IntoResponse,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tradewind_api::{EventQuery, Paging, v1};
use tradewind_audit::{
    Chain, Checkpoint, Mark, Verifier,
    line::{self, Piece},
};
use tradewind_control::audit::{
    Settings,
    retention::Step,
    sinks::{Bucket, Sink},
};
use tradewind_outbound::{Guard, Outbound};

/// What came in: method and path, one header, the body.
type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

/// Takes what is sent, or nothing for a while.
#[derive(Clone, Default)]
struct Receiver {
    heard: Heard,
    refuses: Arc<AtomicBool>,
}

impl Receiver {
    async fn start(&self) -> String {
        let router = Router::new().fallback(take).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{addr}")
    }

    fn bodies(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(_, _, body)| body.clone()).collect()
    }
}

async fn take(State(receiver): State<Receiver>, request: Request) -> impl IntoResponse {
    if receiver.refuses.load(Ordering::SeqCst) {
        return (http::StatusCode::INTERNAL_SERVER_ERROR, "no \u{1b}[31mroom\n");
    }
    let line = format!("{} {}", request.method(), request.uri().path());
    let named = ["webhook-signature", "authorization"].iter().find_map(|n| request.headers().get(*n));
    let header = named.map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    receiver.heard.lock().unwrap().push((line, header, String::from_utf8_lossy(&body).into_owned()));
    (http::StatusCode::OK, "")
}

fn here() -> Guard {
    Guard::allowing(vec!["127.0.0.1".parse().unwrap()])
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("tw").tempdir().unwrap()
}

async fn delivered(app: &TestApp, seq: i64) -> Vec<v1::AuditSink> {
    until("every place has it", async || {
        let sinks = app.client().audit_status().await.unwrap().sinks;
        sinks.iter().all(|s| s.delivered >= seq).then_some(sinks)
    })
    .await
}

#[tokio::test]
async fn checkpoints_leave_the_host_by_every_way() {
    let (hook, bucket, outside) = (Receiver::default(), Receiver::default(), folder());
    let (hook_at, bucket_at) = (hook.start().await, bucket.start().await);
    let sinks = vec![
        Sink::File(outside.path().join("kept")),
        Sink::Webhook { url: format!("{hook_at}/in/secret-path"), secret: Some("whsec_c2VjcmV0".into()) },
        Sink::S3(Bucket::new(&format!("{bucket_at}/vault/tw"), "eu-central-1", "AKIA", "hidden").unwrap()),
    ];
    let app = TestApp::start_with(folder(), Settings { sinks, ..Settings::default() }, here()).await;
    all(&app, 2).await;
    let made = app.client().make_checkpoint().await.unwrap().unwrap();
    let status = delivered(&app, made.seq).await;
    assert_eq!(status.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["file", "webhook", "s3"]);
    assert!(!format!("{status:?}").contains("secret-path"), "an address may hold a secret");

    let name = format!("checkpoint-{:012}.txt", made.seq);
    assert_eq!(std::fs::read_to_string(outside.path().join("kept").join(&name)).unwrap(), made.note);
    let posted = hook.heard.lock().unwrap().last().unwrap().clone();
    assert_eq!((posted.0.as_str(), &posted.2), ("POST /in/secret-path", &made.note));
    assert!(posted.1.starts_with("v1,"), "{posted:?}");
    let put = bucket.heard.lock().unwrap().last().unwrap().clone();
    assert_eq!((put.0, &put.2), (format!("PUT /vault/tw/{name}"), &made.note));
    assert!(put.1.contains("AKIA/") && put.1.contains("/eu-central-1/s3/aws4_request") && !put.1.contains("hidden"));

    // What is told does not change: a place that says something else is said to fail.
    std::fs::remove_file(outside.path().join("kept").join(&name)).unwrap();
    let app = TestApp::start_with(app.stop().await, Settings::default(), here()).await;
    assert!(app.client().audit_status().await.unwrap().sinks.is_empty(), "what is not set is not shown");
}

#[tokio::test]
async fn a_place_that_fails_holds_nobody_up_is_told_of_and_catches_up() {
    let (hook, outside) = (Receiver::default(), folder());
    let url = hook.start().await;
    let sinks = vec![Sink::Webhook { url, secret: None }, Sink::File(outside.path().to_owned())];
    hook.refuses.store(true, Ordering::SeqCst);
    let app = TestApp::start_with(folder(), Settings { sinks, ..Settings::default() }, here()).await;
    let (audit, outbound) = (app.app.audit.clone(), Outbound::new(here()));
    all(&app, 2).await;
    let made = app.client().make_checkpoint().await.unwrap().unwrap();
    let failing = until("it fails", async || {
        // Each attempt is made later than the one before.
        app.clock.forward(Duration::from_secs(3_601));
        audit.deliver(&outbound).await.unwrap();
        let told = EventQuery { kind: Some("audit.sink_failing".into()), ..EventQuery::default() };
        app.client().events(&told, &Paging::default()).await.unwrap().items.pop()
    })
    .await;
    assert_eq!(failing.subject, "audit-sink/webhook");
    let sinks = app.client().audit_status().await.unwrap().sinks;
    assert!(sinks[0].failing_since.is_some() && sinks[1].failing_since.is_none(), "{sinks:?}");
    assert_eq!(sinks[0].error.as_deref(), Some("answered 500: no  [31mroom"), "without what a terminal would act on");
    assert!(sinks[1].delivered >= made.seq);

    hook.refuses.store(false, Ordering::SeqCst);
    app.clock.forward(Duration::from_secs(3_601));
    let last = app.client().make_checkpoint().await.unwrap().unwrap();
    audit.deliver(&outbound).await.unwrap();
    delivered(&app, last.seq).await;
    let seqs: Vec<i64> =
        hook.bodies().iter().map(|note| Checkpoint::read(&note.parse().unwrap()).unwrap().seq).collect();
    // One more may be made by its own time meanwhile.
    assert!(seqs.is_sorted() && seqs.first() <= Some(&made.seq) && seqs.contains(&last.seq), "{seqs:?}");
    let told = EventQuery { kind: Some("audit.sink_recovered".into()), ..EventQuery::default() };
    until("an event tells of it", async || app.client().events(&told, &Paging::default()).await.unwrap().items.pop())
        .await;
}

#[tokio::test]
async fn a_webhook_does_not_lead_inside() {
    let hook = Receiver::default();
    let sinks = vec![Sink::Webhook { url: hook.start().await, secret: None }];
    let app = TestApp::start_with(folder(), Settings { sinks, ..Settings::default() }, Guard::default()).await;
    app.client().make_checkpoint().await.unwrap();
    let said =
        until("it is said why", async || app.client().audit_status().await.unwrap().sinks.pop().and_then(|s| s.error))
            .await;
    assert!(said.contains("not to be connected to"), "{said}");
    assert!(hook.bodies().is_empty());
}

#[tokio::test]
async fn what_is_past_its_time_goes_to_the_archive_and_the_rest_is_still_proven() {
    let outside = folder();
    let settings = Settings {
        keep: Some(Duration::from_secs(86_400)),
        archive: Some(outside.path().to_owned()),
        ..Settings::default()
    };
    let app = TestApp::start_with(folder(), settings, Guard::default()).await;
    let (client, audit) = (app.client(), app.app.audit.clone());
    for _ in 0..3 {
        app.token(v1::Scope::Read).await;
    }
    all(&app, 5).await;
    let kept = client.make_checkpoint().await.unwrap().unwrap();
    assert_eq!(audit.prune().await.unwrap(), Step::Nothing, "nothing is old yet");
    app.clock.forward(Duration::from_secs(2 * 86_400));
    app.token(v1::Scope::Read).await;
    let cut = async || {
        until("a cut", async || match audit.prune().await.unwrap() {
            Step::Cut(until) => Some(until),
            Step::Told(_) => None,
            Step::Nothing => panic!("nothing to do"),
        })
        .await
    };
    assert_eq!(cut().await, kept.seq);
    assert_eq!(audit.prune().await.unwrap(), Step::Nothing);
    let report = client.verify_audit().await.unwrap();
    assert!(report.ok && report.pruned == kept.seq, "{report:?}");
    let first = client.events(&EventQuery::default(), &Paging::limit(1)).await.unwrap().items.remove(0);
    assert_eq!(first.seq, kept.seq + 1);

    // Who kept that checkpoint verifies the rest from it on, and the archive up to it.
    let keys: Vec<Verifier> = client.audit_keys().await.unwrap().iter().map(|k| k.verifier.parse().unwrap()).collect();
    let mut lines = client.audit_chain().await.unwrap();
    let head = lines.next().await.unwrap().unwrap();
    let Piece::Checkpoint(note) = line::piece(&head).unwrap() else { panic!("{head}") };
    assert_eq!(note, kept.note);
    let mut chain = Chain::new(Checkpoint::open(&note, &keys).unwrap().mark(), vec![]);
    while let Some(line) = lines.next().await {
        let Piece::Event(link) = line::piece(&line.unwrap()).unwrap() else { panic!() };
        chain.next(&link).unwrap();
    }
    chain.end(None).unwrap();
    let archive = outside.path().join(format!("events-{:012}-{:012}.jsonl", 1, kept.seq));
    let mut chain = Chain::piece(Mark::genesis(), vec![]);
    for line in std::fs::read_to_string(archive).unwrap().lines() {
        match line::piece(line).unwrap() {
            Piece::Event(link) => chain.next(&link).unwrap(),
            Piece::Checkpoint(note) => chain.expect(Checkpoint::open(&note, &keys).unwrap().mark()),
        }
    }
    chain.end(None).unwrap();
    assert_eq!((chain.last().seq, chain.met()), (kept.seq, 1));

    // The next cut begins where this one ended, and a server that died between telling and cutting goes on.
    let next = client.make_checkpoint().await.unwrap().unwrap();
    app.clock.forward(Duration::from_secs(2 * 86_400));
    assert_eq!(audit.prune().await.unwrap(), Step::Told(next.seq));
    let app = TestApp::start_in(app.stop().await).await;
    let audit = app.app.audit.clone();
    until("what was told is done, whatever is set now", async || match audit.prune().await.unwrap() {
        Step::Cut(until) => Some(until),
        Step::Told(_) => None,
        Step::Nothing => (app.client().verify_audit().await.unwrap().pruned == next.seq).then_some(next.seq),
    })
    .await;
    let report = app.client().verify_audit().await.unwrap();
    assert!(report.ok && report.pruned == next.seq, "{report:?}");
    let piece = outside.path().join(format!("events-{:012}-{:012}.jsonl", kept.seq + 1, next.seq));
    let begins = std::fs::read_to_string(piece).unwrap();
    assert!(matches!(line::piece(begins.lines().next().unwrap()), Ok(Piece::Checkpoint(note)) if note == kept.note));
}

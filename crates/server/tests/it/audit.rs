use crate::{
    app::{TestApp, code_of, until},
    events::all,
};
use futures_util::StreamExt as _;
use tradewind_api::{EventQuery, Lines, Paging, v1};
use tradewind_audit::{
    Chain, Checkpoint, Introduction, Mark, Note, Verifier,
    checkpoint::trusted,
    line::{self, Piece},
};

async fn lines(mut from: Lines) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = from.next().await {
        lines.push(line.unwrap());
    }
    lines
}

async fn verifiers(app: &TestApp) -> Vec<Verifier> {
    app.client().audit_keys().await.unwrap().iter().map(|k| k.verifier.parse().unwrap()).collect()
}

#[tokio::test]
async fn who_keeps_a_checkpoint_can_verify_without_the_servers_word() {
    let app = TestApp::start().await;
    let client = app.client();
    app.token(v1::Scope::Read).await;
    all(&app, 3).await;
    let kept = client.make_checkpoint().await.unwrap().expect("something was sealed");
    app.token(v1::Scope::Read).await;
    all(&app, 4).await;

    let checkpoint = Checkpoint::open(&kept.note, &verifiers(&app).await).unwrap();
    assert_eq!((checkpoint.seq, checkpoint.hash), (kept.seq, kept.hash));
    let mut chain = Chain::new(Mark::genesis(), vec![checkpoint.mark()]);
    for line in lines(client.audit_chain().await.unwrap()).await {
        let Piece::Event(link) = line::piece(&line).unwrap() else { panic!("{line}") };
        chain.next(&link).unwrap();
    }
    chain.end(None).unwrap();
    assert_eq!((chain.met(), chain.last().seq >= 4), (1, true));

    let report = client.verify_audit().await.unwrap();
    assert!(report.ok && report.checkpoints >= 1, "{report:?}");
    let again = client.make_checkpoint().await.unwrap().unwrap();
    assert_eq!(client.make_checkpoint().await.unwrap(), Some(again.clone()), "nothing was sealed since");
    let listed = client.checkpoints(&Paging::limit(1)).await.unwrap();
    assert_eq!((&listed.items[0], listed.next.is_some()), (&again, true));
}

#[tokio::test]
async fn a_checkpoint_is_made_when_it_is_time() {
    let app = TestApp::start().await;
    // The first events have one at once; later ones when enough time has passed.
    let first = until("a checkpoint", async || app.client().newest_checkpoint().await.unwrap()).await;
    app.clock.forward(std::time::Duration::from_secs(601));
    app.token(v1::Scope::Read).await;
    until("another", async || app.client().newest_checkpoint().await.unwrap().filter(|newest| newest.seq > first.seq))
        .await;
}

#[tokio::test]
async fn a_key_is_replaced_and_both_are_believed_for_each_others_sake() {
    let app = TestApp::start().await;
    let client = app.client();
    all(&app, 1).await;
    let old = client.make_checkpoint().await.unwrap().unwrap();
    let first = client.audit_keys().await.unwrap();
    assert_eq!((first.len(), first[0].current), (1, true));
    let key = app.data().join("keys/audit.key");
    let before = std::fs::read_to_string(&key).unwrap();

    let refused = app.client_as(&app.token(v1::Scope::Deploy).await).replace_audit_key().await;
    assert_eq!(code_of(refused), "TW-ACC-002");
    let made = client.replace_audit_key().await.unwrap();
    assert_ne!(std::fs::read_to_string(&key).unwrap(), before);
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let told = all(&app, 4).await;
    let told = told.iter().find(|e| e.kind == "audit.key_replaced").expect("an event tells of it");
    assert_eq!(told.after.as_ref().unwrap()["key"], made.verifier);

    let new = client.make_checkpoint().await.unwrap().unwrap();
    let keys = client.audit_keys().await.unwrap();
    assert_eq!(keys.iter().map(|k| k.current).collect::<Vec<_>>(), [false, true]);
    let notes: Vec<Note> = keys.iter().map(|k| k.introduction.parse().unwrap()).collect();
    assert_eq!(Introduction::read(&notes[1]).unwrap().key.to_string(), made.verifier);
    for root in &keys {
        let known = trusted(&[root.verifier.parse().unwrap()], &notes);
        for note in [&old.note, &new.note] {
            Checkpoint::open(note, &known).unwrap();
        }
    }
    assert!(client.verify_audit().await.unwrap().ok);

    // The next start signs with it, and introduces nobody.
    let app = TestApp::start_in(app.stop().await).await;
    assert_eq!(app.client().audit_keys().await.unwrap().len(), 2);
    assert_eq!(app.client().audit_status().await.unwrap().key, made.verifier);
    assert!(app.client().verify_audit().await.unwrap().ok);
}

#[tokio::test]
async fn a_replacement_that_was_cut_short_is_ended_at_the_next_start() {
    let app = TestApp::start().await;
    let made = app.client().replace_audit_key().await.unwrap();
    let folder = app.stop().await;
    let keys = folder.path().join("data/keys");
    // As a server leaves it that died before the new key took its place, and one that died before it was told of.
    std::fs::rename(keys.join("audit.key"), keys.join("audit.key.next")).unwrap();
    std::fs::write(keys.join("audit.key"), tradewind_audit::Signer::make([1; 32]).1).unwrap();
    let app = TestApp::start_in(folder).await;
    assert_eq!(app.client().audit_status().await.unwrap().key, made.verifier);
    let folder = app.stop().await;
    std::fs::write(keys.join("audit.key.next"), tradewind_audit::Signer::make([2; 32]).1).unwrap();
    let app = TestApp::start_in(folder).await;
    assert_eq!(app.client().audit_status().await.unwrap().key, made.verifier);
    assert!(!keys.join("audit.key.next").exists());
    app.stop().await;
}

#[tokio::test]
async fn what_fits_is_exported() {
    let app = TestApp::start().await;
    let client = app.client();
    let events = all(&app, 2).await;
    let name = "=cmd|' /C calc'!A0".into();
    let wish = v1::CreateToken { name, scopes: vec![v1::Scope::Read], ..Default::default() };
    client.create_token(&wish).await.unwrap();
    let events = all(&app, events.len() + 1).await;
    let export = async |q: EventQuery, format: &str| lines(client.export_events(&q, format).await.unwrap()).await;
    let everything = export(EventQuery::default(), "jsonl").await;
    assert_eq!(everything.len(), events.len());
    let one: v1::Event = serde_json::from_str(&everything[0]).unwrap();
    assert_eq!(one, events[0], "the same event as everywhere");
    let tokens = export(EventQuery { kind: Some("token.".into()), ..Default::default() }, "jsonl").await;
    assert_eq!(tokens.len(), events.iter().filter(|e| e.kind.starts_with("token.")).count());
    let none = EventQuery { actor: Some("nobody".into()), ..Default::default() };
    assert!(export(none, "jsonl").await.is_empty());
    let since = EventQuery { since: Some(events[1].at), until: Some(events[2].at), ..Default::default() };
    let within: Vec<_> = events.iter().filter(|e| e.at >= events[1].at && e.at < events[2].at).collect();
    assert_eq!(export(since, "jsonl").await.len(), within.len());
    let csv = export(EventQuery::default(), "csv").await;
    assert_eq!(csv.len(), events.len() + 1);
    assert!(csv[0].starts_with("seq,at,kind,"));
    assert!(!csv.iter().any(|l| l.contains(",=") || l.contains(",\"=")), "{csv:#?}");
}

#[tokio::test]
async fn an_export_that_breaks_off_does_not_pass_for_whole() {
    let app = TestApp::start().await;
    all(&app, 1).await;
    app.app.store.close().await;
    let answer =
        crate::app::http().get(app.url("/api/v1/audit/export")).bearer_auth(&app.admin.token).send().await.unwrap();
    let whole = match answer.status().is_success() {
        true => answer.bytes_stream().all(|piece| async move { piece.is_ok() }).await,
        false => false,
    };
    assert!(!whole);
}

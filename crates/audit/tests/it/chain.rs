use serde_json::json;
use tradewind_audit::{Broken, Chain, Link, Mark, Record, Sealed, chain::PRUNED, line, record::genesis};
use tradewind_model::id::Digest;

pub fn record(n: i64) -> Record {
    Record {
        org: "default".into(),
        id: format!("id-{n}"),
        at: 1_767_225_600_000_000 + n,
        kind: "run.finished".into(),
        schema: 1,
        actor_type: "user".into(),
        actor_name: "wei".into(),
        subject: format!("run/{n}"),
        cause: None,
        service: Some("shop".into()),
        env: None,
        before: None,
        after: Some(json!({ "n": n, "名": "信风", "ratio": 0.1 }).to_string()),
    }
}

fn seal(records: impl IntoIterator<Item = Record>, from: Mark) -> Vec<Sealed> {
    let mut last = from;
    let mut sealed = Vec::new();
    for record in records {
        let hash = record.hash(&last.hash);
        sealed.push(Sealed { seq: last.seq + 1, prev: Some(last.hash), hash: Some(hash), record: Some(record) });
        last = Mark { seq: last.seq + 1, hash };
    }
    sealed
}

pub fn ten() -> Vec<Sealed> {
    seal((1..=10).map(record), Mark::genesis())
}

fn mark(events: &[Sealed], seq: i64) -> Mark {
    let of = events.iter().find(|e| e.seq == seq).unwrap();
    Mark { seq, hash: of.hash.unwrap() }
}

/// The whole walk, over lines of an export: what a reader without the log can do.
fn walk(events: &[Sealed], anchor: Mark, marks: Vec<Mark>, head: Option<Mark>) -> (i64, Option<Broken>) {
    let mut chain = Chain::new(anchor, marks);
    for event in events {
        let line::Piece::Event(link) = line::piece(&line::write(event)).unwrap() else { panic!("{event:?}") };
        if let Err(stop) = chain.next(&link) {
            let known = |follows: Digest| events.iter().any(|e| e.hash == Some(follows));
            let follows = match &stop {
                tradewind_audit::chain::Stop::OutOfPlace { follows, .. } => known(*follows),
                tradewind_audit::chain::Stop::Broken(_) => false,
            };
            return (chain.last().seq, Some(stop.resolve(follows)));
        }
    }
    let end = chain.end(head);
    (chain.last().seq, end.err())
}

#[test]
fn a_whole_chain_meets_its_checkpoints() {
    let all = ten();
    let head = mark(&all, 10);
    assert_eq!(walk(&all, Mark::genesis(), vec![head, mark(&all, 4)], Some(head)), (10, None));
    assert_eq!(walk(&[], Mark::genesis(), vec![], None), (0, None));
}

#[test]
fn what_fits_in_itself_and_not_with_a_checkpoint_was_rewritten() {
    let honest = ten();
    let mut records: Vec<Record> = (1..=10).map(record).collect();
    records[5].actor_name = "somebody".into();
    let forged = seal(records, Mark::genesis());
    assert_eq!(walk(&forged, Mark::genesis(), vec![], None), (10, None), "nothing else shows it");
    let marks = vec![mark(&honest, 3), mark(&honest, 8)];
    assert_eq!(
        walk(&forged, Mark::genesis(), marks, None),
        (8, Some(Broken::Rewritten { from: 4, checkpoint: 8 })),
        "after what the checkpoint before it vouches for"
    );
}

#[test]
fn a_cut_end_is_seen_by_who_holds_a_checkpoint() {
    let all = ten();
    let found = walk(&all[..6], Mark::genesis(), vec![mark(&all, 9)], Some(mark(&all, 6)));
    assert_eq!(found, (6, Some(Broken::Truncated { last: 6, checkpoint: 9 })));
}

#[test]
fn each_kind_of_damage_is_named() {
    let all = ten();
    let break_with = |change: fn(&mut Vec<Sealed>)| {
        let mut events = all.clone();
        change(&mut events);
        walk(&events, Mark::genesis(), vec![], Some(mark(&all, 10)))
    };
    let altered = |seq: i64| Some(Broken::Altered { seq, id: format!("id-{seq}") });
    assert_eq!(break_with(|e| e[3].record.as_mut().unwrap().after = None), (3, altered(4)));
    assert_eq!(break_with(|e| e[3].record.as_mut().unwrap().at += 1), (3, altered(4)));
    // Neither JSON nor one line: left out of the export, and so it does not verify.
    assert_eq!(break_with(|e| e[3].record.as_mut().unwrap().after = Some("no json".into())), (3, altered(4)));
    assert_eq!(break_with(|e| e[3].record.as_mut().unwrap().after = Some("{\n}".into())), (3, altered(4)));
    assert_eq!(break_with(|e| e[3].hash = None), (3, altered(4)));
    assert_eq!(break_with(|e| drop(e.drain(4..6))), (4, Some(Broken::Removed { from: 5, to: 6 })));
    assert_eq!(break_with(|e| e.truncate(8)), (8, Some(Broken::Removed { from: 9, to: 10 })));
    let swapped = break_with(|e| {
        e.swap(2, 5);
        (e[2].seq, e[5].seq) = (3, 6);
    });
    assert_eq!(swapped, (2, Some(Broken::Reordered { seq: 3, id: "id-6".into() })));
    let closed = break_with(|e| {
        e.drain(4..6);
        e.iter_mut().skip(4).for_each(|e| e.seq -= 2);
    });
    assert_eq!(closed, (4, Some(Broken::Renumbered { seq: 5, id: "id-7".into() })));
    let twice = break_with(|e| e.insert(3, e[2].clone()));
    assert_eq!(twice, (3, Some(Broken::Renumbered { seq: 3, id: "id-3".into() })));
}

#[test]
fn a_chain_without_its_beginning_needs_an_event_that_says_so() {
    let first = ten();
    let anchor = mark(&first, 10);
    let rest = seal((11..=15).map(record), anchor);
    assert_eq!(walk(&rest, anchor, vec![], None), (15, Some(Broken::Unannounced { until: 10 })));
    let mut records: Vec<Record> = (11..=15).map(record).collect();
    records[2].kind = PRUNED.into();
    records[2].after = Some(r#"{"until":10}"#.into());
    let told = seal(records, anchor);
    assert_eq!(walk(&told, anchor, vec![mark(&first, 4), anchor], None), (15, None));
    let elsewhere = Mark { seq: 10, hash: Digest::of(b"elsewhere") };
    assert_eq!(
        walk(&told, anchor, vec![elsewhere], None),
        (10, Some(Broken::Rewritten { from: 11, checkpoint: 10 })),
        "a checkpoint that saw another event there"
    );
    let mut chain = Chain::new(anchor, vec![mark(&first, 4), anchor]);
    told.iter().for_each(|e| chain.next(&Link::of(e)).unwrap());
    assert_eq!((chain.met(), chain.beyond()), (1, 1));
}

#[test]
fn what_is_withheld_keeps_its_place() {
    let mut all = ten();
    all[4].record = None;
    let text = line::write(&all[4]);
    assert!(!text.contains("shop"), "{text}");
    assert_eq!(walk(&all, Mark::genesis(), vec![mark(&ten(), 10)], None), (10, None));
    all[4].hash = Some(genesis());
    assert_eq!(walk(&all, Mark::genesis(), vec![], None).0, 5, "its follower does not follow it");
}

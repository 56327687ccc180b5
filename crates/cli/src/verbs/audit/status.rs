//! How the log's proof stands: its end, its last checkpoint, and where checkpoints go.

use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::{Paint, Table, painted},
};

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let (status, lang, when) = (session.client()?.audit_status().await?, session.lang, session.when());
    if session.json {
        session.out.json(&status);
        return Ok(Exit::Ok);
    }
    let line = |text: String| session.out.line(text);
    match &status.head {
        None => line(msg::NO_EVENTS.get(lang).to_owned()),
        Some(head) => line(fill!(lang, &msg::AUDIT_HEAD, seq = head.seq, hash = head.hash)),
    }
    if status.pruned > 0 {
        line(fill!(lang, &msg::CHAIN_PRUNED, until = status.pruned));
    }
    match &status.checkpoint {
        None => line(msg::NO_CHECKPOINT.get(lang).to_owned()),
        Some(c) => line(fill!(lang, &msg::AUDIT_CHECKPOINT, seq = c.seq, when = when.ago(c.at))),
    }
    line(fill!(lang, &msg::AUDIT_KEY, key = status.key));
    line(match status.keep_s {
        None => msg::AUDIT_KEPT_FOREVER.get(lang).to_owned(),
        Some(s) => fill!(lang, &msg::AUDIT_KEPT, days = s / 86_400),
    });
    if status.sinks.is_empty() {
        line(msg::NO_SINKS.get(lang).to_owned());
        return Ok(Exit::Ok);
    }
    let head = [&msg::H_SINK, &msg::H_TARGET, &msg::H_DELIVERED, &msg::H_SINCE, &msg::H_NOTE];
    let mut table = Table::new(&msg::head(lang, &head));
    for sink in &status.sinks {
        let note = match (&sink.failing_since, &sink.error) {
            (Some(since), why) => {
                let why = why.as_deref().unwrap_or("-");
                painted(Paint::Bad, fill!(lang, &msg::SINK_FAILS, since = when.ago(*since), why = why))
            }
            (None, _) => "".into(),
        };
        table.row(vec![
            sink.name.as_str().into(),
            sink.target.as_str().into(),
            sink.delivered.to_string().into(),
            sink.delivered_at.map_or_else(|| "-".to_owned(), |t| when.ago(t)).into(),
            note,
        ]);
    }
    session.out.table(&table);
    Ok(Exit::Ok)
}

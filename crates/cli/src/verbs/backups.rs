//! What was backed up, and what makes the next one.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Table, when};

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let (lang, times) = (session.lang, session.when());
    let backups = session.client()?.backups().await?;
    if session.json {
        session.out.json(&backups);
        return Ok(Exit::Ok);
    }
    match &backups.last {
        None => session.out.line(msg::NO_BACKUP.get(lang)),
        Some(last) => {
            let size = last.bytes.map(when::bytes).unwrap_or_else(|| "-".into());
            session.out.line(fill!(lang, &msg::BACKUP_LAST, at = times.ago(last.at), by = last.by, size = size));
        }
    }
    if let Some(failed) = &backups.failed {
        let why = failed.why.as_deref().unwrap_or("-");
        session.out.line(fill!(lang, &msg::BACKUP_FAILED, at = times.ago(failed.at), why = why));
    }
    match &backups.schedule {
        None => session.out.line(msg::BACKUP_BY_HAND.get(lang)),
        Some(s) => {
            let (next, hours) = (times.date(s.next_at), format!("{}", s.every_s / 3_600));
            session.out.line(fill!(lang, &msg::BACKUP_EVERY, to = s.to, hours = hours, keep = s.keep, next = next));
        }
    }
    if !backups.kept.is_empty() {
        let mut table = Table::new(&msg::head(lang, &[&msg::H_NAME, &msg::H_SIZE]));
        for kept in &backups.kept {
            table.row(vec![kept.name.as_str().into(), when::bytes(kept.bytes).into()]);
        }
        session.out.table(&table);
    }
    Ok(Exit::Ok)
}

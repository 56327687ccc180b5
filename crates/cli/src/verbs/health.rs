//! How the control plane itself fares: what fails first, with what to do.

use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::{Paint, Table, painted},
    when,
};
use tradewind_api::v1::FindingVerdict;

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let lang = session.lang;
    let health = session.client()?.plane().await?;
    // For scripts as for `tradewind doctor`: something is wrong.
    let exit = if health.verdict == FindingVerdict::Bad { Exit::Failed } else { Exit::Ok };
    if session.json {
        session.out.json(&health);
        return Ok(exit);
    }
    let mut table = Table::new(&msg::head(lang, &[&msg::H_VERDICT, &msg::H_ABOUT, &msg::H_FOUND]));
    for finding in &health.findings {
        let (paint, word) = match finding.verdict {
            FindingVerdict::Good => (Paint::Good, &msg::V_GOOD),
            FindingVerdict::Less => (Paint::Warn, &msg::V_LESS),
            FindingVerdict::Bad => (Paint::Bad, &msg::V_BAD),
        };
        table.row(vec![painted(paint, word.get(lang)), finding.id.as_str().into(), finding.found.as_str().into()]);
        if let Some(fix) = &finding.fix {
            table.row(vec![" ".into(), " ".into(), painted(Paint::Faint, format!("→ {fix}"))]);
        }
    }
    session.out.table(&table);
    let db = &health.database;
    let write = db.writes.map_or_else(|| "-".to_owned(), |w| ms(w.median_us));
    let (size, read) = (when::bytes(db.bytes), ms(db.read_us));
    session.out.line(fill!(lang, &msg::PLANE_DATABASE, kind = db.kind, size = size, read = read, write = write));
    let (head, waiting) = (health.log.head, health.log.unsealed);
    session.out.line(fill!(lang, &msg::PLANE_LOG, head = head, waiting = waiting));
    let waits: Vec<_> = health.queues.iter().map(|q| format!("{} {}", q.id, q.waiting)).collect();
    session.out.line(fill!(lang, &msg::PLANE_QUEUES, queues = waits.join(", ")));
    Ok(exit)
}

fn ms(us: u64) -> String {
    format!("{:.1} ms", us as f64 / 1e3)
}

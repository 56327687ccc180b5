//! Freezes that are on.

use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Table};
use tradewind_api::v1::Freeze;
use tradewind_model::fault::Lang;

pub async fn run(session: &Session) -> Result<Exit, Failure> {
    let (client, lang, when) = (session.client()?, session.lang, session.when());
    let on = client.freezes().await?;
    if session.json {
        session.json_list(on, None);
        return Ok(Exit::Ok);
    }
    if on.is_empty() {
        session.out.line(msg::NO_FREEZES.get(lang));
        return Ok(Exit::Ok);
    }
    let head = [&msg::H_SERVICE, &msg::H_ENV, &msg::H_SINCE, &msg::H_UNTIL, &msg::H_BY, &msg::H_ID, &msg::H_REASON];
    let mut table = Table::new(&msg::head(lang, &head));
    let all = msg::EVERY.get(lang);
    for f in &on {
        table.row(vec![
            f.service.as_ref().map_or(all, |s| s.as_str()).into(),
            f.env.as_ref().map_or(all, |e| e.as_str()).into(),
            when.ago(f.since).into(),
            f.until.map_or_else(|| msg::LIFTED.get(lang).to_owned(), |t| when.date(t)).into(),
            f.by.as_str().into(),
            f.id.to_string().into(),
            f.reason.as_str().into(),
        ]);
    }
    session.out.table(&table);
    Ok(Exit::Ok)
}

/// What it covers: `shop in production`, `everything`.
pub(super) fn covers(lang: Lang, f: &Freeze) -> String {
    match (&f.service, &f.env) {
        (Some(service), Some(env)) => fill!(lang, &msg::SERVICE_IN_ENV, service = service, env = env),
        (Some(service), None) => service.to_string(),
        (None, Some(env)) => env.to_string(),
        (None, None) => msg::EVERYTHING.get(lang).to_owned(),
    }
}

/// `production is frozen by li.wei since 2 h ago until 2026-11-12 08:00: 11.11`.
pub(super) fn line(session: &Session, f: &Freeze) -> String {
    let (lang, when) = (session.lang, session.when());
    let (what, since) = (covers(lang, f), when.date(f.since));
    match f.until {
        Some(t) => {
            let until = when.date(t);
            fill!(lang, &msg::FROZEN_UNTIL, what = what, by = f.by, since = since, until = until, reason = f.reason)
        }
        None => fill!(lang, &msg::FROZEN_BY, what = what, by = f.by, since = since, reason = f.reason),
    }
}

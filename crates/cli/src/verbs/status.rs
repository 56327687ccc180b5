//! What runs where, since when, how healthy, and who changed it.

use super::freezes::line;
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::{Session, name},
    table::{Paint, Table, painted},
    text::because,
    when,
    words::Words,
};
use std::{collections::BTreeMap, time::Duration};
use tradewind_api::{
    Client,
    v1::{InstancePhase, PlaceStatus},
};
use tradewind_model::id::ServiceName;

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: Option<String>,
    #[arg(long, short)]
    pub watch: bool,
}

const REFRESH: Duration = Duration::from_secs(1);

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let service = args.service.as_deref().map(name).transpose()?;
    if args.watch {
        return watch(session, &client, service.as_ref()).await;
    }
    let places = client.status(service.as_ref()).await?;
    if session.json {
        session.json_list(places, None);
    } else {
        session.out.text(&page(session, &places, service.is_some()));
        if service.is_none() {
            session.out.text(&warnings(session, &client).await);
        }
    }
    Ok(Exit::Ok)
}

/// What will go wrong by itself, for those who may know. Whoever may not, or asks an older server, is told nothing.
async fn warnings(session: &Session, client: &Client) -> String {
    let (lang, when) = (session.lang, session.when());
    let (certificates, audit) = tokio::join!(client.certificates(), client.audit_status());
    let ending = certificates.unwrap_or_default().into_iter().filter(|c| c.expiring).map(|c| {
        let names = c.names.join(", ");
        fill!(lang, &msg::WARN_CERTIFICATE, names = names, at = when.date(c.valid_until), days = c.days_left)
    });
    let sinks = audit.map(|a| a.sinks).unwrap_or_default();
    let failing = sinks.into_iter().filter_map(|s| {
        let since = when.date(s.failing_since?);
        let why = s.error.unwrap_or_default();
        Some(fill!(lang, &msg::WARN_SINK, name = s.name, target = s.target, since = since, why = why))
    });
    ending.chain(failing).map(|line| Paint::Warn.apply(&line, session.out.terminal) + "\n").collect()
}

/// Shows it again whenever it changed, until Ctrl-C.
async fn watch(session: &Session, client: &Client, service: Option<&ServiceName>) -> Result<Exit, Failure> {
    let mut last: Option<Vec<PlaceStatus>> = None;
    let look = async {
        loop {
            let places = client.status(service).await?;
            let changed = last.as_ref() != Some(&places);
            if session.json {
                if changed {
                    session.out.json_line(&places);
                }
            } else if session.out.terminal {
                // Times grow by themselves, so a terminal is redrawn each time: home, text, clear what is below.
                let text = crate::out::tame(&page(session, &places, service.is_some())).replace('\n', "\x1b[K\n");
                session.out.raw(&format!("\x1b[H{}{text}\x1b[J", if last.is_none() { "\x1b[2J" } else { "" }));
            } else if changed {
                session.out.text(&page(session, &places, service.is_some()));
                session.out.line("");
            }
            last = Some(places);
            tokio::time::sleep(REFRESH).await;
        }
    };
    match crate::follow::patiently(None, look).await {
        Err(Failure::Interrupted) => Ok(Exit::Ok),
        other => other,
    }
}

fn page(session: &Session, places: &[PlaceStatus], detail: bool) -> String {
    let lang = session.lang;
    if places.is_empty() {
        let text = if detail { &msg::NOTHING_OF_IT_RUNS } else { &msg::NOTHING_RUNS };
        return format!("{}\n", text.get(lang));
    }
    let mut out = overview(session, places);
    for p in places {
        for note in notes(session, p) {
            out += &format!("{}/{}/{}{}\n", p.service, p.env, p.site, because(note, lang));
        }
        if detail {
            out += &instances(session, p);
        }
    }
    // Once each, however many places they hold.
    let freezes: BTreeMap<_, _> = places.iter().flat_map(|p| &p.freezes).map(|f| (f.id, f)).collect();
    for f in freezes.into_values() {
        let next = fill!(lang, &msg::UNFREEZE_NEXT, id = f.id);
        out += &format!("{}\n{next}\n", line(session, f));
    }
    out
}

fn overview(session: &Session, places: &[PlaceStatus]) -> String {
    let (lang, when) = (session.lang, session.when());
    let head = [
        &msg::H_SERVICE,
        &msg::H_ENV,
        &msg::H_SITE,
        &msg::H_RELEASE,
        &msg::H_HEALTH,
        &msg::H_READY,
        &msg::H_TRAFFIC,
        &msg::H_SINCE,
        &msg::H_BY,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    for p in places {
        let live = p.release.as_ref();
        let of_live = || p.instances.iter().filter(|i| live.is_some_and(|r| r.digest == i.release.digest));
        let ready = of_live().filter(|i| i.phase == InstancePhase::Ready).count();
        let traffic: Vec<String> = p
            .traffic
            .iter()
            .filter(|t| t.share > 0)
            .map(|t| format!("{} {}", t.release.label, when::share(t.share)))
            .collect();
        table.row(vec![
            p.service.as_str().into(),
            p.env.as_str().into(),
            p.site.as_str().into(),
            live.map(|r| r.label.as_str()).unwrap_or_default().into(),
            painted(p.health.paint(), p.health.say(lang)),
            format!("{ready}/{}", of_live().count()).into(),
            traffic.join(", ").into(),
            p.since.map(|t| when.ago(t)).unwrap_or_default().into(),
            p.changed_by.clone().unwrap_or_default().into(),
        ]);
    }
    table.render(session.out.terminal)
}

/// What stands behind a line of the table: why it is not well, what moves, what it can go back to.
fn notes(session: &Session, p: &PlaceStatus) -> Vec<String> {
    let (lang, when) = (session.lang, session.when());
    let mut notes: Vec<String> = p.reason.iter().cloned().collect();
    if let Some(id) = p.rollout {
        notes.push(fill!(lang, &msg::ROLLOUT_UNDER_WAY, id = id));
    }
    if let Some(f) = &p.frozen {
        notes.push(fill!(lang, &msg::FROZEN, since = when.ago(f.since), reason = f.reason));
        notes.push(fill!(lang, &msg::ACKNOWLEDGE_NEXT, service = p.service, env = p.env));
    }
    if let Some(w) = &p.warm {
        notes.push(match w.until {
            Some(until) => fill!(lang, &msg::WARM_UNTIL, label = w.release.label, until = when.date(until)),
            None => fill!(lang, &msg::WARM, label = w.release.label),
        });
    }
    notes
}

fn instances(session: &Session, p: &PlaceStatus) -> String {
    let (lang, when) = (session.lang, session.when());
    let mut out = String::new();
    if !p.routes.is_empty() {
        out += &format!("{}\n", fill!(lang, &msg::ROUTES, routes = p.routes.join(", ")));
    }
    if p.instances.is_empty() {
        return out;
    }
    let head = [
        &msg::H_INSTANCE,
        &msg::H_RELEASE,
        &msg::H_STATE,
        &msg::H_SINCE,
        &msg::H_ADDR,
        &msg::H_PID,
        &msg::H_RESTARTS,
        &msg::H_HOST,
        &msg::H_NOTE,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    for i in &p.instances {
        let note = i.message.clone().or_else(|| i.last_exit.clone());
        table.row(vec![
            i.id.to_string().into(),
            i.release.label.as_str().into(),
            painted(i.phase.paint(), i.phase.say(lang)),
            i.since.map(|t| when.ago(t)).unwrap_or_default().into(),
            i.addr.clone().unwrap_or_default().into(),
            i.pid.map(|p| p.to_string()).unwrap_or_default().into(),
            i.restarts.to_string().into(),
            i.host.as_str().into(),
            painted(Paint::Faint, note.unwrap_or_default()),
        ]);
    }
    out + &table.render(session.out.terminal)
}

//! Rollouts: listed, shown, paused, resumed, promoted, given another share, aborted.

use super::{Pages, see_through};
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill,
    follow::{self, Wait},
    msg,
    session::{Session, name},
    table::{Table, painted},
    when,
    words::Words,
};
use std::num::NonZeroU32;
use tradewind_api::{
    Client, Paging,
    v1::{PromoteWave, Reason, Rollout, SetShare},
};
use tradewind_model::{fault::Fault, id::RolloutId, rollout::faults as roll, said, spec::values};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List {
        service: Option<String>,
        #[command(flatten)]
        pages: Pages,
    },
    Show {
        rollout: String,
        #[arg(long, short)]
        follow: bool,
    },
    Approve {
        rollout: String,
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    Pause(Ask),
    Resume(Step),
    Promote(Step),
    Share {
        rollout: String,
        share: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    Abort(Step),
}

#[derive(Debug, clap::Args)]
pub struct Ask {
    pub rollout: String,
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, clap::Args)]
pub struct Step {
    #[command(flatten)]
    pub ask: Ask,
    #[command(flatten)]
    pub wait: Wait,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::List { service, pages } => list(session, &client, service.as_deref(), &pages).await,
        Action::Show { rollout, follow } => {
            let found = find(&client, &rollout).await?;
            if follow && !found.phase.is_finished() {
                return see_through(session, &client, found, &Wait::default()).await;
            }
            if session.json {
                session.out.json(&found);
            } else {
                show(session, &found);
                follow::rollout::last_words(session, &client, &found).await;
            }
            Ok(Exit::Ok)
        }
        Action::Approve { rollout, note } => {
            let id = find(&client, &rollout).await?.id;
            let approved = client.approve_rollout(id, &note).await?;
            if session.json {
                session.out.json(&approved);
            } else {
                follow::rollout::report(session, &approved);
                session.out.line(fill!(session.lang, &msg::FOLLOW_ROLLOUT, id = id));
            }
            Ok(Exit::Ok)
        }
        Action::Pause(ask) => {
            let id = find(&client, &ask.rollout).await?.id;
            let paused = client.pause_rollout(id, &Reason { reason: ask.reason }).await?;
            if session.json {
                session.out.json(&paused);
            } else {
                follow::rollout::report(session, &paused);
                session.out.line(fill!(session.lang, &msg::RESUME_NEXT, id = id));
            }
            Ok(Exit::Ok)
        }
        Action::Resume(step) => {
            let id = find(&client, &step.ask.rollout).await?.id;
            let resumed = client.resume_rollout(id, &Reason { reason: step.ask.reason }).await?;
            see_through(session, &client, resumed, &step.wait).await
        }
        Action::Promote(step) => {
            let found = find(&client, &step.ask.rollout).await?;
            let promote = PromoteWave { wave: begun(&found)?, reason: step.ask.reason };
            let promoted = client.promote_wave(found.id, &promote).await?;
            see_through(session, &client, promoted, &step.wait).await
        }
        Action::Share { rollout, share, reason } => {
            let share = basis_points(&share)?;
            let found = find(&client, &rollout).await?;
            let set = SetShare { wave: begun(&found)?, share, reason };
            let changed = client.set_share(found.id, &set).await?;
            if session.json {
                session.out.json(&changed);
            } else {
                let (number, share) = (set.wave, when::share(share));
                session.out.line(fill!(session.lang, &msg::SHARE_SET, number = number, share = share));
                follow::rollout::report(session, &changed);
                session.out.line(fill!(session.lang, &msg::SHARE_NEXT, id = changed.id));
            }
            Ok(Exit::Ok)
        }
        Action::Abort(step) => {
            let id = find(&client, &step.ask.rollout).await?.id;
            let aborted = client.abort_rollout(id, &Reason { reason: step.ask.reason }).await?;
            match see_through(session, &client, aborted, &step.wait).await? {
                // Aborted is what was asked for.
                Exit::Failed => Ok(Exit::Ok),
                other => Ok(other),
            }
        }
    }
}

/// The wave that is seen: whatever is said is said of this one.
fn begun(r: &Rollout) -> Result<NonZeroU32, Failure> {
    let none =
        || Fault::new(&roll::NOT_JUDGED).with("rollout", r.id).with("what", said!("it has not begun", "尚未开始"));
    Ok(r.wave.and_then(NonZeroU32::new).ok_or_else(none)?)
}

/// `20%`, `2.5 %`, down to hundredths.
fn basis_points(text: &str) -> Result<u32, Failure> {
    let ppm = values::percent_ppm(&text.replace(' ', "")).filter(|ppm| ppm % 100 == 0);
    Ok(ppm.map(|ppm| ppm / 100).ok_or_else(|| Fault::new(&faults::BAD_SHARE).with("value", text))?)
}

/// By id, or the newest of a service.
pub(super) async fn find(client: &Client, which: &str) -> Result<Rollout, Failure> {
    if let Ok(id) = which.parse::<RolloutId>() {
        return Ok(client.rollout(id).await?);
    }
    let service = name(which)?;
    let newest = client.rollouts(&service, &Paging::limit(1)).await?.items.into_iter().next();
    newest.ok_or_else(|| Fault::new(&faults::NO_ROLLOUT).with("service", service).into())
}

async fn list(session: &Session, client: &Client, service: Option<&str>, pages: &Pages) -> Result<Exit, Failure> {
    let lang = session.lang;
    let service = session.service(service, "rollout list")?;
    let page = client.rollouts(&service, &pages.paging()).await?;
    if session.json {
        session.out.json(&page);
        return Ok(Exit::Ok);
    }
    if page.items.is_empty() {
        session.out.line(fill!(lang, &msg::NO_ROLLOUTS, service = service));
        return Ok(Exit::Ok);
    }
    let head = [
        &msg::H_KIND,
        &msg::H_ENV,
        &msg::H_FROM,
        &msg::H_TO,
        &msg::H_STATE,
        &msg::H_SINCE,
        &msg::H_BY,
        &msg::H_ID,
        &msg::H_NOTE,
    ];
    let mut table = Table::new(&msg::head(lang, &head));
    for r in &page.items {
        table.row(vec![
            r.kind.say(lang).into(),
            r.env.as_str().into(),
            r.from.as_ref().map(|f| f.label.clone()).unwrap_or_default().into(),
            r.to.label.as_str().into(),
            painted(r.phase.paint(), r.phase.say(lang)),
            session.when().ago(r.created_at).into(),
            r.requested_by.as_str().into(),
            r.id.to_string().into(),
            r.reason.clone().or_else(|| r.note.clone()).unwrap_or_default().into(),
        ]);
    }
    session.out.table(&table);
    Pages::more(session, page.next.as_ref());
    Ok(Exit::Ok)
}

fn show(session: &Session, r: &Rollout) {
    let lang = session.lang;
    session.out.line(follow::rollout::headline(session, r));
    session.out.line(fill!(lang, &msg::ROLLOUT_BY, by = r.requested_by, since = session.when().ago(r.created_at)));
    for (label, text) in [(&msg::NOTE, &r.note), (&msg::TICKET, &r.ticket)] {
        if let Some(text) = text {
            session.out.line(fill!(lang, label, text = text));
        }
    }
    if let Some(n) = r.queue_position {
        session.out.line(fill!(lang, &msg::QUEUE_POSITION, n = n));
    }
    for entry in &r.timeline {
        session.out.line(follow::rollout::entry_line(session, r, entry));
    }
    follow::rollout::report(session, r);
}

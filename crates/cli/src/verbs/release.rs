//! Releases: immutable and whole.

use super::Pages;
use crate::{exit::Exit, failure::Failure, fill, msg, session::Session, table::Table, when, words::Words as _};
use std::collections::BTreeSet;
use tradewind_api::v1;
use tradewind_model::id::EnvName;

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
        release: String,
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        #[arg(long)]
        files: bool,
        #[arg(long)]
        spec: bool,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    match args.action {
        Action::List { service, pages } => {
            let service = session.service(service.as_deref(), "release list")?;
            let page = client.releases(&service, &pages.paging()).await?;
            if session.json {
                session.out.json(&page);
            } else if page.items.is_empty() {
                session.out.line(fill!(session.lang, &msg::NO_RELEASES, service = service));
            } else {
                list(session, &page.items);
                Pages::more(session, page.next.as_ref());
            }
        }
        Action::Show { release, service, files, spec } => {
            let service = session.service(service.as_deref(), "release show RELEASE --service")?;
            let detail = client.release(&service, &release).await?;
            match (session.json, spec, files) {
                (true, _, _) => session.out.json(&detail),
                (false, true, _) => session.out.verbatim(&detail.spec),
                (false, false, files) => show(session, &detail, files),
            }
        }
    }
    Ok(Exit::Ok)
}

fn live(r: &v1::Release) -> String {
    r.live_in.iter().map(EnvName::as_str).collect::<Vec<_>>().join(", ")
}

/// Environments that can be rolled back to it.
fn back(r: &v1::Release) -> String {
    let possible = r.stands.iter().filter(|s| s.possible).map(|s| s.env.as_str());
    possible.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

fn list(session: &Session, releases: &[v1::Release]) {
    let head = [
        &msg::H_RELEASE,
        &msg::H_LIVE,
        &msg::H_BACK,
        &msg::H_COMMIT,
        &msg::H_SIZE,
        &msg::H_SINCE,
        &msg::H_BY,
        &msg::H_TITLE,
    ];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for r in releases {
        table.row(vec![
            r.name.label.as_str().into(),
            live(r).into(),
            back(r).into(),
            r.commit.short().into(),
            when::bytes(r.bundle_bytes).into(),
            session.when().ago(r.created_at).into(),
            r.created_by.as_str().into(),
            r.title.clone().unwrap_or_default().into(),
        ]);
    }
    session.out.table(&table);
}

fn show(session: &Session, detail: &v1::ReleaseDetail, files: bool) {
    let (lang, r) = (session.lang, &detail.release);
    session.out.line(fill!(lang, &msg::RELEASE_IS, label = r.name.label, service = r.service, digest = r.name.digest));
    let title = r.title.clone().unwrap_or_default();
    session.out.line(format!("  {} {title}", r.commit));
    session.out.line(fill!(
        lang,
        &msg::RELEASE_MADE,
        by = r.created_by,
        since = session.when().ago(r.created_at),
        files = r.files,
        size = when::bytes(r.bundle_bytes)
    ));
    if !r.live_in.is_empty() {
        session.out.line(fill!(lang, &msg::LIVE_IN, envs = live(r)));
    }
    for stand in &r.stands {
        session.out.line(told(session, stand));
    }
    if !files {
        return;
    }
    let mut table = Table::new(&msg::head(lang, &[&msg::H_FILE, &msg::H_SIZE, &msg::H_DIGEST]));
    for f in &detail.manifest {
        let mode = if f.executable { "*" } else { "" };
        let path = match &f.link {
            Some(target) => format!("{} -> {target}", f.path),
            None => format!("{}{mode}", f.path),
        };
        let digest = f.digest.map(|d| d.short()).unwrap_or_default();
        table.row(vec![path.into(), f.bytes.map(when::bytes).unwrap_or_default().into(), digest.into()]);
    }
    session.out.table(&table);
}

fn told(session: &Session, s: &v1::ReleaseStand) -> String {
    let lang = session.lang;
    let (place, stand) = (format!("{}/{}", s.env, s.site), s.stand.say(lang));
    let stand = match s.warm_until {
        Some(until) => fill!(lang, &msg::STAND_UNTIL, stand = stand, until = session.when().clock(until)),
        None => stand.to_owned(),
    };
    match &s.why {
        Some(why) => fill!(lang, &msg::STAND_NOT, place = place, stand = stand, why = why),
        None => fill!(lang, &msg::STAND_POSSIBLE, place = place, stand = stand),
    }
}

//! From a few words to a service, a release, a run.

use crate::{exit::Exit, failure::Failure, msg, session::Session, table::Table, words::Words};
use tradewind_api::v1::Found;
use tradewind_model::id::EnvName;

#[derive(Debug, clap::Args)]
pub struct Args {
    pub words: Vec<String>,
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let found = session.client()?.search(&args.words.join(" "), args.limit).await?;
    if session.json {
        session.out.json(&found);
        return Ok(Exit::Ok);
    }
    let tables =
        [services(session, &found), rollouts(session, &found), releases(session, &found), runs(session, &found)];
    let mut any = false;
    for table in tables.into_iter().flatten() {
        if any {
            session.out.line("");
        }
        session.out.table(&table);
        any = true;
    }
    if !any {
        session.out.line(msg::NOTHING_FOUND.get(session.lang));
    }
    Ok(Exit::Ok)
}

fn services(session: &Session, found: &Found) -> Option<Table> {
    let mut table = Table::new(&msg::head(session.lang, &[&msg::H_SERVICE, &msg::H_ENVS]));
    for s in &found.services {
        let envs: Vec<&str> = s.environments.iter().map(EnvName::as_str).collect();
        table.row(vec![s.name.as_str().into(), envs.join(", ").into()]);
    }
    (!found.services.is_empty()).then_some(table)
}

fn rollouts(session: &Session, found: &Found) -> Option<Table> {
    let head = [&msg::H_SERVICE, &msg::H_ENV, &msg::H_TO, &msg::H_STATE, &msg::H_SINCE, &msg::H_ID];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for r in &found.rollouts {
        table.row(vec![
            r.service.as_str().into(),
            r.env.as_str().into(),
            r.to.label.as_str().into(),
            r.phase.say(session.lang).into(),
            session.when().ago(r.created_at).into(),
            r.id.to_string().into(),
        ]);
    }
    (!found.rollouts.is_empty()).then_some(table)
}

fn releases(session: &Session, found: &Found) -> Option<Table> {
    let head = [&msg::H_RELEASE, &msg::H_SERVICE, &msg::H_COMMIT, &msg::H_SINCE, &msg::H_TITLE];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for r in &found.releases {
        table.row(vec![
            r.release.label.as_str().into(),
            r.service.as_str().into(),
            r.commit.short().into(),
            session.when().ago(r.created_at).into(),
            r.title.clone().unwrap_or_default().into(),
        ]);
    }
    (!found.releases.is_empty()).then_some(table)
}

fn runs(session: &Session, found: &Found) -> Option<Table> {
    let head =
        [&msg::H_RUN, &msg::H_SERVICE, &msg::H_STATE, &msg::H_COMMIT, &msg::H_BRANCH, &msg::H_SINCE, &msg::H_TITLE];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for r in &found.runs {
        table.row(vec![
            format!("#{}", r.number).into(),
            r.service.as_str().into(),
            r.state.say(session.lang).into(),
            r.commit.short().into(),
            r.branch.as_str().into(),
            session.when().ago(r.created_at).into(),
            r.title.clone().unwrap_or_default().into(),
        ]);
    }
    (!found.runs.is_empty()).then_some(table)
}

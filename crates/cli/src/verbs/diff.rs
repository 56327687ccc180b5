//! What changes from one release to another.

use super::preview;
use crate::{
    exit::Exit,
    failure::Failure,
    fill, msg,
    session::Session,
    table::{Table, painted},
    when,
    words::Words,
};
use tradewind_api::v1::ReleaseDiff;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "A")]
    pub from: String,
    #[arg(value_name = "B")]
    pub to: String,
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long)]
    pub text: bool,
}

const LIVE: &str = "live";

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let service = session.service(args.service.as_deref(), "diff A B --service")?;
    let client = session.client()?;
    let env = match args.from == LIVE || args.to == LIVE || args.env.is_some() {
        true => Some(session.env(&client, &service, args.env.as_deref()).await?),
        false => None,
    };
    let diff = client.diff(&service, &args.from, &args.to, env.as_ref(), args.text).await?;
    if session.json {
        session.out.json(&diff);
    } else {
        show(session, &diff);
    }
    Ok(Exit::Ok)
}

fn show(session: &Session, d: &ReleaseDiff) {
    let lang = session.lang;
    session.out.line(fill!(
        lang,
        &msg::DIFF_HEAD,
        from = d.from.label,
        to = d.to.label,
        from_commit = d.from_commit.short(),
        to_commit = d.to_commit.short()
    ));
    preview::commits(session, d);
    if d.files.is_empty() && d.spec.is_empty() {
        session.out.line(msg::NO_DIFFERENCE.get(lang));
        return;
    }
    if !d.spec.is_empty() {
        session.out.line("");
        let mut table = Table::new(&msg::head(lang, &[&msg::H_SETTING, &msg::H_BEFORE, &msg::H_AFTER]));
        for s in &d.spec {
            table.row(vec![
                s.key.as_str().into(),
                s.before.clone().unwrap_or_default().into(),
                s.after.clone().unwrap_or_default().into(),
            ]);
        }
        session.out.table(&table);
    }
    if !d.files.is_empty() {
        session.out.line("");
        let mut table = Table::new(&msg::head(lang, &[&msg::H_FILE, &msg::H_CHANGE, &msg::H_BEFORE, &msg::H_AFTER]));
        for f in &d.files {
            let size = |n: Option<u64>| n.map(when::bytes).unwrap_or_default();
            table.row(vec![
                f.path.as_str().into(),
                painted(f.change.paint(), f.change.say(lang)),
                size(f.before_bytes).into(),
                size(f.after_bytes).into(),
            ]);
        }
        session.out.table(&table);
    }
    for file in d.sources.iter().flat_map(|s| &s.files) {
        session.out.line("");
        if file.binary {
            session.out.line(fill!(lang, &msg::BINARY, path = file.path));
            continue;
        }
        session.out.line(format!("{}  {}", file.path, file.change.say(lang)));
        for line in file.text.iter().flat_map(|t| t.lines()) {
            session.out.line(line);
        }
        if file.cut {
            session.out.line(msg::CUT.get(lang));
        }
    }
    if d.sources.as_ref().is_some_and(|s| s.more) {
        session.out.line(msg::CUT.get(lang));
    }
}

//! Events that fit, in a form for archives or for spreadsheets.

use super::checkpoint::cannot;
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::{Session, env, name},
    when,
};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};
use tradewind_api::{EventQuery, v1::Time};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", hide_default_value = true, value_parser = ["jsonl", "csv"])]
    pub format: String,
    #[command(flatten)]
    pub chosen: Chosen,
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which events.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Chosen {
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    #[arg(long, value_name = "KIND/ID")]
    pub subject: Option<String>,
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

impl Chosen {
    pub fn query(self, session: &Session) -> Result<EventQuery, Failure> {
        let Self { service, env: environment, actor, subject, kind, since, until } = self;
        let time = |text: Option<String>| text.map(|t| moment(session, &t)).transpose();
        Ok(EventQuery {
            service: service.as_deref().map(name).transpose()?,
            env: environment.as_deref().map(env).transpose()?,
            actor,
            subject,
            kind,
            since: time(since)?,
            until: time(until)?,
        })
    }
}

/// `12h` ago, `2026-11-12`, `2026-11-12 08:00` where the caller is, RFC 3339.
fn moment(session: &Session, text: &str) -> Result<Time, Failure> {
    let when = session.when();
    let ago = when::parse_span(text).map(|d| when.now.minus(d).into());
    let found = ago.or_else(|| when.parse(text));
    found.ok_or_else(|| Fault::new(&faults::BAD_MOMENT).with("value", text).into())
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let query = args.chosen.query(session)?;
    let mut lines = session.client()?.export_events(&query, &args.format).await?;
    let Some(file) = args.output else {
        while let Some(line) = lines.next().await {
            session.out.raw(&(line? + "\n"));
        }
        return Ok(Exit::Ok);
    };
    // Beside its name until it is whole: half an export would pass for one.
    let half = file.with_extension("part");
    let mut out = BufWriter::new(File::create(&half).map_err(|e| cannot(&half, &e))?);
    let mut n: u64 = 0;
    while let Some(line) = lines.next().await {
        writeln!(out, "{}", line?).map_err(|e| cannot(&half, &e))?;
        n += 1;
    }
    let written = out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|f| f.sync_all());
    written.and_then(|()| std::fs::rename(&half, &file)).map_err(|e| cannot(&file, &e))?;
    let events = if args.format == "csv" { n.saturating_sub(1) } else { n };
    session.out.note(fill!(session.lang, &msg::EXPORTED, n = events, file = file.display()));
    Ok(Exit::Ok)
}

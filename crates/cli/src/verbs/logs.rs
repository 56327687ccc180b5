//! What the instances of a service write.

use crate::{
    exit::Exit,
    failure::Failure,
    faults, follow,
    session::{Session, name},
    table::Paint,
};
use tradewind_api::{
    LogQuery,
    v1::{LogLine, LogStream, LogUpdate},
};
use tradewind_model::{fault::Fault, id::SiteName};

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    #[arg(long, value_name = "RELEASE")]
    pub release: Option<String>,
    #[arg(long, short)]
    pub follow: bool,
    #[arg(long, short = 'n', value_name = "LINES", default_value_t = 100)]
    pub tail: u64,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let service = match args.service.as_deref() {
        Some(s) => name(s)?,
        None => session.service(None, "logs")?,
    };
    let site = args.site.as_deref().map(str::parse::<SiteName>).transpose();
    let site = site.map_err(|_| Fault::new(&faults::BAD_NAME).with("value", args.site.unwrap_or_default()))?;
    let env = session.env(&client, &service, args.env.as_deref()).await?;
    let asked = LogQuery { env, site, release: args.release, tail: args.tail, follow: args.follow };
    let mut updates = client.logs(&service, &asked);
    let read = async {
        while let Some(update) = updates.next().await {
            let update = update?;
            match (&update, session.json) {
                (_, true) => session.out.json_line(&update),
                (LogUpdate::Line(line), false) => session.out.line(plain(session, line)),
                (LogUpdate::Notice { text }, false) => session.out.note(format!("· {text}")),
            }
        }
        Ok(Exit::Ok)
    };
    match follow::patiently(None, read).await {
        Err(Failure::Interrupted) if args.follow => Ok(Exit::Ok),
        other => other,
    }
}

/// `00:08:12 v3 9c0a │ its text`.
pub fn plain(session: &Session, l: &LogLine) -> String {
    let terminal = session.out.terminal;
    let id = l.instance.to_string();
    let origin = format!("{} {} {}", session.when().clock(l.at), l.label, &id[id.len() - 4..]);
    let text = match l.stream {
        LogStream::Stdout => l.text.clone(),
        LogStream::Stderr => Paint::Warn.apply(&l.text, terminal),
        LogStream::System => Paint::Faint.apply(&format!("· {}", l.text), terminal),
    };
    format!("{} │ {text}", Paint::Faint.apply(&origin, terminal))
}

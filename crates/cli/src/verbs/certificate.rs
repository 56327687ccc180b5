//! Certificates that the edges show.

use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::Session,
    table::{Paint, Table, painted},
};
use std::path::{Path, PathBuf};
use tradewind_api::v1::{AddCertificate, Certificate};
use tradewind_model::{fault::Fault, id::Digest};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List,
    Add {
        #[arg(long, value_name = "FILE")]
        cert: PathBuf,
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    Remove {
        certificate: String,
    },
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    match args.action {
        Action::List => {
            let all = client.certificates().await?;
            if session.json {
                session.json_list(all, None);
            } else if all.is_empty() {
                session.out.line(msg::NO_CERTIFICATES.get(lang));
            } else {
                list(session, &all);
            }
        }
        Action::Add { cert, key } => {
            let added = client.add_certificate(&AddCertificate { chain: read(&cert)?, key: read(&key)? }).await?;
            if session.json {
                session.out.json(&added);
            } else {
                let until = session.when().date(added.valid_until);
                let names = added.names.join(", ");
                session.out.line(fill!(lang, &msg::CERTIFICATE_ADDED, names = names, until = until));
            }
        }
        Action::Remove { certificate } => {
            let id = find(&client.certificates().await?, &certificate)?;
            client.remove_certificate(&id).await?;
            if session.json {
                session.out.json(&serde_json::json!({ "id": id, "removed": true }));
            } else {
                session.out.line(fill!(lang, &msg::CERTIFICATE_REMOVED, what = certificate));
            }
        }
    }
    Ok(Exit::Ok)
}

fn read(path: &Path) -> Result<String, Failure> {
    let fault = |reason| Fault::new(&faults::NO_FILE).with("file", path.display()).with("reason", reason);
    Ok(std::fs::read_to_string(path).map_err(fault)?)
}

/// By its id or the beginning of it, or by a name that only one of them has.
fn find(all: &[Certificate], what: &str) -> Result<Digest, Fault> {
    let hex = what.strip_prefix("sha256:").unwrap_or(what);
    let fits = |c: &&Certificate| c.names.iter().any(|n| n == what) || (hex.len() >= 6 && c.id.hex().starts_with(hex));
    let mut fitting = all.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only.id),
        _ => Err(Fault::new(&faults::NOT_AN_ID).with("value", what).with("list", "tradewind certificate list")),
    }
}

fn list(session: &Session, all: &[Certificate]) {
    let head =
        [&msg::H_NAMES, &msg::H_DAYS_LEFT, &msg::H_UNTIL, &msg::H_ORIGIN, &msg::H_SHOWN_ON, &msg::H_BY, &msg::H_ID];
    let mut table = Table::new(&msg::head(session.lang, &head));
    for c in all {
        let days = c.days_left.to_string();
        table.row(vec![
            c.names.join(" ").into(),
            if c.expiring { painted(Paint::Bad, days) } else { days.into() },
            session.when().date(c.valid_until).into(),
            c.origin.as_str().into(),
            c.shown_on.to_string().into(),
            c.by.as_str().into(),
            c.id.short().into(),
        ]);
    }
    session.out.table(&table);
}

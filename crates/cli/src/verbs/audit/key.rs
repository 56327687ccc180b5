//! The public keys checkpoints are signed with.

use crate::{exit::Exit, failure::Failure, msg, session::Session};
use tradewind_api::v1::AuditKey;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long)]
    pub pem: bool,
    #[arg(long, conflicts_with = "replace")]
    pub all: bool,
    #[arg(long)]
    pub replace: bool,
}

pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    if args.replace {
        let key = client.replace_audit_key().await?;
        show(args, session, &[key]);
        session.out.note(msg::KEY_REPLACED.get(session.lang));
        return Ok(Exit::Ok);
    }
    let mut keys = client.audit_keys().await?;
    keys.retain(|k| args.all || k.current);
    show(args, session, &keys);
    Ok(Exit::Ok)
}

fn show(args: &Args, session: &Session, keys: &[AuditKey]) {
    if session.json {
        session.json_list(keys.to_vec(), None);
        return;
    }
    for key in keys {
        if args.pem {
            session.out.raw(&key.pem);
        } else {
            session.out.line(&key.verifier);
        }
    }
}

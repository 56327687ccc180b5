//! Lifts one freeze; what others cover stays frozen.

use super::freezes::{covers, line};
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::{Session, env, name},
};
use tradewind_api::{
    Client,
    v1::{Freeze, Reason},
};
use tradewind_model::{fault::Fault, id::FreezeId};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["freeze", "env", "all"])))]
pub struct Args {
    pub freeze: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, conflicts_with_all = ["freeze", "env"])]
    pub all: bool,
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    let id = which(session, &client, &args).await?;
    let lifted = client.lift_freeze(id, &Reason { reason: args.reason }).await?;
    if session.json {
        session.out.json(&lifted);
        return Ok(Exit::Ok);
    }
    session.out.line(fill!(lang, &msg::FREEZE_LIFTED, what = covers(lang, &lifted)));
    // It is lifted already: that the rest cannot be read is no failure of this.
    for other in client.freezes().await.unwrap_or_default().iter().filter(|other| overlap(&lifted, other)) {
        session.out.line(fill!(lang, &msg::STILL_FROZEN, line = line(session, other), id = other.id));
    }
    Ok(Exit::Ok)
}

/// By id, or the one freeze that covers exactly what is named.
async fn which(session: &Session, client: &Client, args: &Args) -> Result<FreezeId, Failure> {
    if let Some(Ok(id)) = args.freeze.as_ref().map(|f| f.parse::<FreezeId>()) {
        return Ok(id);
    }
    let service = args.freeze.as_deref().map(name).transpose()?;
    let env = args.env.as_deref().map(env).transpose()?;
    let on: Vec<Freeze> =
        client.freezes().await?.into_iter().filter(|f| f.service == service && f.env == env).collect();
    match on.as_slice() {
        [] => Err(Fault::new(&faults::NO_SUCH_FREEZE).into()),
        [one] => Ok(one.id),
        several => {
            let each = |f: &Freeze| format!("{} ({})", f.id, line(session, f));
            let which = several.iter().map(each).collect::<Vec<_>>().join("; ");
            Err(Fault::new(&faults::WHICH_FREEZE).with("which", which).into())
        }
    }
}

fn overlap(a: &Freeze, b: &Freeze) -> bool {
    fn meet<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.zip(b).is_none_or(|(a, b)| a == b)
    }
    meet(a.service.as_ref(), b.service.as_ref()) && meet(a.env.as_ref(), b.env.as_ref())
}

//! Holds back every new wave of a service, an environment or everything. Never a rollback.

use super::freezes::covers;
use crate::{
    exit::Exit,
    failure::Failure,
    faults, fill, msg,
    session::{Session, env, name},
    when::{self, When},
};
use tradewind_api::v1::{SetFreeze, Time};
use tradewind_model::fault::Fault;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["service", "env", "all"])))]
pub struct Args {
    pub service: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    #[arg(long, conflicts_with_all = ["service", "env"])]
    pub all: bool,
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, lang) = (session.client()?, session.lang);
    let (until, for_s) = match &args.until {
        None => (None, None),
        Some(text) => match end(&session.when(), text) {
            Some(End::At(at)) => (Some(at), None),
            Some(End::After(seconds)) => (None, Some(seconds)),
            None => return Err(Fault::new(&faults::BAD_END).with("value", text).into()),
        },
    };
    let wish = SetFreeze {
        service: args.service.as_deref().map(name).transpose()?,
        env: args.env.as_deref().map(env).transpose()?,
        all: args.all,
        reason: args.reason,
        until,
        for_s,
    };
    let set = client.set_freeze(&wish).await?;
    if session.json {
        session.out.json(&set);
        return Ok(Exit::Ok);
    }
    let what = covers(lang, &set);
    session.out.line(match set.until {
        Some(until) => fill!(lang, &msg::FREEZE_SET_UNTIL, what = what, until = session.when().date(until)),
        None => fill!(lang, &msg::FREEZE_SET, what = what),
    });
    session.out.line(fill!(lang, &msg::UNFREEZE_NEXT, id = set.id));
    Ok(Exit::Ok)
}

enum End {
    At(Time),
    /// Seconds, by the server's clock.
    After(u64),
}

/// `12h`, `3d`; `2026-11-12`, `2026-11-12 08:00` where the caller is; RFC 3339.
fn end(when: &When, text: &str) -> Option<End> {
    when::parse_span(text).map(|d| End::After(d.as_secs())).or_else(|| when.parse(text).map(End::At))
}

//! The git remote `tradewind` of a checkout.

use crate::{failure::Failure, fill, msg, session::Session};
use tradewind_model::id::ServiceName;

pub const NAME: &str = "tradewind";

/// Where a service is pushed to.
pub fn url(session: &Session, service: &ServiceName) -> String {
    format!("{}/git/{service}.git", session.server())
}

/// Adds the remote to the checkout one stands in, where it has none and the service is known; says what it did.
pub fn ensure(session: &Session, service: Option<&ServiceName>) -> Result<(), Failure> {
    let here = session.checkout();
    let named = here.service();
    let Some(service) = service.or(named.as_ref()) else { return Ok(()) };
    if !here.is_checkout()? {
        return Ok(());
    }
    let (lang, wanted) = (session.lang, url(session, service));
    let told = match here.remote(NAME)? {
        Some(there) if there == wanted => return Ok(()),
        Some(there) => fill!(lang, &msg::REMOTE_OTHER, remote = NAME, there = there, wanted = wanted),
        None => {
            here.add_remote(NAME, &wanted)?;
            fill!(lang, &msg::REMOTE_ADDED, remote = NAME, url = wanted)
        }
    };
    if !session.json {
        session.out.line(told);
    }
    Ok(())
}

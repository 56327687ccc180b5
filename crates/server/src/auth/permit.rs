//! Whether a request may be carried out, before anything of it is.

use super::{Caller, Identity, Manner, authenticate};
use crate::{
    App, faults,
    http::{Refusal, route::Permission},
};
use http::{HeaderMap, Method};
use std::time::Duration;
use tradewind_control::access::locate;
use tradewind_model::{
    access::{Action, Subject},
    fault::Fault,
    id::{RolloutId, RunId, ServiceName},
};
use tradewind_store::rows;

/// Between two looks at the rights behind an answer that lasts: not oftener, even if much is written; and not later,
/// because a token also ends by itself.
const LOOKED_AGAIN_AFTER: Duration = Duration::from_secs(1);
const LOOKED_AGAIN_AT_LEAST: Duration = Duration::from_secs(30);

/// What of a request its permission is decided by.
#[derive(Clone, Debug)]
pub struct Ask {
    pub permission: Permission,
    pub method: Method,
    pub headers: HeaderMap,
    /// The path's `{…}` parts.
    pub parts: Vec<(String, String)>,
}

impl Ask {
    /// # Errors
    /// Why not. What the caller may not even see is refused as what is not there.
    pub async fn admit(&self, app: &App) -> Result<Option<Caller>, Refusal> {
        let manner = match self.permission {
            Permission::Public => return Ok(None),
            Permission::Git(_) => Manner::Git,
            Permission::Host | Permission::Own | Permission::Known | Permission::May(_) => Manner::Web,
        };
        let caller = authenticate(app, &self.headers, &self.method, manner).await?;
        let is_host = matches!(caller.identity, Identity::Host(_));
        match self.permission {
            Permission::Public => {}
            Permission::Host if is_host => {}
            Permission::Host => return Err(Fault::new(&faults::HOSTS_ONLY).with("name", &caller.name).into()),
            Permission::Own | Permission::Known | Permission::May(_) | Permission::Git(_) if is_host => {
                return Err(Fault::new(&faults::NOT_FOR_HOSTS).with("name", &caller.name).into());
            }
            Permission::Own => {}
            Permission::Known | Permission::May(_) | Permission::Git(_) if caller.second_factor_needed => {
                return Err(Fault::new(&faults::SECOND_FACTOR_FIRST).with("name", &caller.name).into());
            }
            Permission::Known => {}
            Permission::May(action) | Permission::Git(action) => self.check(app, &caller, action).await?,
        }
        Ok(Some(caller))
    }

    /// Where the path names what the request is about, rights are checked for that; what a body adds, its use case checks.
    async fn check(&self, app: &App, caller: &Caller, action: Action) -> Result<(), Refusal> {
        if let Some(id) = self.part::<RolloutId>("rollout") {
            let found = locate::rollout(&mut app.store.for_org(caller.org.clone()).read().await?, id).await?;
            return Ok(every(caller, action, &found, || locate::no_rollout(id))?);
        }
        if let Some(id) = self.part::<RunId>("run") {
            let found = locate::run(&mut app.store.for_org(caller.org.clone()).read().await?, id).await?;
            return Ok(every(caller, action, &[found], || locate::no_run(id))?);
        }
        let repository = self.raw("repository").map(|r| r.strip_suffix(".git").unwrap_or(r));
        if let Some(name) = repository.or(self.raw("service")).and_then(|s| s.parse::<ServiceName>().ok()) {
            let missing = || Fault::new(&tradewind_control::faults::NO_SERVICE).with("service", &name);
            every(caller, action, &[Subject::service(name.clone())], missing)?;
            // A first push makes the service.
            if repository.is_none() {
                let mut read = app.store.for_org(caller.org.clone()).read().await?;
                rows::services::find(&mut read, &name).await?.ok_or_else(missing)?;
            }
            return Ok(());
        }
        // Of lists, everybody who sees anything sees their part.
        Ok(caller.allow(action, &Subject::ANYWHERE)?)
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A part that cannot be read is refused by the handler, which says what is wrong with it.
    fn part<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.raw(name)?.parse().ok()
    }

    /// For answers that last: returns when what was allowed is not any more.
    pub async fn until_refused(self, app: App) {
        let mut commits = app.store.commits();
        loop {
            commits.borrow_and_update();
            match self.admit(&app).await {
                Err(Refusal::Faults(_)) => return,
                // A store that does not answer says nothing about rights.
                Ok(_) | Err(Refusal::Internal(_)) => {}
            }
            tokio::time::sleep(LOOKED_AGAIN_AFTER).await;
            tokio::select! {
                _ = commits.changed() => {}
                () = tokio::time::sleep(LOOKED_AGAIN_AT_LEAST) => {}
            }
        }
    }
}

/// To read, one of them has to be allowed; to change something, all.
fn every(caller: &Caller, action: Action, subjects: &[Subject], missing: impl Fn() -> Fault) -> Result<(), Fault> {
    let seen = subjects.iter().any(|s| caller.rights.may(Action::Read, s));
    if !seen {
        return Err(missing());
    }
    if matches!(action, Action::Read | Action::ReadLogs) && subjects.iter().any(|s| caller.rights.may(action, s)) {
        return Ok(());
    }
    subjects.iter().try_for_each(|subject| caller.allow(action, subject))
}

//! Where one can go back to, and why not elsewhere. A rollback starts by these rules, and whoever asks beforehand is
//! answered by them.

use super::{PlanDoc, earlier, read};
use crate::Result;
use tradewind_model::{
    event::Actor,
    fault::Fault,
    id::{EnvName, ServiceName},
    rollout::{
        faults as roll,
        plan::Kind,
        state::State,
        target::{NoTarget, Target, rollback_target},
    },
};
use tradewind_store::{
    Reader,
    rows::{self, places::PlaceRow, revisions::Revision, rollouts::Rollout},
};

/// What a rollback of an environment starts from.
pub(crate) struct Ground {
    /// Where something completed, or is on its way to.
    pub places: Vec<PlaceRow>,
    pub active: Option<UnderWay>,
    /// Who brought the environment where it is.
    brought_by: Option<Actor>,
}

pub(crate) struct UnderWay {
    pub row: Rollout,
    pub doc: PlanDoc,
    pub state: State,
}

impl UnderWay {
    pub fn is_rollback(&self) -> bool {
        self.doc.plan.kind == Kind::Rollback
    }
}

/// A release that is named to go back to, and what there is of it at the place.
pub(crate) struct Wanted<'a> {
    pub label: &'a str,
    pub revision: Option<&'a Revision>,
}

impl Ground {
    pub async fn of(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Self> {
        let mut places = rows::places::list(r, Some(service)).await?;
        places.retain(|p| p.place.env == *env);
        Self::under(r, service, env, places).await
    }

    /// Of places that are at hand already.
    pub async fn under(
        r: &mut impl Reader,
        service: &ServiceName,
        env: &EnvName,
        places: Vec<PlaceRow>,
    ) -> Result<Self> {
        let active = match rows::rollouts::active(r, service, env).await? {
            Some(row) => Some(UnderWay { doc: read(&row.plan)?, state: read(&row.state)?, row }),
            None => None,
        };
        let last = rows::rollouts::last_completed(r, service, env).await?;
        Ok(Self { places, active, brought_by: last.map(|l| l.requester) })
    }

    /// Where a rollback leads at this place; without a wish, to where it would by itself.
    pub fn target(&self, at: &PlaceRow, wanted: Option<Wanted<'_>>) -> Result<Target, Fault> {
        let active = self.active.as_ref().map(|a| (&a.doc.plan, &a.state));
        let refusal = |code| Fault::new(code).with("place", &at.place);
        let (label, revision) = match wanted {
            None => ("", None),
            Some(Wanted { label, revision: Some(known) }) => (label, Some(known)),
            Some(Wanted { label, revision: None }) => {
                return Err(refusal(&roll::NOT_COMPLETED_HERE).with("release", label));
            }
        };
        rollback_target(&at.place.site, active, &at.history, revision.map(|r| r.id)).map_err(|why| {
            let code = match why {
                NoTarget::NoPrevious => &roll::NO_PREVIOUS,
                NoTarget::AlreadyThere => {
                    return earlier::already(&at.place, label, Some(at.changed_at), self.brought_by.as_ref());
                }
                // Only going back takes out of a history what was in it.
                NoTarget::NeverCompletedHere if revision.is_some_and(|r| r.completed_at.is_some()) => &roll::LEFT_HERE,
                NoTarget::NeverCompletedHere => &roll::NOT_COMPLETED_HERE,
            };
            refusal(code).with("release", label)
        })
    }
}

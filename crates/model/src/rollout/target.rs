//! Where a rollback leads, and what it takes over.

use super::{
    history::History,
    plan::{Kind, Plan},
    state::State,
};
use crate::id::{RevisionId, SiteName};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    pub from: Option<RevisionId>,
    pub to: RevisionId,
    /// `from` is the unfinished work of the active rollout, or of one that it took over itself.
    pub from_half_made: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoTarget {
    NoPrevious,
    AlreadyThere,
    NeverCompletedHere,
}

/// Without `wanted`: a rollout under way is taken back to what completed before it; a rollback under way leads where it
/// already does; otherwise it is the revision that completed before the current one.
///
/// # Errors
/// When there is no such revision, or nothing would change.
pub fn rollback_target(
    site: &SiteName,
    active: Option<(&Plan, &State)>,
    history: &History,
    wanted: Option<RevisionId>,
) -> Result<Target, NoTarget> {
    let half_made = active.and_then(|(plan, state)| {
        let part = plan.site(site)?;
        let touched = state.sites.get(site).is_some_and(|s| s.touched);
        match (touched, part.from_half_made) {
            (true, _) => Some((Some(part.to), part.to, plan.kind)),
            // It has not begun yet: what it was to take over is still there.
            (false, true) => Some((part.from, part.to, plan.kind)),
            (false, false) => None,
        }
    });
    let from = half_made.map_or_else(|| history.current(), |(from, _, _)| from);
    let to = match (wanted, half_made) {
        (Some(to), _) if history.contains(to) => to,
        (Some(_), _) => return Err(NoTarget::NeverCompletedHere),
        (None, Some((_, to, Kind::Rollback))) => to,
        (None, Some((_, _, Kind::Normal | Kind::Hotfix | Kind::Drill))) => {
            history.current().ok_or(NoTarget::NoPrevious)?
        }
        (None, None) => history.previous().ok_or(NoTarget::NoPrevious)?,
    };
    if half_made.is_none() && from == Some(to) {
        return Err(NoTarget::AlreadyThere);
    }
    Ok(Target { from: from.filter(|f| *f != to), to, from_half_made: half_made.is_some() })
}

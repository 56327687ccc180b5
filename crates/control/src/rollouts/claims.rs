//! Who answers for which host and path.
//!
//! Architecture invariant: no two routes claim the same. The edge could not tell them apart and refuses a table that has
//! both, and with it every other change on its host, rollbacks included.

use super::{PlanDoc, places::RouteBody, read};
use crate::Result;
use tradewind_model::id::Place;
use tradewind_store::{Reader, rows};

/// Hosts and path of a route; no hosts are all hosts.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    pub hosts: &'a [String],
    pub path: &'a str,
}

/// Somebody else's claim.
pub struct Taken {
    pub owner: Place,
    /// `shop.example.com/api`.
    pub route: String,
}

impl Claim<'_> {
    fn shared(self, other: Claim<'_>) -> Option<String> {
        // As the edge compares them: a slash at the end changes nothing.
        if self.path.trim_end_matches('/') != other.path.trim_end_matches('/') {
            return None;
        }
        let host = match (self.hosts, other.hosts) {
            ([], []) => "*",
            (mine, theirs) => mine.iter().find(|h| theirs.contains(h))?,
        };
        Some(format!("{host}{}", self.path))
    }
}

/// Who has some of it now.
pub async fn held(r: &mut impl Reader, place: &Place, claim: Claim<'_>) -> Result<Option<Taken>> {
    for row in rows::routes::list(r, None).await? {
        let body: RouteBody = read(&row.body)?;
        let theirs = Claim { hosts: &body.hosts, path: &body.path_prefix };
        if row.place != *place
            && let Some(route) = claim.shared(theirs)
        {
            return Ok(Some(Taken { owner: row.place, route }));
        }
    }
    Ok(None)
}

/// Who has some of it now, or will when a rollout that was asked for earlier gets there.
pub async fn held_or_promised(r: &mut impl Reader, place: &Place, claim: Claim<'_>) -> Result<Option<Taken>> {
    if let Some(taken) = held(r, place, claim).await? {
        return Ok(Some(taken));
    }
    for row in rows::rollouts::unfinished(r).await? {
        if (&row.service, &row.env) == (&place.service, &place.env) {
            continue;
        }
        let doc: PlanDoc = read(&row.plan)?;
        let theirs = doc.resolved.route.as_ref().map(|route| Claim { hosts: &route.hosts, path: &route.path });
        if let Some(route) = theirs.and_then(|theirs| claim.shared(theirs))
            && let Some(site) = doc.plan.sites.first()
        {
            let owner = Place { service: row.service, env: row.env, site: site.site.clone() };
            return Ok(Some(Taken { owner, route }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_compared_as_the_edge_compares_routes() {
        let shared = |mine: &[&str], path, theirs: &[&str], their_path| {
            let hosts = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
            let (mine, theirs) = (hosts(mine), hosts(theirs));
            Claim { hosts: &mine, path }.shared(Claim { hosts: &theirs, path: their_path })
        };
        assert_eq!(shared(&["a", "b"], "/api", &["b"], "/api/").as_deref(), Some("b/api"));
        assert_eq!(shared(&[], "/", &[], "/").as_deref(), Some("*/"));
        assert_eq!(shared(&["a"], "/", &["b"], "/"), None);
        assert_eq!(shared(&["a"], "/", &["a"], "/api"), None);
        assert_eq!(shared(&["a"], "/", &[], "/"), None, "a named host goes before all hosts");
    }
}

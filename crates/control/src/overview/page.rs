//! The services of a page, whole: what is read is read for all of them together.

use super::{
    seen::Seen,
    standing::{Env, Service, Site},
};
use crate::{
    Result, freezes,
    rollouts::{PlanDoc, read, view},
    services, status,
};
use serde::Deserialize;
use std::collections::HashMap;
use tradewind_api::v1::{
    Health, LastFailure, OverviewEnvironment, OverviewRollout, OverviewService, OverviewSite, ReleaseRef, TrafficShare,
    WarmRelease,
};
use tradewind_model::{
    fault::Lang,
    id::{Digest, EnvName, InstanceId, Place, RevisionId, RolloutId},
    protocol::agent::DesiredPhase,
    rollout::{history::History, state::State},
    time::Timestamp,
};
use tradewind_store::{
    Reader,
    rows::{
        self,
        overview::{FailedRow, RolloutRow},
    },
};

/// What is needed of an instance's body.
#[derive(Deserialize)]
struct Body {
    phase: DesiredPhase,
    retire_at: Option<Timestamp>,
    release: Digest,
    label: String,
}

struct Details<'a> {
    seen: &'a Seen,
    histories: HashMap<Place, History>,
    /// By revision; a revision is of one place.
    instances: HashMap<RevisionId, Vec<(InstanceId, Body)>>,
    rollouts: HashMap<RolloutId, (PlanDoc, State, RolloutRow)>,
    lang: Lang,
}

pub(super) async fn whole(
    r: &mut impl Reader,
    seen: &Seen,
    shown: Vec<Service>,
    lang: Lang,
) -> Result<Vec<OverviewService>> {
    let names: Vec<_> = shown.iter().map(|s| s.name.clone()).collect();
    let mut instances: HashMap<RevisionId, Vec<_>> = HashMap::new();
    for row in rows::overview::instances(r, &names).await? {
        instances.entry(row.revision).or_default().push((row.id, read(&row.body)?));
    }
    let told_of = shown.iter().flat_map(|s| s.envs.values()).flat_map(|e| {
        let under_way = e.rollout.as_ref().map(|x| x.id);
        under_way.into_iter().chain(e.failed.as_ref().map(|f| f.id))
    });
    let told_of: Vec<_> = told_of.collect();
    let mut rollouts = HashMap::new();
    for row in rows::overview::rollouts(r, &told_of).await? {
        rollouts.insert(row.id, (read(&row.plan)?, read(&row.state)?, row));
    }
    let histories = rows::overview::histories(r, &names).await?.into_iter().collect();
    let details = Details { seen, histories, instances, rollouts, lang };
    Ok(shown.into_iter().map(|s| details.service(s)).collect())
}

impl Details<'_> {
    fn service(&self, s: Service) -> OverviewService {
        OverviewService {
            attention: s.attention().into_iter().collect(),
            kind: s.kind,
            owner: s.owner,
            created_at: s.created_at.into(),
            changed_at: s.changed_at.into(),
            environments: s.envs.into_iter().map(|(name, env)| self.environment(name, env)).collect(),
            name: s.name,
        }
    }

    fn environment(&self, name: EnvName, env: Env) -> OverviewEnvironment {
        OverviewEnvironment {
            name,
            attention: env.attention().into_iter().collect(),
            rollout: env.rollout.as_ref().and_then(|x| self.rollout(x.id)),
            waiting: env.waiting,
            last_failure: env.failed.as_ref().and_then(|f| self.failure(f)),
            closed: env.closed.map(|hold| services::told_closed(hold, self.lang)),
            freezes: env.freezes.into_iter().map(freezes::view).collect(),
            sites: env.sites.into_iter().map(|s| self.site(s)).collect(),
        }
    }

    fn site(&self, site: Site) -> OverviewSite {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let reason = match site.health {
            Health::Healthy | Health::Empty => None,
            Health::Unknown => Some(status::away(self.lang).to_owned()),
            Health::Down | Health::Degraded => {
                let messages = site.wanted.iter().filter_map(|i| self.seen.instances.get(i)?.message.as_ref());
                messages.map(|m| m.get(self.lang).to_owned()).next()
            }
        };
        OverviewSite {
            release: site.row.live.as_ref().map(|l| ReleaseRef { label: l.label.clone(), digest: l.release }),
            since: site.row.live.as_ref().map(|_| site.row.changed_at.into()),
            health: site.health,
            reason,
            instances_ready: small(site.ready),
            instances_wanted: small(site.wanted.len()),
            traffic: self.traffic(&site),
            warm: self.warm(&site.row.place),
            name: site.row.place.site,
        }
    }

    fn traffic(&self, site: &Site) -> Vec<TrafficShare> {
        let live = site.row.live.as_ref();
        let name = |revision: RevisionId| match live.filter(|l| l.revision == revision) {
            Some(l) => Some(ReleaseRef { label: l.label.clone(), digest: l.release }),
            None => self.name(revision),
        };
        let splits = self.seen.splits.get(&site.row.place).into_iter().flatten().filter(|s| s.weight > 0);
        // One without instances, named by a report that is about to be replaced, has nobody's traffic.
        let shares = splits.filter_map(|s| {
            let release = name(s.revision)?;
            Some(TrafficShare { release, share: s.weight, ready_instances: s.ready_targets })
        });
        shares.collect()
    }

    fn name(&self, revision: RevisionId) -> Option<ReleaseRef> {
        let (_, body) = self.instances.get(&revision)?.first()?;
        Some(ReleaseRef { label: body.label.clone(), digest: body.release })
    }

    fn warm(&self, place: &Place) -> Option<WarmRelease> {
        let previous = self.histories.get(place)?.previous()?;
        let kept = self.instances.get(&previous)?;
        let is_warm = |(id, body): &(InstanceId, Body)| {
            self.seen.instances.get(id).is_some_and(|i| status::is_warm(body.phase, i.phase.into()))
        };
        let until = kept.first()?.1.retire_at;
        let release = self.name(previous)?;
        kept.iter().all(is_warm).then(|| WarmRelease { release, until: until.map(Into::into) })
    }

    fn rollout(&self, id: RolloutId) -> Option<OverviewRollout> {
        let (doc, state, row) = self.rollouts.get(&id)?;
        Some(OverviewRollout {
            id,
            kind: view::kind(doc.plan.kind),
            phase: view::phase(state),
            to: ReleaseRef { label: doc.label.clone(), digest: doc.release },
            wave: state.begun().map(view::number),
            waves: u32::try_from(doc.plan.waves.len()).unwrap_or(u32::MAX),
            requested_by: services::who(&row.requester),
            created_at: row.created_at.into(),
            started_at: state.started_at.map(Into::into),
        })
    }

    fn failure(&self, failed: &FailedRow) -> Option<LastFailure> {
        let (doc, state, _) = self.rollouts.get(&failed.id)?;
        let reason = state.reason.as_ref();
        Some(LastFailure {
            rollout: failed.id,
            kind: view::kind(doc.plan.kind),
            to: ReleaseRef { label: doc.label.clone(), digest: doc.release },
            at: failed.at.into(),
            reason: reason.map(|x| x.what(self.lang)),
            reason_code: reason.map(|x| x.code.clone()),
            settled: failed.settled,
        })
    }
}

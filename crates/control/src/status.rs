//! What runs where, since when, how healthy, and who changed it.

use crate::{
    Ctx, Result,
    agents::observed,
    freezes, releases,
    rollouts::places::{self, Loaded},
    services,
};
use tradewind_api::v1::{self, Health, Page, PlaceStatus, ReleaseRef, TrafficShare, WarmRelease};
use tradewind_model::{
    access::Subject,
    fault::Lang,
    id::{HostId, RevisionId, ServiceName},
    protocol::agent::{DesiredPhase, Exit, ObservedInstance},
    said::Said,
};
use tradewind_store::{
    Reader,
    rows::{self, places::PlaceRow},
};

/// Everything the asker sees, by place.
pub async fn status(ctx: &Ctx, service: Option<&ServiceName>, lang: Lang) -> Result<Vec<PlaceStatus>> {
    Ok(page(ctx, service, None, usize::MAX, lang).await?.items)
}

/// The same behind a place (`shop/production/default`), `limit` at most.
pub async fn page(
    ctx: &Ctx,
    service: Option<&ServiceName>,
    after: Option<&str>,
    limit: usize,
    lang: Lang,
) -> Result<Page<PlaceStatus>> {
    let mut r = ctx.store.read().await?;
    if let Some(service) = service {
        services::get(&mut r, service).await?;
    }
    let hosts = rows::hosts::list(&mut r).await?;
    let ids: Vec<HostId> = hosts.iter().map(|h| h.id).collect();
    let reports = observed::reports(&mut r, &ids).await?;
    let seen: Vec<(HostId, &ObservedInstance)> = reports
        .iter()
        .filter_map(|(host, report)| report.as_ref().map(|r| (*host, r)))
        .flat_map(|(host, r)| r.observed.instances.iter().map(move |i| (host, i)))
        .collect();
    let all_present = ids.iter().all(|h| ctx.agents.is_present(*h));
    let mut known = known_places(&mut r, service).await?;
    known.retain(|known| ctx.sees(&Subject::place(&known.place)));
    // By its text, as the cursor is.
    known.sort_by_cached_key(|known| known.place.to_string());
    known.retain(|known| after.is_none_or(|after| known.place.to_string().as_str() > after));
    let more = known.len() > limit;
    known.truncate(limit);
    let next = more.then(|| known.last().map(|last| last.place.to_string())).flatten();
    let mut out = Vec::new();
    for place in known {
        let loaded = places::load(&mut r, &place.place).await?;
        let instances = instances(&mut r, &place, &loaded, &seen, &hosts, lang).await?;
        out.push(one(&mut r, place, loaded, instances, &reports, all_present, lang).await?);
    }
    Ok(Page { items: out, next })
}

/// Places where something completed, and those a first rollout is on its way to.
async fn known_places(r: &mut impl Reader, service: Option<&ServiceName>) -> Result<Vec<PlaceRow>> {
    let mut known = rows::places::list(r, service).await?;
    for row in rows::rollouts::unfinished(r).await? {
        if service.is_some_and(|s| *s != row.service) {
            continue;
        }
        let doc: crate::rollouts::PlanDoc = row.plan.read()?;
        for site in doc.plan.sites {
            let place =
                tradewind_model::id::Place { service: row.service.clone(), env: row.env.clone(), site: site.site };
            if !known.iter().any(|k| k.place == place) {
                known.push(rows::places::get(r, &place).await?);
            }
        }
    }
    Ok(known)
}

async fn name_of(r: &mut impl Reader, service: &ServiceName, revision: RevisionId) -> Result<ReleaseRef> {
    let revision = rows::revisions::get(r, revision).await?;
    Ok(releases::name_of(&rows::releases::get(r, service, &revision.release).await?))
}

async fn instances(
    r: &mut impl Reader,
    place: &PlaceRow,
    loaded: &Loaded,
    seen: &[(HostId, &ObservedInstance)],
    hosts: &[rows::hosts::Host],
    lang: Lang,
) -> Result<Vec<(RevisionId, DesiredPhase, v1::Instance)>> {
    let current = place.history.current();
    let mut wanted = loaded.desired.instances.clone();
    wanted.sort_by_key(|i| (Some(i.revision) != current, i.revision, i.ordinal));
    let mut out = Vec::new();
    for w in wanted {
        let on = loaded.host_of(w.id);
        let host = hosts.iter().find(|h| Some(h.id) == on).map(|h| h.name.clone()).unwrap_or_default();
        let seen = seen.iter().find(|(_, i)| i.id == w.id).map(|(_, i)| *i);
        let instance = v1::Instance {
            id: w.id,
            release: name_of(r, &place.place.service, w.revision).await?,
            phase: seen.map_or(v1::InstancePhase::Pending, |s| s.phase.into()),
            since: seen.map(|s| s.since.into()),
            addr: seen.and_then(|s| s.addr).map(|a| a.to_string()),
            pid: seen.and_then(|s| s.pid),
            restarts: seen.map_or(0, |s| s.restarts),
            last_exit: seen.and_then(|s| s.last_exit.as_ref().map(|e| exit(e, s.message.as_ref(), lang))),
            message: seen.and_then(|s| s.message.as_ref()).map(|m| m.get(lang).to_owned()),
            host,
        };
        out.push((w.revision, w.phase, instance));
    }
    Ok(out)
}

async fn one(
    r: &mut impl Reader,
    place: PlaceRow,
    loaded: Loaded,
    instances: Vec<(RevisionId, DesiredPhase, v1::Instance)>,
    reports: &[(HostId, Option<observed::Report>)],
    present: bool,
    lang: Lang,
) -> Result<PlaceStatus> {
    let p = place.place.clone();
    let current = place.history.current();
    let live: Vec<_> = instances.iter().filter(|(rev, ..)| Some(*rev) == current).collect();
    let (kind, release) = match current {
        Some(rev) => {
            let digest = rows::revisions::get(r, rev).await?.release;
            let resolved = crate::rollouts::resolve(r, &p.service, &p.env, &digest).await?;
            (resolved.workload.kind.into(), Some(name_of(r, &p.service, rev).await?))
        }
        None => (v1::ServiceKind::Web, None),
    };
    let ready = live.iter().filter(|(_, _, i)| at_post(i.phase, kind)).count();
    let health = health(current.is_some(), present, live.len(), ready);
    let reason = match health {
        Health::Healthy | Health::Empty => None,
        Health::Unknown => Some(away(lang).to_owned()),
        Health::Down | Health::Degraded => live.iter().find_map(|(_, _, i)| i.message.clone()),
    };
    let traffic = traffic(r, &place, &loaded, reports).await?;
    let warm = warm(r, &place, &loaded, &instances).await?;
    let rollout = rows::rollouts::active(r, &p.service, &p.env).await?;
    let last = match current {
        Some(_) => rows::rollouts::last_completed(r, &p.service, &p.env).await?,
        None => None,
    };
    let routes = loaded.route_body().map(|b| {
        let hosts = if b.hosts.is_empty() { vec!["*".to_owned()] } else { b.hosts.clone() };
        hosts.into_iter().map(|h| format!("{h}{}", b.path_prefix)).collect()
    });
    Ok(PlaceStatus {
        kind,
        release,
        revision: current,
        since: current.map(|_| place.changed_at.into()),
        changed_by: last.map(|x| services::who(&x.requester)),
        health,
        reason,
        instances: instances.into_iter().map(|(_, _, i)| i).collect(),
        traffic,
        warm,
        rollout: rollout.map(|x| x.id),
        frozen: services::closed(r, &p.service, &p.env, lang).await?,
        freezes: freezes::shown(r, &p.service, &p.env).await?,
        routes: routes.unwrap_or_default(),
        service: p.service,
        env: p.env,
        site: p.site,
    })
}

/// An instance does what one of its kind is there for.
pub(crate) fn at_post(phase: v1::InstancePhase, kind: v1::ServiceKind) -> bool {
    match kind {
        v1::ServiceKind::Web | v1::ServiceKind::Worker => phase == v1::InstancePhase::Ready,
        v1::ServiceKind::Cron => phase != v1::InstancePhase::Pending && phase != v1::InstancePhase::Failed,
    }
}

/// Of a place, by how many instances its live revision is to have and how many of them are at their post.
pub(crate) fn health(is_live: bool, present: bool, wanted: usize, ready: usize) -> Health {
    match (is_live, present) {
        (false, _) => Health::Empty,
        (true, false) => Health::Unknown,
        (true, true) if ready == 0 => Health::Down,
        (true, true) if ready < wanted => Health::Degraded,
        (true, true) => Health::Healthy,
    }
}

pub(crate) fn away(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "the host's agent is not connected; this is what was seen last",
        Lang::Zh => "主机的 agent 未连接；以下是最后一次看到的状态",
    }
}

async fn traffic(
    r: &mut impl Reader,
    place: &PlaceRow,
    loaded: &Loaded,
    reports: &[(HostId, Option<observed::Report>)],
) -> Result<Vec<TrafficShare>> {
    let acked = reports
        .iter()
        .filter_map(|(_, r)| r.as_ref())
        .flat_map(|r| &r.observed.routes)
        .find(|o| o.place == loaded.place);
    let mut shares = Vec::new();
    for split in acked.into_iter().flat_map(|o| &o.splits).filter(|s| s.weight > 0) {
        shares.push(TrafficShare {
            release: name_of(r, &place.place.service, split.revision).await?,
            share: split.weight,
            ready_instances: split.ready_targets,
        });
    }
    Ok(shares)
}

/// What a rollback finds without starting anything. A worker's is unpacked, not running.
async fn warm(
    r: &mut impl Reader,
    place: &PlaceRow,
    loaded: &Loaded,
    instances: &[(RevisionId, DesiredPhase, v1::Instance)],
) -> Result<Option<WarmRelease>> {
    let Some(previous) = place.history.previous() else { return Ok(None) };
    let kept: Vec<_> = instances.iter().filter(|(rev, ..)| *rev == previous).collect();
    if kept.is_empty() || !kept.iter().all(|(_, phase, i)| is_warm(*phase, i.phase)) {
        return Ok(None);
    }
    let until = loaded.desired.instances.iter().find(|i| i.revision == previous).and_then(|i| i.retire_at);
    let release = name_of(r, &place.place.service, previous).await?;
    Ok(Some(WarmRelease { release, until: until.map(Into::into) }))
}

/// It is as a warm predecessor is meant to be.
pub(crate) fn is_warm(wanted: DesiredPhase, seen: v1::InstancePhase) -> bool {
    match wanted {
        DesiredPhase::Run => seen == v1::InstancePhase::Ready,
        DesiredPhase::Stopped => seen == v1::InstancePhase::Stopped,
    }
}

/// `message`: what else was said of the instance. It is in both languages, which a reason in an [`Exit`] is not.
fn exit(e: &Exit, message: Option<&Said>, lang: Lang) -> String {
    match (e, lang) {
        (Exit::Code { code }, Lang::En) => format!("exit code {code}"),
        (Exit::Code { code }, Lang::Zh) => format!("退出码 {code}"),
        (Exit::Signal { signal }, Lang::En) => format!("killed by signal {signal}"),
        (Exit::Signal { signal }, Lang::Zh) => format!("被信号 {signal} 终止"),
        (Exit::Unknown, Lang::En) => "ended unseen".into(),
        (Exit::Unknown, Lang::Zh) => "在无人看到时结束".into(),
        (Exit::NotStarted { reason }, Lang::En) => format!("did not start: {reason}"),
        (Exit::NotStarted { reason }, Lang::Zh) => match message {
            Some(why) if why.en() == reason => format!("没有启动：{}", why.get(lang)),
            Some(whole) if whole.en().ends_with(reason) => whole.get(lang).to_owned(),
            Some(_) | None => format!("没有启动：{reason}"),
        },
    }
}

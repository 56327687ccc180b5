//! What a rollout or a rollback would do, asked beforehand. It is planned by what plans the real one, and nothing is written.

use super::{PlanDoc, Target, request, rollback, view, ways::Ground};
use crate::{
    Ctx, Error, Result, ctx::Asker, faults, freezes, judging::outlook::outlook, policies, releases, secrets, services,
};
use std::collections::BTreeSet;
use tradewind_api::v1::{
    Difference, Preview, PreviewSite, PreviewWait, PreviewWave, ReleaseRef, SecretChange, SecretDifference, WaitKind,
};
use tradewind_model::{
    access::{Action, Subject},
    fault::{Fault, Lang},
    id::{Digest, EnvName, Place, RevisionId, ServiceName},
    rollout::plan::Kind,
    said,
    secret::SecretUse,
    spec::{ResolvedSpec, values},
};
use tradewind_store::{Reader, rows};

/// What is asked for.
pub enum Wish<'a> {
    /// A release, by label or digest.
    Release { name: &'a str, hotfix: bool },
    /// What is live in another environment.
    Promotion { from: &'a EnvName },
    /// A rollback; without a name to where it would lead by itself.
    Back { to: Option<&'a str> },
}

/// # Errors
/// Where it cannot even be said what is meant: there is no such release, or nothing is live where it is to come from. What
/// would keep a rollout from being made is told in the preview.
pub async fn preview(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    wish: Wish<'_>,
    by: &Asker,
    lang: Lang,
) -> Result<Preview> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    by.allow(Action::Read, &Subject::env(service.clone(), env.clone()))?;
    let planned = match wish {
        Wish::Release { name, hotfix } => {
            let kind = if hotfix { Kind::Hotfix } else { Kind::Normal };
            let target = super::target(&mut r, service, env, name).await?;
            forward(ctx, &mut r, service, env, target, kind, by).await?
        }
        Wish::Promotion { from } => {
            by.allow(Action::Read, &Subject::env(service.clone(), from.clone()))?;
            let digest = live_in(&mut r, service, from).await?;
            let target = super::target(&mut r, service, env, &digest.to_string()).await?;
            forward(ctx, &mut r, service, env, target, Kind::Normal, by).await?
        }
        Wish::Back { to } => back(&mut r, service, env, to, by).await?,
    };
    told(ctx, &mut r, service, env, planned, lang).await
}

/// What is live in an environment, at the first of its sites where something is.
///
/// # Errors
/// [`faults::NOT_LIVE`].
pub(crate) async fn live_in(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Digest> {
    let places = rows::places::list(r, Some(service)).await?;
    let live = places.iter().filter(|p| p.place.env == *env).find_map(|p| p.history.current());
    match live {
        Some(revision) => Ok(rows::revisions::get(r, revision).await?.release),
        None => Err(Fault::new(&faults::NOT_LIVE).with("service", service).with("env", env).into()),
    }
}

struct Planned {
    target: Target,
    doc: PlanDoc,
    refused: Option<Fault>,
}

fn speaks_against<T>(done: Result<T>) -> Result<std::result::Result<T, Fault>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(fault)) => Ok(Err(*fault)),
        Err(e) => Err(e),
    }
}

async fn forward(
    ctx: &Ctx,
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    target: Target,
    kind: Kind,
    by: &Asker,
) -> Result<Planned> {
    let draft = request::draft(r, ctx.now(), service, env, &target, kind, by).await;
    let (mut doc, refused) = match speaks_against(draft)? {
        Ok(draft) => (draft.doc, None),
        Err(fault) => (request::sketch(r, ctx.now(), service, env, &target, kind).await?.doc, Some(fault)),
    };
    doc.outlook = outlook(r, ctx, service, env, &doc, None).await?;
    Ok(Planned { target, doc, refused })
}

async fn back(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    to: Option<&str>,
    by: &Asker,
) -> Result<Planned> {
    let wanted = match to {
        Some(name) => Some(super::target(r, service, env, name).await?),
        None => None,
    };
    let ground = Ground::of(r, service, env).await?;
    if let (Some(active), None) = (&ground.active, &wanted)
        && active.is_rollback()
    {
        let doc = &active.doc;
        let release = rows::releases::get(r, service, &doc.release).await?;
        let target = Target { release, resolved: doc.resolved.clone() };
        return Ok(Planned { target, doc: doc.clone(), refused: None });
    }
    let places = ground.places.iter().map(|p| by.allow(Action::Revert, &Subject::place(&p.place)));
    let allowed = speaks_against(places.collect::<Result<()>>())?.err();
    match (speaks_against(rollback::draft(r, &ground, service, env, wanted.as_ref()).await)?, wanted) {
        (Ok((target, plan)), _) => {
            let doc = request::doc(&target, plan);
            Ok(Planned { target, doc, refused: allowed })
        }
        (Err(fault), Some(target)) => {
            let plan = request::plan(Kind::Rollback, &target.resolved, Vec::new());
            let doc = request::doc(&target, plan);
            Ok(Planned { target, doc, refused: Some(fault) })
        }
        (Err(fault), None) => Err(fault.into()),
    }
}

async fn told(
    ctx: &Ctx,
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    planned: Planned,
    lang: Lang,
) -> Result<Preview> {
    let Planned { target, doc, refused } = planned;
    let plan = &doc.plan;
    let to = releases::name_of(&target.release);
    let mut sites = Vec::new();
    for s in &plan.sites {
        let lands = match rows::revisions::of_id(r, s.to).await? {
            Some(known) => ReleaseRef { label: known.label, digest: known.release },
            None => to.clone(),
        };
        sites.push(PreviewSite {
            site: s.site.clone(),
            from: reference(r, s.from).await?,
            to: lands,
            stays: s.from == Some(s.to),
            instances_before: s.from_instances,
            instances: s.instances,
        });
    }
    let from = match sites.iter().find_map(|s| s.from.clone()) {
        Some(from) => Some(from),
        // Of one that leads nowhere.
        None if plan.sites.is_empty() => live_ref(r, service, env).await?,
        None => None,
    };
    let before = match &from {
        Some(from) => super::resolve(r, service, env, &from.digest).await.ok(),
        None => None,
    };
    let (old, new) = (before.as_ref(), &target.resolved);
    Ok(Preview {
        env: env.clone(),
        kind: view::kind(plan.kind),
        service_kind: plan.service_kind.into(),
        refused: refused.map(|f| f.problem(lang)),
        waits: waits(r, service, env, plan.kind, lang).await?,
        strategy: view::strategy(plan.strategy).into(),
        judged: plan.judging.is_some(),
        outlook: doc.outlook.as_ref().map(|o| o.text.get(lang).to_owned()),
        waves: waves(&doc),
        verified: plan.verify,
        soak_ms: plan.timing.soak_ms,
        warm_ms: plan.timing.warm_ms,
        variables: variables(old, new),
        limits: limits(old, new),
        secrets: given(ctx, r, service, env, old, new).await?,
        from,
        to,
        sites,
    })
}

async fn reference(r: &mut impl Reader, id: Option<RevisionId>) -> Result<Option<ReleaseRef>> {
    let Some(id) = id else { return Ok(None) };
    let revision = rows::revisions::get(r, id).await?;
    Ok(Some(ReleaseRef { label: revision.label, digest: revision.release }))
}

async fn live_ref(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Option<ReleaseRef>> {
    match speaks_against(live_in(r, service, env).await)? {
        Ok(digest) => Ok(Some(releases::name_of(&rows::releases::get(r, service, &digest).await?))),
        Err(_) => Ok(None),
    }
}

fn waves(doc: &PlanDoc) -> Vec<PreviewWave> {
    let wave = |(i, w): (usize, &tradewind_model::rollout::plan::Wave)| PreviewWave {
        number: view::number(i),
        site: w.site.clone(),
        share: w.share,
        instances: w.instances,
        least_ms: w.min_ms,
        most_ms: w.max_ms,
    };
    doc.plan.waves.iter().enumerate().map(wave).collect()
}

/// What it would wait for before it begins; a rollback waits for nothing.
async fn waits(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    kind: Kind,
    lang: Lang,
) -> Result<Vec<PreviewWait>> {
    let mut waits = Vec::new();
    if kind == Kind::Rollback {
        return Ok(waits);
    }
    let mut wait = |kind, text: String| waits.push(PreviewWait { kind, text });
    if let Some(closed) = services::closed(r, service, env, lang).await? {
        wait(WaitKind::ClosedQueue, closed.reason);
    }
    if let Some(why) = freezes::why(r, service, env).await? {
        wait(WaitKind::Freeze, why.get(lang).to_owned());
    }
    if let Some(needed) = policies::demanded(r, env, kind).await? {
        wait(WaitKind::Approval, needed.get(lang).to_owned());
    }
    let active = usize::from(rows::rollouts::active(r, service, env).await?.is_some());
    let ahead = active + rows::rollouts::queue(r, service, env).await?.len();
    if ahead > 0 {
        let text = said!("{n} rollout(s) are ahead of it", "前面还有 {n} 个发布", n = ahead);
        wait(WaitKind::Behind, text.get(lang).to_owned());
    }
    Ok(waits)
}

fn differences<'a>(
    names: impl IntoIterator<Item = &'a str>,
    before: impl Fn(&str) -> Option<String>,
    after: impl Fn(&str) -> Option<String>,
) -> Vec<Difference> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let all = names.into_iter().map(|name| Difference { name: name.into(), before: before(name), after: after(name) });
    all.filter(|d| d.before != d.after).collect()
}

fn variables(old: Option<&ResolvedSpec>, new: &ResolvedSpec) -> Vec<Difference> {
    let of = |spec: Option<&ResolvedSpec>, name: &str| spec.and_then(|s| s.workload.env.get(name).cloned());
    let names = old.into_iter().chain([new]).flat_map(|s| s.workload.env.keys().map(String::as_str));
    differences(names, |n| of(old, n), |n| of(Some(new), n))
}

const LIMITS: [&str; 6] = ["cpu", "instances", "memory", "open_files", "pids", "shards"];

fn limits(old: Option<&ResolvedSpec>, new: &ResolvedSpec) -> Vec<Difference> {
    let of = |spec: Option<&ResolvedSpec>, name: &str| {
        let spec = spec?;
        let limits = &spec.workload.limits;
        match name {
            "cpu" => limits.cpu_millis.map(|m| values::show_milli(u32::try_from(m).unwrap_or(u32::MAX))),
            "instances" => Some(spec.instances.to_string()),
            "memory" => limits.memory_bytes.map(values::show_size),
            "open_files" => limits.open_files.map(|n| n.to_string()),
            "pids" => limits.pids.map(|n| n.to_string()),
            _ => spec.layout().map(|l| l.shards().to_string()),
        }
    };
    differences(LIMITS, |n| of(old, n), |n| of(Some(new), n))
}

/// Every secret that either is given, by variable.
async fn given(
    ctx: &Ctx,
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    old: Option<&ResolvedSpec>,
    new: &ResolvedSpec,
) -> Result<Vec<SecretDifference>> {
    let Some(site) = new.sites.first() else { return Ok(Vec::new()) };
    let place = Place { service: service.clone(), env: env.clone(), site: site.clone() };
    let told = ctx.sight.may(Action::Secrets, &Subject::place(&place));
    let before: &[SecretUse] = old.map_or(&[], |s| &s.workload.secrets);
    let after = &new.workload.secrets;
    let variables: BTreeSet<&str> = before.iter().chain(after).map(|s| s.variable.as_str()).collect();
    let mut all = Vec::new();
    for variable in variables {
        let named = |uses: &[SecretUse]| uses.iter().find(|u| u.variable == variable).map(|u| u.name.clone());
        let (was, is) = (named(before), named(after));
        let Some(name) = is.clone().or_else(|| was.clone()) else { continue };
        let (running, version) = secrets::wanted::versions_at(r, &place, &name).await?;
        let change = match (&was, &is) {
            (None, _) => SecretChange::Added,
            (Some(_), None) => SecretChange::Removed,
            (Some(was), Some(is)) if was != is => SecretChange::Replaced,
            (Some(_), Some(_)) if running.is_some() && running != version => SecretChange::Renewed,
            (Some(_), Some(_)) => SecretChange::Same,
        };
        all.push(SecretDifference {
            variable: variable.into(),
            name,
            change,
            running: running.filter(|_| told),
            version: version.filter(|_| told),
        });
    }
    Ok(all)
}

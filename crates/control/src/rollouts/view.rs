//! Rollouts as the API shows them.

use super::{PlanDoc, advance, get, read};
use crate::{
    Ctx, Result,
    agents::observed,
    judging::{self, outlook::Outlook},
    services,
};
use std::collections::BTreeMap;
use tradewind_api::v1::{self, ReleaseRef, RolloutKind, RolloutPhase, SitePhase, SiteRollout, TimelineEntry};
use tradewind_model::{
    event::Event,
    fault::Lang,
    id::{EnvName, HostId, Place, RevisionId, RolloutId, ServiceName, SiteName},
    protocol::agent::TaskResult,
    rollout::{
        effect::Happened,
        facts::count,
        faults,
        plan::{Kind, SitePlan, Strategy},
        reason::Reason,
        state::{Phase, SiteState, State, Step},
    },
};
use tradewind_store::{
    Reader, events,
    rows::{self, Page, rollouts::Rollout},
};

pub async fn show(ctx: &Ctx, id: RolloutId, lang: Lang) -> Result<v1::Rollout> {
    let mut r = ctx.store.read().await?;
    let row = get(&mut r, id).await?;
    view(ctx, &mut r, row, lang).await
}

/// Newest first.
pub async fn list(
    ctx: &Ctx,
    service: &ServiceName,
    env: Option<&EnvName>,
    after: Option<RolloutId>,
    limit: u32,
    lang: Lang,
) -> Result<v1::Page<v1::Rollout>> {
    let mut r = ctx.store.read().await?;
    services::get(&mut r, service).await?;
    let mut rows = rows::rollouts::list(&mut r, service, env, Page { after, limit: limit + 1 }).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|x| x.id.to_string())).flatten();
    let mut items = Vec::new();
    for row in rows {
        items.push(view(ctx, &mut r, row, lang).await?);
    }
    Ok(v1::Page { items, next })
}

async fn view(ctx: &Ctx, r: &mut impl Reader, row: Rollout, lang: Lang) -> Result<v1::Rollout> {
    let doc: PlanDoc = read(&row.plan)?;
    let state: State = read(&row.state)?;
    let to = ReleaseRef { label: doc.label.clone(), digest: doc.release };
    let from = match doc.plan.sites.iter().find_map(|s| s.from) {
        Some(id) => Some(reference(r, id).await?),
        None => None,
    };
    let queue_position = if state.phase == Phase::Queued {
        let queue = rows::rollouts::queue(r, &row.service, &row.env).await?;
        let ahead = queue.iter().position(|q| q.id == row.id).unwrap_or_default();
        let active = usize::from(rows::rollouts::active(r, &row.service, &row.env).await?.is_some());
        Some(u32::try_from(ahead + active).unwrap_or(u32::MAX))
    } else {
        None
    };
    let subject = format!("rollout/{}", row.id);
    let told = events::of_subject(r, &subject, 0, 1_000).await?;
    let mut sites = Vec::new();
    for s in &doc.plan.sites {
        sites.push(site(r, &row, &doc, s, &state, lang).await?);
    }
    let reason = match &state.reason {
        Some(reason) => Some(reason.what(lang)),
        None => waiting_for(r, &row, &state, queue_position, lang).await?,
    };
    Ok(v1::Rollout {
        id: row.id,
        kind: kind(doc.plan.kind),
        from,
        to,
        strategy: strategy(doc.plan.strategy).into(),
        phase: phase(&state),
        reason,
        requested_by: services::who(&row.requester),
        created_at: row.created_at.into(),
        started_at: state.started_at.map(Into::into),
        finished_at: row.finished_at.map(Into::into),
        queue_position,
        waves: waves(&doc, &told),
        sites,
        timeline: told.iter().map(|e| entry(e, lang)).collect(),
        verification: verification(r, &row, &state, lang).await?,
        judgement: judging::view::brief(r, &row, lang, ctx).await?,
        service: row.service,
        env: row.env,
        note: row.note,
        ticket: row.ticket,
    })
}

async fn reference(r: &mut impl Reader, id: RevisionId) -> Result<ReleaseRef> {
    let revision = rows::revisions::get(r, id).await?;
    Ok(ReleaseRef { label: revision.label, digest: revision.release })
}

async fn waiting_for(
    r: &mut impl Reader,
    row: &Rollout,
    state: &State,
    queue_position: Option<u32>,
    lang: Lang,
) -> Result<Option<String>> {
    if state.phase == Phase::Queued
        && let Some(frozen) = services::freeze(r, &row.service, &row.env, lang).await?
    {
        let Some(failed) = frozen.rollout else { return Ok(Some(frozen.reason)) };
        let held = Reason::new(&faults::QUEUE_FROZEN).with("service", &row.service).with("env", &row.env);
        let held = held.with("rollout", failed).what(lang);
        return Ok(Some(format!("{held}{}{}", colon(lang), frozen.reason)));
    }
    let away = state.away_since.is_some();
    Ok(match (queue_position, away, lang) {
        (Some(n), _, Lang::En) => Some(format!("waits for {n} rollout(s) ahead of it")),
        (Some(n), _, Lang::Zh) => Some(format!("前面还有 {n} 个发布")),
        (None, true, Lang::En) if !state.phase.is_final() => Some("waits for the host's agent".into()),
        (None, true, Lang::Zh) if !state.phase.is_final() => Some("等待主机的 agent 连接".into()),
        (None, _, _) => None,
    })
}

async fn site(
    r: &mut impl Reader,
    row: &Rollout,
    doc: &PlanDoc,
    plan: &SitePlan,
    state: &State,
    lang: Lang,
) -> Result<SiteRollout> {
    let place = Place { service: row.service.clone(), env: row.env.clone(), site: plan.site.clone() };
    let loaded = super::places::load(r, &place).await?;
    let hosts: Vec<HostId> = rows::hosts::list(r).await?.iter().map(|h| h.id).collect();
    let reports = observed::reports(r, &hosts).await?;
    let seen = observed::seen_at(r, &place, &reports).await?;
    let counts = count(&loaded.desired, &seen, doc.plan.service_kind);
    let new = counts.get(&plan.to).cloned().unwrap_or_default();
    let share = reports
        .iter()
        .filter_map(|(_, o)| o.as_ref())
        .flat_map(|o| &o.observed.routes)
        .find(|o| o.place == place)
        .and_then(|o| o.splits.iter().find(|s| s.revision == plan.to))
        .map_or(0, |s| s.weight);
    let site = state.sites.get(&plan.site);
    let from = match plan.from {
        Some(id) => Some(reference(r, id).await?),
        None => None,
    };
    Ok(SiteRollout {
        site: plan.site.clone(),
        phase: site.map_or(SitePhase::Waiting, site_phase),
        share,
        from,
        to: reference(r, plan.to).await?,
        instances_ready: new.ready,
        instances_wanted: plan.instances,
        reason: site
            .and_then(|s| s.remark.as_ref())
            .map(|x| x.what(lang))
            .or_else(|| new.failed.or(new.message).map(|said| said.get(lang).to_owned())),
    })
}

async fn verification(
    r: &mut impl Reader,
    row: &Rollout,
    state: &State,
    lang: Lang,
) -> Result<Option<v1::VerifyReport>> {
    let mut whole: Option<v1::VerifyReport> = None;
    for (site, s) in state.sites.iter().filter(|(_, s)| s.verify_attempt > 0) {
        let owner = advance::verify_owner(row.id, site, s.verify_attempt);
        for task in rows::tasks::of_owner(r, &owner).await? {
            if let Some(result) = &task.result
                && let TaskResult::Verify { report } = read::<TaskResult>(result)?
            {
                let report = v1::VerifyReport::told(&report, lang);
                match &mut whole {
                    Some(w) => {
                        w.passed &= report.passed;
                        w.checks.extend(report.checks);
                    }
                    None => whole = Some(report),
                }
            }
        }
    }
    Ok(whole)
}

fn waves(doc: &PlanDoc, told: &[Event]) -> Vec<v1::Wave> {
    let at = |kind: &str, index: usize| {
        told.iter()
            .find(|e| {
                e.fact.kind == kind && e.fact.after.as_ref().and_then(|a| a["wave"].as_u64()) == Some(index as u64)
            })
            .map(|e| e.at.into())
    };
    doc.plan
        .waves
        .iter()
        .enumerate()
        .map(|(i, w)| v1::Wave {
            number: u32::try_from(i + 1).unwrap_or(u32::MAX),
            steps: vec![v1::WaveStep { site: w.site.clone(), share: w.share }],
            started_at: at("rollout.wave_started", i),
            finished_at: at("rollout.wave_finished", i),
        })
        .collect()
}

fn kind(k: Kind) -> RolloutKind {
    match k {
        Kind::Normal => RolloutKind::Normal,
        Kind::Hotfix => RolloutKind::Hotfix,
        Kind::Rollback => RolloutKind::Rollback,
        Kind::Drill => RolloutKind::Drill,
    }
}

fn strategy(s: Strategy) -> &'static str {
    match s {
        Strategy::AllAtOnce => "all_at_once",
        Strategy::Rolling { .. } => "rolling",
        Strategy::BlueGreen => "blue_green",
        Strategy::Canary => "canary",
    }
}

fn phase(state: &State) -> RolloutPhase {
    match state.phase {
        Phase::Queued => RolloutPhase::Queued,
        Phase::Running if state.paused => RolloutPhase::Paused,
        Phase::Running => RolloutPhase::Running,
        Phase::Returning => RolloutPhase::Returning,
        Phase::Completed => RolloutPhase::Completed,
        Phase::Failed => RolloutPhase::Failed,
        Phase::Aborted => RolloutPhase::Aborted,
        Phase::Superseded => RolloutPhase::Superseded,
    }
}

fn site_phase(s: &SiteState) -> SitePhase {
    match s.step {
        Step::Waiting => SitePhase::Waiting,
        Step::Preparing { .. } | Step::Pausing { .. } | Step::StoppingOld { .. } | Step::Starting { .. } => {
            SitePhase::Starting
        }
        Step::Shifting { .. } => SitePhase::Shifting,
        Step::Verifying { .. } => SitePhase::Verifying,
        Step::Judging { .. } => SitePhase::Judging,
        Step::Soaking { .. } => SitePhase::Soaking,
        Step::Serving { .. } | Step::Stayed => SitePhase::Done,
        Step::BackStoppingNew { .. } | Step::BackStarting { .. } | Step::BackShifting { .. } => SitePhase::Returning,
        Step::Returned => SitePhase::Returned,
    }
}

/// A sentence for one event of a rollout.
fn entry(e: &Event, lang: Lang) -> TimelineEntry {
    let after = e.fact.after.clone().unwrap_or_default();
    let site: Option<SiteName> = after["site"].as_str().and_then(|s| s.parse().ok());
    let text = sentence(&e.fact.kind, &after, lang);
    TimelineEntry { at: e.at.into(), kind: e.fact.kind.clone(), site, text }
}

fn sentence(kind: &str, after: &serde_json::Value, lang: Lang) -> String {
    let mut tagged = after.clone();
    if let (Some(fields), Some(name)) = (tagged.as_object_mut(), kind.strip_prefix("rollout.")) {
        fields.insert("type".into(), name.into());
    }
    let release = after["release"].as_str().unwrap_or_default();
    let told = serde_json::from_value::<Happened>(tagged).ok();
    let percent = |share: u32| f64::from(share) / 100.0;
    match (told, lang) {
        (Some(Happened::WaveStarted { wave, site, share }), Lang::En) => {
            format!("wave {} started: {site} to {} % on {release}", wave + 1, percent(share))
        }
        (Some(Happened::WaveStarted { wave, site, share }), Lang::Zh) => {
            format!("第 {} 波开始：{site} 将 {}% 交给 {release}", wave + 1, percent(share))
        }
        (Some(Happened::InstancesReady { site, instances }), Lang::En) => {
            let (s, are) = if instances == 1 { ("", "is") } else { ("s", "are") };
            format!("{instances} instance{s} of {release} {are} ready on {site}")
        }
        (Some(Happened::InstancesReady { site, instances }), Lang::Zh) => {
            format!("{site} 上 {release} 的 {instances} 个实例已就绪")
        }
        (Some(Happened::TrafficMoved { site, share }), Lang::En) => {
            format!("{} % of {site}'s traffic is on {release}", percent(share))
        }
        (Some(Happened::TrafficMoved { site, share }), Lang::Zh) => {
            format!("{site} 的 {}% 流量已在 {release}", percent(share))
        }
        (Some(Happened::ChangesWhole { site }), Lang::En) => {
            format!("{site} changes over whole: {release} divides its work otherwise than the release before")
        }
        (Some(Happened::ChangesWhole { site }), Lang::Zh) => {
            format!("{site} 整体切换：{release} 的工作划分与之前的版本不同")
        }
        (Some(Happened::ShardsMoved { site, share, shards }), Lang::En) => {
            format!("{shards} of {site}'s shards, {} %, are worked by {release}", percent(share))
        }
        (Some(Happened::ShardsMoved { site, share, shards }), Lang::Zh) => {
            format!("{site} 的 {shards} 个分片（{}%）已由 {release} 处理", percent(share))
        }
        (Some(Happened::Verified { site }), Lang::En) => format!("{release} is verified on {site}"),
        (Some(Happened::Verified { site }), Lang::Zh) => format!("{release} 在 {site} 上通过验证"),
        (Some(Happened::Promoted { wave, why, .. }), Lang::En) => {
            format!("wave {} is promoted by its evidence: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::Promoted { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波凭证据放行：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::Asks { wave, why, .. }), Lang::En) => {
            format!("wave {} waits for a person: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::Asks { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波等待人工决定：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::WentOn { wave, why, .. }), Lang::En) => {
            format!("wave {} went on without a verdict, as its spec says: {}", wave + 1, why.get(Lang::En))
        }
        (Some(Happened::WentOn { wave, why, .. }), Lang::Zh) => {
            format!("第 {} 波没有结论，按配置继续：{}", wave + 1, why.get(Lang::Zh))
        }
        (Some(Happened::WaveFinished { wave, .. }), Lang::En) => format!("wave {} finished", wave + 1),
        (Some(Happened::WaveFinished { wave, .. }), Lang::Zh) => format!("第 {} 波完成", wave + 1),
        (Some(Happened::Returning { reason }), lang) => reason.what(lang),
        (Some(Happened::TrafficReturned { site }), Lang::En) => {
            format!("{site}'s traffic is back on the previous revision")
        }
        (Some(Happened::TrafficReturned { site }), Lang::Zh) => format!("{site} 的流量已回到之前的版本"),
        (Some(Happened::SiteReturned { site, remark }), lang) => {
            let back = match lang {
                Lang::En => format!("{site} is back on its previous revision"),
                Lang::Zh => format!("{site} 已回到之前的版本"),
            };
            remark.map_or(back.clone(), |r: Reason| format!("{back}{}{}", semicolon(lang), r.what(lang)))
        }
        (Some(Happened::Finished { phase, reason }), lang) => {
            let end = match (phase, lang) {
                (Phase::Completed, Lang::En) => format!("{release} is live"),
                (Phase::Completed, Lang::Zh) => format!("{release} 已上线"),
                (_, Lang::En) => phase.as_str().to_owned(),
                (Phase::Failed, Lang::Zh) => "已失败".into(),
                (Phase::Aborted, Lang::Zh) => "已中止".into(),
                (Phase::Superseded, Lang::Zh) => "已被取代".into(),
                (Phase::Queued | Phase::Running | Phase::Returning, Lang::Zh) => phase.as_str().to_owned(),
            };
            reason.map_or(end.clone(), |r| format!("{end}{}{}", colon(lang), r.what(lang)))
        }
        (None, lang) => plain(kind, after, release, lang),
    }
}

/// Facts that are not decisions: wishes and interventions.
fn plain(kind: &str, after: &serde_json::Value, release: &str, lang: Lang) -> String {
    let known: BTreeMap<&str, [&str; 2]> = [
        ("rollout.requested", ["requested", "已请求"]),
        ("rollout.begun", ["begun", "已开始"]),
        ("rollout.stepped", ["went on", "继续推进"]),
        ("rollout.paused", ["paused", "已暂停"]),
        ("rollout.resumed", ["resumed", "已继续"]),
        ("rollout.promote_requested", ["a person lets the wave go on", "由人放行"]),
        ("rollout.abort_requested", ["abort requested", "已请求中止"]),
        ("rollout.superseded", ["superseded by a rollback", "被回滚取代"]),
    ]
    .into();
    let word = known.get(kind).map_or(kind, |w| match lang {
        Lang::En => w[0],
        Lang::Zh => w[1],
    });
    let why = after["reason"].as_str().or_else(|| after["note"].as_str());
    match (why, kind) {
        (Some(why), _) => format!("{word}{}{why}", colon(lang)),
        (None, "rollout.begun") if !after["outlook"].is_null() => {
            let outlook =
                serde_json::from_value::<Outlook>(after["outlook"].clone()).map(|o| o.text.get(lang).to_owned());
            format!("{release}{}{word}{}{}", colon(lang), semicolon(lang), outlook.unwrap_or_default())
        }
        (None, "rollout.requested" | "rollout.begun") => format!("{release}{}{word}", colon(lang)),
        (None, _) => word.to_owned(),
    }
}

fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ": ",
        Lang::Zh => "：",
    }
}

fn semicolon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "; ",
        Lang::Zh => "；",
    }
}

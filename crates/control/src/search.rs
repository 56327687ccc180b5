//! From a few typed words to a service, a release, a run, a rollout under way.

use crate::{
    Ctx, releases,
    rollouts::{self, view},
    runs::{RunError, RunPlan},
};
use std::collections::BTreeSet;
use tradewind_api::v1::{Found, FoundRelease, FoundRollout, FoundRun, FoundService, ReleaseRef};
use tradewind_model::{
    access::{Part, Subject},
    id::{RunId, ServiceName},
    rollout::state::State,
};
use tradewind_store::{
    Reader,
    rows::{self, Page, releases::Release},
};

type Result<T> = std::result::Result<T, RunError>;

/// Services looked at for one question; what is hidden from the caller is among them.
const LOOKED_AT: u32 = 200;
/// Digits of a commit that tell it from others.
const COMMIT_DIGITS: usize = 4;
/// Of the one service that is meant, where nothing closer is asked for.
const NEWEST: u32 = 4;

/// What is asked for, one word at a time.
#[derive(Default)]
struct Words {
    /// Parts of a service's name.
    names: Vec<String>,
    /// `v3`, or `3`.
    releases: Vec<i64>,
    /// `#12`, or `12`.
    runs: Vec<i64>,
    /// The beginnings of commits; they may be parts of names just as well.
    commits: Vec<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        let mut words = Self::default();
        for word in text.to_lowercase().split_whitespace() {
            let number = |s: &str| s.parse::<i64>().ok().filter(|n| *n > 0);
            if let Some(n) = word.strip_prefix('v').and_then(number) {
                words.releases.push(n);
            } else if let Some(n) = word.strip_prefix('#').and_then(number) {
                words.runs.push(n);
            } else if word.len() >= COMMIT_DIGITS && word.bytes().all(|b| b.is_ascii_hexdigit()) {
                words.commits.push(word.to_owned());
            } else if let Some(n) = number(word) {
                words.releases.push(n);
                words.runs.push(n);
            } else {
                words.names.push(word.to_owned());
            }
        }
        words
    }

    fn within(&self, name: &ServiceName) -> bool {
        self.names.iter().all(|w| name.as_str().contains(w))
    }

    fn numbered(&self) -> bool {
        !self.releases.is_empty() || !self.runs.is_empty()
    }
}

/// `limit` of each kind at most.
pub async fn search(ctx: &Ctx, text: &str, limit: u32) -> Result<Found> {
    let words = Words::of(text);
    let most = limit as usize;
    let mut r = ctx.store.read().await?;
    let mut names = named(&mut r, ctx, &words).await?;
    names.truncate(most);

    let (mut releases, mut runs) = (Vec::new(), Vec::new());
    for commit in &words.commits {
        for (service, number) in rows::search::releases(&mut r, commit, LOOKED_AT).await? {
            if words.within(&service) {
                releases.push((service, number));
            }
        }
        runs.extend(rows::search::runs(&mut r, commit, LOOKED_AT).await?);
    }
    for service in &names {
        releases.extend(words.releases.iter().map(|n| (service.clone(), *n)));
        for number in &words.runs {
            runs.extend(rows::runs::by_number(&mut r, service, *number).await?.map(|run| run.id));
        }
    }
    if let [only] = names.as_slice()
        && !words.numbered()
        && words.commits.is_empty()
    {
        let newest = rows::releases::list(&mut r, only, Page::first(NEWEST)).await?;
        releases.extend(newest.into_iter().map(|row| (only.clone(), row.number)));
        runs.extend(rows::runs::list(&mut r, only, None, Page::first(NEWEST)).await?.into_iter().map(|run| run.id));
    }

    let rollouts = if names.is_empty() { Vec::new() } else { under_way(&mut r, ctx, &names, most).await? };
    Ok(Found {
        releases: told_releases(&mut r, ctx, releases, most).await?,
        runs: told_runs(&mut r, ctx, &words, runs, most).await?,
        services: told_services(&mut r, ctx, names).await?,
        rollouts,
    })
}

/// Services that fit, the likeliest first; all of them where no part of a name is asked for and no commit either.
async fn named(r: &mut impl Reader, ctx: &Ctx, words: &Words) -> Result<Vec<ServiceName>> {
    let longest = words.names.iter().chain(&words.commits).max_by_key(|w| w.len());
    if longest.is_none() && words.numbered() {
        return Ok(Vec::new());
    }
    let mut names = rows::search::services(r, longest.map_or("", String::as_str), LOOKED_AT).await?;
    names.retain(|name| words.within(name) && ctx.sees(&Subject::service(name.clone())));
    Ok(names)
}

async fn told_services(r: &mut impl Reader, ctx: &Ctx, names: Vec<ServiceName>) -> Result<Vec<FoundService>> {
    let mut told = Vec::with_capacity(names.len());
    for name in names {
        let places = rows::places::list(r, Some(&name)).await?;
        let envs: BTreeSet<_> = places.into_iter().map(|p| p.place.env).collect();
        let seen = envs.into_iter().filter(|env| ctx.sees(&Subject::env(name.clone(), env.clone())));
        told.push(FoundService { environments: seen.collect(), name });
    }
    Ok(told)
}

async fn told_releases(
    r: &mut impl Reader,
    ctx: &Ctx,
    found: Vec<(ServiceName, i64)>,
    most: usize,
) -> Result<Vec<FoundRelease>> {
    let (mut told, mut known) = (Vec::new(), BTreeSet::new());
    for (service, number) in found {
        if told.len() == most {
            break;
        }
        if !known.insert((service.clone(), number)) || !ctx.sees(&Subject::service(service.clone())) {
            continue;
        }
        let Ok(row) = releases::named(r, &service, &format!("v{number}")).await else { continue };
        let title = title(r, &row).await?;
        told.push(FoundRelease {
            release: releases::name_of(&row),
            commit: row.commit,
            title,
            created_at: row.created_at.into(),
            service,
        });
    }
    Ok(told)
}

async fn title(r: &mut impl Reader, release: &Release) -> Result<Option<String>> {
    let Some(run) = release.run else { return Ok(None) };
    let run = rows::runs::get(r, run).await?;
    Ok(run.plan.read::<RunPlan>()?.trigger.title().map(str::to_owned))
}

async fn told_runs(
    r: &mut impl Reader,
    ctx: &Ctx,
    words: &Words,
    found: Vec<RunId>,
    most: usize,
) -> Result<Vec<FoundRun>> {
    let (mut told, mut known) = (Vec::new(), BTreeSet::new());
    for id in found {
        if told.len() == most {
            break;
        }
        if !known.insert(id) {
            continue;
        }
        let run = rows::runs::get(r, id).await?;
        let env = Part::if_any(run.env.clone());
        if words.within(&run.service) && ctx.sees(&Subject { env, ..Subject::service(run.service.clone()) }) {
            told.push(crate::runs::brief(r, run).await?);
        }
    }
    Ok(told)
}

async fn under_way(r: &mut impl Reader, ctx: &Ctx, names: &[ServiceName], most: usize) -> Result<Vec<FoundRollout>> {
    let mut told = Vec::new();
    for row in rows::overview::under_way(r).await? {
        let seen = names.contains(&row.service) && ctx.sees(&Subject::env(row.service.clone(), row.env.clone()));
        if told.len() == most || !seen {
            continue;
        }
        let whole = rows::rollouts::get(r, row.id).await?;
        let (doc, state): (rollouts::PlanDoc, State) = (rollouts::read(&whole.plan)?, rollouts::read(&whole.state)?);
        told.push(FoundRollout {
            id: row.id,
            service: row.service,
            env: row.env,
            kind: view::kind(doc.plan.kind),
            phase: view::phase(&state),
            to: ReleaseRef { label: doc.label, digest: doc.release },
            created_at: row.created_at.into(),
        });
    }
    Ok(told)
}

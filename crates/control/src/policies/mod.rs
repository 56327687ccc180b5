//! What environments demand: kept here and not in anybody's repository, so that a push can only be stricter.
//!
//! A policy is looked at when a push arrives, when a rollout is asked for, and (for approvals) before it begins. A rollback
//! is held by none of it.

pub mod faults;

use crate::{
    Ctx, Result,
    ctx::Asker,
    faults::NO_ENVIRONMENT,
    rollouts::{PlanDoc, earlier},
    services,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Part, Principal, Subject},
    event::{Actor, NewEvent},
    fault::Fault,
    id::{EnvName, RolloutId, ServiceName, UserId},
    rollout::{
        plan::Kind,
        state::{Phase, State},
    },
    said,
    said::Said,
    spec::{
        ResolvedSpec, defaults,
        policy::{Approvals, Policy},
    },
    time::Timestamp,
};
use tradewind_store::{
    Json, Reader,
    rows::{self, rollouts::Rollout, users::User},
    transact,
};

/// What faults call a policy's text.
const FILE: &str = "policy.yaml";

/// The `policy` column. The text is kept: it has its author's comments.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    text: String,
    /// Whose text it is, and since when; not known of what was written before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<Set>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Set {
    by: String,
    at: Timestamp,
}

impl Set {
    pub(crate) fn by(asker: &Asker, at: Timestamp) -> Self {
        Self { by: services::who(&asker.actor), at }
    }

    /// `: mei changed it, 2026-11-11 00:08 UTC`.
    pub(crate) fn told(set: Option<&Self>) -> Said {
        set.map_or_else(Said::default, |s| {
            said!(": {who} changed it, {when}", "：{who} 已于 {when} 修改", who = &s.by, when = s.at.to_minute())
        })
    }
}

fn view(env: &EnvName, stored: &Stored) -> v1::EnvironmentPolicy {
    v1::EnvironmentPolicy {
        env: env.clone(),
        text: stored.text.clone(),
        set_by: stored.set.as_ref().map(|s| s.by.clone()),
        set_at: stored.set.as_ref().map(|s| s.at.into()),
    }
}

/// Nothing is demanded of an environment nobody wrote a policy for.
pub(crate) async fn of(r: &mut impl Reader, env: &EnvName) -> Result<Policy> {
    let Some(row) = rows::environments::find(r, env).await? else { return Ok(Policy::default()) };
    let stored: Stored = row.policy.read()?;
    // What was stored was sound; what an older program stored and this one cannot read must not become no policy.
    Policy::parse(FILE, &stored.text).map_err(|found| {
        let detail = found.first().map(ToString::to_string).unwrap_or_default();
        Fault::new(&faults::BROKEN_POLICY).with("env", env).with("detail", detail).into()
    })
}

fn everywhere(env: &EnvName) -> Subject {
    Subject { service: Part::Every, env: Part::Of(env.clone()), site: Part::Every }
}

/// # Errors
/// [`NO_ENVIRONMENT`].
pub async fn show(ctx: &Ctx, env: &EnvName) -> Result<v1::EnvironmentPolicy> {
    let row = rows::environments::find(&mut ctx.store.read().await?, env).await?;
    let seen = ctx.sees(&Subject { env: Part::Of(env.clone()), ..Subject::ANYWHERE });
    let row = row.filter(|_| seen).ok_or_else(|| Fault::new(&NO_ENVIRONMENT).with("env", env))?;
    let stored: Stored = row.policy.read()?;
    Ok(view(env, &stored))
}

/// Replaces an environment's policy; an empty text demands nothing. The environment is made where there is none yet: a
/// policy can be there before the first push.
///
/// # Errors
/// All faults of the text.
pub async fn set(
    ctx: &Ctx,
    env: &EnvName,
    text: &str,
    reason: &str,
    by: &Asker,
) -> Result<v1::EnvironmentPolicy, Vec<Fault>> {
    set_if(ctx, env, text, reason, |_| true, by).await
}

/// The same where what is there is still what the caller read.
///
/// # Errors
/// [`faults::CHANGED_MEANWHILE`], and all faults of the text.
pub async fn set_if(
    ctx: &Ctx,
    env: &EnvName,
    text: &str,
    reason: &str,
    still: impl Fn(&v1::EnvironmentPolicy) -> bool + Send + Sync,
    by: &Asker,
) -> Result<v1::EnvironmentPolicy, Vec<Fault>> {
    Policy::parse(FILE, text)?;
    let done: Result<v1::EnvironmentPolicy> = async {
        by.allow(Action::Policy, &everywhere(env))?;
        crate::rollouts::intervene::reason_given(reason)?;
        transact!(ctx.store, tx => {
                    rows::environments::ensure(tx, env).await?;
                    let row = rows::environments::get(tx, env).await?;
                    let before: Stored = row.policy.read()?;
                    if !still(&view(env, &before)) {
                        let changed = Fault::new(&faults::CHANGED_MEANWHILE).with("env", env);
                        return Err(changed.with("who", Set::told(before.set.as_ref())).into());
                    }
                    let mut after = before.clone();
                    if before.text != text {
                        after = Stored { text: text.to_owned(), set: Some(Set::by(by, tx.now())) };
                        let policy = Json::of(&after);
                        rows::environments::update(tx, rows::environments::Environment { policy, ..row }).await?;
                    }
                    tx.event(NewEvent {
                        env: Some(env.to_string()),
                        before: Some(json!({ "text": before.text })),
                        after: Some(json!({ "text": text, "reason": reason })),
        ..by.event("environment.policy_set", format!("environment/{env}"))})
                    .await?;
                    Ok(view(env, &after))
                })
    }
    .await;
    match done {
        Ok(policy) => Ok(policy),
        Err(crate::Error::Refused(fault)) => Err(vec![*fault]),
        Err(crate::Error::Store(e)) => Err(vec![e.fault()]),
    }
}

/// What a push breaks of the policy of where its branch leads.
pub async fn check_push(r: &mut impl Reader, env: &EnvName, branch: &str, spec: &str) -> Result<Vec<Fault>> {
    let policy = of(r, env).await?;
    let mut found: Vec<Fault> = policy.check_branch(env, branch).err().into_iter().collect();
    let resolved = tradewind_model::spec::Spec::parse(defaults::FILE, spec).ok().and_then(|s| s.resolve(env).ok());
    if let Some(resolved) = resolved {
        found.extend(policy.check(defaults::FILE, spec, env, &resolved));
    }
    Ok(found)
}

/// Whether a release may be asked to be rolled out, by whom it is asked.
///
/// # Errors
/// The first thing that speaks against it.
pub(crate) async fn check_request(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    release: &rows::releases::Release,
    resolved: &ResolvedSpec,
    by: &Asker,
) -> Result<()> {
    let policy = of(r, env).await?;
    if policy == Policy::default() {
        return Ok(());
    }
    if !policy.deployers.is_empty() && !is_among(r, by, &policy.deployers).await? {
        let allowed = policy.deployers.join(", ");
        let not = Fault::new(&faults::NOT_A_DEPLOYER).with("name", by.name()).with("env", env);
        return Err(not.with("allowed", allowed).into());
    }
    if !policy.branches.is_empty() {
        let run = match release.run {
            Some(id) => rows::runs::find(r, id).await?,
            None => None,
        };
        let built_from = run.map(|run| run.git_ref).unwrap_or_default();
        let branch = built_from.strip_prefix("refs/heads/").unwrap_or("?");
        policy.check_branch(env, branch)?;
    }
    let manifest = rows::releases::manifest(r, service, &release.digest).await?;
    match policy.check(defaults::FILE, &manifest.spec, env, resolved).into_iter().next() {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// By name, or by a group. The machine's owner is bound by no list.
async fn is_among(r: &mut impl Reader, by: &Asker, names: &[String]) -> Result<bool> {
    let principal = match &by.actor {
        Actor::User { principal, .. } => *principal,
        Actor::System { .. } | Actor::Agent { .. } => return Ok(true),
    };
    match user_of(r, principal).await? {
        Some(user) => named(r, &user, names).await,
        None => Ok(by.rights.may(Action::System, &Subject::ORGANISATION)),
    }
}

async fn user_of(r: &mut impl Reader, principal: Option<Principal>) -> Result<Option<User>> {
    let id: Option<UserId> = match principal {
        Some(Principal::User(id)) => Some(id),
        Some(Principal::Token(id)) => rows::tokens::get(r, id).await?.owner,
        Some(Principal::Owner) | None => None,
    };
    match id {
        Some(id) => Ok(rows::users::find(r, id).await?),
        None => Ok(None),
    }
}

async fn named(r: &mut impl Reader, user: &User, names: &[String]) -> Result<bool> {
    if names.contains(&user.handle) {
        return Ok(true);
    }
    Ok(rows::groups::of_user(r, user.id).await?.iter().any(|g| names.contains(&g.name)))
}

/// How many have to agree to a rollout, and who has.
pub(crate) struct Agreement {
    pub needed: u32,
    pub from: Vec<String>,
    pub given: Vec<rows::approvals::Approval>,
}

impl Agreement {
    pub fn is_there(&self) -> bool {
        self.given.len() >= self.needed as usize
    }

    /// What it waits for, in a sentence.
    pub fn waiting(&self, rollout: RolloutId) -> Option<Said> {
        if self.is_there() {
            return None;
        }
        let from = self.from.join(", ");
        let (given, needed) = (self.given.len(), self.needed);
        Some(if from.is_empty() {
            said!(
                "waits for approval, {given} of {needed}: tradewind rollout approve {rollout} --note …",
                "等待审批（{given}/{needed}）：tradewind rollout approve {rollout} --note …",
                given = given,
                needed = needed,
                rollout = rollout
            )
        } else {
            said!(
                "waits for approval by {from}, {given} of {needed}: tradewind rollout approve {rollout} --note …",
                "等待 {from} 审批（{given}/{needed}）：tradewind rollout approve {rollout} --note …",
                from = from,
                given = given,
                needed = needed,
                rollout = rollout
            )
        })
    }
}

fn wanted(policy: &Policy, kind: Kind) -> u32 {
    let Some(Approvals { count, hotfix, .. }) = &policy.approvals else { return 0 };
    match kind {
        Kind::Normal => *count,
        Kind::Hotfix => *hotfix,
        // Nothing blocks a rollback, and a drill is one's own.
        Kind::Rollback | Kind::Drill => 0,
    }
}

/// Whose word a rollout of this kind will need, in a sentence.
pub(crate) async fn demanded(r: &mut impl Reader, env: &EnvName, kind: Kind) -> Result<Option<Said>> {
    let policy = of(r, env).await?;
    let needed = wanted(&policy, kind);
    let from = policy.approvals.map(|a| a.from).unwrap_or_default().join(", ");
    Ok(match (needed, from.is_empty()) {
        (0, _) => None,
        (1, true) => Some(said!("an approval by somebody else", "需要 1 位其他人审批")),
        (n, true) => Some(said!("{n} approvals by other people", "需要 {n} 位其他人审批", n = n)),
        (1, false) => Some(said!("an approval by one of {from}", "需要 {from} 中 1 人审批", from = from)),
        (n, false) => Some(said!("{n} approvals by {from}", "需要 {from} 中 {n} 人审批", n = n, from = from)),
    })
}

/// By the policy as it is now; a word counts as long as whoever gave it may give it.
pub(crate) async fn agreement(r: &mut impl Reader, row: &Rollout, kind: Kind) -> Result<Agreement> {
    let policy = of(r, &row.env).await?;
    let needed = wanted(&policy, kind);
    let from = policy.approvals.map(|a| a.from).unwrap_or_default();
    let given = if needed == 0 { Vec::new() } else { rows::approvals::of(r, row.id).await? };
    Ok(Agreement { needed, from, given })
}

/// One's word for a rollout that has not begun. The last one that was needed begins it.
///
/// # Errors
/// [`faults::NOTHING_TO_APPROVE`], [`faults::OWN_APPROVAL`], [`faults::NOT_AN_APPROVER`], [`faults::PERSON_APPROVES`].
pub async fn approve(ctx: &Ctx, id: RolloutId, note: &str, by: &Asker) -> Result<()> {
    crate::rollouts::intervene::reason_given(note)?;
    transact!(ctx.store, tx => {
        let row = crate::rollouts::get(tx, id).await?;
        let doc: PlanDoc = row.plan.read()?;
        for site in &doc.plan.sites {
            let place = Subject::env(row.service.clone(), row.env.clone()).at(site.site.clone());
            by.allow(Action::Approve, &place)?;
        }
        let policy = of(tx, &row.env).await?;
        let queued = row.phase == Phase::Queued.as_str();
        let rule = policy.approvals.clone().filter(|_| queued && wanted(&policy, doc.plan.kind) > 0);
        let Some(rule) = rule else {
            let how = if queued {
                said!("the policy of {env} asks for none", "{env} 的策略不要求审批", env = &row.env)
            } else {
                let state: State = row.state.read()?;
                let how = earlier::how(tx, &row, &state).await?;
                begun(tx, &row, how).await?
            };
            return Err(Fault::new(&faults::NOTHING_TO_APPROVE).with("rollout", id).with("how", how).into());
        };
        let principal = match &by.actor {
            Actor::User { principal, .. } => *principal,
            Actor::System { .. } | Actor::Agent { .. } => None,
        };
        let Some(user) = user_of(tx, principal).await?.filter(|u| !u.is_service) else {
            return Err(Fault::new(&faults::PERSON_APPROVES).with("name", by.name()).into());
        };
        let requester = match &row.requester {
            Actor::User { principal, .. } => user_of(tx, *principal).await?,
            Actor::System { .. } | Actor::Agent { .. } => None,
        };
        if !rule.own && requester.is_some_and(|r| r.id == user.id) {
            return Err(Fault::new(&faults::OWN_APPROVAL).with("name", &user.handle).into());
        }
        if !rule.from.is_empty() && !named(tx, &user, &rule.from).await? {
            let from = rule.from.join(", ");
            return Err(Fault::new(&faults::NOT_AN_APPROVER).with("name", &user.handle).with("from", from).into());
        }
        if !rows::approvals::give(tx, id, user.id, &user.handle, note).await? {
            return Ok(());
        }
        let after = json!({ "by": user.handle, "note": note });
        tx.event(crate::rollouts::events::about(&row, "rollout.approved", by, after)).await?;
        crate::rollouts::queue::begin_next(tx, ctx, &row.service, &row.env).await?;
        Ok(())
    })
}

/// How it came to where it is, and whose word let it begin.
async fn begun(r: &mut impl Reader, row: &Rollout, how: Said) -> Result<Said> {
    let given = rows::approvals::of(r, row.id).await?;
    let Some(last) = given.iter().max_by_key(|a| a.at) else { return Ok(how) };
    Ok(said!(
        "{how}; {who} approved it, {when}",
        "{how}；{who} 已于 {when} 审批",
        how = how,
        who = &last.handle,
        when = last.at.to_minute()
    ))
}

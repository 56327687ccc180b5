//! What a forge's delivery leads to: the branch is fetched from the repository itself, looked at as a push is looked at, and run as
//! a push is run. It goes by the rows of what was delivered: it takes no input, and goes on after a restart where it was.

use super::{
    check,
    commit::{Complaint, is_zero},
    fetch::{Bounds, FetchError, Mover, Source},
    follow, push,
    repo::MAIL_HOST,
    scan,
    wire::{Ask, Hook, Update},
};
use crate::{App, auth::Caller, http::Refusal};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_control::{
    forges::work::{self, End, Work},
    rounds::Loop,
};
use tradewind_model::{
    access::Principal,
    fault::{self, Fault, Lang},
    id::Commit,
    said,
    said::Said,
};
use tradewind_outbound::Outbound;
use tradewind_store::rows;

/// How late it may notice that it is time to try again.
const TICK: Duration = Duration::from_secs(2);
/// Repositories fetched from at once.
const AT_ONCE: usize = 3;

/// Works until the server stops.
pub async fn run(app: App, outbound: Outbound) {
    let mut commits = app.store.commits();
    let (mut at_work, mut whose) = (JoinSet::new(), HashMap::new());
    loop {
        commits.borrow_and_update();
        if let Err(error) = app.hooks.refusals.write_down(&app.ctx).await {
            tracing::error!(error = %fault::chain(&error), "deliveries that were not let in could not be counted");
        }
        let busy: HashSet<_> = whose.values().copied().collect();
        let found = work::due(&app.ctx, &busy).await;
        app.ctx.rounds.note(Loop::Deliveries, app.ctx.now(), TICK, &found);
        match found {
            Ok(due) => {
                for work in due.into_iter().take(AT_ONCE.saturating_sub(whose.len())) {
                    let link = work.row.id;
                    let (app, outbound) = (app.clone(), outbound.clone());
                    let task = at_work.spawn(async move { one(&app, &outbound, work).await });
                    whose.insert(task.id(), link);
                }
            }
            Err(error) => {
                tracing::error!(error = %fault::chain(&error), "deliveries could not be looked at");
            }
        }
        tokio::select! {
            _ = commits.changed() => {}
            Some(done) = at_work.join_next_with_id() => {
                let id = done.map_or_else(|e| e.id(), |(id, ())| id);
                whose.remove(&id);
            }
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.cancelled() => break,
        }
    }
    at_work.shutdown().await;
}

/// What became of one look at a delivery.
enum Outcome {
    Ended(End),
    Again(Said),
}

async fn one(app: &App, outbound: &Outbound, work: Work) {
    let service = &work.row.service;
    let outcome = match bring(app, outbound, &work).await {
        Ok(outcome) => outcome,
        Err(Refusal::Faults(faults)) => Outcome::Ended(End::Failed(told(&faults))),
        Err(Refusal::Internal(error)) => {
            tracing::error!(%service, error = %fault::chain(error.as_ref()), "a delivery could not be worked on");
            Outcome::Again(said!(
                "something went wrong inside Tradewind; the server's log has it",
                "Tradewind 内部出错，详见服务端日志"
            ))
        }
    };
    let noted = match outcome {
        Outcome::Ended(end) => work.ended(&app.ctx, end).await,
        Outcome::Again(why) => {
            tracing::info!(%service, why = why.en(), "a delivery waits to be tried again");
            work.again(&app.ctx, why).await
        }
    };
    if let Err(error) = noted {
        tracing::error!(%service, error = %fault::chain(&error), "what became of a delivery was not noted");
    }
}

async fn bring(app: &App, outbound: &Outbound, work: &Work) -> Result<Outcome, Refusal> {
    let service = &work.row.service;
    let actee = work.account(&app.ctx).await?;
    let repos = &app.git.repos;
    if repos.tip(service, &work.branch).await?.as_ref() == Some(&work.after) {
        return here(app, work).await;
    }
    let url = work.linked.repository.fetched_from();
    let addresses = match outbound.resolve(&url, work.linked.repository.is_plain_http()).await {
        Ok(addresses) => addresses,
        Err(error) => return Ok(Outcome::Again(Said::from(error.fault()))),
    };
    let token = work.token(&app.ctx)?;
    let credential = token.map(|token| (work.linked.kind.token_user(), token));
    let source =
        Source { url: url.parse().map_err(Refusal::internal)?, addresses, credential, bounds: Bounds::default() };
    let staged = match repos.fetch(service, &source, &work.branch).await {
        Ok(staged) => staged,
        Err(FetchError::Gone) => {
            return Ok(Outcome::Ended(End::Stale(said!("the branch is not there any more", "该分支已不存在"))));
        }
        Err(FetchError::Git(error @ (super::GitError::Failed { .. } | super::GitError::Odd { .. }))) => {
            let why = error.to_string();
            return Ok(Outcome::Again(said!("it could not be fetched: {why}", "无法获取：{why}", why = why)));
        }
        Err(FetchError::Harmful(why)) => {
            return Ok(Outcome::Ended(End::Failed(said!(
                "git does not take what it holds: {why}",
                "git 拒绝其中的内容：{why}",
                why = why
            ))));
        }
        Err(FetchError::Late(time)) => {
            let s = time.as_secs();
            return Ok(Outcome::Again(said!("it took longer than {s} s to fetch", "获取超过 {s} 秒", s = s)));
        }
        Err(error @ FetchError::Git(_)) => return Err(Refusal::internal(error)),
    };
    if staged.tip != work.after {
        let tip = staged.tip.short();
        return Ok(Outcome::Ended(End::Stale(said!(
            "by then the branch was at {tip}, which a delivery of its own brings",
            "届时该分支已在 {tip}，由其自己的推送通知带来",
            tip = tip
        ))));
    }
    let old = match repos.tip(service, &work.branch).await? {
        Some(old) => old,
        None => zero(&work.after),
    };
    let update = Update { old: old.clone(), new: work.after.clone(), name: work.branch.full() };
    let push = push::Push {
        service: service.clone(),
        caller: Caller::forge(work.row.org.clone(), actee.user, &actee.by),
        lang: Lang::En,
        follow: false,
        request: work.delivery.id.to_string(),
        gone: CancellationToken::new(),
    };
    let quarantine = repos.quarantine_of(service, &staged);
    let updates = std::slice::from_ref(&update);
    let mut found = check::complaints(app, &push, updates, Some(&quarantine)).await?;
    if found.is_empty() {
        let ask = Ask {
            hook: Hook::PreReceive,
            push: String::new(),
            objects: None,
            alternates: None,
            updates: vec![update.clone()],
            options: Vec::new(),
        };
        let scanned = scan::scan(app, &push, &ask, updates, Some(&quarantine)).await?;
        if scanned.complaints.is_empty() {
            scanned.audit(app, &push).await?;
        }
        found = scanned.complaints;
    }
    if !found.is_empty() {
        return Ok(Outcome::Ended(End::Failed(complaints(&found))));
    }
    let mail = format!("{}@{MAIL_HOST}", Principal::User(actee.user));
    let why = work.cause();
    let mover = Mover { name: actee.by.name(), mail: &mail, why: &why };
    if let Err(error) = repos.adopt(service, &staged, &work.branch, &old, &mover).await {
        tracing::info!(%service, error = %fault::chain(&error), "a branch was moved by somebody else meanwhile");
        return Ok(Outcome::Again(said!("the branch was moved by somebody else meanwhile", "该分支同时被他人移动")));
    }
    match follow::start(app, service, &update, &actee.by).await {
        Ok(Ok(run)) => Ok(Outcome::Ended(End::Done(run))),
        Ok(Err(complaint)) => Ok(Outcome::Ended(End::Failed(complaints(&[complaint])))),
        Err(error) => Err(Refusal::internal(error)),
    }
}

/// The branch is where the delivery wants it: somebody pushed it here, or we did before we stopped. Its run exists, or is about to.
async fn here(app: &App, work: &Work) -> Result<Outcome, Refusal> {
    let service = &work.row.service;
    let name = work.branch.full();
    let store = app.store.for_org(work.row.org.clone());
    let latest = rows::runs::latest_of_ref(&mut store.read().await?, service, &name).await?;
    Ok(match latest.filter(|run| run.commit == work.after) {
        Some(run) => Outcome::Ended(End::Done(run.id)),
        None => Outcome::Again(said!("the branch is here; its run is about to begin", "分支已在此处；运行即将开始")),
    })
}

fn zero(like: &Commit) -> Commit {
    let zero = "0".repeat(like.as_str().len()).parse().unwrap_or_else(|_| like.clone());
    debug_assert!(is_zero(zero.as_str()));
    zero
}

fn complaints(all: &[Complaint]) -> Said {
    Said::in_both(|lang| all.iter().map(|c| c.text(lang)).collect::<Vec<_>>().join("\n"))
}

fn told(faults: &[Fault]) -> Said {
    Said::in_both(|lang| {
        let one = |f: &Fault| format!("{}: {}. {}", f.code.id, f.what(lang), f.fix(lang));
        faults.iter().map(one).collect::<Vec<_>>().join("\n")
    })
}

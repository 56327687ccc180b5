use std::{collections::BTreeMap, time::Duration};
use tradewind_model::id::{RolloutId, RunId, ServiceName};
use tradewind_store::{Json, Store, StoreError, rows, transact};

use super::{pipelines::new_run, rollouts::new_rollout};
use crate::fixture::{Fixture, event};

const TTL: Duration = Duration::from_secs(30);
const CLAIMERS: usize = 8;

async fn runs(f: &Fixture, service: &ServiceName, count: usize) -> Vec<RunId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let new = new_run(&f.store, service);
        let id = new.id;
        let done: Result<_, StoreError> = transact!(f.store, tx => {
            tx.event(event("run.created", "run/x")).await?;
            rows::runs::insert(tx, new_run_like(&new)).await
        });
        done.unwrap();
        ids.push(id);
    }
    ids
}

fn new_run_like(r: &rows::runs::NewRun) -> rows::runs::NewRun {
    rows::runs::NewRun {
        id: r.id,
        service: r.service.clone(),
        commit: r.commit.clone(),
        git_ref: r.git_ref.clone(),
        env: r.env.clone(),
        state: r.state.clone(),
        plan: r.plan.clone(),
        body: r.body.clone(),
        cause: r.cause.clone(),
        actor: r.actor.clone(),
    }
}

/// How often each id was claimed, by claimers that all go at once until there is nothing left.
async fn claim_all<K, F, Fut>(f: &Fixture, claim: F) -> BTreeMap<K, usize>
where
    K: Ord + Send + 'static,
    F: Fn(Store, String) -> Fut,
    Fut: Future<Output = Vec<K>> + Send + 'static,
{
    // Two processes, so that SQLite's single writer is not what keeps them apart.
    let stores = [f.store.clone(), f.second().await];
    let claimers: Vec<_> =
        (0..CLAIMERS).map(|n| tokio::spawn(claim(stores[n % 2].clone(), format!("server-{n}")))).collect();
    let mut seen = BTreeMap::new();
    for c in claimers {
        for id in c.await.unwrap() {
            *seen.entry(id).or_default() += 1;
        }
    }
    seen
}

pub async fn each_run_is_claimed_once(f: Fixture) {
    let shop = f.with_service("shop").await;
    let ids = runs(&f, &shop, 24).await;
    let seen = claim_all(&f, |store, holder| async move {
        let mut mine = Vec::new();
        loop {
            let got: Result<_, StoreError> = transact!(store, tx => rows::runs::claim(tx, &holder, TTL).await);
            match got.unwrap() {
                Some(run) => {
                    assert_eq!(run.claim.holder.as_deref(), Some(&*holder));
                    mine.push(run.id);
                }
                None => break mine,
            }
        }
    })
    .await;
    assert_eq!(seen, ids.into_iter().map(|id| (id, 1)).collect());
}

pub async fn each_rollout_is_claimed_once(f: Fixture) {
    let mut ids: Vec<RolloutId> = Vec::new();
    for n in 0..12 {
        let service = f.with_service(&format!("s{n}")).await;
        let mut new = new_rollout(&f.store, &service);
        new.active = true;
        new.next_wake_at = Some(f.store.now());
        ids.push(super::rollouts::insert(&f.store, new).await.unwrap().id);
    }
    let seen = claim_all(&f, |store, holder| async move {
        let mut mine = Vec::new();
        loop {
            let got: Result<_, StoreError> = transact!(store, tx => rows::rollouts::claim_due(tx, &holder, TTL).await);
            match got.unwrap() {
                Some(rollout) => mine.push(rollout.id),
                None => break mine,
            }
        }
    })
    .await;
    ids.sort();
    assert_eq!(seen, ids.into_iter().map(|id| (id, 1)).collect());
}

pub async fn a_claim_that_ran_out_is_fenced_off(f: Fixture) {
    let shop = f.with_service("shop").await;
    runs(&f, &shop, 1).await;
    let claim = async |holder: &str| -> Option<rows::runs::Run> {
        let got: Result<_, StoreError> = transact!(f.store, tx => rows::runs::claim(tx, holder, TTL).await);
        got.unwrap()
    };
    let slow = claim("slow").await.unwrap();
    assert!(claim("quick").await.is_none());
    f.clock.advance(TTL);
    let quick = claim("quick").await.expect("it ran out");
    assert!(quick.claim.fence > slow.claim.fence);
    let finish = async |run: &rows::runs::Run| -> Result<rows::runs::Run, StoreError> {
        transact!(f.store, tx => {
            tx.event(event("run.finished", "run/x")).await?;
            rows::runs::update(tx, rows::runs::Run { state: "done".into(), body: Json::empty(), ..run.clone() }).await
        })
    };
    assert!(matches!(finish(&slow).await, Err(StoreError::Conflict { .. })), "it woke up too late");
    finish(&quick).await.unwrap();
}

/// The statement must not lean on the isolation level: asked for again in the outer WHERE, the lease decides even where
/// the inner SELECT saw an older row.
pub async fn the_claim_itself_holds_under_read_committed(f: Fixture) {
    let shop = f.with_service("shop").await;
    let ids = runs(&f, &shop, 16).await;
    if !f.at.starts_with("postgres") {
        return;
    }
    let statement = tradewind_store::stmt::all().into_iter().find(|s| s.name.ends_with("runs::CLAIM")).unwrap().sql;
    let pool = sqlx::PgPool::connect(&f.at).await.unwrap();
    let now = f.store.now().0;
    let claimers: Vec<_> = (0..CLAIMERS)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                // Under this level a claimer that loses a race gets no row though others are free: it asks again.
                for _ in 0..40 {
                    let row = sqlx::query(statement)
                        .bind(format!("server-{n}"))
                        .bind(now + 30_000_000)
                        .bind("default")
                        .bind(now)
                        .fetch_optional(&pool)
                        .await
                        .unwrap();
                    mine.extend(row.map(|r| sqlx::Row::get::<String, _>(&r, "id")));
                }
                mine
            })
        })
        .collect();
    let mut seen = Vec::new();
    for c in claimers {
        seen.extend(c.await.unwrap());
    }
    pool.close().await;
    seen.sort();
    let mut ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
    ids.sort();
    assert_eq!(seen, ids, "each once");
}

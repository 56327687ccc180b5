//! What holds for every store, whichever the database.

mod access;
mod certificates;
mod claims;
mod events;
mod forges;
mod freezes;
mod leases;
mod pipelines;
mod rollouts;
mod secrets;
mod transactions;

use futures_util::{FutureExt as _, future::BoxFuture};
use std::panic::AssertUnwindSafe;

use crate::{cluster::Cluster, fixture::Fixture};

type Contract = fn(Fixture) -> BoxFuture<'static, ()>;

/// Each becomes a test of its own on SQLite; on PostgreSQL they share one server, and so one test.
macro_rules! contracts {
    ($($area:ident: $($name:ident),+;)+) => {
        mod sqlite {
            $(mod $area {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() { crate::contract::$area::$name(crate::fixture::Fixture::sqlite().await).await })+
            })+
        }
        const ALL: &[(&str, Contract)] = &[
            $($((concat!(stringify!($area), "::", stringify!($name)), |f| $area::$name(f).boxed())),+),+
        ];
    };
}

contracts! {
    access: tokens_are_found_by_hash_until_revoked_or_expired, a_login_code_works_once_and_in_time,
        an_idempotency_key_answers_repeats, hosts_report_in_order, settings_are_kept, environments_have_policies,
        tenants_do_not_see_each_other;
    certificates: they_are_kept_with_their_keys_until_removed, an_order_is_one_a_host;
    claims: each_run_is_claimed_once, each_rollout_is_claimed_once, a_claim_that_ran_out_is_fenced_off,
        the_claim_itself_holds_under_read_committed;
    events: events_are_numbered_chained_and_read_in_order, what_is_not_sealed_is_not_seen, filters_choose,
        a_follower_sees_everything_once, two_sealers_make_one_chain, altered_rows_are_named, removed_rows_are_named,
        reordered_rows_are_named, a_cut_off_end_is_named, a_moved_head_is_named, an_inserted_row_is_named,
        a_rewritten_log_does_not_fit_a_checkpoint, a_beginning_that_was_cut_off_is_told_of_or_missed;
    forges: a_delivery_is_known_by_its_name_and_by_what_is_signed, a_link_goes_with_all_that_came_by_it;
    freezes: several_may_hold_one_place, one_ends_once, tenants_freeze_their_own;
    leases: one_holder_at_a_time, a_stale_fence_is_refused, a_clock_that_jumps_back_does_not_lock_everyone_out;
    pipelines: runs_count_per_service, runs_count_without_gaps_under_contention, a_stale_run_is_refused,
        jobs_follow_their_plan, the_same_content_is_the_same_release;
    rollouts: one_is_active_per_environment, queues_keep_their_order, a_failed_queue_is_held,
        places_and_routes_are_swapped_by_version, instances_and_tasks_leave_their_hosts, previous_is_what_completed_before,
        evidence_keeps_the_order_it_came_in, what_is_usual_is_kept_by_the_hour;
    secrets: versions_rise_and_a_removed_secret_comes_back, there_is_one_of_a_name_in_a_scope, a_seal_is_replaced_once,
        who_was_given_what_is_known, tenants_keep_their_own_secrets;
    transactions: a_change_without_an_event_does_not_happen, an_error_undoes_everything,
        a_swallowed_failure_does_not_commit, commits_wake_those_who_wait, reads_see_one_moment,
        writers_that_meet_are_run_again, a_second_process_is_not_lost,
        a_change_that_is_dropped_midway_did_not_happen;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let cluster = Cluster::start().await;
    let mut failed = Vec::new();
    for (name, contract) in ALL {
        let fixture = Fixture::postgres(&cluster).await;
        let store = fixture.store.clone();
        if AssertUnwindSafe(contract(fixture)).catch_unwind().await.is_err() {
            failed.push(name);
        }
        store.close().await;
    }
    assert!(failed.is_empty(), "on PostgreSQL: {failed:?}");
}

#[tokio::test]
async fn a_postgres_that_cannot_be_used_is_said() {
    let clock = crate::fixture::HandClock::new();
    let cluster = Cluster::start().await;
    for at in [cluster.url("no_such_database"), "postgres://x@127.0.0.1:1/x".into(), "postgres://:x:y:z".into()] {
        let refused = tradewind_store::Store::open(&at, clock.clone()).await.unwrap_err();
        assert!(matches!(refused, tradewind_store::StoreError::Io { .. }), "{at}: {refused:?}");
    }
}

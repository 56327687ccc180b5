//! The pipeline engine: GitLab's own processing cases, single rules, and random lives of random pipelines.

use crate::gitlab_cases;
use proptest::prelude::*;
use tradewind_model::{
    pipeline::{
        AllowFailure, Fact, Failure, FailureReason, JobKind, JobPlan, Need, OnJobFailure, OnNewCommit, Outcome,
        Pipeline, Retry, RetryWhen, State, Status, Step, When, advance, start, superseded,
    },
    said::Said,
    time::Timestamp,
};

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

pub fn job(name: &str, stage: usize) -> JobPlan {
    JobPlan {
        name: name.into(),
        kind: JobKind::Script,
        stage,
        script: vec!["true".into()],
        after_script: Vec::new(),
        variables: Default::default(),
        artifacts: None,
        needs: None,
        dependencies: None,
        timeout_ms: 3_600_000,
        allow_failure: AllowFailure::No,
        when: When::OnSuccess,
        retry: Retry::default(),
        interruptible: false,
        secrets: Vec::new(),
    }
}

fn pipeline(jobs: Vec<JobPlan>) -> Pipeline {
    let stages = jobs.iter().map(|j| j.stage + 1).max().unwrap_or(0);
    Pipeline { stages: (0..stages).map(|s| format!("stage-{s}")).collect(), jobs, ..Pipeline::default() }
}

fn failed(reason: FailureReason, exit_code: Option<i32>) -> Outcome {
    Outcome::Failed(Failure { reason, exit_code, message: Said::plain("it did not work") })
}

fn script_failed(code: i32) -> Outcome {
    failed(FailureReason::ScriptFailure, Some(code))
}

/// A run under test: facts in, statuses out.
struct Run {
    plan: Pipeline,
    state: State,
    now: Timestamp,
    last: Step,
}

impl Run {
    fn new(plan: Pipeline) -> Self {
        let last = start(&plan, NOW);
        Self { plan, state: last.state.clone(), now: NOW, last }
    }
    fn tell(&mut self, facts: &[Fact]) -> &Step {
        self.last = advance(&self.plan, &self.state, facts, self.now);
        self.state = self.last.state.clone();
        &self.last
    }
    fn job(&self, name: &str) -> usize {
        self.plan.job_named(name).unwrap_or_else(|| panic!("no job {name}"))
    }
    fn end(&mut self, name: &str, outcome: Outcome) {
        let job = self.job(name);
        let attempt = self.state.jobs[job].attempt;
        self.tell(&[Fact::Started { job, attempt }, Fact::Finished { job, attempt, outcome }]);
    }
    fn shows(&self) -> String {
        let jobs: Vec<String> =
            self.plan.jobs.iter().zip(&self.state.jobs).map(|(p, s)| format!("{}={}", p.name, s.status)).collect();
        format!("{}: {}", self.state.status, jobs.join(" "))
    }
}

#[test]
fn gitlab_processing_cases_hold_exactly() {
    let Some(cases) = gitlab_cases::load() else { return };
    for case in cases {
        let mut run = Run::new(case.pipeline);
        case.init.check(&format!("{} at init", case.name), &run.plan, &run.state);
        for (n, transition) in case.transitions.iter().enumerate() {
            for name in &transition.jobs {
                let job = run.job(name);
                let attempt = run.state.jobs[job].attempt;
                let fact = match transition.event.as_str() {
                    "drop" => Fact::Finished { job, attempt, outcome: script_failed(1) },
                    "success" => Fact::Finished { job, attempt, outcome: Outcome::Success },
                    "run" => Fact::Started { job, attempt },
                    "play" => Fact::Play { job },
                    "retry" => Fact::Retry { job },
                    "cancel" => Fact::CancelJob { job },
                    other => panic!("{}: event `{other}` is not known here", case.name),
                };
                run.tell(&[fact]);
            }
            transition.expect.check(&format!("{} after transition {}", case.name, n + 1), &run.plan, &run.state);
        }
    }
}

#[test]
fn a_pipeline_without_jobs_succeeds_at_once() {
    assert_eq!(Run::new(Pipeline::default()).shows(), "success: ");
}

#[test]
fn each_when_starts_after_the_ends_it_names() {
    let ends = [("success", Outcome::Success), ("failed", script_failed(1)), ("canceled", Outcome::Canceled)];
    let whens = [When::OnSuccess, When::OnFailure, When::Always, When::Manual, When::Delayed { start_in_ms: 1000 }];
    let mut table = String::new();
    for with_needs in [false, true] {
        for when in whens {
            for (name, end) in &ends {
                let mut next = job("next", 1);
                next.when = when;
                next.needs = with_needs.then(|| vec![Need { job: 0, artifacts: true }]);
                let mut run = Run::new(pipeline(vec![job("first", 0), next]));
                run.end("first", end.clone());
                let kind = if with_needs { "needs" } else { "stage" };
                table += &format!("{kind} {when:?} after {name}: {}\n", run.state.jobs[1].status);
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn needs_of_nothing_starts_at_once_and_needs_within_a_stage_wait() {
    let mut eager = job("eager", 1);
    eager.needs = Some(vec![]);
    let mut second = job("second", 0);
    second.needs = Some(vec![Need { job: 0, artifacts: true }]);
    let mut run = Run::new(pipeline(vec![job("first", 0), second, eager]));
    assert_eq!(run.shows(), "pending: first=pending second=created eager=pending");
    run.end("first", Outcome::Success);
    assert_eq!(run.shows(), "running: first=success second=pending eager=pending");
}

#[test]
fn a_failure_that_is_allowed_only_with_some_exit_codes() {
    let mut lint = job("lint", 0);
    lint.allow_failure = AllowFailure::ExitCodes(vec![42]);
    for (code, expected, warned) in
        [(42, "running: lint=failed ship=pending", true), (1, "failed: lint=failed ship=skipped", false)]
    {
        let mut run = Run::new(pipeline(vec![lint.clone(), job("ship", 1)]));
        run.end("lint", script_failed(code));
        assert_eq!(run.shows(), expected);
        assert_eq!(run.state.has_warnings(&run.plan), warned);
    }
}

#[test]
fn automatic_retries_are_new_attempts_and_end() {
    let mut flaky = job("flaky", 0);
    flaky.retry =
        Retry { max: 2, when: vec![RetryWhen::Failed(FailureReason::RunnerSystemFailure)], exit_codes: vec![75] };
    let mut run = Run::new(pipeline(vec![flaky.clone()]));
    run.end("flaky", failed(FailureReason::RunnerSystemFailure, None));
    assert_eq!((run.shows().as_str(), run.state.jobs[0].attempt), ("running: flaky=pending", 2));
    // The first attempt's report again: it is not the second's.
    run.tell(&[Fact::Finished { job: 0, attempt: 1, outcome: Outcome::Success }]);
    assert_eq!(run.shows(), "running: flaky=pending");
    run.end("flaky", script_failed(75));
    assert_eq!(run.state.jobs[0].attempt, 3);
    run.end("flaky", failed(FailureReason::RunnerSystemFailure, None));
    assert_eq!(run.shows(), "failed: flaky=failed");

    let mut run = Run::new(pipeline(vec![flaky]));
    run.end("flaky", script_failed(1));
    assert_eq!(run.shows(), "failed: flaky=failed");
}

#[test]
fn cancel_waits_for_what_runs_and_nothing_starts_after_it() {
    let mut cleanup = job("cleanup", 1);
    cleanup.when = When::Always;
    let mut run = Run::new(pipeline(vec![job("running", 0), job("waiting", 0), cleanup]));
    run.tell(&[Fact::Started { job: 0, attempt: 1 }, Fact::Cancel]);
    assert_eq!(run.shows(), "canceling: running=canceling waiting=canceled cleanup=canceled");
    // It had succeeded before the order reached it: the run is cancelled all the same.
    run.tell(&[Fact::Finished { job: 0, attempt: 1, outcome: Outcome::Success }]);
    assert_eq!(run.shows(), "canceled: running=canceled waiting=canceled cleanup=canceled");

    run.tell(&[Fact::RetryFailed]);
    assert_eq!(run.shows(), "running: running=pending waiting=pending cleanup=created");
    assert_eq!(run.state.jobs[0].attempt, 2);
}

#[test]
fn a_delayed_job_starts_at_its_time_or_when_played() {
    let mut later = job("later", 0);
    later.when = When::Delayed { start_in_ms: 60_000 };
    let mut run = Run::new(pipeline(vec![later.clone()]));
    assert_eq!(run.shows(), "scheduled: later=scheduled");
    let at = run.last.wake_at.expect("a time to wake at");
    assert_eq!(at.since(NOW).as_secs(), 60);
    run.now = Timestamp(at.0 - 1);
    assert!(run.tell(&[]).changes.is_empty());
    run.now = at;
    run.tell(&[]);
    assert_eq!(run.shows(), "pending: later=pending");
    assert_eq!(run.last.wake_at, None);

    let mut run = Run::new(pipeline(vec![later]));
    run.tell(&[Fact::Play { job: 0 }]);
    assert_eq!(run.shows(), "pending: later=pending");
}

#[test]
fn a_played_optional_job_takes_what_it_had_held_back_with_it() {
    let mut gate = job("gate", 0);
    gate.when = When::Manual;
    gate.allow_failure = AllowFailure::Yes;
    let mut after = job("after", 1);
    after.needs = Some(vec![Need { job: 0, artifacts: true }]);
    let mut run = Run::new(pipeline(vec![gate, after]));
    assert_eq!(run.shows(), "skipped: gate=manual after=skipped");
    run.tell(&[Fact::Play { job: 0 }]);
    assert_eq!(run.shows(), "pending: gate=pending after=created");
    run.end("gate", Outcome::Success);
    assert_eq!(run.shows(), "running: gate=success after=pending");
}

#[test]
fn artifacts_come_from_earlier_stages_or_needs_or_dependencies() {
    let mut picky = job("picky", 2);
    picky.dependencies = Some(vec![1]);
    let mut dag = job("dag", 2);
    dag.needs = Some(vec![Need { job: 0, artifacts: false }, Need { job: 2, artifacts: true }]);
    let plan = pipeline(vec![job("a", 0), job("b", 0), job("c", 1), job("all", 2), picky, dag]);
    assert_eq!(plan.artifact_sources(3), [0, 1, 2]);
    assert_eq!(plan.artifact_sources(4), [1]);
    assert_eq!(plan.artifact_sources(5), [2]);
}

#[test]
fn packaging_follows_success_alone_and_can_be_cancelled() {
    let mut optional = job("optional", 0);
    optional.when = When::Manual;
    optional.allow_failure = AllowFailure::Yes;
    let mut run = Run::new(pipeline(vec![job("build", 0), optional]).with_packaging(1000));
    assert_eq!(run.plan.artifact_sources(2), [0, 1]);
    run.end("build", Outcome::Success);
    assert_eq!(run.shows(), "running: build=success optional=manual .package=pending");
    run.end(".package", failed(FailureReason::RunnerSystemFailure, None));
    run.end(".package", Outcome::Success);
    assert_eq!(run.shows(), "success: build=success optional=manual .package=success");

    let mut run = Run::new(pipeline(vec![job("build", 0)]).with_packaging(1000));
    run.end("build", script_failed(1));
    assert_eq!(run.shows(), "failed: build=failed .package=skipped");

    let mut run = Run::new(Pipeline::default().with_packaging(1000));
    assert_eq!(run.shows(), "pending: .package=pending");
    run.tell(&[Fact::Cancel]);
    assert_eq!(run.shows(), "canceled: .package=canceled");
}

#[test]
fn a_newer_commit_takes_the_place_of_a_run_that_has_not_begun() {
    let mut lint = job("lint", 0);
    lint.interruptible = true;
    let plan = pipeline(vec![lint, job("deploy", 1)]);
    let supersede = |run: &mut Run| {
        let facts = superseded(&run.plan, &run.state);
        run.tell(&facts);
        run.shows()
    };
    let mut run = Run::new(plan.clone());
    run.tell(&[Fact::Started { job: 0, attempt: 1 }]);
    assert_eq!(supersede(&mut run), "canceling: lint=canceling deploy=canceled");

    let mut run = Run::new(plan.clone());
    run.end("lint", Outcome::Success);
    run.tell(&[Fact::Started { job: 1, attempt: 1 }]);
    assert_eq!(supersede(&mut run), "running: lint=success deploy=running");

    for (rule, expected) in [
        (OnNewCommit::None, "running: lint=running deploy=created"),
        (OnNewCommit::Interruptible, "canceling: lint=canceling deploy=created"),
    ] {
        let mut run = Run::new(Pipeline { on_new_commit: rule, ..plan.clone() });
        run.tell(&[Fact::Started { job: 0, attempt: 1 }]);
        assert_eq!(supersede(&mut run), expected);
    }
}

fn any_when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::OnSuccess),
        1 => Just(When::OnFailure),
        1 => Just(When::Always),
        1 => Just(When::Manual),
        1 => Just(When::Delayed { start_in_ms: 5 }),
    ]
}

/// Jobs in stage order; each may need jobs before it.
fn any_pipeline() -> impl Strategy<Value = Pipeline> {
    let one = (0..2usize, any_when(), any::<bool>(), proptest::option::of(any::<u8>()), 0..2u32);
    (proptest::collection::vec(one, 0..8), any::<bool>()).prop_map(|(all, cancel)| {
        let mut jobs = Vec::new();
        let mut stage = 0;
        for (n, (step, when, allowed, needs, max)) in all.into_iter().enumerate() {
            stage += step;
            let mut one = job(&format!("job-{n}"), stage);
            one.when = when;
            one.allow_failure = if allowed { AllowFailure::Yes } else { AllowFailure::No };
            one.needs = needs.map(|bits| {
                (0..n.min(8)).filter(|i| bits & (1 << i) != 0).map(|job| Need { job, artifacts: true }).collect()
            });
            one.retry = Retry { max, when: vec![], exit_codes: vec![] };
            jobs.push(one);
        }
        Pipeline { on_job_failure: if cancel { OnJobFailure::All } else { OnJobFailure::None }, ..pipeline(jobs) }
    })
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let job = 0..8usize;
    let outcome = prop_oneof![4 => Just(Outcome::Success), 2 => Just(script_failed(1)), 1 => Just(Outcome::Canceled)];
    prop_oneof![
        6 => (job.clone(), 1..4u32).prop_map(|(job, attempt)| Fact::Started { job, attempt }),
        9 => (job.clone(), 1..4u32, outcome).prop_map(|(job, attempt, outcome)| Fact::Finished { job, attempt, outcome }),
        3 => job.clone().prop_map(|job| Fact::Play { job }),
        1 => job.clone().prop_map(|job| Fact::Retry { job }),
        1 => job.prop_map(|job| Fact::CancelJob { job }),
        1 => Just(Fact::RetryFailed),
        1 => Just(Fact::Cancel),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_keeps_the_rules(plan in any_pipeline(), facts in proptest::collection::vec(any_fact(), 0..60)) {
        let mut run = Run::new(plan);
        for fact in facts {
            let before = run.state.clone();
            run.now = Timestamp(run.now.0 + 1000);
            let retried = matches!(fact, Fact::Retry { .. } | Fact::RetryFailed);
            run.tell(std::slice::from_ref(&fact));

            for change in run.last.changes.clone() {
                // What runs on an agent leaves that status only by its own report, or by an order to stop.
                if before.jobs[change.job].status == Status::Running {
                    let own = matches!(&fact, Fact::Finished { job, .. } if *job == change.job);
                    prop_assert!(own || change.to == Status::Canceling, "{fact:?} moved {change:?}");
                }
                // What was waiting and starts has nothing before it that can still run, unless someone asked to repeat that.
                if change.from == Status::Created && change.to == Status::Pending && !retried {
                    for p in run.plan.predecessors(change.job) {
                        let p = &run.state.jobs[p];
                        prop_assert!(p.status.is_final() || p.status == Status::Manual, "{change:?}: {}", run.shows());
                    }
                }
            }
            // Told again, or not told anything, nothing moves.
            if !retried {
                let again = advance(&run.plan, &run.state, &[fact], run.now);
                prop_assert!(again.changes.is_empty(), "{:?}: {}", again.changes, run.shows());
            }
            let idle = advance(&run.plan, &run.state, &[], run.now);
            prop_assert_eq!(&idle.state, &run.state);
        }
        // With every job that waits or runs brought to an end, the pipeline ends: nothing is left hanging.
        for _ in 0..64 {
            run.now = Timestamp(run.now.0 + 1_000_000);
            let open: Vec<Fact> = run.state.jobs.iter().enumerate().filter_map(|(job, s)| match s.status {
                Status::Pending | Status::Running | Status::Canceling =>
                    Some(Fact::Finished { job, attempt: s.attempt, outcome: Outcome::Success }),
                Status::Manual => Some(Fact::Play { job }),
                _ => None,
            }).collect();
            run.tell(&open);
        }
        prop_assert!(run.state.status.is_final(), "{}", run.shows());
        prop_assert!(run.state.jobs.iter().all(|j| j.status.is_final()), "{}", run.shows());
    }
}

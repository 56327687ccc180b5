//! From a file and what was pushed to a plan: rules decide which jobs there are.

use super::{
    File,
    job::JobFile,
    rules::{self, Then},
};
use crate::{
    fault::Fault,
    pipeline::{
        faults,
        plan::{AllowFailure, JobKind, JobPlan, Need, Pipeline, When},
        variables::{Trigger, Variables, environment, of_job},
    },
};

/// A job that is in this run.
struct Chosen<'a> {
    job: &'a JobFile,
    stage: usize,
    when: When,
    allow_failure: AllowFailure,
    variables: Variables,
}

impl File {
    /// Names of the jobs, in the file's order.
    pub fn job_names(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().map(|j| j.name.as_str())
    }

    /// `None`: the file's rules leave nothing to run for this push, though it has jobs.
    ///
    /// # Errors
    /// A job that is in this run needs one that is not.
    pub fn plan(&self, trigger: &Trigger) -> Result<Option<Pipeline>, Vec<Fault>> {
        let Some(extra) = self.workflow_variables(trigger) else { return Ok(None) };
        let mut chosen: Vec<Chosen<'_>> = self.jobs.iter().filter_map(|j| self.choose(j, &extra, trigger)).collect();
        if chosen.is_empty() && !self.jobs.is_empty() {
            return Ok(None);
        }
        chosen.sort_by_key(|c| c.stage);
        let mut stages: Vec<usize> = chosen.iter().map(|c| c.stage).collect();
        stages.dedup();

        let mut wrong = Vec::new();
        let position = |name: &str| chosen.iter().position(|c| c.job.name == name);
        let needs = |job: &JobFile, wrong: &mut Vec<Fault>| {
            let needs = job.needs.as_ref()?.iter().filter_map(|need| match position(&need.job) {
                Some(at) => Some(Need { job: at, artifacts: need.artifacts }),
                None if need.optional => None,
                None => {
                    let fault = Fault::new(&faults::NEED_LEFT_OUT).at(need.at.clone());
                    wrong.push(fault.with("job", &job.name).with("need", &need.job));
                    None
                }
            });
            Some(needs.collect())
        };
        let jobs = chosen.iter().map(|c| JobPlan {
            name: c.job.name.clone(),
            kind: JobKind::Script,
            stage: stages.iter().position(|s| *s == c.stage).unwrap_or_default(),
            script: c.job.script.clone(),
            after_script: c.job.after_script.clone(),
            variables: c.variables.clone(),
            artifacts: c.job.artifacts.clone(),
            needs: needs(c.job, &mut wrong),
            dependencies: c.job.dependencies.as_ref().map(|all| all.iter().filter_map(|(n, _)| position(n)).collect()),
            timeout_ms: c.job.timeout_ms,
            allow_failure: c.allow_failure.clone(),
            when: c.when,
            retry: c.job.retry.clone(),
            interruptible: c.job.interruptible,
            secrets: c.job.secrets.clone(),
        });
        let jobs = jobs.collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Some(Pipeline {
            jobs,
            stages: stages.into_iter().map(|s| self.stages[s].clone()).collect(),
            on_job_failure: self.on_job_failure,
            on_new_commit: self.on_new_commit,
        }))
    }

    /// What the matching rule of `workflow` adds; `None` where no run is wanted.
    fn workflow_variables(&self, trigger: &Trigger) -> Option<Variables> {
        let Some(rules) = &self.workflow_rules else { return Some(Variables::new()) };
        let rule = rules::first(rules, &environment(&trigger.predefined(), &self.variables))?;
        (rule.then != Some(Then::Never)).then(|| rule.variables.clone())
    }

    /// The file's variables, those of the workflow's rule over them, the job's own over both.
    pub(super) fn declared(&self, job: &JobFile, extra: &Variables) -> Variables {
        let shared = self.variables.iter().chain(extra).filter(|(name, _)| job.inherit_variables.takes(name));
        shared.chain(&job.variables).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn choose<'a>(&self, job: &'a JobFile, extra: &Variables, trigger: &Trigger) -> Option<Chosen<'a>> {
        let stage = self.stages.iter().position(|s| *s == job.stage)?;
        let mut variables = self.declared(job, extra);
        let mut when = job.when.unwrap_or_default();
        // A manual job without rules holds nothing up unless it says so.
        let optional = when == When::Manual && job.rules.is_none();
        let otherwise = if optional { AllowFailure::Yes } else { AllowFailure::No };
        let mut allow_failure = job.allow_failure.clone().unwrap_or(otherwise);
        if let Some(rules) = &job.rules {
            let mut predefined = trigger.predefined();
            of_job(&mut predefined, &job.name, &job.stage, None);
            let rule = rules::first(rules, &environment(&predefined, &variables))?;
            match rule.then {
                Some(Then::Never) => return None,
                Some(Then::Start(ruled)) => when = ruled,
                None => {}
            }
            match rule.allow_failure {
                Some(true) => allow_failure = AllowFailure::Yes,
                Some(false) => allow_failure = AllowFailure::No,
                None => {}
            }
            variables.extend(rule.variables.clone());
        }
        Some(Chosen { job, stage, when, allow_failure, variables })
    }
}

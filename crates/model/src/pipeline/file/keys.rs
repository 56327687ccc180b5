//! The keywords of the language: what is read, and what is refused with what to write instead.

use crate::{fault::Code, pipeline::faults};

/// At the top of the file. Everything else there is a job, or hidden behind a dot.
pub const GLOBAL: &[&str] = &["stages", "default", "variables", "workflow", "before_script", "after_script"];

/// Beside those: known to GitLab, and not to be taken for a job.
pub const GLOBAL_REFUSED: &[(&str, &Code)] = &[
    ("image", &faults::CONTAINERS),
    ("services", &faults::CONTAINERS),
    ("cache", &faults::CACHE),
    ("include", &faults::INCLUDE),
    ("pages", &faults::NOT_SUPPORTED),
    ("spec", &faults::INCLUDE),
];

pub const JOB: &[&str] = &[
    "stage",
    "script",
    "before_script",
    "after_script",
    "variables",
    "artifacts",
    "needs",
    "dependencies",
    "timeout",
    "allow_failure",
    "when",
    "start_in",
    "rules",
    "retry",
    "interruptible",
    "extends",
    "inherit",
    "secrets",
];

pub const SECRET: &[&str] = &["gitlab_secrets_manager", "file"];
pub const SECRET_REFUSED: &[(&str, &Code)] = &[
    ("vault", &faults::OTHER_VAULT),
    ("azure_key_vault", &faults::OTHER_VAULT),
    ("gcp_secret_manager", &faults::OTHER_VAULT),
    ("aws_secrets_manager", &faults::OTHER_VAULT),
    ("akeyless", &faults::OTHER_VAULT),
    ("token", &faults::OTHER_VAULT),
];
pub const SECRET_OF: &[&str] = &["name"];

pub const JOB_REFUSED: &[(&str, &Code)] = &[
    ("image", &faults::CONTAINERS),
    ("services", &faults::CONTAINERS),
    ("tags", &faults::RUNNER_TAGS),
    ("only", &faults::ONLY_EXCEPT),
    ("except", &faults::ONLY_EXCEPT),
    ("include", &faults::INCLUDE),
    ("trigger", &faults::TRIGGER),
    ("cache", &faults::CACHE),
    ("environment", &faults::ENVIRONMENT),
    ("coverage", &faults::NOT_SUPPORTED),
    ("dast_configuration", &faults::NOT_SUPPORTED),
    ("hooks", &faults::NOT_SUPPORTED),
    ("id_tokens", &faults::NOT_SUPPORTED),
    ("identity", &faults::NOT_SUPPORTED),
    ("manual_confirmation", &faults::NOT_SUPPORTED),
    ("pages", &faults::NOT_SUPPORTED),
    ("parallel", &faults::NOT_SUPPORTED),
    ("publish", &faults::NOT_SUPPORTED),
    ("release", &faults::NOT_SUPPORTED),
    ("resource_group", &faults::NOT_SUPPORTED),
    ("run", &faults::NOT_SUPPORTED),
    ("type", &faults::NOT_SUPPORTED),
];

/// Under `default`: what jobs take over where they do not say it themselves.
pub const DEFAULT: &[&str] = &["before_script", "after_script", "artifacts", "timeout", "retry", "interruptible"];

pub const DEFAULT_REFUSED: &[(&str, &Code)] = &[
    ("image", &faults::CONTAINERS),
    ("services", &faults::CONTAINERS),
    ("tags", &faults::RUNNER_TAGS),
    ("cache", &faults::CACHE),
    ("hooks", &faults::NOT_SUPPORTED),
    ("id_tokens", &faults::NOT_SUPPORTED),
    ("identity", &faults::NOT_SUPPORTED),
];

pub const ARTIFACTS: &[&str] = &["paths", "exclude", "when", "expire_in"];
pub const ARTIFACTS_REFUSED: &[(&str, &Code)] = &[
    ("name", &faults::NOT_SUPPORTED),
    ("untracked", &faults::NOT_SUPPORTED),
    ("reports", &faults::NOT_SUPPORTED),
    ("expose_as", &faults::NOT_SUPPORTED),
    ("public", &faults::NOT_SUPPORTED),
    ("access", &faults::NOT_SUPPORTED),
];

pub const NEED: &[&str] = &["job", "artifacts", "optional"];
pub const NEED_REFUSED: &[(&str, &Code)] = &[
    ("project", &faults::TRIGGER),
    ("pipeline", &faults::TRIGGER),
    ("ref", &faults::TRIGGER),
    ("parallel", &faults::NOT_SUPPORTED),
];

pub const RETRY: &[&str] = &["max", "when", "exit_codes"];
pub const ALLOW_FAILURE: &[&str] = &["exit_codes"];
pub const INHERIT: &[&str] = &["default", "variables"];

pub const VARIABLE: &[&str] = &["value", "expand", "description"];
pub const VARIABLE_REFUSED: &[(&str, &Code)] = &[("options", &faults::NOT_SUPPORTED)];

pub const RULE: &[&str] = &["if", "when", "start_in", "allow_failure", "variables"];
pub const RULE_REFUSED: &[(&str, &Code)] = &[
    ("changes", &faults::RULES_CLAUSE),
    ("exists", &faults::RULES_CLAUSE),
    ("needs", &faults::RULES_CLAUSE),
    ("interruptible", &faults::RULES_CLAUSE),
    ("auto_cancel", &faults::RULES_CLAUSE),
];

pub const WORKFLOW: &[&str] = &["rules", "auto_cancel"];
pub const WORKFLOW_REFUSED: &[(&str, &Code)] = &[("name", &faults::NOT_SUPPORTED)];
pub const WORKFLOW_RULE: &[&str] = &["if", "when", "variables"];
pub const AUTO_CANCEL: &[&str] = &["on_job_failure", "on_new_commit"];

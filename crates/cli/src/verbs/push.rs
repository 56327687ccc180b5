//! Pushes HEAD to the server without a git remote, and follows its build.

use super::run::find_run;
use crate::{
    checkout::{Checkout, git},
    exit::Exit,
    failure::Failure,
    faults, fill,
    follow::{self, Wait, run::Show},
    msg, remote,
    session::Session,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::time::Duration;
use tradewind_api::{Client, v1};
use tradewind_model::{
    fault::{Fault, Lang},
    id::{Commit, ServiceName},
    spec::Spec,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    pub service: Option<String>,
    #[arg(long, value_name = "BRANCH", conflicts_with = "env")]
    pub branch: Option<String>,
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Pushes what looks like a key all the same, and says why.
    #[arg(long, value_name = "REASON")]
    pub allow_secrets: Option<String>,
    #[command(flatten)]
    pub wait: Wait,
}

/// Asks the server's hook not to follow the build in git's own output: this verb does it better.
const DO_NOT_FOLLOW: &str = "Tradewind-Follow: no";
/// How long a push that was accepted may take to show up as a run.
const RUN_APPEARS: Duration = Duration::from_secs(20);

pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (client, here) = (session.client()?, session.checkout());
    let service = session.service(args.service.as_deref(), "push")?;
    let commit = here.head()?;
    let branch = branch(&args, &here, &service)?;
    // Says in one sentence what git would say in five, and sooner. A service that is not there yet comes with its push.
    if let Err(e) = client.service(&service).await
        && e.status() != Some(404)
    {
        return Err(e.into());
    }
    if !session.json {
        session.out.note(fill!(
            session.lang,
            &msg::PUSHING,
            commit = commit.short(),
            branch = branch,
            service = service
        ));
    }
    push(session, &here, &service, &branch, args.allow_secrets.as_deref()).await?;
    let run = appears(&client, &service, &commit, &branch).await?;
    if args.wait.no_wait {
        return Ok(finish(session, &run, None));
    }
    let limit = args.wait.limit()?;
    let ended = follow::patiently(limit, follow::run::follow(session, &client, run.id, &Show::Everything)).await;
    if matches!(ended, Err(Failure::TimedOut | Failure::Interrupted)) {
        let command = format!("tradewind run logs {} -f", run.id);
        session.out.note(fill!(session.lang, &msg::GOES_ON, command = command));
    }
    let run = ended?;
    let rollout = match run.rollout.filter(|_| args.wait.wait && run.state.is_success()) {
        Some(id) => Some(follow::patiently(limit, follow::rollout::follow(session, &client, id)).await?),
        None => None,
    };
    let exit = finish(session, &run, rollout.as_ref());
    if let Some(rollout) = rollout.filter(|_| !session.json) {
        follow::rollout::last_words(session, &client, &rollout).await;
    }
    Ok(exit)
}

fn finish(session: &Session, run: &v1::Run, rollout: Option<&v1::Rollout>) -> Exit {
    if session.json {
        session.out.json(&serde_json::json!({ "run": run, "rollout": rollout }));
    } else {
        session.out.line(follow::run::summary(session, run));
        if let Some(r) = rollout {
            follow::rollout::report(session, r);
        }
    }
    match rollout {
        Some(r) => follow::rollout::exit(r),
        None if run.state.is_finished() && !run.state.is_success() => Exit::Failed,
        None => Exit::Ok,
    }
}

/// `--branch`, the branch that leads to `--env`, or the one HEAD is on.
fn branch(args: &Args, here: &Checkout, service: &ServiceName) -> Result<String, Failure> {
    if let Some(branch) = &args.branch {
        return Ok(branch.clone());
    }
    let current = here.branch()?;
    match &args.env {
        None => current.ok_or_else(|| Fault::new(&faults::DETACHED_HEAD).into()),
        Some(env) => {
            let spec = here.spec().and_then(|text| Spec::parse(crate::checkout::SPEC, &text).ok());
            let rule = spec.and_then(|s| s.environments.into_iter().find(|e| e.name.as_str() == env)?.branch);
            match rule {
                Some(pattern) if pattern.contains('*') => {
                    current.ok_or_else(|| Fault::new(&faults::DETACHED_HEAD).into())
                }
                Some(branch) => Ok(branch),
                None => Err(Fault::new(&faults::NO_BRANCH).with("service", service).with("env", env).into()),
            }
        }
    }
}

async fn push(
    session: &Session,
    here: &Checkout,
    service: &ServiceName,
    branch: &str,
    allow_secrets: Option<&str>,
) -> Result<(), Failure> {
    let mut command = git(&here.dir);
    command.arg("push");
    if let Some(reason) = allow_secrets {
        command.arg("-o").arg(format!("tradewind.allow-secrets={reason}"));
    }
    command.arg(remote::url(session, service)).arg(format!("HEAD:refs/heads/{branch}"));
    // Through the environment, because command lines can be read by everyone.
    let scope = |name: &str| format!("http.{}/.{name}", session.server());
    let mut config =
        vec![(scope("extraHeader"), DO_NOT_FOLLOW.to_owned()), ("credential.helper".to_owned(), String::new())];
    if let Some(token) = session.token() {
        let basic = STANDARD.encode(format!("tradewind:{token}"));
        config.push((scope("extraHeader"), format!("Authorization: Basic {basic}")));
    }
    for (n, (key, value)) in config.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
    }
    if let Some(pem) = session.authorities() {
        // Stronger than what `login` taught git, which a variable of the user's may already have overruled.
        command.env("GIT_SSL_CAINFO", session.keyring()?.write_authorities(session.server(), Some(pem))?);
    }
    // What git asks the server for, and speaks itself where its translations are installed.
    let language = match session.lang {
        Lang::En => "en",
        Lang::Zh => "zh_CN",
    };
    command.env("LANGUAGE", language);
    command.env("GIT_CONFIG_COUNT", config.len().to_string()).env("GIT_TERMINAL_PROMPT", "0");
    let status = tokio::process::Command::from(command).stdin(std::process::Stdio::null()).status().await;
    match status.map_err(|e| Fault::new(&faults::NO_GIT).with("reason", e))? {
        status if status.success() => Ok(()),
        status => {
            let code = status.code().map_or_else(|| "?".to_owned(), |c| c.to_string());
            Err(Fault::new(&faults::PUSH_REFUSED).with("code", code).into())
        }
    }
}

/// The run of this commit on this branch; of one that was pushed before, the last.
async fn appears(client: &Client, service: &ServiceName, commit: &Commit, branch: &str) -> Result<v1::Run, Failure> {
    let look = async {
        loop {
            let of_ours = |run: &v1::Run| run.commit == *commit && run.branch == branch;
            if let Some(run) = find_run(client, service, of_ours).await? {
                return Ok(run);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match follow::patiently(Some(RUN_APPEARS), look).await {
        Err(Failure::TimedOut) => {
            Err(Fault::new(&faults::RUN_MISSING).with("service", service).with("commit", commit.short()).into())
        }
        other => other,
    }
}

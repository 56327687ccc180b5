//! One check of one instance, by whatever means its workload names.

use super::{launch::Launcher, probe};
use futures_util::future::BoxFuture;
use std::{net::SocketAddr, path::PathBuf, process::Stdio, sync::Arc, time::Duration};
use tradewind_model::{
    protocol::agent::DesiredInstance,
    workload::{HealthCheck, HealthProbe},
};

/// One check of an instance; `None` when there is none to be made.
pub fn check_of(
    launcher: &Arc<Launcher>,
    instance: &Arc<DesiredInstance>,
    check: Option<&HealthCheck>,
    addr: Option<SocketAddr>,
) -> Option<BoxFuture<'static, Result<(), String>>> {
    let check = check?;
    let timeout = Duration::from_millis(check.timeout_ms.max(1));
    let port = addr.map(|a| a.port());
    let addr = addr.ok_or_else(|| "it listens on no port that could be asked".to_owned());
    Some(match check.probe.clone() {
        HealthProbe::Http { path } => Box::pin(async move { probe::http(addr?, &path, timeout).await }),
        HealthProbe::Tcp => Box::pin(async move { probe::tcp(addr?, timeout).await }),
        HealthProbe::Command { command } => {
            let (launcher, instance) = (launcher.clone(), instance.clone());
            Box::pin(async move { run_check(&launcher, &instance, port, &command, timeout).await })
        }
    })
}

/// Runs a check's command as the instance's user in its folder.
async fn run_check(
    launcher: &Launcher,
    instance: &DesiredInstance,
    port: Option<u16>,
    command: &[String],
    timeout: Duration,
) -> Result<(), String> {
    let [program, args @ ..] = command else { return Err("the check's command is empty".into()) };
    let env = launcher.environment(instance, port).map_err(|e| e.reason)?;
    let cwd: PathBuf = launcher.home.release(&instance.release);
    let mut run = tokio::process::Command::new(program);
    run.args(args)
        .env_clear()
        .envs(env)
        .current_dir(cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(user) = launcher.users.of(&instance.place).map_err(|e| e.to_string())? {
        run.uid(user.uid).gid(user.gid);
    }
    let child = run.spawn().map_err(|e| format!("the check `{program}` could not be started: {e}"))?;
    let group = child.id().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)).map(KillGroup);
    let done = tokio::time::timeout(timeout, child.wait_with_output()).await;
    drop(group);
    match done {
        Err(_) => Err(format!("the check `{program}` took longer than {} ms", timeout.as_millis())),
        Ok(Err(e)) => Err(format!("the check `{program}` was lost: {e}")),
        Ok(Ok(done)) if done.status.success() => Ok(()),
        Ok(Ok(done)) => {
            let said = String::from_utf8_lossy(&done.stderr);
            let last = said.lines().rfind(|l| !l.trim().is_empty()).unwrap_or_default();
            Err(format!("the check `{program}` ended with {}: {last}", done.status).trim_end_matches(": ").to_owned())
        }
    }
}

/// A check leaves nothing behind, however it ends.
struct KillGroup(rustix::process::Pid);

impl Drop for KillGroup {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.0, rustix::process::Signal::KILL);
    }
}

//! One check of one instance, by whatever means its workload names.

use super::{decide::describe, launch::Launcher, probe};
use futures_util::future::BoxFuture;
use std::{
    net::SocketAddr, os::unix::process::ExitStatusExt as _, path::PathBuf, process::Stdio, sync::Arc, time::Duration,
};
use tradewind_model::{
    protocol::agent::{DesiredInstance, Exit},
    said,
    said::Said,
    workload::{HealthCheck, HealthProbe},
};

/// Bytes of a check's last words.
const SAID: usize = 512;

/// One check of an instance; `None` when there is none to be made.
pub fn check_of(
    launcher: &Arc<Launcher>,
    instance: &Arc<DesiredInstance>,
    check: Option<&HealthCheck>,
    addr: Option<SocketAddr>,
) -> Option<BoxFuture<'static, Result<(), Said>>> {
    let check = check?;
    let timeout = Duration::from_millis(check.timeout_ms.max(1));
    let port = addr.map(|a| a.port());
    let addr = addr.ok_or_else(|| said!("it listens on no port that could be asked", "它没有监听可供检查的端口"));
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
) -> Result<(), Said> {
    let [program, args @ ..] = command else {
        return Err(said!("the check's command is empty", "检查命令为空"));
    };
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
    if let Some(user) = launcher.users.of(&instance.place).map_err(Said::from)? {
        run.uid(user.uid).gid(user.gid);
    }
    let mut child = run.spawn().map_err(|e| {
        said!(
            "the check `{program}` could not be started: {why}",
            "检查 `{program}` 无法启动：{why}",
            program = program,
            why = e
        )
    })?;
    let group = child.id().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)).map(KillGroup);
    let stderr = child.stderr.take();
    let done = tokio::time::timeout(timeout, async { tokio::join!(child.wait(), last_line(stderr)) }).await;
    drop(group);
    match done {
        Err(_) => Err(said!(
            "the check `{program}` took longer than {ms} ms",
            "检查 `{program}` 超过 {ms} 毫秒仍未结束",
            program = program,
            ms = timeout.as_millis()
        )),
        Ok((Err(e), _)) => Err(said!(
            "the check `{program}` was lost: {why}",
            "检查 `{program}` 失去联系：{why}",
            program = program,
            why = e
        )),
        Ok((Ok(status), _)) if status.success() => Ok(()),
        Ok((Ok(status), last)) => {
            let exit = match (status.code(), status.signal()) {
                (Some(code), _) => Exit::Code { code },
                (None, Some(signal)) => Exit::Signal { signal },
                (None, None) => Exit::Unknown,
            };
            let ended = said!(
                "the check `{program}` {ended}",
                "检查 `{program}` {ended}",
                program = program,
                ended = describe(&exit)
            );
            Err(if last.is_empty() {
                ended
            } else {
                said!("{ended}: {last}", "{ended}：{last}", ended = ended, last = last)
            })
        }
    }
}

/// The end of what a check says is kept, and no more: it may say gigabytes, or one line without an end.
async fn last_line(said: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    use tokio::io::AsyncReadExt as _;
    let Some(mut said) = said else { return String::new() };
    let (mut end, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = said.read(&mut piece).await {
        end.extend_from_slice(&piece[..n]);
        end.drain(..end.len().saturating_sub(SAID));
    }
    let end = String::from_utf8_lossy(&end);
    end.lines().rfind(|l| !l.trim().is_empty()).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// A check leaves nothing behind, however it ends.
struct KillGroup(rustix::process::Pid);

impl Drop for KillGroup {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.0, rustix::process::Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_what_a_check_says_its_last_words_are_kept() {
        let said = async |text: &[u8]| last_line(Some(text)).await;
        assert_eq!(said(b"trying\n\nno \x1b[31mdatabase\n \n").await, "no [31mdatabase");
        assert_eq!(said(&vec![b'x'; 3 << 20]).await, "x".repeat(SAID));
        assert_eq!(last_line(None::<&[u8]>).await, "");
    }
}

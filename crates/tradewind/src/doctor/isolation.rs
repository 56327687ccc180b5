//! What keeps jobs and instances from what is not theirs.

use super::Finding;
use crate::config::{Config, registry as set};
use std::path::Path;
use tradewind_agent::config::DEFAULT_PATH;
use tradewind_model::said;
use tradewind_server::plane::machine;
use tradewind_targets::{
    metadata,
    sandbox::{Lack, Network, Sandbox},
    shim, users,
};

pub fn look(config: &Config) -> Vec<Finding> {
    let mut found = vec![sandbox(config), metadata(config), secret_files()];
    found.extend(machine::keys(config.data(), config.text(&set::VAULT_KEY_FILE).map(Path::new)));
    found
}

fn sandbox(config: &Config) -> Finding {
    const ID: &str = "sandbox";
    let wanted = config.text(&set::ISOLATION);
    let (none, required) = (config.text(&set::JOB_NETWORK) == Some("none"), wanted == Some("required"));
    let user = (!config.switch(&set::INSECURE_SAME_USER)).then(|| users::of_job(0)).flatten();
    let network = if none { Network::None } else { Network::Shared };
    let tried = Sandbox::find(DEFAULT_PATH, user, Vec::new(), Vec::new(), network);
    match tried {
        Ok(_) if wanted == Some("users") && !none => Finding::less(
            ID,
            said!("bubblewrap works here, and isolation is `users`", "本机可用 bubblewrap，但 isolation 为 `users`"),
            said!(
                "`isolation: auto` in config.yaml lets jobs see their own files alone",
                "在 config.yaml 中设置 `isolation: auto`，任务便只能看到自己的文件"
            ),
        ),
        Ok(sandbox) => Finding::good(
            ID,
            said!(
                "jobs see their own files and a read-only system ({how})",
                "任务只能看到自己的文件与只读系统（{how}）",
                how = sandbox.version
            ),
        ),
        Err(lack) => {
            let fix = match &lack {
                Lack::Absent => said!(
                    "apt-get install bubblewrap, then start the agent anew",
                    "请执行 apt-get install bubblewrap，然后重启 agent"
                ),
                Lack::Refused(_) => said!(
                    "let users have namespaces: sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; in a container also an unmasked /proc",
                    "请允许用户命名空间：sysctl kernel.unprivileged_userns_clone=1 或 kernel.apparmor_restrict_unprivileged_userns=0；在容器中还需未遮蔽的 /proc"
                ),
            };
            let bad = required || none;
            let found = if bad {
                said!("no job runs here: {why}", "本机无法运行任务：{why}", why = lack)
            } else {
                said!("jobs are held in by their users alone: {why}", "任务仅靠独立用户隔离：{why}", why = lack)
            };
            if bad { Finding::bad(ID, found, fix) } else { Finding::less(ID, found, fix) }
        }
    }
}

fn metadata(config: &Config) -> Finding {
    const ID: &str = "metadata";
    let fix = || {
        said!(
            "`job_network: no_metadata` and a start as root with iproute2 have the kernel refuse them to jobs",
            "设置 `job_network: no_metadata`，以 root 启动并安装 iproute2 后，内核会拒绝任务访问这些地址"
        )
    };
    match config.text(&set::JOB_NETWORK) {
        Some("none") => return Finding::good(ID, said!("jobs reach no network at all", "任务完全断网")),
        Some("open") => {
            let found = said!(
                "jobs may reach the addresses where a cloud hands out its credentials",
                "任务可访问云平台发放凭据的元数据地址"
            );
            return Finding::less(ID, found, fix());
        }
        Some(_) | None => {}
    }
    match metadata::open_to(&users::JOBS) {
        Ok(open) if open.is_empty() => Finding::good(
            ID,
            said!(
                "jobs do not reach the addresses where a cloud hands out its credentials",
                "任务无法访问云平台发放凭据的元数据地址"
            ),
        ),
        Ok(open) => Finding::less(
            ID,
            said!("jobs can reach {addresses}", "任务可访问 {addresses}", addresses = open.join(", ")),
            said!(
                "the agent has the kernel refuse them when it starts as root: `tradewind up`",
                "agent 以 root 启动时会让内核拒绝这些地址：`tradewind up`"
            ),
        ),
        Err(why) => Finding::less(
            ID,
            said!(
                "it cannot be told whether jobs reach a cloud's credentials: {why}",
                "无法判断任务能否访问云平台凭据：{why}",
                why = why
            ),
            fix(),
        ),
    }
}

fn secret_files() -> Finding {
    const ID: &str = "secret_files";
    match shim::in_memory().next() {
        Some(base) => Finding::good(
            ID,
            said!(
                "secrets that are files are kept in memory ({base})",
                "文件形式的密钥保存在内存中（{base}）",
                base = base
            ),
        ),
        None => Finding::less(
            ID,
            said!("neither /run nor /dev/shm is a file system in memory", "/run 与 /dev/shm 均不是内存文件系统"),
            said!(
                "services and jobs that want a secret as a file are refused here; mount a tmpfs at /run",
                "需要文件形式密钥的服务和任务在本机会被拒绝；请在 /run 挂载 tmpfs"
            ),
        ),
    }
}

//! Where the roles listen, who could listen in, and whether they answer.

use super::Finding;
use crate::{
    config::{Config, registry as set},
    folder::Folder,
    role::Role,
    supervisor::ready::healthz,
    up::shown_authority,
};
use std::{io, net::TcpListener, time::Duration};
use tokio::time::timeout;
use tradewind_model::said;
use tradewind_server::plane::machine;

const ANSWER: Duration = Duration::from_secs(5);

pub fn look(config: &Config) -> Vec<Finding> {
    let folder = Folder::open(config.data()).ok();
    let mut found = vec![ports(config, folder.as_ref()), machine::plain(config.addr(&set::LISTEN))];
    if let Some(folder) = &folder {
        found.extend(shown_authority(folder, config).map(|fingerprint| {
            let found = said!(
                "the API's own authority has the fingerprint {f}",
                "API 自建证书机构的指纹为 {f}",
                f = fingerprint
            );
            Finding::good("authority", found)
        }));
        found.push(roles(config, folder));
    }
    found
}

fn ports(config: &Config, folder: Option<&Folder>) -> Finding {
    const ID: &str = "ports";
    let ours = |role: Role| folder.is_some_and(|folder| role.running(folder).is_some());
    let mut taken = Vec::new();
    let mut all = Vec::new();
    for role in Role::ALL {
        for setting in role.addresses() {
            let Some(addr) = config.address(setting) else { continue };
            all.push(format!("{} {addr}", setting.key));
            if !ours(role)
                && let Err(e) = TcpListener::bind(addr)
            {
                taken.push(format!("{} {addr}: {e}", setting.key));
            }
        }
    }
    if taken.is_empty() {
        return Finding::good(ID, said!("{all}", "{all}", all = all.join(", ")));
    }
    Finding::bad(
        ID,
        said!("cannot listen: {what}", "无法监听：{what}", what = taken.join("; ")),
        said!(
            "end what listens there (`ss -ltnp`), or choose another address with the flag or in config.yaml",
            "请结束占用该端口的程序（`ss -ltnp`），或用参数或 config.yaml 换一个地址"
        ),
    )
}

fn roles(config: &Config, folder: &Folder) -> Finding {
    const ID: &str = "roles";
    let running: Vec<&str> = Role::ALL.into_iter().filter(|r| r.running(folder).is_some()).map(Role::name).collect();
    if running.is_empty() {
        let fix = said!("start it with `tradewind up`", "请执行 `tradewind up` 启动");
        return Finding::less(ID, said!("nothing of this folder runs", "该数据目录没有运行中的进程"), fix);
    }
    let missing: Vec<&str> = Role::ALL.into_iter().map(Role::name).filter(|r| !running.contains(r)).collect();
    if !missing.is_empty() {
        return Finding::bad(
            ID,
            said!(
                "{missing} does not run; {running} does",
                "{missing} 未运行；{running} 在运行",
                missing = missing.join(", "),
                running = running.join(", ")
            ),
            said!(
                "see DIR/log, and start what is missing with `tradewind up`",
                "请查看 DIR/log，并用 `tradewind up` 启动缺失的进程"
            ),
        );
    }
    match healthy(config) {
        Ok(()) => Finding::good(
            ID,
            said!("server, edge and agent run, and the API answers", "server、edge 与 agent 均在运行，API 有应答"),
        ),
        Err(e) => Finding::bad(
            ID,
            said!("the server runs and its API does not answer: {why}", "server 在运行，但 API 无应答：{why}", why = e),
            said!(
                "see DIR/log/server.log; what runs and serves does not depend on it",
                "请查看 DIR/log/server.log；正在运行的业务不受影响"
            ),
        ),
    }
}

fn healthy(config: &Config) -> io::Result<()> {
    let asked =
        async { timeout(ANSWER, healthz(config)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if runtime.block_on(asked)? { Ok(()) } else { Err(io::Error::other("no 200 OK")) }
}

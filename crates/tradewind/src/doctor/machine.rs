//! Rights, programs, room, limits.

use super::Finding;
use crate::config::{Config, registry as set};
use std::process::Command;
use tradewind_model::{said, said::Said};
use tradewind_server::plane::machine;
use tradewind_targets::{cgroups, users::may_switch_user};

pub fn look(config: &Config) -> Vec<Finding> {
    vec![rights(config), git(), machine::open_files(), machine::memory(), limits(), machine::clock()]
}

fn rights(config: &Config) -> Finding {
    const ID: &str = "rights";
    let may = may_switch_user();
    match (may, config.switch(&set::INSECURE_SAME_USER)) {
        (Ok(()), false) => {
            Finding::good(ID, said!("jobs and instances get users of their own", "任务与实例使用各自独立的用户"))
        }
        (_, true) => Finding::less(
            ID,
            said!(
                "insecure_same_user: jobs and instances are the same user as Tradewind",
                "insecure_same_user：任务与实例和 Tradewind 是同一用户"
            ),
            said!(
                "they can read its keys; run it as root, which gives them users of their own",
                "它们能读取其密钥；请以 root 运行，以便使用独立用户"
            ),
        ),
        (Err(why), false) => Finding::bad(
            ID,
            said!("it may not start others as users of their own: {why}", "无法以其他用户启动进程：{why}", why = why),
            said!(
                "run `tradewind up` as root, or, on a machine of one person, with --insecure-same-user",
                "请以 root 运行 `tradewind up`；个人机器可用 --insecure-same-user"
            ),
        ),
    }
}

fn git() -> Finding {
    const ID: &str = "git";
    let install = || {
        said!("install git 2.30 or newer and see that it is in PATH", "请安装 git 2.30 或更新版本，并确认其在 PATH 中")
    };
    match Command::new("git").arg("--version").output() {
        Ok(done) => {
            let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
            let number = text.split(' ').nth(2).unwrap_or_default();
            let mut parts = number.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
            let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            if version >= (2, 30) {
                Finding::good(ID, Said::plain(text))
            } else {
                Finding::bad(
                    ID,
                    said!("{text} is too old for the git remote", "{text} 过旧，无法提供 git 远程仓库", text = text),
                    install(),
                )
            }
        }
        Err(e) => Finding::bad(ID, said!("git cannot be started: {why}", "无法启动 git：{why}", why = e), install()),
    }
}

/// Makes our parent groups where that is allowed, as the agent does.
fn limits() -> Finding {
    const ID: &str = "limits";
    let support = cgroups::detect();
    let missing: Vec<String> = support
        .limits
        .iter()
        .filter_map(|(controller, feature)| match feature {
            cgroups::Feature::Available(_) => None,
            cgroups::Feature::Missing(why) => Some(format!("{}: {why}", controller.name())),
        })
        .collect();
    let hold = match &support.hold {
        cgroups::Feature::Available(how) => how.clone(),
        cgroups::Feature::Missing(why) => {
            return Finding::less(
                ID,
                said!("no cgroups: {why}", "没有 cgroup：{why}", why = why),
                said!(
                    "limits of memory, CPU and processes in tradewind.yaml are not kept here; start Tradewind outside of a container, or delegate a cgroup to it",
                    "tradewind.yaml 中的内存、CPU、进程数限制在本机不生效；请不要在容器中启动，或为其委派 cgroup"
                ),
            );
        }
    };
    if missing.is_empty() {
        return Finding::good(
            ID,
            said!("memory, CPU and processes can be limited ({how})", "可限制内存、CPU 与进程数（{how}）", how = hold),
        );
    }
    Finding::less(
        ID,
        said!("not everything can be limited: {what}", "部分限制不可用：{what}", what = missing.join("; ")),
        said!(
            "these limits of tradewind.yaml are not kept here; delegate the controllers (systemd: Delegate=yes)",
            "tradewind.yaml 中对应的限制在本机不生效；请委派这些控制器（systemd：Delegate=yes）"
        ),
    )
}

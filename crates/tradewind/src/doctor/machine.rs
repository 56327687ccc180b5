//! Rights, programs, room, limits.

use super::Finding;
use crate::config::{Config, registry as set};
use rustix::process::{Resource, getrlimit};
use std::{io, process::Command};
use tradewind_model::{said, said::Said};
use tradewind_targets::{cgroups, users::may_switch_user};

const OPEN_FILES: u64 = 65_536;
const LITTLE_MEMORY_KIB: u64 = 1 << 20;

pub fn look(config: &Config) -> Vec<Finding> {
    vec![rights(config), git(), open_files(), memory(), limits(), clock()]
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

fn open_files() -> Finding {
    const ID: &str = "open_files";
    let most = getrlimit(Resource::Nofile).maximum;
    match most {
        Some(most) if most < OPEN_FILES => Finding::less(
            ID,
            said!("a process may have {most} files open", "单个进程最多打开 {most} 个文件", most = most),
            said!(
                "each connection at the edge is one or two: set LimitNOFILE={wanted} in the unit, or `ulimit -n`",
                "边缘代理的每个连接占用一到两个：请在 systemd 单元中设置 LimitNOFILE={wanted}，或使用 `ulimit -n`",
                wanted = OPEN_FILES
            ),
        ),
        Some(most) => Finding::good(
            ID,
            said!("a process may have {most} files open", "单个进程最多打开 {most} 个文件", most = most),
        ),
        None => Finding::good(ID, said!("no limit of open files", "不限制打开文件数")),
    }
}

fn memory() -> Finding {
    const ID: &str = "memory";
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let (Some(total), Some(left)) = (of("MemTotal:"), of("MemAvailable:")) else {
        return Finding::less(
            ID,
            said!("/proc/meminfo cannot be read", "无法读取 /proc/meminfo"),
            said!("mount /proc", "请挂载 /proc"),
        );
    };
    let found = said!(
        "{left} MiB of {total} MiB are free",
        "共 {total} MiB，可用 {left} MiB",
        left = left / 1024,
        total = total / 1024
    );
    if left < LITTLE_MEMORY_KIB {
        Finding::less(
            ID,
            found,
            said!(
                "a build may run out of it: give the machine more, or jobs another host",
                "构建可能耗尽内存：请增加内存，或让任务在其他主机上运行"
            ),
        )
    } else {
        Finding::good(ID, found)
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

/// Whether the kernel believes its own clock (adjtimex(2)).
fn clock() -> Finding {
    const ID: &str = "clock";
    // SAFETY: `now` is a valid place to write to, and modes 0 only reads.
    let state = unsafe {
        let mut now: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut now)
    };
    match state {
        -1 => Finding::less(
            ID,
            said!("the clock cannot be asked: {why}", "无法查询时钟状态：{why}", why = io::Error::last_os_error()),
            keep_time(),
        ),
        libc::TIME_ERROR => {
            Finding::less(ID, said!("nothing keeps this machine's clock right", "没有服务校准本机时钟"), keep_time())
        }
        _ => Finding::good(ID, said!("the clock is kept right", "时钟已校准")),
    }
}

fn keep_time() -> Said {
    said!(
        "run chrony or systemd-timesyncd: schedules, windows, second factors and signed deliveries go by the clock",
        "请运行 chrony 或 systemd-timesyncd：定时任务、发布窗口、第二因素与签名投递都依赖时钟"
    )
}

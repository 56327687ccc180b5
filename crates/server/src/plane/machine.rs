//! The machine under the control plane: rights of its files, room, limits, clock. What `tradewind doctor` looks at, too.

use super::Finding;
use rustix::{
    fs::statvfs,
    process::{Resource, getrlimit},
};
use std::{fs, io, net::SocketAddr, os::unix::fs::MetadataExt as _, path::Path};
use tradewind_model::{said, said::Said};

const OPEN_FILES: u64 = 65_536;
const LITTLE_MEMORY_KIB: u64 = 1 << 20;
const LITTLE_ROOM: u64 = 2 << 30;
const NO_ROOM: u64 = 256 << 20;

/// How many files a process of this user may have open.
pub fn open_files() -> Finding {
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

pub fn memory() -> Finding {
    const ID: &str = "memory";
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
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

/// Whether the kernel believes its own clock (adjtimex(2)).
pub fn clock() -> Finding {
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

/// On the disk of a folder that is there.
pub fn room(there: &Path) -> Finding {
    const ID: &str = "room";
    let Ok(disk) = statvfs(there) else {
        return Finding::less(
            ID,
            said!(
                "the disk of {there} cannot be asked for its room",
                "无法查询 {there} 所在磁盘的空间",
                there = there.display()
            ),
            said!("see that it is mounted", "请确认其已挂载"),
        );
    };
    let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    let inodes = (disk.f_favail * 100).checked_div(disk.f_files).unwrap_or(100);
    let found = said!(
        "{free} MiB of {all} MiB are free, and {inodes} % of the inodes",
        "共 {all} MiB，可用 {free} MiB，inode 剩余 {inodes} %",
        free = free >> 20,
        all = all >> 20,
        inodes = inodes
    );
    let fix = || {
        said!(
            "releases, logs and artifacts are written there: make room, or move the folder",
            "发布、日志与制品都写在这里：请清理空间或迁移目录"
        )
    };
    if free < NO_ROOM || inodes < 1 {
        Finding::bad(ID, found, fix())
    } else if free < LITTLE_ROOM || inodes < 5 {
        Finding::less(ID, found, fix())
    } else {
        Finding::good(ID, found)
    }
}

/// Each key file of a data folder that others could read; none before there is one. `given`: the vault's key, where it is
/// somewhere else.
pub fn keys(data: &Path, given: Option<&Path>) -> Option<Finding> {
    const ID: &str = "keys";
    let folder = data.join("keys");
    let entries = fs::read_dir(&folder).ok()?;
    let files = entries.flatten().map(|e| e.path()).chain(given.map(Path::to_owned)).chain([folder.clone()]);
    let me = rustix::process::geteuid().as_raw();
    let open: Vec<String> = files
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|m| m.mode() & 0o077 != 0 || m.uid() != me))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return Some(Finding::good(ID, said!("the keys are their owner's alone", "密钥文件仅所有者可读")));
    }
    let fix = said!(
        "chmod 0600 the files and 0700 the folder, and give them to the user that Tradewind runs as",
        "请将文件设为 0600、目录设为 0700，并归运行 Tradewind 的用户所有"
    );
    Some(Finding::bad(ID, said!("others may read {what}", "其他用户可读取 {what}", what = open.join(", ")), fix))
}

/// Whether the API is served in plain where others could listen in.
pub fn plain(addr: SocketAddr) -> Finding {
    const ID: &str = "api_in_plain";
    if addr.ip().is_loopback() {
        return Finding::good(ID, said!("only this machine reaches the API in plain", "仅本机可用明文访问 API"));
    }
    Finding::less(
        ID,
        said!(
            "the API is in plain on {addr}: whoever is on the way reads passwords and tokens",
            "API 在 {addr} 上以明文提供：途经者可读取密码与令牌",
            addr = addr
        ),
        said!(
            "`listen: 127.0.0.1:7070` and `listen_tls: 0.0.0.0:7443` in config.yaml",
            "请在 config.yaml 中设置 `listen: 127.0.0.1:7070` 与 `listen_tls: 0.0.0.0:7443`"
        ),
    )
}

//! What the roles' commands refuse, and what to do about it.

tradewind_model::faults! {
    ALREADY_UP = "TW-UP-001", 409,
        "Tradewind already runs on {data} (pid {pid})", "{data} 上已有 Tradewind 在运行（进程 {pid}）",
        "use it, or stop it with `tradewind down --data {data}`", "直接使用，或先执行 `tradewind down --data {data}` 停止它";
    NOT_ROOT = "TW-UP-002", 403,
        "jobs and instances need users of their own, and only root can give them", "任务和实例需要各自的用户，只有 root 能做到",
        "start it as root; to try it on a machine where all code is trusted, add --insecure-same-user: jobs and instances can then read Tradewind's keys",
        "请以 root 启动；若只在代码全部可信的机器上试用，可加 --insecure-same-user：此时任务和实例能读取 Tradewind 的密钥";
    PORT_IN_USE = "TW-UP-003", 409,
        "{addr} is in use by another program", "{addr} 已被其他程序占用",
        "stop that program, or choose another address with {flag} ADDR", "停止该程序，或用 {flag} ADDR 指定其他地址";
    CANNOT_LISTEN = "TW-UP-004", 422,
        "cannot listen on {addr}: {reason}", "无法监听 {addr}：{reason}",
        "choose an address of this machine with {flag} ADDR", "请用 {flag} ADDR 指定本机的地址";
    FOLDER = "TW-UP-005", 422,
        "cannot use the data folder {data}: {reason}", "无法使用数据目录 {data}：{reason}",
        "choose a folder you may write with --data DIR, or correct its owner and rights", "请用 --data DIR 指定可写的目录，或修正其属主和权限";
    FOLDER_NOT_OURS = "TW-UP-006", 409,
        "{data} is not empty and not a Tradewind data folder: it holds `{entry}`", "{data} 非空且不是 Tradewind 的数据目录：其中有 `{entry}`",
        "choose an empty or a new folder with --data DIR", "请用 --data DIR 指定空目录或新目录";
    FOLDER_TOO_LONG = "TW-UP-007", 422,
        "the path of the data folder has {len} bytes; sockets inside it allow {max}", "数据目录路径长 {len} 字节；其中的套接字最多允许 {max} 字节",
        "choose a shorter path with --data DIR", "请用 --data DIR 指定更短的路径";
    ROLE_NOT_READY = "TW-UP-008", 500,
        "{role} did not become ready: {reason}", "{role} 未能就绪：{reason}",
        "read {log}; its last lines stand above", "请查看 {log}；最后几行见上";
    ROLE_RUNS = "TW-UP-009", 409,
        "{role} already runs on {data} (pid {pid})", "{data} 上的 {role} 已在运行（进程 {pid}）",
        "stop it with `tradewind down --data {data}`, or choose another folder with --data DIR", "执行 `tradewind down --data {data}` 停止它，或用 --data DIR 指定其他目录";
    NO_FOLDER = "TW-UP-010", 404,
        "there is no Tradewind data folder at {data}", "{data} 不是 Tradewind 的数据目录",
        "name the folder that `tradewind up` uses with --data DIR", "请用 --data DIR 指定 `tradewind up` 所用的目录";
    STILL_ALIVE = "TW-UP-011", 500,
        "{count} processes of {data} are still alive: {who}", "{data} 仍有 {count} 个进程存活：{who}",
        "they belong to another user or hang in the kernel: stop them as root", "它们属于其他用户或卡在内核中：请以 root 停止";
    NO_KEY = "TW-UP-012", 422,
        "the agent has no key for the server: {file}: {reason}", "agent 没有访问服务器的密钥：{file}：{reason}",
        "`tradewind up --data {data}` makes one", "`tradewind up --data {data}` 会生成";
    BAD_DURATION = "TW-UP-013", 422,
        "`{value}` is not a length of time", "`{value}` 不是合法的时长",
        "write 90s, 15m, 12h or 30d", "请写成 90s、15m、12h 或 30d";
    UNKNOWN_SETTING = "TW-CFG-001", 422,
        "`{key}` is not a setting{hint}", "`{key}` 不是配置项{hint}",
        "`tradewind config show` lists all settings", "`tradewind config show` 列出全部配置项";
    BAD_SETTING = "TW-CFG-002", 422,
        "{source} says `{value}` for `{key}`; it takes {expected}", "{source} 中 `{key}` 的值为 `{value}`；应如 {expected}",
        "correct the value; `tradewind config show` explains each setting", "请修正该值；`tradewind config show` 有每个配置项的说明";
    CONFIG_FILE = "TW-CFG-003", 422,
        "cannot read {file}: {reason}", "无法读取 {file}：{reason}",
        "correct the file, or move it away to start with the defaults", "请修正该文件，或移走它以使用默认值";
    CONFIG_SHAPE = "TW-CFG-005", 422,
        "a setting and its value belong here, not {found}", "此处应为“配置项: 值”，而不是 {found}",
        "write one `key: value` a line; `tradewind config show` lists all settings", "每行写一个 `键: 值`；`tradewind config show` 列出全部配置项";
    NO_HOME = "TW-CFG-004", 422,
        "there is no home folder to keep the data in: HOME is not set", "没有可存放数据的主目录：未设置 HOME",
        "name the data folder with --data DIR", "请用 --data DIR 指定数据目录";
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_languages_take_the_same_arguments() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

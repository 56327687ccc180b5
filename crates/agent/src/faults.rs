//! What a host refuses or gives up on, and what to do about it.

tradewind_model::faults! {
    BLOB_DIFFERS = "TW-AGENT-001", 502,
        "{digest} was fetched but its bytes are {got}",
        "取得了 {digest}，但内容的摘要是 {got}",
        "check the server's artifact store; the release must be built again if the blob is damaged there",
        "检查服务器的制品存储；如果其中的数据已损坏，请重新构建该发布";
    ARCHIVE_BROKEN = "TW-AGENT-002", 422,
        "the archive cannot be read: {why}",
        "无法读取归档：{why}",
        "build the release again; if it happens twice, check the server's artifact store",
        "重新构建该发布；如果再次发生，请检查服务器的制品存储";
    ARCHIVE_PATH = "TW-AGENT-003", 422,
        "the archive's entry `{path}` would be written outside its folder",
        "归档条目 `{path}` 会写到目标目录之外",
        "use relative paths without `..` in what is packaged",
        "打包内容请只使用不含 `..` 的相对路径";
    ARCHIVE_KIND = "TW-AGENT-004", 422,
        "the archive's entry `{path}` is a {kind}; only files, folders and links are unpacked",
        "归档条目 `{path}` 的类型是 {kind}；只支持文件、目录和链接",
        "leave it out with `artifact.exclude`",
        "用 `artifact.exclude` 排除它";
    LINK_LEAVES = "TW-AGENT-005", 422,
        "the link `{path}` points to `{target}`, outside of its folder",
        "链接 `{path}` 指向目录之外的 `{target}`",
        "make it a relative link that stays inside, or leave it out with `artifact.exclude`",
        "改为指向目录内部的相对链接，或用 `artifact.exclude` 排除它";
    ARCHIVE_TOO_LARGE = "TW-AGENT-006", 422,
        "the archive holds more than {limit}",
        "归档内容超过 {limit}",
        "package less: narrow `artifact.paths` or widen `artifact.exclude`",
        "减少打包内容：收窄 `artifact.paths` 或扩大 `artifact.exclude`";
    ARCHIVE_TWICE = "TW-AGENT-007", 422,
        "the archive holds `{path}` twice, or as a file and as a folder",
        "归档中 `{path}` 出现两次，或既是文件又是目录",
        "build the release again",
        "重新构建该发布";
    PREPARE_FAILED = "TW-AGENT-008", 422,
        "`prepare` {ended}; its last lines:\n{log}",
        "`prepare` {ended}；最后的输出：\n{log}",
        "mend the `prepare` command or what it needs on the host, then release again",
        "修正 `prepare` 命令或主机上它所依赖的内容，然后重新发布";
    PREPARE_TIMED_OUT = "TW-AGENT-009", 422,
        "`prepare` was still running after {limit}; its last lines:\n{log}",
        "`prepare` 运行 {limit} 后仍未结束；最后的输出：\n{log}",
        "raise `prepare.timeout`, or do the long part in the pipeline",
        "提高 `prepare.timeout`，或把耗时部分移到流水线中";
    PORT_TAKEN = "TW-AGENT-010", 409,
        "port {port} is taken on this host",
        "本机的端口 {port} 已被占用",
        "stop what listens there, or use `port: auto`",
        "停止占用该端口的程序，或使用 `port: auto`";
    NOT_STARTED = "TW-AGENT-011", 422,
        "the command could not be started: {why}",
        "命令无法启动：{why}",
        "check `run.command` and that its program exists on the host or in the release",
        "检查 `run.command`，并确认该程序存在于主机或发布包中";
    TASK_LOST = "TW-AGENT-012", 503,
        "the host went down while this ran; how far it came is not known",
        "任务运行期间主机停机，执行到哪一步无法得知",
        "start it again",
        "重新运行";
    UNREACHABLE = "TW-AGENT-013", 503,
        "the server did not give {what}: {why}",
        "服务器未能提供 {what}：{why}",
        "check that the server runs and that the commit and its artifacts are still there, then try again",
        "确认服务器正在运行，且提交与制品仍然存在，然后重试";
    NOT_UTF8 = "TW-AGENT-014", 422,
        "the file name `{path}` is not valid UTF-8",
        "文件名 `{path}` 不是有效的 UTF-8",
        "rename it, or leave it out with `artifact.exclude`",
        "重命名它，或用 `artifact.exclude` 排除它";
    NOTHING_PACKAGED = "TW-AGENT-015", 422,
        "no file matches `artifact.paths`: {paths}",
        "没有文件匹配 `artifact.paths`：{paths}",
        "name at least one file that the checkout or the pipeline's artifacts hold",
        "至少指定一个存在于检出目录或流水线制品中的文件";
    BAD_PATTERN = "TW-AGENT-016", 422,
        "`{pattern}` is not a pattern: {why}",
        "`{pattern}` 不是有效的匹配模式：{why}",
        "write a relative glob such as `dist/**`",
        "请写相对的通配模式，例如 `dist/**`";
    BAD_SCHEDULE = "TW-AGENT-017", 422,
        "the schedule `{expression}` in `{timezone}` cannot be used: {why}",
        "无法使用 `{timezone}` 时区的计划 `{expression}`：{why}",
        "write five fields and an IANA time zone that this host knows",
        "请写五个字段，并使用本机已知的 IANA 时区";
    DISK = "TW-AGENT-018", 507,
        "{what} failed on this host: {why}",
        "本机上的操作失败（{what}）：{why}",
        "check the host's disk space and the permissions of the data folder",
        "检查主机磁盘空间和数据目录的权限";
    STALE_STATE = "TW-AGENT-019", 409,
        "a desired state with generation {got} was refused: {held} is already held",
        "拒绝了代数为 {got} 的期望状态：已持有 {held}",
        "check whether the server's database was replaced by an older copy",
        "检查服务器数据库是否被换成了旧副本";
    NEEDS_ROOT = "TW-AGENT-020", 403,
        "jobs and instances cannot be given users of their own: {why}",
        "无法为任务和实例分配独立用户：{why}",
        "run it as root, or accept that pushed code can read everything this user can with `--insecure-same-user`",
        "以 root 运行；或用 `--insecure-same-user` 接受推送的代码可读取该用户的全部内容";
    TASK_BROKE_OFF = "TW-AGENT-021", 503,
        "nobody saw how the task ended: its keeper was killed",
        "任务如何结束无人知晓：其守护进程被杀死",
        "start it again",
        "重新运行";
    ARTIFACT_NOT_FOUND = "TW-AGENT-022", 422,
        "no file matches the job's `artifacts:paths`: {paths}",
        "没有文件匹配该任务的 `artifacts:paths`：{paths}",
        "make the script write them, or correct the paths",
        "让脚本生成这些文件，或修正路径";
    NOT_THEIRS = "TW-AGENT-023", 422,
        "the job's file `{path}` belongs to another user and is not taken along",
        "任务中的文件 `{path}` 属于其他用户，不会被收集",
        "let the script make a copy of it, or leave it out with `artifacts:exclude`",
        "让脚本复制一份，或用 `artifacts:exclude` 排除它";
    TOO_MANY_FILES = "TW-AGENT-024", 422,
        "the release would have {count} files, and their list {bytes} bytes: at most {limit} can be reported",
        "该发布版本包含 {count} 个文件，文件清单为 {bytes} 字节，最多可上报 {limit} 字节",
        "leave out what it does not need with `artifact.exclude`, or pack such folders into one archive",
        "用 `artifact.exclude` 排除不需要的文件，或将这类目录打包为一个归档";
    NO_SECRETS = "TW-AGENT-025", 503,
        "its secrets cannot be had: {why}",
        "无法取得其密钥：{why}",
        "see which it wants under `secrets` in tradewind.yaml and which there are with `tradewind secrets`; it is tried again",
        "在 tradewind.yaml 的 `secrets` 中查看所需的密钥，用 `tradewind secrets` 查看已有的；会自动重试";
    NOT_CONFINED = "TW-AGENT-026", 503,
        "this host cannot hold jobs in as its settings ask for: {why}",
        "本机无法按设置隔离任务：{why}",
        "install bubblewrap and let users have namespaces (`tradewind doctor` says what is missing), or change `isolation` or `job_network` in config.yaml",
        "安装 bubblewrap 并允许用户命名空间（`tradewind doctor` 会指出缺少什么），或修改 config.yaml 中的 `isolation` 或 `job_network`";
}

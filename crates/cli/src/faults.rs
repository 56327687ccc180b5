//! What the command line itself refuses; the server's own refusals come with their texts.

tradewind_model::faults! {
    UNREACHABLE = "TW-CLI-001", 503,
        "nothing answers at {url}: {reason}", "{url} 无应答：{reason}",
        "start it there with `tradewind up`, or name another server with --server URL (now: {from})",
        "请在该机器上执行 `tradewind up` 启动，或用 --server URL 指定其他服务器（当前来源：{from}）";
    NOT_TRADEWIND = "TW-CLI-002", 502,
        "{url} answers, but not as Tradewind does (status {status})", "{url} 有应答，但不是信风（状态码 {status}）",
        "look for a proxy in between, or name another server with --server URL", "请检查中间的代理，或用 --server URL 指定其他服务器";
    OTHER_VERSION = "TW-CLI-003", 502,
        "{url} answers something this version does not understand: {reason}", "{url} 的应答无法被当前版本理解：{reason}",
        "compare both with `tradewind version`, and use the newer one on both sides", "请用 `tradewind version` 比较两端版本，并统一使用较新的版本";
    BAD_SERVER = "TW-CLI-004", 422,
        "`{address}` is not a server's address: {reason}", "`{address}` 不是服务器地址：{reason}",
        "write it as https://HOST:PORT, or http://HOST:PORT on the server itself", "请写成 https://主机:端口；在服务器本机可写 http://主机:端口";
    BAD_TOKEN = "TW-CLI-005", 422,
        "the token has characters that no token has", "令牌含有非法字符",
        "copy it again, without line breaks; or log in anew with `tradewind login`", "请重新复制（不含换行），或执行 `tradewind login` 重新登录";
    UNTRUSTED = "TW-CLI-063", 502,
        "the certificate of {url} is not believed: {reason}; nothing was sent", "不信任 {url} 的证书：{reason}；没有发送任何内容",
        "its authority may be the server's own: compare the fingerprint that `tradewind up` printed there, and log in with `tradewind login --server {url} --fingerprint FINGERPRINT`; or give its authority with --ca FILE", "它可能使用自建机构：请与服务器上 `tradewind up` 打印的指纹核对，再执行 `tradewind login --server {url} --fingerprint 指纹`；或用 --ca FILE 指定其机构证书";
    OTHER_FINGERPRINT = "TW-CLI-064", 502,
        "{url} shows another certificate than the one you compared; it has {found}; nothing was sent", "{url} 出示的证书与指纹不符，实际为 {found}；没有发送任何内容",
        "copy the fingerprint again from the server itself; if it is right, somebody is between you and the server", "请从服务器本机重新复制指纹；若指纹无误，则有人介于你与服务器之间";
    BAD_FINGERPRINT = "TW-CLI-065", 422,
        "`{value}` is not a SHA-256 fingerprint", "`{value}` 不是 SHA-256 指纹",
        "write the 64 hexadecimal digits that the server showed, with or without colons", "请写服务器显示的 64 位十六进制数，可带冒号";
    NO_CERTIFICATE = "TW-CLI-066", 503,
        "{url} shows no certificate: {reason}", "{url} 没有出示证书：{reason}",
        "see that the address begins with https:// and is the one of `listen_tls` on the server", "请确认地址以 https:// 开头，且为服务器 `listen_tls` 的地址";
    AUTHORITIES = "TW-CLI-067", 422,
        "the authorities in {file} cannot be used: {reason}", "无法使用 {file} 中的证书机构：{reason}",
        "give a file of certificates in PEM, as the server has it in api-authority.pem", "请提供 PEM 格式的证书文件，即服务器上的 api-authority.pem";
    FOR_GOOD = "TW-CLI-068", 422,
        "this takes away for good what is known of {handle}: name, address, password, sign-ins, names of tokens", "此操作将永久删除 {handle} 的个人信息：姓名、邮箱、密码、登录记录、令牌名称",
        "if that is meant: `tradewind user erase {handle} --yes`; `tradewind user disable {handle}` can be undone", "若确需删除：`tradewind user erase {handle} --yes`；`tradewind user disable {handle}` 可以撤销";
    NO_CODE = "TW-CLI-006", 422,
        "no login code was given", "没有提供登录码",
        "`tradewind up` prints one; ask for another with `tradewind admin code` on the server", "`tradewind up` 会打印登录码；也可在服务器上执行 `tradewind admin code` 获取";
    NO_PASSWORD = "TW-CLI-050", 422,
        "nothing was typed", "没有输入",
        "type it at the prompt, or send it as a line of standard input", "请在提示处输入，或从标准输入提供一行";
    NOT_THE_SAME = "TW-CLI-051", 422,
        "the two passwords are not the same", "两次输入的密码不一致",
        "try again; nothing was changed", "请重试；未做任何更改";
    NO_HOME = "TW-CLI-007", 422,
        "there is no folder to keep credentials in: neither XDG_CONFIG_HOME nor HOME is set", "没有可存放凭据的目录：XDG_CONFIG_HOME 与 HOME 均未设置",
        "set HOME, or give a token with TRADEWIND_TOKEN instead", "请设置 HOME，或改用 TRADEWIND_TOKEN 提供令牌";
    CREDENTIALS = "TW-CLI-008", 422,
        "cannot use {file}: {reason}", "无法使用 {file}：{reason}",
        "correct or remove the file, then `tradewind login`", "请修正或删除该文件，然后执行 `tradewind login`";
    NO_SERVICE = "TW-CLI-009", 422,
        "which service? none was named, and there is no {file} here that names one", "未指定服务，当前目录也没有 {file}",
        "name it: `tradewind {verb} SERVICE`, or change into its checkout", "请指定服务：`tradewind {verb} SERVICE`，或进入其代码目录";
    BAD_NAME = "TW-CLI-010", 422,
        "`{value}` is not a name", "`{value}` 不是合法的名称",
        "a name has 1 to 40 characters of a-z, 0-9 and `-`, starts with a letter and does not end with `-`", "名称为 1 到 40 个字符，只含 a-z、0-9 和 `-`，以字母开头，且不以 `-` 结尾";
    NO_ENV = "TW-CLI-011", 422,
        "{service} has no environment yet", "{service} 还没有环境",
        "name one under `environments` in tradewind.yaml and push", "请在 tradewind.yaml 的 `environments` 中声明并推送";
    WHICH_ENV = "TW-CLI-012", 422,
        "which environment of {service}? It has {envs}", "要操作 {service} 的哪个环境？现有：{envs}",
        "add --env NAME", "请加 --env NAME";
    NOT_A_CHECKOUT = "TW-CLI-013", 422,
        "{dir} is not in a git checkout with a commit", "{dir} 不在含有提交的 git 仓库中",
        "change into one, or make one: `git init`, `git add`, `git commit`", "请进入 git 仓库，或新建：`git init`、`git add`、`git commit`";
    NO_GIT = "TW-CLI-014", 422,
        "the git program cannot be started: {reason}", "无法启动 git：{reason}",
        "install git and see that it is in PATH", "请安装 git 并确认其在 PATH 中";
    PUSH_REFUSED = "TW-CLI-015", 409,
        "git push ended with exit code {code}", "git push 以退出码 {code} 结束",
        "its own message stands above", "原因见上方 git 的输出";
    DETACHED_HEAD = "TW-CLI-016", 422,
        "HEAD is on no branch, so it is not known where to push it", "HEAD 不在任何分支上，不知道推送到哪里",
        "name the branch with --branch, or the environment with --env", "请用 --branch 指定分支，或用 --env 指定环境";
    NO_BRANCH = "TW-CLI-017", 422,
        "no branch of {service} leads to {env}", "{service} 没有分支对应环境 {env}",
        "set `environments.{env}.branch` in tradewind.yaml, or use `tradewind deploy`", "请在 tradewind.yaml 中设置 `environments.{env}.branch`，或使用 `tradewind deploy`";
    NO_RUN = "TW-CLI-018", 404,
        "there is no run {run} of {service}", "{service} 没有运行 {run}",
        "`tradewind run list {service}` shows them", "`tradewind run list {service}` 可列出全部";
    NO_ROLLOUT = "TW-CLI-019", 404,
        "{service} has no rollout yet", "{service} 还没有发布过程",
        "start one: `tradewind deploy {service} --env ENV --release vN`, or push", "请执行 `tradewind deploy {service} --env ENV --release vN`，或推送代码";
    NO_FILE = "TW-CLI-020", 404,
        "cannot read {file}: {reason}", "无法读取 {file}：{reason}",
        "name the file: `tradewind check FILE`; a first one: version: 1, service: NAME, run: {command: [...]}", "请指定文件：`tradewind check FILE`；最小示例：version: 1、service: NAME、run: {command: [...]}";
    NOT_AN_ID = "TW-CLI-021", 422,
        "`{value}` is not an id", "`{value}` 不是合法的标识",
        "copy it from the list: `{list}`", "请从列表复制：`{list}`";
    BAD_DURATION = "TW-CLI-022", 422,
        "`{value}` is not a length of time", "`{value}` 不是合法的时长",
        "write 90s, 15m, 12h or 30d", "请写成 90s、15m、12h 或 30d";
    NO_CASE = "TW-CLI-029", 404,
        "no case's name begins with `{only}`; there are {names}", "没有名称以 `{only}` 开头的用例；现有：{names}",
        "leave `--only` out to run them all", "去掉 `--only` 可运行全部用例";
    NO_JOB = "TW-CLI-023", 404,
        "run {run} has no job `{job}`; it has {jobs}", "运行 {run} 没有任务 `{job}`；现有：{jobs}",
        "name one of them with --job", "请用 --job 指定其一";
    MACHINE = "TW-CLI-025", 500,
        "{doing}: {reason}", "{doing}：{reason}",
        "see to the cause, then try again", "请排除原因后重试";
    JUDGE_LINE = "TW-CLI-026", 422,
        "this line is no sample: {why}", "该行不是样本：{why}",
        "nothing was counted of it; a sample has t (seconds, never falling), metric, kind (error, latency or business), canary and baseline, both with n and x",
        "该行没有计入；样本应含 t（秒，不得减小）、metric、kind（error、latency 或 business）、canary 与 baseline，后两者各含 n 与 x";
    RUN_MISSING = "TW-CLI-024", 404,
        "the build of this push has not begun: no run of {service} has commit {commit}", "此次推送的构建尚未开始：{service} 没有提交 {commit} 对应的运行",
        "`tradewind run list {service}` shows what there is; a branch no environment names is built too", "`tradewind run list {service}` 可查看现有运行";
    CANNOT_WRITE = "TW-CLI-027", 500,
        "{file} could not be written: {why}", "无法写入 {file}：{why}",
        "name a file in a folder that is there and yours", "请指定一个存在且有权写入的目录中的文件";
    BAD_SHARE = "TW-CLI-028", 422,
        "`{value}` is not a share of the traffic", "`{value}` 不是合法的流量份额",
        "write it in percent, with at most two decimals: 20%, 2.5%", "请写成百分比，最多两位小数：20%、2.5%";
    BAD_END = "TW-CLI-032", 422,
        "`{value}` is neither a time nor a length of time", "`{value}` 既不是时间也不是时长",
        "write 12h or 3d, 2026-11-12 or \"2026-11-12 08:00\" (this machine's time zone), or 2026-11-12T08:00:00+08:00", "请写成 12h、3d、2026-11-12、\"2026-11-12 08:00\"（本机时区）或 2026-11-12T08:00:00+08:00";
    NO_SUCH_FREEZE = "TW-CLI-030", 404,
        "no freeze covers exactly that", "没有范围恰好如此的冻结",
        "`tradewind freezes` lists those that are on; a wider one is lifted as a whole, by its id", "用 `tradewind freezes` 查看当前的冻结；范围更大的冻结只能按标识整体解除";
    NO_PROJECT = "TW-CLI-080", 404,
        "there is no folder {dir}", "目录 {dir} 不存在",
        "name the project's folder: `tradewind init DIR`", "请指定项目目录：`tradewind init DIR`";
    NOTHING_FOUND = "TW-CLI-081", 404,
        "nothing in {dir} says what kind of project it is; looked for: {kinds}", "无法判断 {dir} 是哪种项目；查找过：{kinds}",
        "say it with --kind ({words}); nothing was written", "请用 --kind 指明（{words}）；没有写入任何文件";
    PARTS_FOUND = "TW-CLI-082", 409,
        "this folder holds no service itself, folders in it do: {parts}", "此目录本身不是服务，其下的目录是：{parts}",
        "name one of them: `tradewind init {first}`; nothing was written", "请指定其一：`tradewind init {first}`；没有写入任何文件";
    SEVERAL_FOUND = "TW-CLI-083", 409,
        "this may be several things: {kinds}", "此目录可能是多种项目：{kinds}",
        "say which one runs: --kind {words}; nothing was written", "请指明运行的是哪一种：--kind {words}；没有写入任何文件";
    FILE_EXISTS = "TW-CLI-084", 409,
        "{file} is there already", "{file} 已存在",
        "look at what would be written with --print, or replace it with --force; nothing was written", "用 --print 查看将写入的内容，或用 --force 替换；没有写入任何文件";
    FILE_TAKEN = "TW-CLI-085", 409,
        "{file} is there already", "{file} 已存在",
        "name another file: a backup replaces nothing", "请换一个文件名：备份不会覆盖已有文件";
    NO_FORGE_VALUE = "TW-CLI-070", 422,
        "no {what} was given", "没有提供 {what}",
        "type it when you are asked, or send it as a line of standard input; with both, the token comes first", "请在提示时输入，或作为标准输入的一行；两者都要时先给令牌";
    BAD_SECRET_NAME = "TW-CLI-060", 422,
        "`{value}` is not a secret's name", "`{value}` 不是合法的密钥名称",
        "use 1 to 64 letters, digits and `_`, not beginning with a digit: SHOPEE_PARTNER_KEY", "请用 1 到 64 个字母、数字和 `_`，且不以数字开头：SHOPEE_PARTNER_KEY";
    VALUE_AS_ARGUMENT = "TW-CLI-061", 422,
        "the value of {name} was given on the command line, where other programs and the shell's history can read it; nothing was set", "{name} 的值写在了命令行上，其他程序和 shell 历史都能读到；没有设置",
        "take a new value, clear your history, and type it when you are asked (`tradewind secret set {name}`) or pipe it in: `… | tradewind secret set {name}`", "请换用新值、清除 shell 历史，并在提示时输入（`tradewind secret set {name}`），或从管道传入：`… | tradewind secret set {name}`";
    NO_VALUE = "TW-CLI-062", 422,
        "no value of {name} was given; nothing was set", "没有给出 {name} 的值；没有设置",
        "type it when you are asked, or pipe it in; `tradewind secret remove {name}` removes one", "请在提示时输入，或从管道传入；要删除请用 `tradewind secret remove {name}`";
    WHICH_FREEZE = "TW-CLI-031", 409,
        "several freezes cover exactly that: {which}", "有多个冻结的范围恰好如此：{which}",
        "lift one by its id: `tradewind unfreeze ID --reason TEXT`", "请按标识解除其中一个：`tradewind unfreeze 标识 --reason TEXT`";
    BAD_LINE = "TW-CLI-033", 422,
        "line {line} is neither an event nor a checkpoint: {reason}", "第 {line} 行既不是事件也不是检查点：{reason}",
        "give a file as `tradewind audit export` or the retention of events wrote it", "请使用 `tradewind audit export` 或事件保留策略写出的文件";
    BAD_MOMENT = "TW-CLI-034", 422,
        "`{value}` is not a time", "`{value}` 不是合法的时间",
        "write 12h or 3d (ago), 2026-11-12 or \"2026-11-12 08:00\" (this machine's time zone), or 2026-11-12T08:00:00+08:00", "请写成 12h、3d（之前）、2026-11-12、\"2026-11-12 08:00\"（本机时区）或 2026-11-12T08:00:00+08:00";
    NO_STATE = "TW-CLI-035", 422,
        "no run is ever `{state}`", "运行没有 `{state}` 这一状态",
        "the states are: {states}", "可用的状态：{states}";
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_languages_take_the_same_arguments() {
        let wrong: Vec<String> = tradewind_model::fault::check_catalog(super::ALL);
        assert_eq!(wrong, Vec::<String>::new());
    }
}

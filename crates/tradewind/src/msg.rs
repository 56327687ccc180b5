//! What the roles' commands say, English and Chinese side by side.

use tradewind_cli::text::Text;

pub const CONFIG_COLUMNS: [&Text; 5] = [&H_SETTING, &H_VALUE, &H_SOURCE, &H_VARIABLE, &H_MEANING];
pub const DOCTOR_COLUMNS: [&Text; 3] = [&H_VERDICT, &H_ABOUT, &H_FOUND];

tradewind_cli::messages! {
    H_VERDICT = "VERDICT", "结论";
    H_ABOUT = "ABOUT", "项目";
    H_FOUND = "FOUND", "情况";
    DOCTOR_GOOD = "good", "正常";
    DOCTOR_LESS = "less", "欠缺";
    DOCTOR_BAD = "bad", "有问题";
    DOCTOR_SUM = "{good} good, {less} with less than there could be, {bad} bad", "正常 {good} 项，欠缺 {less} 项，有问题 {bad} 项";
    UP = "Tradewind {version} is up.", "信风 {version} 已启动。";
    UP_API = "  API, git   {url}   (server, pid {pid})", "  API、git   {url}   （server，进程 {pid}）";
    UP_AUTHORITY = "  authority  SHA-256 {fingerprint}   (log in elsewhere with --fingerprint)", "  证书机构   SHA-256 {fingerprint}   （在其他机器上登录时用 --fingerprint）";
    UP_EDGE = "  traffic    {url}   (edge, pid {pid})", "  业务流量   {url}   （edge，进程 {pid}）";
    UP_AGENT = "  agent      pid {pid}", "  agent      进程 {pid}";
    UP_DATA = "  data       {data}", "  数据       {data}";
    UP_LOGS = "  logs       {logs}", "  日志       {logs}";
    UP_ADOPTED = "  {role} was already running and goes on.", "  {role} 已在运行，继续使用。";
    UP_CODE = "Log in (single use, valid for ten minutes):", "登录（一次性，十分钟内有效）：";
    UP_NEXT = "Then, in a git checkout with a tradewind.yaml:  git push tradewind main", "然后在含有 tradewind.yaml 的 git 仓库中：  git push tradewind main";
    UP_STOP_HERE = "Ctrl-C stops everything that belongs to this folder.", "按 Ctrl-C 停止属于此目录的一切。";
    UP_STOP_DETACHED = "It runs in the background. Stop it:  tradewind down --data {data}", "已在后台运行。停止：  tradewind down --data {data}";
    UP_SAME_USER = "warning: --insecure-same-user: jobs and instances run as this user and can read Tradewind's keys", "警告：--insecure-same-user：任务和实例以当前用户运行，能读取信风的密钥";
    ROLE_ENDED = "{role} ended ({how}); started again {wait}", "{role} 已退出（{how}）；{wait}重新启动";
    AT_ONCE = "at once", "立即";
    AFTER_MS = "in {ms} ms", "{ms} 毫秒后";
    ROLE_BACK = "{role} is back (pid {pid})", "{role} 已恢复（进程 {pid}）";
    ROLE_REPLACED = "{role} (pid {pid}) runs with another version or other settings; it makes room for a new one", "{role}（进程 {pid}）的版本或设置不同，将由新进程替换";
    CODE_FAILED = "no login code could be made ({reason}); ask for one with:  tradewind admin code --data {data}", "未能生成登录码（{reason}）；可执行：  tradewind admin code --data {data}";
    LEFT = "Stopped watching: `tradewind down` took over.", "已停止看管：由 `tradewind down` 接手。";
    STOPPING = "Stopping everything of {data} …", "正在停止 {data} 的一切……";
    DOWN_NOTHING = "Nothing of {data} is running.", "{data} 没有任何进程在运行。";
    DOWN_DONE = "Stopped: {what}.", "已停止：{what}。";
    DOWN_SUPERVISOR = "supervisor", "监管进程";
    DOWN_INSTANCES = "{n} instance(s)", "{n} 个实例";
    DOWN_JOBS = "{n} job(s)", "{n} 个任务";
    DOWN_STRAYS = "{n} left-over process(es)", "{n} 个遗留进程";
    DOWN_KILLED = "{n} of them had to be killed", "其中 {n} 个被强制结束";
    NOT_IN_TIME = "no answer within {s} s", "{s} 秒内没有应答";
    ENDED_TIMES = "it ended {n} times, last with {how}", "它退出了 {n} 次，最后一次：{how}";
    INTERNAL = "error: {reason}", "错误：{reason}";
    CONFIG_ORDER = "Later ones win: default, {file}, variable, flag.", "后者优先：默认值、{file}、环境变量、命令行参数。";
    H_SETTING = "SETTING", "配置项";
    H_VALUE = "VALUE", "值";
    H_SOURCE = "FROM", "来源";
    H_VARIABLE = "VARIABLE", "环境变量";
    H_MEANING = "MEANING", "说明";
    TOKEN_MADE = "Token {name} ({scopes}), valid until {until}. It is shown this once:", "令牌 {name}（{scopes}），{until} 前有效。仅显示这一次：";
    KEY_ROTATED = "Key {key} seals secrets from now on; {n} versions were sealed anew, and {dropped} earlier key(s) are out of the file. Backups made before need the file as it was then.", "自此由主密钥 {key} 加密；已重新加密 {n} 版，并从文件中移除 {dropped} 个旧主密钥。此前的备份需要当时的密钥文件。";
    KEY_DAMAGED = "warning: {n} versions do not open with any key; they stay as they are, and so do the earlier keys", "警告：有 {n} 版无法用任何主密钥打开；它们与旧主密钥都保持原样";
    BACKUP_SO_FAR = "{files} files, {size}", "{files} 个文件，{size}";
    BACKUP_MADE = "Backup in {file}: {files} files, {size}, the event log up to {seq}.", "备份已写入 {file}：{files} 个文件，{size}，事件日志至 {seq}。";
    BACKUP_NO_KEYS = "The keys are not in it: without keys/ of the data folder its secrets stay closed.", "其中不含密钥：没有数据目录的 keys/，秘密无法打开。";
    BACKUP_OPEN_KEYS = "The keys are in it as they are: whoever can read it can open every secret.", "其中原样包含密钥：能读取它的人可以打开所有秘密。";
    BACKUP_LOCKED_KEYS = "The keys are in it, locked with the passphrase.", "其中的密钥已用口令加锁。";
    BACKUP_VAULT_ELSEWHERE = "The vault's key is not in the data folder (TRADEWIND_VAULT_KEY or vault_key_file): it is not in it, keep it yourself.", "密钥库的主密钥不在数据目录中（TRADEWIND_VAULT_KEY 或 vault_key_file），因此不在备份里，请自行保管。";
    BACKUP_NEXT = "Read it through: tradewind admin backup verify {file}", "检查备份：tradewind admin backup verify {file}";
    BACKUP_SOUND = "{file} is whole and sound.", "{file} 完整无误。";
    BACKUP_FROM = "  made {at} by {version}, schema {schema}", "  {at} 由 {version} 制作，结构版本 {schema}";
    BACKUP_HOLDS = "  {files} files, {size}: {releases} releases, {repositories} repositories", "  {files} 个文件，{size}：{releases} 个版本，{repositories} 个仓库";
    BACKUP_CHAIN = "  {events} events, intact up to {seq} ({hash})", "  {events} 个事件，完整至 {seq}（{hash}）";
    RESTORED = "Restored into {data}.", "已恢复到 {data}。";
    RESTORED_MEANS = "What was done since the backup is not known here: tokens revoked since are valid again, numbers of releases and runs are given out anew, hosts go back to what it says; whatever they run that it does not know is stopped, and each of these is an event (instance.unknown).", "备份之后发生的事在这里是未知的：之后吊销的令牌重新有效，版本与运行的编号会重新分配，各主机回到备份所述的状态；主机上它不认识的实例会被停止，并逐一记为事件（instance.unknown）。";
    RESTORED_NEXT = "Start it: tradewind up --data {data}", "启动：tradewind up --data {data}";
    FOREVER = "revoked", "被吊销";
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_languages_take_the_same_arguments() {
        assert_eq!(tradewind_cli::text::check(super::ALL), Vec::<String>::new());
    }
}

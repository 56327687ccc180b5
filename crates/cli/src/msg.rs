//! What the verbs say, English and Chinese side by side.

use crate::text::Text;
use tradewind_model::fault::Lang;

/// A table's head.
pub fn head(lang: Lang, names: &[&'static Text]) -> Vec<&'static str> {
    names.iter().map(|t| t.get(lang)).collect()
}

crate::messages! {
    H_SERVICE = "SERVICE", "服务";
    H_KIND = "KIND", "类型";
    H_ENV = "ENV", "环境";
    H_ENVS = "ENVIRONMENTS", "环境";
    H_SITE = "SITE", "站点";
    H_SITES = "SITES", "站点";
    H_BRANCH = "BRANCH", "分支";
    H_QUEUE = "QUEUE", "队列";
    H_RELEASE = "RELEASE", "版本";
    H_HEALTH = "HEALTH", "健康";
    H_READY = "READY", "就绪";
    H_TRAFFIC = "TRAFFIC", "流量";
    H_SINCE = "WHEN", "时间";
    H_BY = "BY", "操作人";
    H_NAMES = "NAMES", "名称";
    H_DAYS_LEFT = "DAYS LEFT", "剩余天数";
    H_ORIGIN = "ORIGIN", "来源";
    H_SHOWN_ON = "SHOWN ON", "使用主机数";
    H_INSTANCE = "INSTANCE", "实例";
    H_SECRET = "SECRET", "密钥";
    H_VERSION = "VERSION", "版次";
    H_FINGERPRINT = "FINGERPRINT", "指纹";
    H_USED = "LAST USED", "最近使用";
    H_STATE = "STATE", "状态";
    H_ADDR = "ADDRESS", "地址";
    H_PID = "PID", "进程";
    H_RESTARTS = "RESTARTS", "重启";
    H_HOST = "HOST", "主机";
    H_NOTE = "NOTE", "备注";
    H_RUN = "RUN", "运行";
    H_COMMIT = "COMMIT", "提交";
    H_TOOK = "TOOK", "耗时";
    H_TITLE = "TITLE", "说明";
    H_STAGE = "STAGE", "阶段";
    H_JOB = "JOB", "任务";
    H_LIVE = "LIVE IN", "在线环境";
    H_SIZE = "SIZE", "大小";
    H_FILE = "FILE", "文件";
    H_DIGEST = "DIGEST", "摘要";
    H_SETTING = "SETTING", "配置项";
    H_BEFORE = "BEFORE", "之前";
    H_AFTER = "AFTER", "之后";
    H_CHANGE = "CHANGE", "变更";
    H_FROM = "FROM", "从";
    H_TO = "TO", "到";
    H_ID = "ID", "标识";
    H_NAME = "NAME", "名称";
    H_OWNER = "OF", "所有者";
    H_WHO = "WHO", "授予对象";
    H_EMAIL = "ADDRESS", "邮箱";
    H_ROLES = "ROLES", "角色";
    H_MEMBERS = "MEMBERS", "成员";
    H_SECOND = "2ND FACTOR", "第二因素";
    H_AGENT = "AGENT", "代理";
    H_SEEN = "LAST SEEN", "最近联络";
    H_INSTANCES = "INSTANCES", "实例";
    H_EDGE = "EDGE", "边缘代理";
    H_SCOPES = "SCOPES", "权限";
    H_EXPIRES = "VALID UNTIL", "有效期至";

    H_UNTIL = "UNTIL", "至";
    H_REASON = "REASON", "原因";

    MORE = "There are more: --after {next}", "还有更多：--after {next}";
    FOREVER = "revoked", "被吊销";

    SIM_PASS = "pass", "通过";
    SIM_FAIL = "FAIL", "失败";
    SIM_SHOWN = "-", "-";

    ASK_CODE = "Login code (printed by `tradewind up`): ", "登录码（由 `tradewind up` 打印）：";
    WARN_CERTIFICATE = "the certificate of {names} ends on {at}, in {days} days: tradewind certificate list", "{names} 的证书将于 {at} 到期，剩余 {days} 天：tradewind certificate list";
    WARN_SINK = "checkpoints of the event log have not reached {name} ({target}) since {since}: {why}", "自 {since} 起，事件日志的检查点无法送达 {name}（{target}）：{why}";
    LOGGED_IN = "Logged in to {server} as {name}, until {until}.", "已登录 {server}，身份为 {name}，有效期至 {until}。";
    ASK_PASSWORD = "Password of {name}: ", "{name} 的密码：";
    ASK_CURRENT = "Current password: ", "当前密码：";
    ASK_NEW = "New password (12 characters or more): ", "新密码（至少 12 个字符）：";
    ASK_AGAIN = "Once more: ", "再输入一次：";
    ASK_SECOND = "Second factor (six digits or a recovery code): ", "第二因素（六位数字或恢复码）：";
    SECOND_SECRET = "Put this into an authenticator:\n  {secret}\n  {uri}", "请将以下内容添加到验证器：\n  {secret}\n  {uri}";
    ASK_SIX = "Six digits it shows: ", "验证器显示的六位数字：";
    SECOND_SET = "The second factor is in place. Each of these stands in for it once; keep them somewhere else:", "第二因素已启用。以下每个恢复码可代替一次，请另行妥善保存：";
    SECOND_REMOVED = "The second factor is removed.", "第二因素已移除。";
    SECOND_RESET = "{handle} has no second factor any more, and all their sessions are over.", "{handle} 的第二因素已重置，其所有会话均已结束。";
    PASSWORD_CHANGED = "Changed. All other sessions are over.", "密码已修改，其他会话已全部结束。";
    I_AM = "{name} at {server}", "{name}（{server}）";
    CONSOLE_AS = "As {name}, good once and for ten minutes:", "以 {name} 身份登录，十分钟内有效，只能用一次：";
    CONSOLE_NOT_OPENED = "No browser could be started here: open the address by hand.", "无法在此启动浏览器：请手动打开该地址。";
    NO_PERSON = "  a token of the machine's owner: it belongs to no user and reaches as far as its scopes", "  机器所有者的令牌：不属于任何用户，权限以其范围为限";
    NO_ROLES = "  no role yet: an admin gives one with `tradewind role grant`", "  还没有角色：请管理员用 `tradewind role grant` 授予";
    MY_TOKEN = "  token {name}: {scopes}, until {until}", "  令牌 {name}：{scopes}，有效期至 {until}";
    ROLE_EVERYWHERE = "{role} of everything", "全局 {role}";
    ROLE_ON = "{role} on {what}", "{what} 的 {role}";
    ROLE_GIVEN = "{who} is now {what}.", "{who} 现在是{what}。";
    ROLE_WITHDRAWN = "The role is withdrawn.", "角色已收回。";
    SECOND_FACTOR_FOR = "A second factor is asked of: {roles}", "以下角色须使用第二因素：{roles}";
    NO_SECOND_FACTOR = "No role is asked for a second factor.", "没有角色须使用第二因素。";
    INVITED = "{handle} is invited until {until}. The code is for {email} alone, works once and is shown this once:", "已邀请 {handle}，有效期至 {until}。此邀请码仅限 {email} 使用一次，且只显示这一次：";
    INVITED_NEXT = "tradewind login --invite {code} --email {email} --server {server}", "tradewind login --invite {code} --email {email} --server {server}";
    UNINVITED = "The invitation is withdrawn.", "邀请已撤回。";
    ACCOUNT_MADE = "Made the service account {handle}. Next: `tradewind role grant developer --user {handle}`; then `tradewind token create NAME --for {handle} --scope deploy`", "已创建服务账号 {handle}。下一步：`tradewind role grant developer --user {handle}`；然后 `tradewind token create NAME --for {handle} --scope deploy`";
    USER_DISABLED = "{handle} is disabled: all sessions and tokens are over.", "{handle} 已停用：所有会话与令牌均已失效。";
    USER_ENABLED = "{handle} may sign in again.", "{handle} 可以重新登录。";
    GROUP_MADE = "Made the group {name}. Next: `tradewind group add {name} USER`; `tradewind role grant ROLE --group {name}`", "已创建用户组 {name}。下一步：`tradewind group add {name} USER`；`tradewind role grant ROLE --group {name}`";
    GROUP_REMOVED = "Removed the group {name} and the roles it held.", "已删除用户组 {name} 及其角色。";
    GROUP_MEMBERS = "{name}: {members}", "{name}：{members}";
    NO_POLICY = "{env} demands nothing beyond its specs. Write a policy: tradewind policy set {env} --file policy.yaml --reason TEXT", "{env} 没有额外要求。写入策略：tradewind policy set {env} --file policy.yaml --reason TEXT";
    POLICY_SET = "The policy of {env} holds from the next push and rollout on.", "{env} 的策略自下一次推送与发布起生效。";
    POLICY_CLEARED = "{env} demands nothing beyond its specs any more.", "{env} 不再有额外要求。";
    A_PERSON = "person", "个人";
    A_SERVICE = "service", "服务账号";
    YES = "yes", "是";
    NO = "no", "否";
    USER_ERASED = "What was known of {handle} is gone. The account stays, disabled; the event log keeps the handle.", "{handle} 的个人信息已删除。账号保留并停用；事件日志中仍保留该标识。";
    DISABLED = "disabled", "已停用";
    LOGGED_OUT = "Logged out of {server}.", "已退出 {server}。";
    NOT_LOGGED_IN = "Not logged in to {server}.", "未登录 {server}。";
    NOT_REVOKED = "note: the server could not be told, so the token stays valid until it expires; revoke it: tradewind token revoke {id}", "注意：未能通知服务器，令牌在过期前仍有效；可吊销：tradewind token revoke {id}";
    GIT_TAUGHT = "git asks tradewind for the password of {server}.", "git 访问 {server} 时将由 tradewind 提供凭据。";
    GIT_NOT_TAUGHT = "note: git could not be configured; by hand: git config --global {key} \"{helper}\"", "注意：未能配置 git；可手动执行：git config --global {key} \"{helper}\"";
    REMOTE_ADDED = "Added the git remote {remote} → {url}. Next: git push {remote} main", "已添加 git 远程仓库 {remote} → {url}。下一步：git push {remote} main";
    REMOTE_OTHER = "note: the git remote {remote} leads to {there}, not to {wanted}; change it: git remote set-url {remote} {wanted}", "注意：git 远程仓库 {remote} 指向 {there}，而不是 {wanted}；可修改：git remote set-url {remote} {wanted}";
    REMOTE_NEXT = "Next, in its checkout: git remote add tradewind {url} && git push tradewind main", "下一步，在其代码目录中执行：git remote add tradewind {url} && git push tradewind main";
    PUSH_NEXT = "Next: git push tradewind main", "下一步：git push tradewind main";

    SERVICE_MADE = "Service {service} is there.", "已创建服务 {service}。";
    SERVICE_IS = "{service} ({kind}), made {since} by {by}", "{service}（{kind}），{by} 创建于 {since}";
    GIT_AT = "  git   {url}", "  git   {url}";
    LAST_WORDS = "{release} wrote last:", "{release} 最后的输出：";
    ALL_WORDS = "all of it: tradewind logs {service} --env {env} --release {release}", "完整日志：tradewind logs {service} --env {env} --release {release}";
    NO_HOSTS = "No host yet. `tradewind up` enrols this machine.", "还没有主机。`tradewind up` 会登记本机。";
    CONNECTED = "connected", "已连接";
    NOT_CONNECTED = "not connected", "未连接";
    NO_SERVICES = "No service yet. Make one: tradewind service create NAME", "还没有服务。创建：tradewind service create NAME";
    NOTHING_PUSHED = "Nothing was pushed yet. Next: git push tradewind main", "还没有推送过代码。下一步：git push tradewind main";
    OPEN = "open", "开放";
    FROZEN = "queue closed {since}: {reason}", "队列已关闭（{since}）：{reason}";

    NOTHING_RUNS = "Nothing runs yet. Make a service with `tradewind service create NAME`, then `git push tradewind main`.", "还没有运行任何服务。先 `tradewind service create NAME`，再 `git push tradewind main`。";
    NOTHING_OF_IT_RUNS = "Nothing of it runs yet. Next: git push tradewind main", "该服务还没有运行。下一步：git push tradewind main";
    ROLLOUT_UNDER_WAY = "a rollout is under way: tradewind rollout show {id} -f", "正在发布：tradewind rollout show {id} -f";
    ACKNOWLEDGE_NEXT = "open it again: tradewind acknowledge {service} --env {env} --note TEXT", "重新开放：tradewind acknowledge {service} --env {env} --note TEXT";
    WARM_UNTIL = "{label} is kept warm until {until}", "{label} 保持热备至 {until}";
    WARM = "{label} is kept warm", "{label} 保持热备";
    ROUTES = "answers at {routes}", "访问地址：{routes}";

    NO_RUNS = "{service} has no runs yet. A push makes one: git push tradewind main", "{service} 还没有运行记录。推送即可触发：git push tradewind main";
    RUN_IS = "run #{number} of {service}: {state}", "{service} 的运行 #{number}：{state}";
    RUN_BY = "  by {by}, {since}, id {id}", "  {by}，{since}，标识 {id}";
    RUN_OF_FORGE = "  pushed by {by} on {forge}", "  由 {by} 在 {forge} 推送";
    RELEASED = "release {label} ({digest})", "版本 {label}（{digest}）";
    ROLLOUT_STARTED = "rollout to {env}: tradewind rollout show {id} -f", "正在发布到 {env}：tradewind rollout show {id} -f";
    ROLLOUT_WAITS = "rollout to {env} waits: {why}; follow it: tradewind rollout show {id} -f", "到 {env} 的发布正在等待：{why}；查看：tradewind rollout show {id} -f";
    WITH_EXIT = ", exit code {code}", "，退出码 {code}";
    MAY_FAIL = " (may fail)", "（允许失败）";

    NO_RELEASES = "{service} has no releases yet. A push whose pipeline passes makes one: git push tradewind main", "{service} 还没有版本。流水线通过的推送会生成版本：git push tradewind main";
    RELEASE_IS = "{label} of {service}, {digest}", "{service} 的 {label}，{digest}";
    RELEASE_MADE = "  made {since} by {by}; {files} files, {size}", "  {by} 创建于 {since}；{files} 个文件，{size}";
    LIVE_IN = "  live in {envs}", "  在线环境：{envs}";
    DIFF_HEAD = "{from} ({from_commit}) → {to} ({to_commit})", "{from}（{from_commit}）→ {to}（{to_commit}）";
    NO_DIFFERENCE = "No difference: same files, same specification.", "没有差异：文件与配置均相同。";

    NO_ROLLOUTS = "{service} has no rollouts yet. Start one: tradewind deploy {service} --env ENV --release vN", "{service} 还没有发布记录。发布：tradewind deploy {service} --env ENV --release vN";
    ROLLOUT_HEAD = "{kind} of {service} to {env}: {from} → {to} ({strategy}), {id}", "{service} {kind}到 {env}：{from} → {to}（{strategy}），{id}";
    ROLLOUT_BY = "  by {by}, {since}", "  {by}，{since}";
    ROLLOUT_IS = "{kind} to {to} in {env}: {phase}", "{env} {kind}到 {to}：{phase}";
    QUEUE_POSITION = "  {n} ahead of it in the queue", "  队列中前面还有 {n} 个";
    NOTE = "  note: {text}", "  备注：{text}";
    TICKET = "  ticket: {text}", "  工单：{text}";
    SITE_LINE = "{phase}, {share} on {to}, {ready} ready", "{phase}，{to} 占 {share}，就绪 {ready}";
    TRAFFIC_BACK = "traffic was back on {to} after {time}", "流量在 {time} 后回到 {to}";
    VERIFIED = "verified: {passed} of {all} checks passed", "验证通过：{passed}/{all} 项检查通过";
    NOT_VERIFIED = "not verified: {passed} of {all} checks passed", "验证未通过：{passed}/{all} 项检查通过";
    FOLLOW_ROLLOUT = "It goes on by itself. Follow: tradewind rollout show {id} -f", "发布会自行继续。查看进度：tradewind rollout show {id} -f";
    WAITS = "  waits: {text}", "  等待：{text}";
    OUTLOOK = "  the judge: {text}", "  判定：{text}";
    EVIDENCE = "evidence that it is worse: {e} of {against}; that the next wave may begin: {promotion} of {needed}", "变差的证据：{e} / {against}；可以放行的证据：{promotion} / {needed}";
    JUDGED = "{canary} beside {baseline}: {verdict}", "{canary} 对比 {baseline}：{verdict}";
    NOTHING_JUDGED_YET = "  Nothing was counted yet: its first share has not begun.", "  还没有任何计数：第一份流量尚未开始。";
    H_METRIC = "METRIC", "指标";
    H_RATIO = "RATIO", "倍数";
    H_AGAINST = "E AGAINST", "变差的 E";
    H_FOR = "E FOR", "放行的 E";
    NEEDED = "  against: goes back at {against}, taken over all metrics; for: promoted when each one is at {promotion}", "  变差：所有指标合计到 {against} 即退回；放行：每个指标都到 {promotion}";
    WAVE_AT = "  wave {number}: {share} of {site} from +{at}", "  第 {number} 波：{site} 的 {share}，始于 +{at}";
    ALL_REQUESTS = "  requests: {new} to {canary} ({new_failed} failed), {old} to {baseline} ({old_failed} failed)", "  请求：{canary} {new} 个（失败 {new_failed}），{baseline} {old} 个（失败 {old_failed}）";
    PLOT = "evidence that {canary} is worse than {baseline}, over time", "{canary} 比 {baseline} 差的证据随时间的变化";
    PICTURE_IN = "  picture: {file}", "  图：{file}";
    SECONDS_LOST = "  {n} s of counts are missing: nobody could take them in time", "  缺少 {n} 秒的计数：未能及时接收";
    COUNTER_REPLACED = "  {n} times whoever counted was replaced; the wave's evidence for promotion began anew", "  计数方被替换 {n} 次；该波的放行证据已重新开始";
    SAMPLES_REFUSED = "  {n} samples could not be true and were left out", "  {n} 个样本不可能为真，已略去";
    OWN_COUNTERS = "  its own counters: {what}", "  服务自身的计数：{what}";
    ONE_CLIENT_OF = "  at worst one client of {n} was looked at", "  最少时每 {n} 个客户端只看一个";
    RESUME_NEXT = "Go on: tradewind rollout resume {id} --reason TEXT   Go back: tradewind rollout abort {id} --reason TEXT", "继续：tradewind rollout resume {id} --reason TEXT   回退：tradewind rollout abort {id} --reason TEXT";
    SHARE_SET = "Wave {number} goes to {share}.", "第 {number} 波调整为 {share}。";
    SHARE_NEXT = "Follow: tradewind rollout show {id} -f; let it go on: tradewind rollout promote {id} --reason TEXT", "查看进度：tradewind rollout show {id} -f；放行：tradewind rollout promote {id} --reason TEXT";
    GOES_ON = "It goes on by itself. Look again: {command}", "它会自行继续。再次查看：{command}";

    ACKNOWLEDGED = "The queue of {service} in {env} is open again.", "{service} 在 {env} 的队列已重新开放。";
    GOES_ON_NOW = "  goes on now: tradewind rollout show {id} -f", "  继续进行：tradewind rollout show {id} -f";

    EVERYTHING = "everything", "全部";
    EVERY = "all", "全部";
    LIFTED = "lifted", "被解除";
    SERVICE_IN_ENV = "{service} in {env}", "{env} 中的 {service}";
    FREEZE_SET = "{what} is frozen until someone lifts it: no wave begins, nothing leaves the queue. What runs goes on; a rollback goes through.", "冻结已生效：{what}，直到有人解除。不开始新的一波，队列不再放行；正在运行的照常，回滚不受影响。";
    FREEZE_SET_UNTIL = "{what} is frozen until {until}: no wave begins, nothing leaves the queue. What runs goes on; a rollback goes through.", "冻结已生效：{what}，至 {until}。不开始新的一波，队列不再放行；正在运行的照常，回滚不受影响。";
    NO_CERTIFICATES = "No certificates are kept here. Add one: tradewind certificate add --cert FILE --key FILE", "没有保存任何证书。添加：tradewind certificate add --cert FILE --key FILE";
    CERTIFICATE_ADDED = "The edges show the certificate for {names} from now on, until {until}.", "边缘代理现在使用 {names} 的证书，有效期至 {until}。";
    CERTIFICATE_REMOVED = "The certificate {what} is shown no more.", "证书 {what} 不再使用。";
    UNFREEZE_NEXT = "  lift it: tradewind unfreeze {id} --reason TEXT", "  解除：tradewind unfreeze {id} --reason TEXT";
    FREEZE_LIFTED = "The freeze of {what} is lifted.", "冻结已解除：{what}。";
    STILL_FROZEN = "  still: {line} ({id})", "  仍有：{line}（{id}）";
    FROZEN_BY = "{what} is frozen by {by} since {since}: {reason}", "{what}：{by} 自 {since} 起冻结，原因：{reason}";
    FROZEN_UNTIL = "{what} is frozen by {by} since {since} until {until}: {reason}", "{what}：{by} 自 {since} 起至 {until} 冻结，原因：{reason}";
    NO_FREEZES = "Nothing is frozen.", "没有冻结。";

    NEVER = "never", "从未";
    IN_FORCE = "in force", "生效中";
    ASK_SECRET = "Value of {name} (not shown): ", "{name} 的值（不显示）：";
    SECRET_SET = "Secret {name} for {scope} is set, version {version}. What begins from now on is given it.", "已设置密钥 {name}（{scope}），第 {version} 版。此后启动的进程将得到它。";
    SECRET_UNCHANGED = "Secret {name} for {scope} has this value already, version {version}.", "密钥 {name}（{scope}）已是该值，第 {version} 版。";
    SECRET_REMOVED = "Secret {name} for {scope} is removed. What runs keeps it; bring it back: tradewind secret restore {name} --version N", "已删除密钥 {name}（{scope}）。正在运行的进程仍持有它；恢复：tradewind secret restore {name} --version N";
    SECRET_SHORT = "warning: it is shorter than 6 bytes, so it is not masked in logs", "警告：长度不足 6 字节，日志中不会遮盖";
    SECRET_STALE = "  {n} running instance(s) still have an earlier version, until they begin anew: {places}", "  {n} 个正在运行的实例仍使用旧版，直到重新启动：{places}";
    NO_SECRETS = "No secret is set. Set one: tradewind secret set NAME --service SERVICE --env ENV", "还没有密钥。设置：tradewind secret set NAME --service SERVICE --env ENV";

    NO_EVENTS = "No event yet.", "还没有事件。";
    CHAIN_WHOLE = "The chain is whole: {intact} events, its end {end}; {unsealed} written a moment ago are not sealed yet", "事件链完整：{intact} 个事件，末尾 {end}；另有 {unsealed} 个刚写入、尚未封存";
    CHAIN_BROKEN = "The chain is broken at event {seq} ({problem}): {detail}", "事件链在第 {seq} 个事件处损坏（{problem}）：{detail}";
    CHAIN_UNTIL = "{intact} events before it are as they were written, up to {end}. Compare with a backup before you change anything.", "此前 {intact} 个事件与写入时一致，止于 {end}。改动任何内容之前请先与备份比对。";

    CHECKPOINTS_AGREE = "{n} signed checkpoints agree with it.", "有 {n} 个已签名的检查点与之相符。";
    CHAIN_PRUNED = "Events up to {until} were pruned, as an event in it tells.", "事件 {until} 及之前的内容已被清理，链中有事件记录了这次清理。";
    NO_CHECKPOINT = "There is no checkpoint yet: nothing was sealed.", "还没有检查点：尚无封存的事件。";
    KEY_REPLACED = "This key signs from now on; the one before it vouches for it, and what that one signed stays good. Keep the new key where you kept the old one.", "此后由该密钥签名；旧密钥已为其背书，其签名仍然有效。请把新公钥保存到原来存放旧公钥的地方。";
    EXPORTED = "{n} events written to {file}.", "已将 {n} 个事件写入 {file}。";
    AUDIT_HEAD = "The chain ends at event {seq} ({hash}).", "事件链止于事件 {seq}（{hash}）。";
    AUDIT_CHECKPOINT = "The last checkpoint is of event {seq}, made {when}.", "最近的检查点位于事件 {seq}，创建于{when}。";
    AUDIT_KEY = "It is signed with {key}", "签名公钥：{key}";
    AUDIT_KEPT_FOREVER = "Events are kept for ever.", "事件永久保留。";
    AUDIT_KEPT = "Events are kept for {days} days.", "事件保留 {days} 天。";
    NO_SINKS = "Checkpoints go nowhere: whoever owns this host can rewrite the log and them. See `audit_file`, `audit_webhook` and `audit_s3` in `tradewind config show`.", "检查点没有发往任何地方：掌握本机的人可以同时改写日志和检查点。请参阅 `tradewind config show` 中的 `audit_file`、`audit_webhook` 和 `audit_s3`。";
    H_SINK = "TO", "去向";
    H_TARGET = "TARGET", "目标";
    H_DELIVERED = "UP TO", "已送达";
    SINK_FAILS = "fails since {since}: {why}", "自{since}起失败：{why}";

    H_FORGE = "FORGE", "平台";
    H_REPOSITORY = "REPOSITORY", "仓库";
    H_LAST = "LAST PUSH", "最近推送";
    H_REFUSED = "REFUSED", "已拒绝";
    H_PUSHER = "PUSHED BY", "推送者";
    H_DELIVERY = "DELIVERY", "通知编号";
    ASK_FORGE_TOKEN = "Token of the forge (not shown): ", "代码平台的令牌（不显示）：";
    ASK_HOOK_SECRET = "Secret of the webhook (not shown): ", "webhook 的密钥（不显示）：";
    FORGE_LINKED = "{service} is linked to {url}; pushes there act as {account}.", "{service} 已关联 {url}；那里的推送以 {account} 的身份执行。";
    FORGE_UNLINKED = "{service} is not linked any more. Its webhook is worth nothing; remove it on the forge, too.", "已解除 {service} 的关联。其 webhook 已失效；请在代码平台上一并删除。";
    NO_FORGES = "No service is linked to a forge. Link one: tradewind forge link SERVICE --url https://…", "还没有服务关联代码平台。关联：tradewind forge link SERVICE --url https://…";
    NO_DELIVERIES = "Nothing was delivered for {service} yet. What was not let in is counted: tradewind forge show {service}", "{service} 还没有收到推送通知。未被接受的会计数：tradewind forge show {service}";
    HOOK_IN = "Make the webhook in {forge}: {place}", "在 {forge} 中创建 webhook：{place}";
    HOOK_URL = "  URL: {url}", "  URL：{url}";
    HOOK_SECRET = "  secret, shown this once: {secret}", "  密钥（仅显示这一次）：{secret}";
    PLACE_GITHUB = "Settings > Webhooks > Add webhook", "Settings > Webhooks > Add webhook";
    CHOOSE_GITHUB = "content type application/json; just the push event", "Content type 选 application/json；仅 push 事件";
    PLACE_GITLAB = "Settings > Webhooks > Add new webhook", "设置 > Webhooks > 添加新的 webhook";
    CHOOSE_GITLAB = "as secret token, or better as signing token where there is that field; trigger: push events", "填入 Secret token；有 Signing token 一栏时用它更好；触发器：推送事件";
    PLACE_GITEA = "Settings > Webhooks > Add webhook > Gitea (Forgejo: Forgejo)", "设置 > Web 钩子 > 添加 > Gitea（Forgejo 选 Forgejo）";
    CHOOSE_GITEA = "POST, application/json; push events", "POST，application/json；推送事件";
    PLACE_GITEE = "管理 > WebHooks > 添加 webHook", "管理 > WebHooks > 添加 webHook";
    CHOOSE_GITEE = "as 签名密钥 (signature key); event: Push", "选“签名密钥”并填入；事件：Push";
    PLACE_BITBUCKET = "Repository settings > Webhooks > Add webhook", "Repository settings > Webhooks > Add webhook";
    CHOOSE_BITBUCKET = "trigger: Repository push", "触发器：Repository push";
    NO_FORGE_TOKEN = "Without a token only a public repository can be read, and commits show no status. Give one: tradewind forge link {service} --url {url} --token-stdin", "没有令牌时只能读取公开仓库，提交上也不会显示状态。提供令牌：tradewind forge link {service} --url {url} --token-stdin";
    FORGE_IS = "{service}: {forge}, {url}", "{service}：{forge}，{url}";
    FORGE_BY = "  linked by {by}, {since}; pushes act as {account}", "  由 {by} 关联，{since}；推送以 {account} 的身份执行";
    STATUSES_TO = "  commit statuses go to {api}", "  提交状态发送到 {api}";
    STATUS_PROBLEM = "  a commit status was not taken: {why}", "  提交状态未被接受：{why}";
    NOTHING_DELIVERED = "  nothing was delivered yet", "  还没有收到推送通知";
    LAST_DELIVERY = "  last push: {since}, {by} to {branch}: {state}", "  最近推送：{since}，{by} 推送到 {branch}：{state}";
    REFUSED_DELIVERIES = "  {n} deliveries were not let in, the last {since}: {why}", "  有 {n} 个推送通知未被接受，最近一次{since}：{why}";
    DELIVERY_WAITING = "waiting", "等待中";
    DELIVERY_AGAIN = "waiting, tried {n} times", "等待中，已尝试 {n} 次";
    DELIVERY_DONE = "done", "完成";
    DELIVERY_FAILED = "failed", "失败";
    DELIVERY_STALE = "superseded", "已被取代";
    DELIVERY_IGNORED = "ignored", "已忽略";

    TOKEN_MADE = "Token {name} ({scopes}), valid until {until}. It is shown this once:", "令牌 {name}（{scopes}），有效期至 {until}。仅显示这一次：";
    TOKEN_REVOKED = "Token {id} is revoked.", "令牌 {id} 已吊销。";

    SERVER_VERSION = "server {url}: {version}, API v{api}", "服务器 {url}：{version}，API v{api}";
    SERVER_SILENT = "server {url}: no answer", "服务器 {url}：无应答";

    BACKUP_IN = "Backup in {file}, {size}, without the keys: those stay on their host, in keys/ of the data folder.", "备份已保存到 {file}，{size}，不含密钥：密钥留在其主机的数据目录 keys/ 中。";
    BACKUP_NEXT = "Read it through: tradewind admin backup verify {file}", "检查备份：tradewind admin backup verify {file}";
    BACKUP_SO_FAR = "{size} so far", "已接收 {size}";
    INIT_IS = "{service}: {flavour}{found}", "{service}：{flavour}{found}";
    INIT_WROTE = "Written: {files}. Every line that is a guess says so.", "已写入：{files}。凡属推测之处均有注释。";
    INIT_LOOK = "  to do: {note}", "  待办：{note}";
    INIT_NEXT = "Next:", "下一步：";
    INIT_OR = "With plain git instead of the last line: git remote add {remote} {url} && git push {remote} main", "最后一步也可用 git 完成：git remote add {remote} {url} && git push {remote} main";
    INIT_BELOW = "A push reads tradewind.yaml at the top of what is pushed, so this folder is pushed by itself.", "推送时读取的是所推内容顶层的 tradewind.yaml，因此单独推送此目录。";

    PUSHING = "pushing {commit} to {branch} of {service}", "正在推送 {commit} 到 {service} 的 {branch}";
    CHECKED = "{file}: no faults", "{file}：没有问题";
    CHECKED_FAULTS = "{n} fault(s)", "共 {n} 个问题";
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_languages_take_the_same_arguments() {
        assert_eq!(crate::text::check(super::ALL), Vec::<String>::new());
    }
}

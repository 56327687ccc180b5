//! Every key a spec may have, with what it takes and what it is when left out. The parser takes its known keys from
//! here and the reference pages are written from here, so neither can say what the other does not do.

use crate::fault::Text;

/// One key. `path` is dotted; `*` stands for a name the user gives.
#[derive(Debug)]
pub struct Key {
    pub path: &'static str,
    /// Its form, as one would write it.
    pub takes: &'static str,
    pub default: WhenMissing,
    pub about: Text,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenMissing {
    Required,
    /// Written out, this YAML value means the same as leaving the key out (of a `web` service that has what the key
    /// belongs to).
    Is(&'static str),
    /// Left out means something that no value says.
    None,
}
use WhenMissing::{Is, None as Nothing, Required};

macro_rules! keys {
    ($($path:literal $takes:literal $default:expr, $en:literal, $zh:literal;)+) => {
        &[$(Key { path: $path, takes: $takes, default: $default, about: Text { en: $en, zh: $zh } }),+]
    };
}

/// Of `tradewind.yaml`.
pub static KEYS: &[Key] = keys! {
    "version" "1" Required,
        "The version of this format.", "本格式的版本。";
    "service" "name" Required,
        "The service's name, as in URLs and in `git push`.", "服务名称，用于 URL 和 `git push`。";
    "kind" "web | worker | cron" Is("web"),
        "`web` takes requests through the edge; `worker` runs and takes none; `cron` runs on a schedule and ends.",
        "`web` 经由 edge 接收请求；`worker` 常驻运行、不接收请求；`cron` 按时间表运行、运行完即结束。";
    "pipeline" "path | none" Nothing,
        "The pipeline file. Left out: `.gitlab-ci.yml` where the commit has one, otherwise nothing is built.",
        "流水线文件。不写时：提交中有 `.gitlab-ci.yml` 就用它，没有则不构建。";
    "artifact" "keys" Nothing,
        "What goes into a release, out of the commit's files and the jobs' artifacts.",
        "从提交的文件和各作业的产物中，选取哪些进入版本包。";
    "artifact.paths" "list of patterns" Is("['**']"),
        "Files that go in.", "要放入的文件。";
    "artifact.exclude" "list of patterns" Is("[]"),
        "Files that stay out although `paths` names them. `.git` never goes in.", "即使 `paths` 选中也不放入的文件。`.git` 从不放入。";
    "prepare" "keys" Nothing,
        "A step that runs once per release and host, in the release's folder, before its first instance: install dependencies, compile.",
        "每个版本在每台主机上运行一次的步骤，在版本目录中、第一个实例启动之前：安装依赖、编译等。";
    "prepare.command" "list of words" Required,
        "The program and its arguments.", "程序及其参数。";
    "prepare.timeout" "duration" Is("5m"),
        "After this it counts as failed.", "超过此时间算作失败。";
    "run" "keys" Required,
        "How one instance runs.", "一个实例如何运行。";
    "run.command" "list of words" Required,
        "The program and its arguments, started in the release's folder; no shell is involved.",
        "程序及其参数，在版本目录中启动，不经过 shell。";
    "run.env" "variables" Is("{}"),
        "Environment variables. Values are taken as written: `1.10` stays `1.10` and `no` stays `no`.",
        "环境变量。值按书写原样使用：`1.10` 就是 `1.10`，`no` 就是 `no`。";
    "run.secrets" "list of names | keys" Is("[]"),
        "Secrets the service is given when it begins, by name: each in the variable of that name. `tradewind secret set NAME` sets one.",
        "启动时交给服务的密钥，写名称：各放在同名变量中。用 `tradewind secret set 名称` 设置。";
    "run.secrets.name" "name" Required,
        "The secret's name.", "密钥的名称。";
    "run.secrets.as" "variable" Nothing,
        "Another variable than that of its name.", "放入另一个变量，而不是同名变量。";
    "run.secrets.file" "file name" Nothing,
        "In a file in memory instead; the variable holds its path, `TRADEWIND_SECRETS_DIR` the folder.",
        "改为放入内存中的文件；变量的值为其路径，`TRADEWIND_SECRETS_DIR` 为所在目录。";
    "run.port" "auto | none | 1-65535" Nothing,
        "`auto` picks a free port and passes it as `PORT`. Left out: `auto` for `web`, `none` otherwise. A number forbids a second instance on the host.",
        "`auto` 选一个空闲端口并以 `PORT` 传入。不写时：`web` 为 `auto`，其他为 `none`。写成数字则一台主机上只能有一个实例。";
    "run.health" "keys" Nothing,
        "When an instance is ready and stays so. Left out: `tcp` where the service has a port; otherwise an instance is ready once it runs.",
        "何时算就绪、如何保持就绪。不写时：有端口的服务用 `tcp`；没有端口的服务启动即算就绪。";
    "run.health.http" "path" Nothing,
        "GET this path; any 2xx or 3xx passes.", "GET 此路径，任何 2xx 或 3xx 为通过。";
    "run.health.tcp" "true" Nothing,
        "A connection that is accepted passes.", "能建立连接即为通过。";
    "run.health.command" "list of words" Nothing,
        "Run in the instance's folder as its user; exit code 0 passes.", "在实例目录中以实例的用户运行，退出码 0 为通过。";
    "run.health.interval" "duration" Is("1s"),
        "From one check to the next.", "两次检查之间的间隔。";
    "run.health.timeout" "duration" Is("2s"),
        "A check without an answer by then has failed.", "超过此时间没有回答算作失败。";
    "run.health.healthy_after" "1-100" Is("1"),
        "Passes in a row that make an instance ready.", "连续通过多少次算就绪。";
    "run.health.unhealthy_after" "1-100" Is("3"),
        "Failures in a row that take a ready instance out of traffic.", "连续失败多少次后不再给就绪实例分配流量。";
    "run.start_timeout" "duration" Is("60s"),
        "An instance that is not ready by then has failed, and with it the rollout.", "超过此时间仍未就绪则实例失败，发布随之失败。";
    "run.stop" "keys" Nothing,
        "How an instance is stopped: it leaves traffic, gets `drain` to finish its requests, then the signal, then `grace` to end.",
        "实例如何停止：先离开流量，用 `drain` 处理完请求，再收到信号，再有 `grace` 时间自行结束。";
    "run.stop.signal" "signal" Is("SIGTERM"),
        "SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 or SIGWINCH.", "SIGTERM、SIGINT、SIGQUIT、SIGHUP、SIGUSR1、SIGUSR2 或 SIGWINCH。";
    "run.stop.drain" "duration" Is("30s"),
        "How long requests in flight may take before the signal; ends earlier when none is left.",
        "发信号之前，进行中的请求最多还能用多久；没有请求时提前结束。";
    "run.stop.grace" "duration" Is("10s"),
        "From the signal to the kill of the instance and all its children.", "从发信号到强制结束实例及其全部子进程的时间。";
    "run.instances" "1-200" Is("1"),
        "Copies per site. With shards: one a shard, 8 at most, unless given; never more than shards. A `cron` service without shards has one.",
        "每个站点的实例数。有分片时，不写则每个分片一个、最多 8 个；从不多于分片数。没有分片的 `cron` 只有一个。";
    "run.shards" "list of names | 1-1000" Nothing,
        "What the work of a `worker` or `cron` service is divided into: shops, accounts, or how many parts a hash has. Dealt out to the instances in turn; an instance finds its own in `TRADEWIND_SHARDS`, comma separated, and their number in `TRADEWIND_SHARD_COUNT`. Of a `cron` service, every instance runs at each due time for its own. One release works a shard at a time, so `canary` and `rolling` can move them one after another, the first of the list first.",
        "`worker` 或 `cron` 的工作如何划分：店铺、账号，或哈希的份数。依次分给各实例；实例从 `TRADEWIND_SHARDS`（逗号分隔）得到自己的分片，从 `TRADEWIND_SHARD_COUNT` 得到总数。`cron` 服务到点时每个实例各为自己的分片运行一次。同一分片同一时刻只由一个版本处理，因此可用 `canary` 和 `rolling` 逐个切换，列表中靠前的先切换。";
    "run.limits" "keys" Nothing,
        "What one instance may use. Left out: no limit of ours.", "一个实例可用的资源。不写则不设限制。";
    "run.limits.memory" "size" Nothing,
        "Beyond it the instance is killed and restarted.", "超出后实例会被结束并重启。";
    "run.limits.cpu" "cores" Nothing,
        "Cores: `0.5` is half of one.", "核数：`0.5` 是半个核。";
    "run.limits.pids" "1-1000000" Nothing,
        "Processes and threads.", "进程与线程数。";
    "run.limits.open_files" "16-10000000" Nothing,
        "Open files and sockets per process.", "每个进程可打开的文件与套接字数。";
    "schedule" "keys" Nothing,
        "When a `cron` service runs; required for it, refused for the others.", "`cron` 服务何时运行；`cron` 必填，其他类型不可写。";
    "schedule.cron" "five or six fields" Required,
        "Minute, hour, day of month, month, day of week. With six, the first is the second.", "分、时、日、月、星期。写六栏时，第一栏是秒。";
    "schedule.timezone" "IANA name" Is("UTC"),
        "The time zone the fields are read in.", "按哪个时区理解上述各栏。";
    "schedule.timeout" "duration" Is("1h"),
        "A run that takes longer is stopped; a run that comes due meanwhile is skipped and recorded.",
        "超过此时间的运行会被停止；期间到点的下一次会被跳过并记录。";
    "environments" "keys" Is("{ production: { branch: main } }"),
        "Where the service runs, by name.", "服务运行在哪些环境，以环境名为键。";
    "environments.*" "keys" Nothing,
        "One environment. What it does not say comes from `run`, `strategy` and `on_failure` above.",
        "一个环境。没有写的部分取自上面的 `run`、`strategy`、`on_failure`。";
    "environments.*.branch" "branch" Nothing,
        "A push to this branch goes here once it is built; `release/*` stands for many. Left out: only by `tradewind promote` or `tradewind deploy`.",
        "推送到此分支并构建成功后发布到这里；`release/*` 可代表多个分支。不写则只能用 `tradewind promote` 或 `tradewind deploy` 发布。";
    "environments.*.instances" "1-200" Nothing,
        "Instead of `run.instances`.", "代替 `run.instances`。";
    "environments.*.shards" "list of names | 1-1000" Nothing,
        "Instead of `run.shards`.", "代替 `run.shards`。";
    "environments.*.env" "variables" Nothing,
        "Added to `run.env`; the same name replaces.", "加入 `run.env`；同名则替换。";
    "environments.*.secrets" "list of names | keys" Is("[]"),
        "Added to `run.secrets`; the same variable replaces.", "加入 `run.secrets`；同一变量则替换。";
    "environments.*.secrets.name" "name" Required, "As `run.secrets.name`.", "同 `run.secrets.name`。";
    "environments.*.secrets.as" "variable" Nothing, "As `run.secrets.as`.", "同 `run.secrets.as`。";
    "environments.*.secrets.file" "file name" Nothing, "As `run.secrets.file`.", "同 `run.secrets.file`。";
    "environments.*.limits" "keys" Nothing,
        "As `run.limits`; what it names replaces.", "同 `run.limits`；写出的项替换原值。";
    "environments.*.limits.memory" "size" Nothing, "As `run.limits.memory`.", "同 `run.limits.memory`。";
    "environments.*.limits.cpu" "cores" Nothing, "As `run.limits.cpu`.", "同 `run.limits.cpu`。";
    "environments.*.limits.pids" "1-1000000" Nothing, "As `run.limits.pids`.", "同 `run.limits.pids`。";
    "environments.*.limits.open_files" "16-10000000" Nothing, "As `run.limits.open_files`.", "同 `run.limits.open_files`。";
    "environments.*.route" "keys" Nothing,
        "Which requests a `web` service gets.", "`web` 服务接收哪些请求。";
    "environments.*.route.hosts" "list of host names" Is("[]"),
        "Host names; `*.example.com` stands for one label. Empty: every host that no other service names.",
        "主机名；`*.example.com` 代表一级子域。为空：所有未被其他服务写出的主机名。";
    "environments.*.route.path" "path" Is("/"),
        "Only requests below this path.", "只接收此路径之下的请求。";
    "environments.*.route.sticky" "none | cookie | keys" Nothing,
        "Whether a client stays with one release while two share traffic. Left out: `cookie` for a `canary`, `none` otherwise.", "两个版本分担流量时，同一客户端是否始终落在同一版本。不写时：`canary` 为 `cookie`，其他为 `none`。";
    "environments.*.route.sticky.cookie" "name" Nothing,
        "By a cookie of this name with a random id; it never names a release. `sticky: cookie` calls it `tradewind_client`.",
        "用此名称的 cookie 记一个随机标识，其中从不写版本。`sticky: cookie` 时名为 `tradewind_client`。";
    "environments.*.route.sticky.max_age" "duration" Is("30d"),
        "How long the client keeps the cookie.", "客户端保留 cookie 的时间。";
    "environments.*.route.sticky.header" "name" Nothing,
        "By the value of this request header: for machines.", "按此请求头的值区分，适用于程序客户端。";
    "environments.*.route.limits" "keys" Nothing,
        "Limits of the edge for this route.", "edge 对此路由的限制。";
    "environments.*.route.limits.connect" "duration" Is("2s"),
        "Until an instance accepts the connection.", "等待实例接受连接的时间。";
    "environments.*.route.limits.response" "duration" Is("60s"),
        "Until the head of the response.", "等待响应头的时间。";
    "environments.*.route.limits.body" "size" Is("64MiB"),
        "The largest request body.", "请求体的最大大小。";
    "environments.*.route.limits.in_flight" "1-1000000" Is("4096"),
        "Requests at once per instance; more wait, for as long as `connect`.", "每个实例同时处理的请求数；更多的请求等待，最长为 `connect`。";
    "environments.*.strategy" "name | keys" Nothing,
        "As the top level's `strategy`; what it names replaces.", "同顶层的 `strategy`；写出的项替换原值。";
    "environments.*.strategy.type" "all_at_once | rolling | blue_green | canary" Nothing, "As `strategy.type`.", "同 `strategy.type`。";
    "environments.*.strategy.max_surge" "1-200" Nothing, "As `strategy.max_surge`.", "同 `strategy.max_surge`。";
    "environments.*.strategy.soak" "duration" Nothing, "As `strategy.soak`.", "同 `strategy.soak`。";
    "environments.*.strategy.warm" "duration" Nothing, "As `strategy.warm`.", "同 `strategy.warm`。";
    "environments.*.strategy.verify" "true | false" Nothing, "As `strategy.verify`.", "同 `strategy.verify`。";
    "environments.*.strategy.steps" "list of shares" Nothing,
        "As `strategy.steps`.", "同 `strategy.steps`。";
    "environments.*.strategy.steps.share" "percentage" Required,
        "As `strategy.steps.share`.", "同 `strategy.steps.share`。";
    "environments.*.strategy.steps.min" "duration" Nothing,
        "As `strategy.steps.min`.", "同 `strategy.steps.min`。";
    "environments.*.strategy.steps.max" "duration" Nothing,
        "As `strategy.steps.max`.", "同 `strategy.steps.max`。";
    "environments.*.strategy.min" "duration" Nothing,
        "As `strategy.min`.", "同 `strategy.min`。";
    "environments.*.strategy.max" "duration" Nothing,
        "As `strategy.max`.", "同 `strategy.max`。";
    "environments.*.strategy.promote" "evidence | manual" Nothing,
        "As `strategy.promote`.", "同 `strategy.promote`。";
    "environments.*.strategy.on_inconclusive" "hold | continue | rollback" Nothing,
        "As `strategy.on_inconclusive`.", "同 `strategy.on_inconclusive`。";
    "environments.*.strategy.watch" "duration" Nothing,
        "As `strategy.watch`.", "同 `strategy.watch`。";
    "environments.*.strategy.judge" "keys" Nothing,
        "As `strategy.judge`.", "同 `strategy.judge`。";
    "environments.*.strategy.judge.alpha" "percentage" Nothing,
        "As `strategy.judge.alpha`.", "同 `strategy.judge.alpha`。";
    "environments.*.strategy.judge.beta" "percentage" Nothing,
        "As `strategy.judge.beta`.", "同 `strategy.judge.beta`。";
    "environments.*.strategy.judge.r0" "ratio" Nothing,
        "As `strategy.judge.r0`.", "同 `strategy.judge.r0`。";
    "environments.*.strategy.judge.r1" "ratio" Nothing,
        "As `strategy.judge.r1`.", "同 `strategy.judge.r1`。";
    "environments.*.strategy.judge.floor" "percentage" Nothing,
        "As `strategy.judge.floor`.", "同 `strategy.judge.floor`。";
    "environments.*.strategy.judge.latency" "list of durations" Nothing,
        "As `strategy.judge.latency`.", "同 `strategy.judge.latency`。";
    "environments.*.strategy.judge.warmup" "duration" Nothing,
        "As `strategy.judge.warmup`.", "同 `strategy.judge.warmup`。";
    "environments.*.strategy.judge.ignore" "keys" Nothing,
        "As `strategy.judge.ignore`.", "同 `strategy.judge.ignore`。";
    "environments.*.strategy.judge.ignore.paths" "list of paths" Nothing,
        "As `strategy.judge.ignore.paths`.", "同 `strategy.judge.ignore.paths`。";
    "environments.*.strategy.judge.ignore.agents" "list of texts" Nothing,
        "As `strategy.judge.ignore.agents`.", "同 `strategy.judge.ignore.agents`。";
    "environments.*.strategy.limits" "keys" Nothing,
        "As `strategy.limits`.", "同 `strategy.limits`。";
    "environments.*.strategy.limits.error_rate" "percentage | none" Nothing,
        "As `strategy.limits.error_rate`.", "同 `strategy.limits.error_rate`。";
    "environments.*.strategy.limits.p99" "duration | none" Nothing,
        "As `strategy.limits.p99`.", "同 `strategy.limits.p99`。";
    "environments.*.strategy.limits.for" "duration" Nothing,
        "As `strategy.limits.for`.", "同 `strategy.limits.for`。";
    "environments.*.strategy.limits.min_requests" "1-1000000" Nothing,
        "As `strategy.limits.min_requests`.", "同 `strategy.limits.min_requests`。";
    "environments.*.on_failure" "keys" Nothing, "As the top level's `on_failure`.", "同顶层的 `on_failure`。";
    "environments.*.on_failure.freeze_queue" "true | false" Nothing, "As `on_failure.freeze_queue`.", "同 `on_failure.freeze_queue`。";
    "environments.*.sites" "list of names" Is("[default]"),
        "Regions or shops, in the order a release reaches them.", "地区或店铺，按发布到达的先后书写。";
    "strategy" "name | keys" Nothing,
        "How a new release takes over.", "新版本如何接替旧版本。";
    "strategy.type" "all_at_once | rolling | blue_green | canary" Nothing,
        "`blue_green`: a whole second set starts, traffic moves at once, the first stays warm (the default of `web`). `canary`: a share of traffic first, more as the evidence allows, back by itself when it is worse. `rolling`: in steps. `all_at_once`: the old stops, then the new starts while the edge holds requests (the default of `worker` and `cron`). With `run.shards`, these can be a `canary` or `rolling`, shard by shard.",
        "`blue_green`：先启动完整的新一组，流量一次切换，旧的一组保持待命（`web` 的默认值）。`canary`：先给一部分流量，证据允许时再增加，变差时自动退回。`rolling`：分步替换。`all_at_once`：旧的停止后新的启动，期间 edge 暂存请求（`worker` 与 `cron` 的默认值）。这两类写了 `run.shards` 时也可用 `canary` 或 `rolling`，按分片逐步切换。";
    "strategy.max_surge" "1-200" Is("1"),
        "Instances replaced per step of `rolling`.", "`rolling` 每步替换的实例数。";
    "strategy.soak" "duration" Is("5s"),
        "How long the new release is watched with all traffic before the rollout counts as completed.",
        "新版本承接全部流量后，观察多久才算发布完成。";
    "strategy.warm" "duration" Is("15m"),
        "How long the previous release stays ready for an instant return.", "旧版本保持待命、可立即退回的时间。";
    "strategy.verify" "true | false" Is("true"),
        "Ask every new instance, directly and through the edge, before the rollout counts as completed.",
        "发布完成之前，直接并经由 edge 逐个检查新实例。";
    "strategy.steps" "list of shares" Is("[10%, 50%, 100%]"),
        "The waves of a `canary`: shares of traffic in rising order, the last `100%`. Of a `worker` or `cron` service, shares of its shards, or a number of them: `[1, 25%, 100%]`. An item may be `{ share: 10%, min: 2m, max: 1h }`.", "`canary` 的各波：流量份额，从小到大，最后为 `100%`。`worker` 与 `cron` 为分片的份额或个数：`[1, 25%, 100%]`。每一项也可写成 `{ share: 10%, min: 2m, max: 1h }`。";
    "strategy.steps.share" "percentage | 1-1000" Required,
        "The share of this step.", "这一步的流量份额。";
    "strategy.steps.min" "duration" Nothing,
        "Instead of `strategy.min` for this step. Of the last one: how long a site is watched with all its traffic before the next site begins.", "这一步代替 `strategy.min`。用于最后一步时：站点承接全部流量后观察多久，再轮到下一个站点。";
    "strategy.steps.max" "duration" Nothing,
        "Instead of `strategy.max` for this step.", "这一步代替 `strategy.max`。";
    "strategy.min" "duration" Is("1m"),
        "A wave of a `canary` takes at least this long, whatever the evidence.", "`canary` 每一波至少持续的时间，无论证据如何。";
    "strategy.max" "duration" Is("30m"),
        "A wave without a verdict by then is inconclusive.", "到此时间仍无结论的一波为 `inconclusive`。";
    "strategy.promote" "evidence | manual" Is("evidence"),
        "`evidence`: the next wave begins when the judge has seen enough. `manual`: when a person says `tradewind rollout promote`.", "`evidence`：证据充分时自动进入下一波。`manual`：由人执行 `tradewind rollout promote`。";
    "strategy.on_inconclusive" "hold | continue | rollback" Is("hold"),
        "What follows a wave without a verdict: stay and ask a person, go on, or go back.", "没有结论的一波之后：停住等人决定、继续，或退回。";
    "strategy.watch" "duration" Is("30m"),
        "How long a `canary` with all traffic is watched before the rollout counts as completed. It ends early when another rollout waits.", "`canary` 承接全部流量后观察多久才算完成。有其他发布在排队时提前结束。";
    "strategy.judge" "keys" Nothing,
        "How strict the judge of a `canary` is.", "`canary` 的判定标准。";
    "strategy.judge.alpha" "percentage" Is("1%"),
        "The chance of stopping a release that is no worse, over the whole rollout.", "误停一个并不更差的版本的概率上限（整个发布期间）。";
    "strategy.judge.beta" "percentage" Is("5%"),
        "The chance of promoting a release that is worse by `r1`, per wave.", "放行一个差到 `r1` 倍的版本的概率上限（每一波）。";
    "strategy.judge.r0" "ratio" Is("1"),
        "Up to this many times the old rate is not called worse.", "不超过旧版本的这个倍数不算变差。";
    "strategy.judge.r1" "ratio" Is("2"),
        "What promotion has to rule out: this many times the old rate.", "放行前必须排除的倍数。";
    "strategy.judge.floor" "percentage" Is("1%"),
        "Rates below it hold no promotion up.", "低于此比率不会阻止放行。";
    "strategy.judge.latency" "list of durations" Is("[100ms, 250ms, 500ms, 1s, 3s]"),
        "A client counts as slow against each of these; `[]` judges no latency.", "客户端相对每个界限分别计为慢；`[]` 表示不判定延迟。";
    "strategy.judge.warmup" "duration" Is("15s"),
        "Latency is not judged for so long after a share began: new instances are cold. Errors are.", "每份流量开始后这么久之内不判定延迟（新实例尚未预热），错误照常判定。";
    "strategy.judge.ignore" "keys" Nothing,
        "Requests that are not counted.", "不计入的请求。";
    "strategy.judge.ignore.paths" "list of paths" Is("[]"),
        "Below these paths.", "这些路径之下的请求。";
    "strategy.judge.ignore.agents" "list of texts" Is("[]"),
        "Whose `User-Agent` contains one of these.", "`User-Agent` 含有其中之一的请求。";
    "strategy.limits" "keys" Nothing,
        "Fixed limits of the new release while it is on trial beside the old one; the agent enforces them by itself, with or without the server.", "新版本与旧版本并行期间的固定上限；由 agent 自行执行，不依赖 server。";
    "strategy.limits.error_rate" "percentage | none" Is("5%"),
        "More errors than this go back.", "错误率超过它即退回。";
    "strategy.limits.p99" "duration | none" Is("3s"),
        "A 99th percentile above this goes back; 10s at most. A `worker` has none.", "第 99 百分位延迟超过它即退回；最多 10s。`worker` 没有此项。";
    "strategy.limits.for" "duration" Is("30s"),
        "Over this long.", "持续多久。";
    "strategy.limits.min_requests" "1-1000000" Is("100"),
        "Fewer requests than this in that time prove nothing.", "此时间内的请求少于这个数时不作判断。";
    "metrics" "keys" Nothing,
        "What the service counts itself, in the text format of Prometheus; judged while two releases of it work at the same time.", "服务自己的计数（Prometheus 文本格式），在两个版本同时工作期间用于判定。";
    "metrics.path" "path" Is("/metrics"),
        "The page, on the port of each instance.", "各实例端口上的页面路径。";
    "metrics.interval" "duration" Is("5s"),
        "How often each instance is asked for it.", "多久读取每个实例一次。";
    "metrics.judge" "keys" Required,
        "Which counters are judged, by the name people call them.", "判定哪些计数，以人所用的名称为键。";
    "metrics.judge.*" "keys" Nothing,
        "One metric.", "一个指标。";
    "metrics.judge.*.kind" "error | latency | business" Required,
        "`error`: more is worse. `business`: less is worse. `latency`: slower than a bound.", "`error`：越多越差。`business`：越少越差。`latency`：慢于某个界限。";
    "metrics.judge.*.count" "series" Nothing,
        "The counter of what happened, for `error` and `business`; all its series together.", "`error` 和 `business` 的计数器：发生了多少；其全部序列相加。";
    "metrics.judge.*.labels" "labels" Is("{}"),
        "Only series of `count` or `histogram` with these labels.", "只取 `count` 或 `histogram` 中带有这些标签的序列。";
    "metrics.judge.*.of" "series" Nothing,
        "The counter of what it happened to: syncs, sessions. Left out: the requests the edge sent (`web` only).", "分母的计数器：同步次数、会话数等。不写时为 edge 发来的请求数（仅 `web`）。";
    "metrics.judge.*.of_labels" "labels" Is("{}"),
        "Only series of `of` with these labels.", "只取 `of` 中带有这些标签的序列。";
    "metrics.judge.*.histogram" "series" Nothing,
        "The histogram of times in seconds, for `latency`; without `_bucket`.", "`latency` 的直方图（单位为秒），名称不带 `_bucket`。";
    "metrics.judge.*.bound" "duration" Nothing,
        "What takes longer is slow, for `latency`; the histogram has a bucket of it.", "`latency` 的界限，超过即为慢；直方图中须有这个桶。";
    "metrics.judge.*.required" "true | false" Nothing,
        "Whether a wave needs evidence from it to be promoted. Left out: `true` for `error` and `latency`, `false` for `business`.", "放行一波是否必须有它的证据。不写时：`error` 和 `latency` 为 `true`，`business` 为 `false`。";
    "on_failure" "keys" Nothing,
        "What follows a rollout that failed and was taken back.", "发布失败并退回之后做什么。";
    "on_failure.freeze_queue" "true | false" Is("true"),
        "Hold this environment's queued rollouts until a person acknowledges the failure. Rollbacks are never held.",
        "在有人确认之前，暂停此环境排队中的发布。回滚从不受此限制。";
};

/// The keys directly below a section; the top level is the empty path.
pub fn children(table: &'static [Key], section: &str) -> impl Iterator<Item = &'static str> + Clone {
    table.iter().filter_map(move |k| {
        let (parent, name) = k.path.rsplit_once('.').unwrap_or(("", k.path));
        (parent == section && name != "*").then_some(name)
    })
}

/// Of an environment's policy.
pub static POLICY_KEYS: &[Key] = keys! {
    "branches" "list of branches" Is("[]"),
        "Branches whose commits may be deployed here; `release/*` stands for many. Empty: all.",
        "哪些分支的提交可以部署到这里；`release/*` 表示一组。为空：所有分支。";
    "deployers" "list of names" Is("[]"),
        "Users and groups who may deploy here, of those whose role allows it. Empty: all of those.",
        "在角色允许的人中，哪些用户和用户组可以部署到这里。为空：角色允许的所有人。";
    "approvals" "keys" Nothing,
        "How many people have to agree before a rollout begins. A rollback never waits.",
        "发布开始前须有多少人同意。回滚从不等待。";
    "approvals.count" "0-20" Is("1"),
        "So many, each once.", "所需人数，每人只计一次。";
    "approvals.hotfix" "0-20" Nothing,
        "So many for a hotfix. Left out: as many as `count`.", "紧急修复所需人数。不写：与 `count` 相同。";
    "approvals.from" "list of names" Is("[]"),
        "Users and groups whose word counts. Empty: everybody whose role allows to approve.",
        "哪些用户和用户组的同意有效。为空：角色允许审批的所有人。";
    "approvals.own" "true | false" Is("false"),
        "Whether whoever asked for the rollout counts too.", "发起人自己的同意是否计入。";
    "strategy" "name | keys" Nothing,
        "At least this strict, in the words of `tradewind.yaml`.", "至少这样严格，写法与 `tradewind.yaml` 相同。";
    "strategy.type" "all_at_once | rolling | blue_green | canary" Nothing,
        "This or one to the right of it. A `worker` or `cron` service whose work is not divided into shards of two instances has only `all_at_once`.",
        "此项或其右侧的方式。工作没有按分片分给两个以上实例的 `worker`、`cron` 服务只能 `all_at_once`。";
    "strategy.soak" "duration" Nothing,
        "At least.", "至少。";
    "strategy.warm" "duration" Nothing,
        "At least.", "至少。";
    "strategy.verify" "true | false" Nothing,
        "`true`: required.", "`true`：必须。";
    "strategy.min" "duration" Nothing,
        "At least, of every step but the last.", "除最后一步外，每一步至少。";
    "strategy.promote" "evidence | manual" Nothing,
        "`manual`: required.", "`manual`：必须。";
    "strategy.on_inconclusive" "continue | hold | rollback" Nothing,
        "This or one to the right of it.", "此项或其右侧的做法。";
    "strategy.watch" "duration" Nothing,
        "At least.", "至少。";
    "strategy.judge" "keys" Nothing,
        "With it, nothing is left out of the judgement that `ignore` below does not name.",
        "写了它，除下面 `ignore` 列出的之外，不得从判定中排除任何请求。";
    "strategy.judge.alpha" "percentage" Nothing,
        "At least: a smaller chance of a false alarm is a blinder judge.", "至少：误报概率越小，判定器越迟钝。";
    "strategy.judge.beta" "percentage" Nothing,
        "At most.", "至多。";
    "strategy.judge.r0" "ratio" Nothing,
        "At most.", "至多。";
    "strategy.judge.r1" "ratio" Nothing,
        "At most.", "至多。";
    "strategy.judge.floor" "percentage" Nothing,
        "At most.", "至多。";
    "strategy.judge.warmup" "duration" Nothing,
        "At most.", "至多。";
    "strategy.judge.latency" "list of durations" Nothing,
        "At least these bounds.", "至少包含这些时延界限。";
    "strategy.judge.ignore" "keys" Nothing,
        "What may be left out.", "可以排除的内容。";
    "strategy.judge.ignore.paths" "list of paths" Is("[]"),
        "Of these, and paths below them.", "这些路径及其下级。";
    "strategy.judge.ignore.agents" "list of texts" Is("[]"),
        "Of these.", "这些。";
    "strategy.limits" "keys" Nothing,
        "Fixed limits that a host enforces by itself.", "由主机自行执行的固定上限。";
    "strategy.limits.error_rate" "percentage" Nothing,
        "At most, and never `none`.", "至多，且不能为 `none`。";
    "strategy.limits.p99" "duration" Nothing,
        "At most, and never `none`.", "至多，且不能为 `none`。";
    "strategy.limits.for" "duration" Nothing,
        "At most.", "至多。";
    "strategy.limits.min_requests" "1-1000000" Nothing,
        "At most.", "至多。";
};

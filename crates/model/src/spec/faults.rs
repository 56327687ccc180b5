//! What can be wrong with a `tradewind.yaml`.

crate::faults! {
    EMPTY = "TW-SPEC-001", 422,
        "the spec is empty", "配置文件是空的",
        "begin with `version: 1`, `service: NAME` and `run:` with a `command:`",
        "请从 `version: 1`、`service: 名称` 和带有 `command:` 的 `run:` 写起";
    UNKNOWN_KEY = "TW-SPEC-002", 422,
        "`{key}` is not a key of {section}", "{section} 没有 `{key}` 这个键",
        "remove it; {section} takes {known}", "请删除它；{section} 可用的键：{known}";
    UNKNOWN_KEY_NEAR = "TW-SPEC-003", 422,
        "`{key}` is not a key of {section}", "{section} 没有 `{key}` 这个键",
        "did you mean `{near}`?", "是不是想写 `{near}`？";
    MISPLACED_KEY = "TW-SPEC-004", 422,
        "`{key}` is not a key of {section}", "{section} 没有 `{key}` 这个键",
        "move it to `{place}`", "请移到 `{place}`";
    MISSING_KEY = "TW-SPEC-005", 422,
        "`{key}` is missing", "缺少 `{key}`",
        "add it, for example `{example}`", "请补上，例如 `{example}`";
    NOT_A_MAPPING = "TW-SPEC-006", 422,
        "`{key}` takes keys of its own, not {found}", "`{key}` 下面应当是键值，而不是 {found}",
        "write its keys on the lines below, indented: {known}", "请在下面各行缩进书写它的键：{known}";
    NOT_A_LIST = "TW-SPEC-007", 422,
        "`{key}` takes a list, not {found}", "`{key}` 应当是列表，而不是 {found}",
        "write it in brackets: `[one, two]`", "请用方括号书写：`[一, 二]`";
    NOT_TEXT = "TW-SPEC-008", 422,
        "`{key}` takes text, not {found}", "`{key}` 应当是文本，而不是 {found}",
        "write one value; put it in quotes if it is empty or begins with `[`, `{`, `*` or `&`",
        "请写一个值；若为空或以 `[`、`{`、`*`、`&` 开头，请加引号";
    BAD_TEXT = "TW-SPEC-009", 422,
        "`{key}` holds a character that no program can be given (a zero byte)", "`{key}` 含有无法传给程序的字符（零字节）",
        "remove it", "请删除该字符";
    COMMAND_IS_TEXT = "TW-SPEC-010", 422,
        "`{key}` is one text; commands are never handed to a shell", "`{key}` 写成了一整段文本；命令不会交给 shell 解释",
        "write a list, one entry per word: `{list}`", "请写成列表，每个词一项：`{list}`";
    COMMAND_IS_EMPTY = "TW-SPEC-011", 422,
        "`{key}` names no program", "`{key}` 没有写要运行的程序",
        "write the program first, then its arguments: `[python3, -u, app.py]`",
        "请先写程序，再写参数：`[python3, -u, app.py]`";
    BAD_DURATION = "TW-SPEC-012", 422,
        "`{key}` takes a duration, not {found}", "`{key}` 应当是时长，而不是 {found}",
        "write a number with its unit: `500ms`, `10s`, `2m`, `1h`, `7d` or `1m30s`",
        "请写带单位的数字：`500ms`、`10s`、`2m`、`1h`、`7d` 或 `1m30s`";
    DURATION_RANGE = "TW-SPEC-013", 422,
        "`{key}` is {found}; it may be {min} to {max}", "`{key}` 为 {found}，允许范围是 {min} 到 {max}",
        "choose a value in that range", "请在此范围内取值";
    BAD_SIZE = "TW-SPEC-014", 422,
        "`{key}` takes a size, not {found}", "`{key}` 应当是大小，而不是 {found}",
        "write a number with its unit: `512KiB`, `256MiB`, `2GiB`", "请写带单位的数字：`512KiB`、`256MiB`、`2GiB`";
    SIZE_RANGE = "TW-SPEC-015", 422,
        "`{key}` is {found}; it may be {min} to {max}", "`{key}` 为 {found}，允许范围是 {min} 到 {max}",
        "choose a value in that range", "请在此范围内取值";
    BAD_NUMBER = "TW-SPEC-016", 422,
        "`{key}` takes a whole number from {min} to {max}, not {found}", "`{key}` 应当是 {min} 到 {max} 的整数，而不是 {found}",
        "write the number alone, such as `{min}`", "请只写数字，例如 `{min}`";
    BAD_CPU = "TW-SPEC-017", 422,
        "`{key}` takes a number of cores from 0.01 to 1024, not {found}", "`{key}` 应当是 0.01 到 1024 的核数，而不是 {found}",
        "write `0.5` for half a core, `2` for two", "半个核写 `0.5`，两个核写 `2`";
    BAD_FLAG = "TW-SPEC-018", 422,
        "`{key}` takes `true` or `false`, not {found}", "`{key}` 应当是 `true` 或 `false`，而不是 {found}",
        "write `true` or `false`", "请写 `true` 或 `false`";
    BAD_CHOICE = "TW-SPEC-019", 422,
        "`{key}` cannot be {found}", "`{key}` 不能是 {found}",
        "write one of {choices}", "请写其中之一：{choices}";
    BAD_CHOICE_NEAR = "TW-SPEC-020", 422,
        "`{key}` cannot be {found}", "`{key}` 不能是 {found}",
        "did you mean `{near}`? It may be {choices}", "是不是想写 `{near}`？可选：{choices}";
    BAD_NAME = "TW-SPEC-021", 422,
        "{found} cannot be a name in `{key}`", "{found} 不能作为 `{key}` 的名称",
        "use 1 to 40 of `a-z`, `0-9` and `-`; begin with a letter, do not end with `-`",
        "请用 1 到 40 个 `a-z`、`0-9`、`-`，以字母开头，且不以 `-` 结尾";
    BAD_VERSION = "TW-SPEC-022", 422,
        "this Tradewind reads version 1 of the spec, not {found}", "此版本的 Tradewind 只认识第 1 版配置，而不是 {found}",
        "write `version: 1`, or upgrade Tradewind", "请写 `version: 1`，或升级 Tradewind";
    PATH_OUTSIDE = "TW-SPEC-023", 422,
        "`{key}` points outside the repository: {found}", "`{key}` 指向了仓库之外：{found}",
        "write it relative to the repository's root, with `/` and without `..`", "请写相对仓库根目录的路径，用 `/` 分隔，不含 `..`";
    BAD_GLOB = "TW-SPEC-024", 422,
        "{found} in `{key}` is not a pattern: {detail}", "`{key}` 中的 {found} 不是合法的匹配模式：{detail}",
        "`*` matches within one folder, `**` across folders, `{a,b}` either: `dist/**`",
        "`*` 匹配一层目录内，`**` 跨目录，`{a,b}` 任选其一：`dist/**`";
    BAD_HOST = "TW-SPEC-025", 422,
        "{found} in `{key}` is not a host name", "`{key}` 中的 {found} 不是主机名",
        "write the name alone, without scheme, port or path: `shop.example.com`, `*.example.com`; other scripts as `xn--…`",
        "只写主机名，不带协议、端口和路径：`shop.example.com`、`*.example.com`；中文域名写成 `xn--…`";
    BAD_URL_PATH = "TW-SPEC-026", 422,
        "{found} in `{key}` is not a path of a URL", "`{key}` 中的 {found} 不是 URL 路径",
        "begin with `/` and use visible ASCII without `?` and `#`: `/healthz`", "以 `/` 开头，只用可见 ASCII 字符，不含 `?` 和 `#`：`/healthz`";
    BAD_CRON = "TW-SPEC-027", 422,
        "{found} is not a schedule: {detail}", "{found} 不是合法的定时表达式：{detail}",
        "write minute, hour, day of month, month, day of week: `\"*/5 * * * *\"`; seconds may stand before them",
        "依次写分、时、日、月、星期：`\"*/5 * * * *\"`；前面可再加一栏秒";
    CRON_NEVER = "TW-SPEC-028", 422,
        "{found} never comes due", "{found} 永远不会到点",
        "check day and month: `0 0 31 2 *` is the 31st of February", "请检查日和月：`0 0 31 2 *` 是 2 月 31 日";
    BAD_TIMEZONE = "TW-SPEC-029", 422,
        "{found} is not a time zone", "{found} 不是时区",
        "write an IANA name such as `Asia/Shanghai`, `America/Sao_Paulo` or `UTC`", "请写 IANA 名称，例如 `Asia/Shanghai`、`America/Sao_Paulo` 或 `UTC`";
    BAD_TIMEZONE_NEAR = "TW-SPEC-030", 422,
        "{found} is not a time zone", "{found} 不是时区",
        "did you mean `{near}`?", "是不是想写 `{near}`？";
    BAD_VARIABLE = "TW-SPEC-031", 422,
        "{found} is not a variable's name", "{found} 不是合法的变量名",
        "use letters, digits and `_`, not beginning with a digit", "请用字母、数字和 `_`，且不以数字开头";
    RESERVED_VARIABLE = "TW-SPEC-032", 422,
        "`{name}` is set by Tradewind itself", "`{name}` 由 Tradewind 自己设置",
        "remove it; the service finds its port in `PORT` and who it is in `TRADEWIND_*`",
        "请删除它；服务从 `PORT` 得到端口，从 `TRADEWIND_*` 得到自己的身份";
    TWICE = "TW-SPEC-033", 422,
        "{found} is in `{key}` twice", "{found} 在 `{key}` 中出现两次",
        "keep one", "只保留一个";
    NOT_FOR_KIND = "TW-SPEC-034", 422,
        "`{key}` means nothing for a `{kind}` service", "`{key}` 对 `{kind}` 类服务没有意义",
        "remove it, or write `kind: {wanted}`", "请删除它，或写 `kind: {wanted}`";
    STRATEGY_NOT_FOR_KIND = "TW-SPEC-035", 422,
        "a `{kind}` service cannot move by `{strategy}`: two releases would do the same work at the same time",
        "`{kind}` 类服务不能用 `{strategy}` 发布：两个版本会同时做同一份工作",
        "write `all_at_once`, or leave it out", "请写 `all_at_once`，或不写";
    ONE_PROBE = "TW-SPEC-037", 422,
        "`{key}` has {count} of `http`, `tcp` and `command`", "`{key}` 写了 `http`、`tcp`、`command` 中的 {count} 个",
        "keep exactly one of them", "三者中请恰好保留一个";
    PROBE_NEEDS_PORT = "TW-SPEC-038", 422,
        "`{key}` asks the service's port, but `run.port` is `none`", "`{key}` 要探测服务端口，但 `run.port` 是 `none`",
        "write `port: auto`, or check by `command`", "请写 `port: auto`，或改用 `command` 检查";
    WEB_NEEDS_PORT = "TW-SPEC-039", 422,
        "a `web` service needs a port to take requests on", "`web` 类服务需要一个接收请求的端口",
        "write `port: auto` and let the service listen on `PORT`, or write `kind: worker`",
        "请写 `port: auto` 并让服务监听 `PORT`，或写 `kind: worker`";
    FIXED_PORT_INSTANCES = "TW-SPEC-040", 422,
        "with the fixed port {port} one instance runs on a host, but environment `{env}` wants {instances}",
        "固定端口 {port} 使一台主机只能运行一个实例，但环境 `{env}` 要 {instances} 个",
        "write `port: auto` and let the service listen on `PORT`, or write `instances: 1`",
        "请写 `port: auto` 并让服务监听 `PORT`，或写 `instances: 1`";
    FIXED_PORT_STRATEGY = "TW-SPEC-051", 422,
        "with the fixed port {port} old and new cannot run side by side, as `{strategy}` in environment `{env}` asks",
        "固定端口 {port} 使新旧版本不能同时运行，而环境 `{env}` 的 `{strategy}` 要求同时运行",
        "write `port: auto` and let the service listen on `PORT`, or write `strategy: all_at_once`",
        "请写 `port: auto` 并让服务监听 `PORT`，或写 `strategy: all_at_once`";
    BRANCH_TWICE = "TW-SPEC-041", 422,
        "branch `{branch}` already goes to environment `{env}`", "分支 `{branch}` 已经对应环境 `{env}`",
        "give each environment a branch of its own, or leave the branch out and use `tradewind promote`",
        "每个环境用自己的分支，或不写分支、改用 `tradewind promote`";
    BAD_BRANCH = "TW-SPEC-042", 422,
        "{found} is not a branch name", "{found} 不是分支名",
        "write it without `refs/heads/`, such as `main` or `release/*`", "不写 `refs/heads/`，例如 `main` 或 `release/*`";
    NO_ENVIRONMENT = "TW-SPEC-043", 404,
        "`{service}` has no environment `{env}`", "`{service}` 没有环境 `{env}`",
        "its spec names {known}", "配置中的环境有：{known}";
    TAG = "TW-SPEC-044", 422,
        "the tag `{tag}` is not used in a spec", "配置文件中不使用标签 `{tag}`",
        "remove the tag", "请删除该标签";
    NULL_VALUE = "TW-SPEC-045", 422,
        "`{key}` has no value", "`{key}` 没有值",
        "write `\"\"` for an empty text, or remove the line", "空文本请写 `\"\"`，或删除此行";
    ONE_OF_STICKY = "TW-SPEC-046", 422,
        "`{key}` takes `none`, `cookie`, or one of the keys `cookie` and `header`", "`{key}` 可写 `none`、`cookie`，或 `cookie` 与 `header` 两键之一",
        "write `sticky: cookie`, or `sticky: { header: X-Client-Id }`", "请写 `sticky: cookie`，或 `sticky: { header: X-Client-Id }`";
    BAD_HEADER = "TW-SPEC-047", 422,
        "{found} in `{key}` is not a name a header or cookie can have", "`{key}` 中的 {found} 不能作为请求头或 cookie 的名称",
        "use letters, digits, `-` and `_`", "请用字母、数字、`-` 和 `_`";
    OF_ANOTHER_STRATEGY = "TW-SPEC-048", 422,
        "`{key}` belongs to `{wanted}`, but the strategy is `{strategy}`", "`{key}` 属于 `{wanted}`，但当前策略是 `{strategy}`",
        "remove it, or write `type: {wanted}`", "请删除它，或写 `type: {wanted}`";
    SERVICE_DIFFERS = "TW-SPEC-049", 422,
        "the spec is for service `{found}`, but it was pushed to `{service}`", "配置写的服务是 `{found}`，却推送到了 `{service}`",
        "push to that service's remote, or write `service: {service}`", "请推送到该服务的远端，或写 `service: {service}`";
    MISSING_FILE = "TW-SPEC-050", 422,
        "the commit has no `tradewind.yaml`", "此提交中没有 `tradewind.yaml`",
        "add one at the repository's root, beside the code it runs", "请在仓库根目录添加一份";
    STEPS_RISE = "TW-SPEC-052", 422,
        "in `{key}` each step must have a larger share than the one before", "`{key}` 中每一步的份额必须大于前一步",
        "write them in rising order, such as `[10%, 50%, 100%]`", "请按从小到大书写，例如 `[10%, 50%, 100%]`";
    STEPS_END = "TW-SPEC-053", 422,
        "`{key}` does not end with all traffic", "`{key}` 的最后一步不是全部流量",
        "add `100%` as the last step", "请把 `100%` 作为最后一步";
    BAD_PERCENT = "TW-SPEC-054", 422,
        "{found} in `{key}` is not a percentage", "`{key}` 中的 {found} 不是百分比",
        "write a number and `%`, such as `10%` or `0.5%`", "请写数字加 `%`，例如 `10%` 或 `0.5%`";
    PERCENT_RANGE = "TW-SPEC-055", 422,
        "{found} in `{key}` is outside {min} to {max}", "`{key}` 中的 {found} 超出 {min} 到 {max} 的范围",
        "choose a percentage within that range", "请在此范围内选择";
    BAD_RATIO = "TW-SPEC-056", 422,
        "{found} in `{key}` is not a ratio", "`{key}` 中的 {found} 不是倍数",
        "write a number with at most three decimals, such as `2` or `1.05`", "请写最多三位小数的数，例如 `2` 或 `1.05`";
    RATIO_RANGE = "TW-SPEC-057", 422,
        "{found} in `{key}` is outside {min} to {max}", "`{key}` 中的 {found} 超出 {min} 到 {max} 的范围",
        "choose a ratio within that range", "请在此范围内选择";
    BOUNDS_RISE = "TW-SPEC-058", 422,
        "in `{key}` each bound must be longer than the one before", "`{key}` 中每个界限必须大于前一个",
        "write them in rising order, such as `[100ms, 500ms, 2s]`", "请按从小到大书写，例如 `[100ms, 500ms, 2s]`";
    BOUNDS_MANY = "TW-SPEC-059", 422,
        "`{key}` has more than {most} bounds", "`{key}` 的界限超过 {most} 个",
        "keep the ones your customers would feel", "请只保留用户能感觉到的";
    MAX_BELOW_MIN = "TW-SPEC-060", 422,
        "`{key}` is shorter than `{other}`, which is {time}", "`{key}` 小于 `{other}`（{time}）",
        "make it longer, or write a shorter `{other}`", "请调大它，或写一个更小的 `{other}`";
    EMPTY_TEXT = "TW-SPEC-061", 422,
        "`{key}` has an empty text", "`{key}` 中有空文本",
        "write what is to be found, or remove the item", "请写出要匹配的内容，或删除该项";
    MIN_ABOVE_MAX = "TW-SPEC-062", 422,
        "`{key}` is longer than `{other}`, which is {time}", "`{key}` 大于 `{other}`（{time}）",
        "make it shorter, or write a longer `{other}`", "请调小它，或写一个更大的 `{other}`";
    PERCENT_FINE = "TW-SPEC-063", 422,
        "{found} in `{key}` is finer than 0.01%", "`{key}` 中的 {found} 比 0.01% 更细",
        "write at most two decimals", "请最多写两位小数";
    LAST_STEP = "TW-SPEC-064", 422,
        "the last step of `{key}` has a `max`, but nothing is promoted after it", "`{key}` 的最后一步写了 `max`，但它之后没有可放行的下一步",
        "leave it out; `watch` says how long all traffic is watched in the end, and `min` of this step how long each site is before the next begins",
        "请去掉 `max`；`watch` 指定最后承接全部流量后观察多久，该步的 `min` 指定每个站点观察多久后再轮到下一个站点";
    BAD_SERIES = "TW-SPEC-070", 422,
        "{found} in `{key}` is not the name of a series", "`{key}` 中的 {found} 不是序列名称",
        "use letters, digits, `_` and `:`, not beginning with a digit: `orders_total`; labels have a key of their own",
        "请用字母、数字、`_`、`:`，且不以数字开头：`orders_total`；标签另有专门的键";
    BAD_LABEL = "TW-SPEC-071", 422,
        "{found} in `{key}` is not a label's name", "`{key}` 中的 {found} 不是标签名称",
        "use letters, digits and `_`, not beginning with a digit: `{ status: failed }`", "请用字母、数字和 `_`，且不以数字开头：`{ status: failed }`";
    LABEL_LE = "TW-SPEC-072", 422,
        "`{key}` names the bucket of a histogram", "`{key}` 指定了直方图的桶",
        "remove it; `bound` says which one", "请删除它；用 `bound` 指定";
    METRIC_NAME = "TW-SPEC-073", 422,
        "{found} cannot be the name of a metric", "{found} 不能作为指标名称",
        "use 1 to 60 characters of one line, with no space before or after", "请用 1 到 60 个字符，单行，首尾没有空格";
    METRIC_TAKEN = "TW-SPEC-074", 422,
        "`{found}` is what the edge's own counts are called", "`{found}` 是 edge 自身计数所用的名称",
        "choose another name", "请换一个名称";
    METRICS_MANY = "TW-SPEC-075", 422,
        "`{key}` has more than {most} metrics", "`{key}` 的指标超过 {most} 个",
        "keep those that somebody would stop a release for", "请只保留值得为之停止发布的指标";
    METRIC_FORM = "TW-SPEC-076", 422,
        "`{key}` means nothing for a metric of kind `{kind}`", "`{key}` 对 `{kind}` 类指标没有意义",
        "remove it; this kind takes {known}", "请删除它；此类指标可用的键：{known}";
    OF_NEEDED = "TW-SPEC-077", 422,
        "`{key}` does not say what its count is out of, and a `{kind}` service gets no requests", "`{key}` 没有写分母，而 `{kind}` 类服务不接收请求",
        "add a counter of what was tried: `of: sync_cycles_total`", "请补上总次数的计数器：`of: sync_cycles_total`";
    METRICS_NEED_PORT = "TW-SPEC-078", 422,
        "`{key}` are read from the service's port, but `run.port` is `none`", "`{key}` 要从服务端口读取，但 `run.port` 是 `none`",
        "write `port: auto` below `run`, and serve the page on `PORT`", "请在 `run` 下写 `port: auto`，并在 `PORT` 上提供该页面";
    P99_OF_WORKER = "TW-SPEC-079", 422,
        "`{key}`: a `worker` answers no requests, so there is no 99th percentile to hold it to",
        "`{key}`：`worker` 不应答请求，没有第 99 百分位可以限制",
        "leave it out; to have slowness judged, name a histogram: `metrics: { judge: { slow syncs: { kind: latency, … } } }`",
        "请去掉；若要判定快慢，请写直方图：`metrics: { judge: { 慢同步: { kind: latency, … } } }`";
    INSTANCES_NEED_SHARDS = "TW-SPEC-080", 422,
        "`{key}` shares out the shards of a `cron` service, and in environment `{env}` it has none: a due time would be worked several times",
        "`cron` 服务的 `{key}` 用来分担分片，而环境 `{env}` 没有分片：同一到点时刻会被重复执行",
        "remove it, or name what the work is divided into, such as `run: { shards: [shopee-br, shopee-my] }`",
        "请删除它，或写明工作如何划分，例如 `run: { shards: [shopee-br, shopee-my] }`";
    R1_BELOW_R0 = "TW-SPEC-081", 422,
        "`{key}`: what must be ruled out before a wave goes on (`r1`, {r1}) is not above what is no fault yet (`r0`, {r0})",
        "`{key}`：放行前须排除的倍数（`r1`，{r1}）不大于尚不算变差的倍数（`r0`，{r0}）",
        "make `r1` larger or `r0` smaller", "请调大 `r1` 或调小 `r0`";
    NEEDS_SHARDS = "TW-SPEC-065", 422,
        "`{strategy}` moves a `{kind}` service some shards at a time, but in environment `{env}` there are no two instances with shards of their own",
        "`{strategy}` 按分片逐步替换 `{kind}` 服务，但环境 `{env}` 中没有两个各有分片的实例",
        "name what the work is divided into, such as `run: { shards: [shopee-br, shopee-my] }`, with two instances or more; or write `all_at_once`",
        "请写明工作如何划分，例如 `run: { shards: [shopee-br, shopee-my] }`，且至少两个实例；或写 `all_at_once`";
    COUNTS_SHARDS = "TW-SPEC-066", 422,
        "{found} in `{key}` counts shards, and a `web` service has none", "`{key}` 中的 {found} 表示分片个数，而 `web` 类服务没有分片",
        "write a share of the traffic: `{number}%`", "请写流量份额：`{number}%`";
    CRON_NEEDS_SHARDS = "TW-SPEC-067", 422,
        "without shards a `cron` service cannot move by `{strategy}`: each due time is one piece of work and one release does it, so there is no share to try",
        "没有分片的 `cron` 服务不能用 `{strategy}`：每个到点时刻只有一份工作，由一个版本完成，没有可试的份额",
        "name what the work is divided into, such as `run: { shards: [shopee-br, shopee-my] }`; or write `all_at_once` and try the release in another environment first",
        "请写明工作如何划分，例如 `run: { shards: [shopee-br, shopee-my] }`；或写 `all_at_once`，并先在其他环境试运行";
    BAD_SHARD = "TW-SPEC-068", 422,
        "{found} cannot be a shard in `{key}`", "{found} 不能作为 `{key}` 中的分片名",
        "use 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`", "请用 1 到 64 个 `A-Z`、`a-z`、`0-9`、`.`、`_`、`-`";
    SHARD_COUNT = "TW-SPEC-069", 422,
        "`{key}` needs 1 to {most} shards", "`{key}` 需要 1 到 {most} 个分片",
        "name them, or write how many there are: `shards: 12`", "请逐个写出，或只写个数：`shards: 12`";
    BAD_SECRET = "TW-SPEC-086", 422,
        "{found} in `{key}` is not a secret's name", "`{key}` 中的 {found} 不是合法的密钥名称",
        "use 1 to 64 letters, digits and `_`, not beginning with a digit; the value itself is set with `tradewind secret set NAME`, never written here",
        "请用 1 到 64 个字母、数字和 `_`，且不以数字开头；值用 `tradewind secret set 名称` 设置，不要写在这里";
    BAD_SECRET_FILE = "TW-SPEC-087", 422,
        "{found} in `{key}` is not a file's name", "`{key}` 中的 {found} 不是文件名",
        "use 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`, not beginning with `.`; the folder is ours",
        "请用 1 到 64 个 `A-Z`、`a-z`、`0-9`、`.`、`_`、`-`，且不以 `.` 开头；目录由 Tradewind 决定";
    SECRET_AND_OPEN = "TW-SPEC-088", 422,
        "`{variable}` is in `{key}` and in `env` beside it", "`{variable}` 同时出现在 `{key}` 和旁边的 `env` 中",
        "remove one: what is secret does not stand in the repository", "请删除其中一个：密钥不应写在仓库里";
    SECRET_TWICE = "TW-SPEC-089", 422,
        "two secrets in `{key}` would be `{variable}`, or the same file", "`{key}` 中有两个密钥会成为 `{variable}` 或同一个文件",
        "give one of them another `as` or `file`", "请给其中一个另写 `as` 或 `file`";
}

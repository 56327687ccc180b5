//! What can be wrong with a pipeline file. Where something works elsewhere but not here, the text says what to write instead.

crate::faults! {
    NOT_A_MAPPING = "TW-PIPE-001", 422,
        "a pipeline file is a mapping of jobs and keywords, not {found}", "流水线文件应为任务与关键字的映射，而不是 {found}",
        "begin with a job: `build:` and under it `script: [make]`", "请从一个任务写起：`build:`，其下写 `script: [make]`";
    UNKNOWN_KEY = "TW-PIPE-002", 422,
        "`{key}` is not a keyword of {place}", "`{key}` 不是 {place} 的关键字",
        "remove it", "请删除它";
    UNKNOWN_KEY_NEAR = "TW-PIPE-003", 422,
        "`{key}` is not a keyword of {place}", "`{key}` 不是 {place} 的关键字",
        "did you mean `{near}`?", "是否想写 `{near}`？";
    NOT_A_JOB = "TW-PIPE-004", 422,
        "`{key}` is neither a keyword nor a job: a job is a mapping with a `script`", "`{key}` 既不是关键字也不是任务：任务是含有 `script` 的映射",
        "write `script:` under it, or begin its name with a dot to hide it", "请在其下写 `script:`，或让名称以点开头以隐藏它";
    NOT_A_JOB_NEAR = "TW-PIPE-005", 422,
        "`{key}` is neither a keyword nor a job", "`{key}` 既不是关键字也不是任务",
        "did you mean `{near}`?", "是否想写 `{near}`？";
    NO_SCRIPT = "TW-PIPE-006", 422,
        "job `{job}` has no script", "任务 `{job}` 没有 script",
        "add `script:` with the commands to run", "请添加 `script:` 并写出要执行的命令";
    BAD_JOB_NAME = "TW-PIPE-007", 422,
        "`{key}` cannot be the name of a job", "`{key}` 不能用作任务名",
        "give it another name of at most 255 characters", "请改用其他名称，最多 255 个字符";

    WANT_TEXT = "TW-PIPE-010", 422,
        "`{key}` must be text, not {found}", "`{key}` 必须是文本，而不是 {found}",
        "write one value; put it in quotes if it looks like a number or a truth value", "请只写一个值；若它看起来像数字或真假值，请加引号";
    WANT_LIST = "TW-PIPE-011", 422,
        "`{key}` must be a list of texts, not {found}", "`{key}` 必须是文本列表，而不是 {found}",
        "write `{key}: [a, b]`, or one `- item` a line", "请写成 `{key}: [a, b]`，或每行一个 `- item`";
    WANT_MAPPING = "TW-PIPE-012", 422,
        "`{key}` must be a mapping, not {found}", "`{key}` 必须是映射，而不是 {found}",
        "write `name: value` lines under it", "请在其下逐行写 `name: value`";
    WANT_BOOL = "TW-PIPE-013", 422,
        "`{key}` must be `true` or `false`, not {found}", "`{key}` 必须是 `true` 或 `false`，而不是 {found}",
        "write `true` or `false` without quotes", "请写 `true` 或 `false`，不加引号";
    WANT_NUMBER = "TW-PIPE-014", 422,
        "`{key}` must be a whole number from {min} to {max}, not {found}", "`{key}` 必须是 {min} 到 {max} 的整数，而不是 {found}",
        "write a number in that range", "请写此范围内的数字";
    WANT_ONE_OF = "TW-PIPE-015", 422,
        "`{key}` cannot be {found}", "`{key}` 不能是 {found}",
        "write one of: {allowed}", "请写以下之一：{allowed}";
    SCRIPT_LINE = "TW-PIPE-016", 422,
        "a command in `{key}` must be text, not {found}", "`{key}` 中的命令必须是文本，而不是 {found}",
        "put the whole command in single quotes; a `: ` in it makes YAML read a mapping", "请用单引号括住整条命令；其中的 `: ` 会被 YAML 当作映射";
    SCRIPT_DEPTH = "TW-PIPE-017", 422,
        "`{key}` is nested more than {max} lists deep", "`{key}` 的列表嵌套超过 {max} 层",
        "write the commands in one list", "请把命令写在同一个列表里";
    BAD_DURATION = "TW-PIPE-018", 422,
        "`{key}` is not a length of time: {found}", "`{key}` 不是时长：{found}",
        "write for example `90s`, `30 minutes` or `1h 30m`; at most {max}", "请写成 `90s`、`30 minutes` 或 `1h 30m`，最长 {max}";
    VARIABLE_VALUE = "TW-PIPE-019", 422,
        "the value of variable `{key}` must be text or a number, not {found}", "变量 `{key}` 的值必须是文本或数字，而不是 {found}",
        "put it in quotes", "请加引号";
    VARIABLE_NAME = "TW-PIPE-020", 422,
        "`{key}` cannot be the name of a variable", "`{key}` 不能用作变量名",
        "use letters, digits and `_`, and do not begin with a digit", "请使用字母、数字和 `_`，且不以数字开头";
    VARIABLE_CIRCLE = "TW-PIPE-021", 422,
        "the value of variable `{key}` leads back to itself", "变量 `{key}` 的值引用了自身",
        "give one of them another name, or write `$$` where a dollar sign is meant", "请改掉其中一个名称；若要表示美元符号，请写 `$$`";
    BAD_GLOB = "TW-PIPE-022", 422,
        "{found} in `{key}` is not a path pattern inside the job's folder", "`{key}` 中的 {found} 不是任务目录内的路径模式",
        "write it relative to the top of the repository, without `..`: `dist/**`, `*.jar`", "请写成相对仓库根目录的路径，不含 `..`：`dist/**`、`*.jar`";

    NO_STAGE = "TW-PIPE-030", 422,
        "job `{job}` is in stage `{stage}`, which is not in the list of stages", "任务 `{job}` 的阶段 `{stage}` 不在阶段列表中",
        "add it to `stages`, or use one of: {allowed}", "请把它加入 `stages`，或使用其中之一：{allowed}";
    NEED_UNKNOWN = "TW-PIPE-031", 422,
        "job `{job}` needs `{need}`, and there is no such job", "任务 `{job}` 依赖 `{need}`，但没有这个任务",
        "name a job of this file, or give this need `optional: true`", "请写本文件中的任务，或为该依赖写 `optional: true`";
    NEED_LATER = "TW-PIPE-032", 422,
        "job `{job}` needs `{need}`, which is in a later stage", "任务 `{job}` 依赖 `{need}`，而后者位于更晚的阶段",
        "move one of them to another stage", "请调整其中一个任务的阶段";
    NEED_CIRCLE = "TW-PIPE-033", 422,
        "jobs wait for each other in a circle: {circle}", "任务循环等待：{circle}",
        "remove one of these `needs`", "请删除其中一个 `needs`";
    NEED_LEFT_OUT = "TW-PIPE-034", 422,
        "job `{job}` needs `{need}`, which its rules leave out of this run", "任务 `{job}` 依赖 `{need}`，但后者的 rules 使其不在本次运行中",
        "give both the same rules, or give this need `optional: true`", "请让两者的 rules 一致，或为该依赖写 `optional: true`";
    DEPENDENCY = "TW-PIPE-035", 422,
        "job `{job}` cannot take artifacts from `{need}`: it does not run before it", "任务 `{job}` 不能取用 `{need}` 的产物：后者并不在其之前运行",
        "name a job of an earlier stage, or one of its `needs`", "请写更早阶段的任务，或其 `needs` 中的任务";
    START_IN = "TW-PIPE-036", 422,
        "`start_in` and `when: delayed` belong together", "`start_in` 与 `when: delayed` 必须同时使用",
        "write both or neither", "请两者都写，或都不写";
    TWICE = "TW-PIPE-037", 422,
        "`{key}` is given at the top of the file and again under `default`", "`{key}` 在文件顶层和 `default` 下各写了一次",
        "keep the one under `default`", "请只保留 `default` 下的那个";
    RULES_AND_ONLY = "TW-PIPE-038", 422,
        "`{key}` cannot stand beside `rules`", "`{key}` 不能与 `rules` 并用",
        "say all of it in `rules`", "请全部写在 `rules` 中";
    CONDITION = "TW-PIPE-039", 422,
        "this condition cannot be read: {detail}", "无法解析此条件：{detail}",
        "compare with `==`, `!=`, `=~ /pattern/` or `!~ /pattern/`, join with `&&` and `||`: `$CI_COMMIT_BRANCH == \"main\"`",
        "请用 `==`、`!=`、`=~ /模式/` 或 `!~ /模式/` 比较，用 `&&` 和 `||` 连接：`$CI_COMMIT_BRANCH == \"main\"`";
    EXTENDS_UNKNOWN = "TW-PIPE-040", 422,
        "`{key}` extends `{parent}`, which is not in this file", "`{key}` 继承的 `{parent}` 不在本文件中",
        "check its name, the leading dot included", "请检查名称，包括开头的点";
    EXTENDS_CIRCLE = "TW-PIPE-041", 422,
        "`{key}` extends itself through others, or more than {max} levels deep", "`{key}` 通过其他任务继承了自身，或继承超过 {max} 层",
        "flatten the chain of `extends`", "请缩短 `extends` 链";
    REFERENCE = "TW-PIPE-042", 422,
        "`!reference [{path}]` leads to nothing", "`!reference [{path}]` 没有指向任何内容",
        "name a job or hidden job of this file and a keyword it has", "请写本文件中的任务或隐藏任务，以及它拥有的关键字";
    REFERENCE_CIRCLE = "TW-PIPE-043", 422,
        "`!reference [{path}]` leads back to itself, or more than {max} levels deep", "`!reference [{path}]` 引用了自身，或超过 {max} 层",
        "write out what it should stand for", "请直接写出其内容";
    UNKNOWN_TAG = "TW-PIPE-044", 422,
        "the tag `{tag}` means nothing here", "此处不支持标签 `{tag}`",
        "remove it; `!reference [job, keyword]` is the only one", "请删除它；只支持 `!reference [任务, 关键字]`";

    NOT_SUPPORTED = "TW-PIPE-050", 422,
        "`{key}` is not supported yet", "暂不支持 `{key}`",
        "remove it; nothing here would act on it", "请删除它，目前不会有任何作用";
    CONTAINERS = "TW-PIPE-051", 422,
        "`{key}` is not supported yet: jobs run on the agent's host, without a container", "暂不支持 `{key}`：任务直接在代理主机上运行，不使用容器",
        "remove it and have what the job needs installed on the host", "请删除它，并在主机上安装任务所需的软件";
    RUNNER_TAGS = "TW-PIPE-052", 422,
        "`{key}` is not supported yet: every agent takes every job", "暂不支持 `{key}`：任何代理都会执行任何任务",
        "remove it", "请删除它";
    ONLY_EXCEPT = "TW-PIPE-053", 422,
        "`{key}` is not supported; `rules` says the same", "不支持 `{key}`；请改用 `rules`",
        "instead of `only: [main]` write `rules: [{ if: $CI_COMMIT_BRANCH == \"main\" }]`", "请把 `only: [main]` 改写为 `rules: [{ if: $CI_COMMIT_BRANCH == \"main\" }]`";
    INCLUDE = "TW-PIPE-054", 422,
        "`{key}` is not supported yet", "暂不支持 `{key}`",
        "copy what it brings in into this file", "请把被包含的内容复制到本文件中";
    TRIGGER = "TW-PIPE-055", 422,
        "`{key}` is not supported: a run has one pipeline", "不支持 `{key}`：一次运行只有一条流水线",
        "write the jobs of the other pipeline into this file, or push to the other service from a `script`", "请把另一条流水线的任务写入本文件，或在 `script` 中推送到另一个服务";
    CACHE = "TW-PIPE-056", 422,
        "`{key}` is not supported yet", "暂不支持 `{key}`",
        "remove it; pass files from job to job with `artifacts`", "请删除它；可用 `artifacts` 在任务之间传递文件";
    ENVIRONMENT = "TW-PIPE-057", 422,
        "`{key}` is not supported: environments and what is rolled out to them are in tradewind.yaml", "不支持 `{key}`：环境及其发布在 tradewind.yaml 中定义",
        "remove it, and map the branch under `environments` in tradewind.yaml", "请删除它，并在 tradewind.yaml 的 `environments` 下映射分支";
    RULES_CLAUSE = "TW-PIPE-058", 422,
        "`{key}` in a rule is not supported yet", "暂不支持规则中的 `{key}`",
        "say it with `if`, or decide in the `script`", "请用 `if` 表达，或在 `script` 中判断";
    WHEN_NEVER = "TW-PIPE-059", 422,
        "`when: never` stands in `rules` only", "`when: never` 只能写在 `rules` 中",
        "begin the job's name with a dot to hide it, or write `rules: [{ when: never }]`", "请让任务名以点开头以隐藏它，或写 `rules: [{ when: never }]`";
    OTHER_VAULT = "TW-PIPE-060", 422,
        "`{key}` is not supported: secrets come from Tradewind's own", "不支持 `{key}`：密钥来自 Tradewind 自己的密钥库",
        "write `gitlab_secrets_manager: { name: NAME }` and set it with `tradewind secret set NAME`",
        "请写 `gitlab_secrets_manager: { name: NAME }`，并用 `tradewind secret set 名称` 设置";
    NO_SECRET_NAME = "TW-PIPE-061", 422,
        "`{key}` does not say which secret it is", "`{key}` 没有写明是哪个密钥",
        "write `{key}: { gitlab_secrets_manager: { name: NAME }, file: false }`", "请写 `{key}: { gitlab_secrets_manager: { name: NAME }, file: false }`";
    BAD_SECRET = "TW-PIPE-062", 422,
        "`{found}` names neither a secret nor a variable for one", "`{found}` 不能作为密钥或其变量的名称",
        "use letters, digits and `_`, not beginning with a digit, nor with `CI_` or `TRADEWIND_`", "请用字母、数字和 `_`，不以数字、`CI_` 或 `TRADEWIND_` 开头";
}

//! What use cases refuse. Rollouts have their own texts in the model.

tradewind_model::faults! {
    NO_SERVICE = "TW-CTL-001", 404,
        "there is no service `{service}`", "没有名为 `{service}` 的服务",
        "`tradewind service list` shows those there are; a first push creates one", "用 `tradewind service list` 查看已有的服务；首次推送会自动创建";
    SERVICE_EXISTS = "TW-CTL-002", 409,
        "there is a service `{service}` already", "服务 `{service}` 已存在",
        "push to it, or choose another name in `tradewind.yaml`", "直接推送，或在 `tradewind.yaml` 中换一个名字";
    NO_RELEASE = "TW-CTL-003", 404,
        "{service} has no release `{release}`", "{service} 没有版本 `{release}`",
        "`tradewind release list {service}` shows those there are", "用 `tradewind release list {service}` 查看已有的版本";
    NO_ROLLOUT = "TW-CTL-004", 404,
        "there is no rollout `{rollout}`", "没有发布 `{rollout}`",
        "`tradewind rollout list` shows the last ones", "用 `tradewind rollout list` 查看最近的发布";
    NOT_LIVE = "TW-CTL-005", 409,
        "{service} has nothing live in {env}", "{service} 在 {env} 中没有正在运行的版本",
        "deploy a release there first: `tradewind deploy {service} --env {env} --release …`", "请先部署：`tradewind deploy {service} --env {env} --release …`";
    NO_HOST = "TW-CTL-006", 409,
        "no host has an agent yet", "还没有任何主机运行 agent",
        "start one with `tradewind agent`, or everything with `tradewind up`", "用 `tradewind agent` 启动，或用 `tradewind up` 启动全部";
    ROUTE_TAKEN = "TW-CTL-007", 409,
        "{place} asks for the route `{route}`, which belongs to {owner}", "{place} 请求的路由 `{route}` 已属于 {owner}",
        "give it another host or path under `environments.{env}.route` in tradewind.yaml", "在 tradewind.yaml 的 `environments.{env}.route` 中换一个主机名或路径";
    NOT_FROZEN = "TW-CTL-008", 409,
        "the queue of {service} in {env} is open{since}", "{service} 在 {env} 的队列是开放的{since}",
        "nothing to acknowledge; `tradewind rollout list {service}` shows what goes on", "无需确认；用 `tradewind rollout list {service}` 查看正在进行的发布";
    BROKEN_RELEASE = "TW-CTL-009", 409,
        "the spec stored with {release} cannot be read any more: {detail}", "{release} 中保存的配置已无法读取：{detail}",
        "push the commit again to build a release with a current spec", "重新推送该提交，以当前格式构建新版本";
    NO_ABORT_HALF_MADE = "TW-CTL-010", 409,
        "rollback {rollout} takes back a half-made rollout: there is nothing whole to return to", "回滚 {rollout} 正在撤回一个未完成的发布：没有完整的状态可以返回",
        "let it finish, or roll back to another release with `--to`", "等待其完成，或用 `--to` 回滚到其他版本";
    REASON_NEEDED = "TW-CTL-011", 422,
        "a reason is needed", "需要填写原因",
        "give one with `--reason`, or `--note` when you acknowledge: it is what the event log and your colleagues will see", "请用 `--reason`（确认失败时用 `--note`）说明：事件日志和同事都会看到";
    NO_RUN = "TW-CTL-012", 404,
        "there is no run `{run}`", "没有流水线运行 `{run}`",
        "`tradewind run list` shows the last ones", "用 `tradewind run list` 查看最近的运行";
    NO_JUDGE = "TW-CTL-013", 404,
        "rollout {rollout} is not judged: {why}", "发布 {rollout} 没有判定：{why}",
        "a canary beside an earlier release is judged: `strategy: canary` in tradewind.yaml asks for one, from the second release on",
        "与旧版本并行的金丝雀才有判定：在 tradewind.yaml 中写 `strategy: canary`，自第二个版本起生效";
    FREEZE_WHAT = "TW-CTL-014", 422,
        "it is not said what to freeze", "没有说明要冻结什么",
        "name a service, an environment or both, or say `all` and neither", "请指定服务、环境或两者；要冻结全部请只写 `all`";
    NO_ENVIRONMENT = "TW-CTL-015", 404,
        "there is no environment `{env}`", "没有名为 `{env}` 的环境",
        "`tradewind service show` lists those of a service; one comes to be with the first spec that names it", "用 `tradewind service show` 查看服务的环境；首次有配置声明时环境即存在";
    FREEZE_END = "TW-CTL-016", 422,
        "a freeze cannot end at {until}: that is not between now ({now}) and ten years from now", "冻结不能在 {until} 结束：须在现在（{now}）之后、十年之内",
        "give another time, or leave it out and lift the freeze by hand", "请填写其他时间，或不填并手动解除";
    NO_FREEZE = "TW-CTL-017", 404,
        "there is no freeze `{freeze}`", "没有冻结 `{freeze}`",
        "`tradewind freezes` shows those that are on", "用 `tradewind freezes` 查看当前的冻结";
    FREEZE_OVER = "TW-CTL-018", 409,
        "freeze `{freeze}` is over since {since}, ended by {who}", "冻结 `{freeze}` 已于 {since} 由 {who} 结束",
        "nothing to do; `tradewind freezes` shows those that are on", "无需操作；用 `tradewind freezes` 查看当前的冻结";
    AUDIT_KEY = "TW-CTL-019", 500,
        "the key that signs checkpoints was not replaced: {detail}", "检查点签名密钥未能更换：{detail}",
        "look at `keys/` in the server's data folder; the key that was there still signs", "请检查服务端数据目录中的 `keys/`；原密钥仍在使用";
    COLLECT_HELD = "TW-CTL-020", 409,
        "nothing is collected while a backup is being made", "正在备份，此时不做清理",
        "wait until the backup is made, then ask again", "请等备份完成后再试";
    NO_HOST_CALLED = "TW-CTL-021", 404,
        "there is no host `{host}`", "没有名为 `{host}` 的主机",
        "`tradewind host list` shows those there are", "用 `tradewind host list` 查看已有的主机";
    HOST_PRESENT = "TW-CTL-022", 409,
        "the agent of `{host}` is connected", "`{host}` 的 agent 仍在连接",
        "end Tradewind there first (`tradewind down`): what is removed is a host that is gone", "请先在该主机上停止信风（`tradewind down`）：移除只针对已不在的主机";
    HOST_IN_USE = "TW-CTL-023", 409,
        "`{host}` still has {what}", "`{host}` 上仍有 {what}",
        "enrol the machine that takes its place under the same name: it takes over what this one had; or cancel what is under way", "请让接替它的机器以同名登记：它会接管这些内容；或取消进行中的任务";
    LIVE_WHERE = "TW-CTL-024", 422,
        "`live` is what is live in an environment, and none is named", "`live` 指某个环境的线上版本，但没有指明环境",
        "name one: `--env production`, in the API `env=production`", "请指明环境：`--env production`，API 中为 `env=production`";
    NO_OWNER = "TW-CTL-025", 422,
        "`{owner}` is neither a user nor a group here", "`{owner}` 既不是用户也不是用户组",
        "name one of those that `tradewind user list` and `tradewind group list` show", "请填写 `tradewind user list` 或 `tradewind group list` 中已有的名称";
}

//! Why rollouts stop, and why they are refused.

crate::faults! {
    START_TIMEOUT = "TW-ROLL-001", 409,
        "{release} was not ready on {site} within {seconds} s: {ready} of {wanted} instances passed their health check. {detail}",
        "{release} 在 {site} 上 {seconds} 秒内没有就绪：{wanted} 个实例中只有 {ready} 个通过了健康检查。{detail}",
        "look at `tradewind logs`, mend the release or raise `run.start_timeout`, and push again",
        "查看 `tradewind logs`，修好版本或调大 `run.start_timeout`，然后重新推送";
    INSTANCE_FAILED = "TW-ROLL-002", 409,
        "{release} does not run on {site}: {detail}",
        "{release} 在 {site} 上无法运行：{detail}",
        "look at `tradewind logs`, mend the release and push again",
        "查看 `tradewind logs`，修好版本后重新推送";
    UNHEALTHY = "TW-ROLL-003", 409,
        "{release} stopped passing its health check on {site}: {ready} of {wanted} instances are ready. {detail}",
        "{release} 在 {site} 上不再通过健康检查：{wanted} 个实例中只有 {ready} 个就绪。{detail}",
        "look at `tradewind logs` for the time of the failure, mend the release and push again",
        "查看失败时刻的 `tradewind logs`，修好版本后重新推送";
    EDGE_TIMEOUT = "TW-ROLL-004", 409,
        "the edge of {site} did not take the new routing table within {seconds} s",
        "{site} 的边缘代理在 {seconds} 秒内没有接受新的路由表",
        "see whether `tradewind edge` runs on that host (`tradewind status`); its log is `log/edge.log` in the data folder",
        "确认该主机上的 `tradewind edge` 正在运行（`tradewind status`）；日志在数据目录的 `log/edge.log`";
    VERIFY_FAILED = "TW-ROLL-005", 409,
        "verification of {release} on {site} failed: {detail}",
        "{release} 在 {site} 上的验证失败：{detail}",
        "the failed checks are listed by `tradewind rollout show`; mend what they name and push again",
        "`tradewind rollout show` 会列出失败的检查；修好后重新推送";
    ABORTED = "TW-ROLL-006", 409,
        "aborted by {who}: {why}",
        "由 {who} 中止：{why}",
        "nothing to do: every site is on its previous revision",
        "无需操作：所有站点都已回到之前的版本";
    SUPERSEDED = "TW-ROLL-007", 409,
        "superseded by rollback {rollout}",
        "被回滚 {rollout} 取代",
        "follow that one: `tradewind rollout show {rollout}`",
        "请查看：`tradewind rollout show {rollout}`";
    PREVIOUS_DOWN = "TW-ROLL-008", 409,
        "{release} is the previous revision of {site} and does not become ready either: {detail}",
        "{site} 的上一个版本 {release} 也无法就绪：{detail}",
        "traffic is routed to it as soon as it is ready; look at `tradewind logs`, or roll back further with `--to`",
        "它一旦就绪就会接收流量；请查看 `tradewind logs`，或用 `--to` 回滚到更早的版本";
    ROLLBACK_STAYS = "TW-ROLL-009", 409,
        "the rollback moved traffic to {release} on {site}, and then: {detail}. Traffic stays there: going forward again is a person's decision",
        "回滚已把 {site} 的流量切到 {release}，之后：{detail}。流量保持不动：是否再次前进由人决定",
        "look at `tradewind status`; roll back further with `--to`, or deploy a mended release",
        "查看 `tradewind status`；用 `--to` 回滚到更早的版本，或部署修好的版本";
    JUDGED_WORSE = "TW-ROLL-010", 409,
        "{release} is worse than {before}: {why}",
        "{release} 比 {before} 差：{why}",
        "`tradewind judge explain` shows the evidence; mend the release and push again",
        "用 `tradewind judge explain` 查看证据；修好版本后重新推送";
    TOO_MANY_ERRORS = "TW-ROLL-011", 409,
        "{failed} of {requests} requests to {release} on {site} failed within {seconds} s, more than {limit}",
        "{site} 上的 {release} 在 {seconds} 秒内 {requests} 个请求失败了 {failed} 个，超过 {limit}",
        "look at `tradewind logs` for that time, mend the release and push again; the limit is `strategy.limits.error_rate`",
        "查看该时段的 `tradewind logs`，修好版本后重新推送；此上限为 `strategy.limits.error_rate`";
    TOO_SLOW = "TW-ROLL-012", 409,
        "{slow} of {requests} answers of {release} on {site} took longer than {limit} within {seconds} s, more than one in a hundred",
        "{site} 上的 {release} 在 {seconds} 秒内 {requests} 个回答中有 {slow} 个超过 {limit}，多于百分之一",
        "mend the release and push again; the limit is `strategy.limits.p99`",
        "修好版本后重新推送；此上限为 `strategy.limits.p99`";
    LEASE_OVER = "TW-ROLL-013", 409,
        "the agent of {site} did not hear of the server for {seconds} s while {release} was on trial, and gave its share back",
        "{release} 试运行期间，{site} 的 agent 有 {seconds} 秒没有收到 server 的消息，已把它的份额交还",
        "see why the server was away (`log/server.log`), then push or deploy again",
        "查明 server 中断的原因（`log/server.log`），然后重新推送或部署";
    INCONCLUSIVE = "TW-ROLL-014", 409,
        "the wave of {release} at {share} on {site} ended without a verdict: {why}",
        "{site} 上 {release} 占 {share} 的一波到时仍无结论：{why}",
        "give it more time or a larger share (`strategy.max`, `strategy.steps`), or write `on_inconclusive: hold`",
        "请给它更多时间或更大份额（`strategy.max`、`strategy.steps`），或写 `on_inconclusive: hold`";
    TOO_MANY_EVENTS = "TW-ROLL-015", 409,
        "`{metric}` of {release} on {site} came to {failed} of {of} within {seconds} s, more than {limit}",
        "{site} 上 {release} 的 `{metric}` 在 {seconds} 秒内达到 {of} 次中的 {failed} 次，超过 {limit}",
        "look at `tradewind logs` for that time, mend the release and push again; the limit is `strategy.limits.error_rate`",
        "查看该时段的 `tradewind logs`，修好版本后重新推送；此上限为 `strategy.limits.error_rate`";
    NOT_JUDGED = "TW-ROLL-025", 409,
        "rollout {rollout} has no wave that is being judged: {what}",
        "发布 {rollout} 没有正在判定的一波：{what}",
        "`tradewind rollout show {rollout}` says what it waits for; once a wave is being judged, say it again",
        "用 `tradewind rollout show {rollout}` 查看它在等什么；有一波正在判定时再执行";
    WAVE_OVER = "TW-ROLL-026", 409,
        "wave {wave} of rollout {rollout} is over ({how}), and now {what}",
        "发布 {rollout} 的第 {wave} 波已经结束（{how}），目前{what}",
        "nothing was changed; look at `tradewind rollout show {rollout}`, and say it again if you mean the wave that is under way now",
        "未做任何改动；请查看 `tradewind rollout show {rollout}`，若针对的是当前这一波，请重新执行";
    NO_CANARY = "TW-ROLL-027", 409,
        "rollout {rollout} has no wave of a canary, so it has no share to change",
        "发布 {rollout} 没有金丝雀的波次，没有可以调整的份额",
        "a share is changed where two releases of a `web` service run side by side under `strategy: canary`; this one goes back with `tradewind rollout abort {rollout}`",
        "只有 `strategy: canary` 的 `web` 服务在新旧版本并行时才能调整份额；要退回请用 `tradewind rollout abort {rollout}`";
    SHARE_OF_SHARDS = "TW-ROLL-028", 409,
        "rollout {rollout} is of a worker: its waves are instances with their shards, and not a share of traffic",
        "发布 {rollout} 属于 worker：它的波次是带分片的实例，不是流量份额",
        "let the wave go on with `tradewind rollout promote {rollout}`, or take it back with `tradewind rollout abort {rollout}`",
        "用 `tradewind rollout promote {rollout}` 放行，或用 `tradewind rollout abort {rollout}` 退回";
    SHARE_BOUNDS = "TW-ROLL-029", 422,
        "a canary's share lies above 0 and below 100%; {share} does not",
        "金丝雀的份额须大于 0 且小于 100%，{share} 不在其中",
        "to go on from here: `tradewind rollout promote {rollout}`; to nothing: `tradewind rollout abort {rollout}`",
        "要继续推进：`tradewind rollout promote {rollout}`；要降为零：`tradewind rollout abort {rollout}`";
    SHARE_SAME = "TW-ROLL-030", 409,
        "{share} is what wave {wave} gives {site} already{set}",
        "{site} 第 {wave} 波的份额已经是 {share}{set}",
        "nothing to do; `tradewind rollout show {rollout}` says how far it is",
        "无需操作；用 `tradewind rollout show {rollout}` 查看进度";
    NO_PREVIOUS = "TW-ROLL-020", 409,
        "{place} has no earlier revision to go back to",
        "{place} 没有更早的版本可以回滚",
        "`tradewind release list` shows what can be deployed instead",
        "用 `tradewind release list` 查看可以部署的版本";
    NOTHING_TO_DO = "TW-ROLL-021", 409,
        "{place} already runs {release}: {since}",
        "{place} 已经在运行 {release}：{since}",
        "nothing to do; name another release with `--to` or `--release`",
        "无需操作；可用 `--to` 或 `--release` 指定其他版本";
    NOT_ACTIVE = "TW-ROLL-022", 409,
        "rollout {rollout} can no longer be changed: {how}",
        "发布 {rollout} 无法再更改：{how}",
        "start another rollout, or `tradewind rollback`",
        "请重新发起发布，或使用 `tradewind rollback`";
    QUEUE_FROZEN = "TW-ROLL-023", 409,
        "the queue of {service} in {env} is frozen since rollout {rollout} failed",
        "自发布 {rollout} 失败以来，{service} 在 {env} 的队列已冻结",
        "when you have seen why: `tradewind acknowledge {service} --env {env} --note …`",
        "了解原因后执行：`tradewind acknowledge {service} --env {env} --note …`";
    FROZEN = "TW-ROLL-031", 409,
        "frozen by {who} {when}: {why}",
        "{who} 已冻结（{when}）：{why}",
        "nothing to do: it goes on when the freeze is lifted (`tradewind freezes`, `tradewind unfreeze {freeze} --reason …`); a rollback goes through all the same",
        "无需操作：解除冻结后会自动继续（`tradewind freezes`、`tradewind unfreeze {freeze} --reason …`）；回滚不受影响";
    NOT_COMPLETED_HERE = "TW-ROLL-024", 409,
        "{release} never completed in {place}, so it is not a place to go back to",
        "{release} 从未在 {place} 完成发布，不能作为回滚目标",
        "deploy it with `tradewind deploy` instead: it will be checked on its way",
        "请改用 `tradewind deploy` 部署，它会在过程中接受检查";
    LEFT_HERE = "TW-ROLL-032", 409,
        "{place} went back from {release}, and what was left by going back is not a place to go back to",
        "{place} 曾从 {release} 回滚；回滚离开的版本不能再作为回滚目标",
        "deploy it with `tradewind deploy` if it is wanted again: it will be checked on its way",
        "若要重新使用，请用 `tradewind deploy` 部署，它会在过程中接受检查";
}

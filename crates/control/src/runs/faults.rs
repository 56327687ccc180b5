//! What is refused about runs.

tradewind_model::faults! {
    NO_JOB = "TW-RUN-001", 404,
        "run {run} has no job `{job}`", "运行 {run} 中没有任务 `{job}`",
        "its jobs are: {jobs}", "它的任务有：{jobs}";
    FINISHED = "TW-RUN-002", 409,
        "{what} has ended already: {state}", "{what} 已经结束：{state}",
        "nothing is left to cancel; push again or retry it to run it once more", "没有可取消的内容；如需再次运行，请重新推送或重试";
    NOT_WAITING = "TW-RUN-003", 409,
        "job `{job}` does not wait for a person: it is {state}", "任务 `{job}` 不在等待手动启动，其状态为 {state}",
        "only jobs that are `manual` or `scheduled` can be started", "只有状态为 `manual` 或 `scheduled` 的任务可以手动启动";
    NOT_ENDED = "TW-RUN-004", 409,
        "{what} cannot be retried: it is {state}", "{what} 不能重试，其状态为 {state}",
        "wait until it has failed, succeeded or been cancelled", "请等待其失败、成功或被取消后再重试";
    NO_PIPELINE_FILE = "TW-RUN-005", 422,
        "the spec names the pipeline file `{file}`, which the commit does not have", "配置指定的流水线文件 `{file}` 不在该提交中",
        "add the file, or write `pipeline: none` for a service without a build", "请添加该文件；若服务无需构建，请写 `pipeline: none`";
    NO_TASK = "TW-RUN-006", 404,
        "there is no task `{task}` that writes a log", "没有会写日志的任务 `{task}`",
        "the task may have been forgotten since; nothing more has to be sent", "该任务可能已被清除，无需继续发送";
    LOG_FULL = "TW-RUN-007", 413,
        "the log of task `{task}` may have {max} bytes", "任务 `{task}` 的日志最多 {max} 字节",
        "stop sending; the agent says in the log how much it left out", "请停止发送；agent 会在日志中说明省略了多少";
    NO_ATTEMPT = "TW-RUN-008", 404,
        "job `{job}` has no attempt {attempt}", "任务 `{job}` 没有第 {attempt} 次执行",
        "leave `attempt` out for the last one; there were {count} so far", "省略 `attempt` 即为最近一次；目前共执行 {count} 次";
    NO_ARTIFACTS = "TW-RUN-009", 404,
        "job `{job}` left no artifacts", "任务 `{job}` 没有产出制品",
        "only jobs with `artifacts` leave any, once they have ended", "只有声明了 `artifacts` 的任务在结束后才有制品";
    ARTIFACTS_GONE = "TW-RUN-010", 410,
        "the artifacts of job `{job}` were collected", "任务 `{job}` 的制品已被回收",
        "they are kept for seven days; retry the job to make them again", "制品保留七天；如需重新生成，请重试该任务";
    BAD_SEARCH = "TW-RUN-011", 400,
        "this cannot be searched for in a log", "无法在日志中搜索此内容",
        "search for 1 to {max} bytes on one line", "请搜索一行之内、1 到 {max} 字节的内容";
}

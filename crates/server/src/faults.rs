//! What a caller is told by the HTTP border and the git remote.

use tradewind_model::faults;

faults! {
    /// Logged with the request's id; the caller learns nothing of the inside.
    INTERNAL = "TW-API-001", 500,
        "something went wrong inside Tradewind (request {request})", "Tradewind 内部出错（请求 {request}）",
        "try again; if it stays, look for {request} in the server's log", "请重试；若仍出错，请在服务端日志中查找 {request}";
    NO_ROUTE = "TW-API-002", 404,
        "there is nothing at {path}", "{path} 不存在",
        "see /api/v1/openapi.json for what there is", "可用接口见 /api/v1/openapi.json";
    NO_CONSOLE = "TW-API-017", 404,
        "this program was built without the console", "此程序构建时未包含控制台",
        "build it with `make build`, which makes the console first; the command line does without", "请用 `make build` 构建（会先构建控制台）；命令行不受影响";
    NO_METHOD = "TW-API-003", 405,
        "{method} is not possible at {path}", "{path} 不支持 {method}",
        "see /api/v1/openapi.json for what is", "支持的方法见 /api/v1/openapi.json";
    BAD_BODY = "TW-API-004", 422,
        "the request's body was not understood: {detail}", "无法解析请求内容：{detail}",
        "send JSON as /api/v1/openapi.json describes it", "请按 /api/v1/openapi.json 的说明发送 JSON";
    BAD_PARAMETER = "TW-API-005", 422,
        "the request's address was not understood: {detail}", "无法解析请求地址：{detail}",
        "correct the path or the query; /api/v1/openapi.json describes both", "请修正路径或查询参数；说明见 /api/v1/openapi.json";
    TOO_LARGE = "TW-API-006", 413,
        "the request's body is larger than {limit} bytes", "请求内容超过 {limit} 字节",
        "send less at once", "请减少单次发送的内容";
    REPEATED_DIFFERENTLY = "TW-API-007", 422,
        "this Idempotency-Key was used for another request", "该 Idempotency-Key 已用于另一个请求",
        "use a new key for a new request", "新请求请使用新的 key";
    STILL_WORKING = "TW-API-008", 409,
        "the first request with this Idempotency-Key is still being worked on", "使用该 Idempotency-Key 的首个请求仍在处理",
        "wait a moment and send it again with the same key", "请稍候，并用同一个 key 重新发送";
    CUT_OFF = "TW-API-013", 409,
        "the first request with this Idempotency-Key was cut off when the server stopped; it may have been done",
        "使用该 Idempotency-Key 的首个请求因服务端停止而中断；可能已经生效",
        "look with `tradewind status` and, if it was not done, ask again with a new key",
        "请用 `tradewind status` 查看；如未生效，请用新的 key 重新发送";
    ANSWER_NOT_KEPT = "TW-API-009", 409,
        "this was done already, and its answer held a secret that is not kept", "该请求已完成，但其应答包含密钥，未予保存",
        "ask again with a new Idempotency-Key, and revoke the first token if one was made", "请用新的 Idempotency-Key 重试；如已生成令牌，请吊销它";
    STOPPING = "TW-API-010", 503,
        "the server is about to restart", "服务端即将重启",
        "send it again in a moment", "请稍后重新发送";
    BAD_CURSOR = "TW-API-011", 422,
        "`{cursor}` is not where a page ended", "`{cursor}` 不是有效的翻页位置",
        "use the `next` of the page before, unchanged", "请原样使用上一页的 `next`";
    NO_HELP = "TW-API-012", 404,
        "there is no code `{code}`", "没有代码 `{code}`",
        "check it against the message; newer programs know more codes", "请与提示信息核对；较新的程序有更多代码";

    OTHER_VERB = "TW-API-014", 422,
        "a rollout is `normal` or `hotfix`", "发布类型须为 `normal` 或 `hotfix`",
        "to go back, use `tradewind rollback`", "如需回退，请使用 `tradewind rollback`";
    NO_UPGRADE = "TW-API-015", 426,
        "this address speaks {protocol} only", "此地址仅支持 {protocol}",
        "it is for agents: start one with `tradewind agent`", "该地址供 agent 使用：请用 `tradewind agent` 启动";

    LOG_GAP = "TW-API-016", 409,
        "the log has {size} bytes, and this piece begins after them", "日志现有 {size} 字节，而这一段从其后开始",
        "send on from byte {size}", "请从第 {size} 字节继续发送";

    NO_SUCH = "TW-API-018", 404,
        "there is no {what} `{found}`", "没有{what} `{found}`",
        "such an id has 36 characters; copy the address whole, or look for it in a list", "此类编号有 36 个字符；请完整复制地址，或在列表中查找";

    NO_TOKEN = "TW-AUTH-001", 401,
        "this needs a token", "此操作需要令牌",
        "log in with `tradewind login`, or send `Authorization: Bearer TOKEN`", "请先 `tradewind login`，或发送 `Authorization: Bearer TOKEN`";
    BAD_TOKEN = "TW-AUTH-002", 401,
        "the token is not valid: unknown, revoked or expired", "令牌无效：不存在、已吊销或已过期",
        "log in again with `tradewind login`", "请重新 `tradewind login`";
    HOSTS_ONLY = "TW-AUTH-003", 403,
        "this address is for hosts, and {name} is none", "该地址仅供主机使用，{name} 不是主机",
        "enrol one with `tradewind token create --scope agent`", "请用 `tradewind token create --scope agent` 登记主机";
    BAD_CODE = "TW-AUTH-004", 401,
        "the login code is not valid: mistyped, used or older than ten minutes", "登录码无效：输入有误、已使用或已超过十分钟",
        "make a new one on the server's machine: `tradewind admin code --data DIR`", "请在服务器上重新生成：`tradewind admin code --data DIR`";
    TOO_MANY_TRIES = "TW-AUTH-005", 429,
        "too many wrong login codes from here", "来自此处的错误登录码过多",
        "wait {seconds} seconds", "请等待 {seconds} 秒";
    BAD_NAME = "TW-AUTH-006", 422,
        "`{name}` is not a token's name: 1 to 80 characters without line breaks", "`{name}` 不能作为令牌名称：须为 1 至 80 个字符且不含换行",
        "name the person or the machine, such as li.wei@laptop", "请写明人或机器，例如 li.wei@laptop";
    BAD_SCOPES = "TW-AUTH-007", 422,
        "a token needs at least one scope, and `agent` stands alone", "令牌至少需要一个权限范围，且 `agent` 必须单独使用",
        "choose read, deploy or admin, or agent alone", "请选择 read、deploy 或 admin，或仅 agent";
    BAD_EXPIRY = "TW-AUTH-008", 422,
        "a token lasts 1 minute to 10 years", "令牌有效期须在 1 分钟至 10 年之间",
        "choose `expires_in_s` within that", "请在此范围内选择 `expires_in_s`";
    BEYOND_OWN = "TW-AUTH-009", 403,
        "a token cannot make one that may do more than itself", "令牌不能生成权限大于自身的令牌",
        "ask someone with an admin token", "请联系持有 admin 令牌的人";
    NOT_FOR_HOSTS = "TW-AUTH-010", 403,
        "{name} is a host's key: it does what an agent does and nothing else", "{name} 是主机密钥：只能用于 agent",
        "log in as a person with `tradewind login`", "请以个人身份用 `tradewind login` 登录";
    BAD_SESSION = "TW-AUTH-011", 401,
        "the session is over", "会话已结束",
        "sign in again", "请重新登录";
    BAD_CSRF = "TW-AUTH-012", 403,
        "this request does not come from Tradewind's own pages", "该请求并非来自 Tradewind 自身的页面",
        "reload the page and try again; programs send a token instead of a cookie", "请刷新页面后重试；程序请使用令牌而不是 cookie";
    BAD_SIGN_IN = "TW-AUTH-013", 401,
        "name, password or code is wrong", "用户名、密码或验证码有误",
        "try again; an admin can ask you in anew with `tradewind user invite`", "请重试；管理员可用 `tradewind user invite` 重新邀请";
    SECOND_FACTOR = "TW-AUTH-014", 401,
        "the password is right, and a second factor is needed", "密码正确，还需要第二因素",
        "send the six digits of your authenticator, or a recovery code, as `code`", "请在 `code` 中提供验证器上的六位数字或恢复码";
    SECOND_FACTOR_FIRST = "TW-AUTH-015", 403,
        "{name}'s roles ask for a second factor, and there is none yet", "{name} 的角色要求第二因素，但尚未设置",
        "sign in to the console and set one up (or `tradewind second-factor setup` before the role is given)", "请登录控制台进行设置（或在获得角色之前用 `tradewind second-factor setup`）";
    WEAK_PASSWORD = "TW-AUTH-016", 422,
        "this password is too easy or too long ({why})", "该密码过于简单或过长（{why}）",
        "choose 12 to 256 characters that hold neither your name nor a common word: four words together are good", "请使用 12 至 256 个字符，不含用户名和常见词；四个词连用即可";
    NO_PERSON = "TW-AUTH-018", 409,
        "the token `{name}` belongs to nobody: it has no sessions and no password", "令牌 `{name}` 不属于任何人：没有会话和密码",
        "sign in as a person: `tradewind login --user NAME`", "请以个人身份登录：`tradewind login --user NAME`";
    NO_SESSION = "TW-AUTH-019", 404,
        "there is no open session `{session}` of yours", "你没有打开的会话 `{session}`",
        "it is over already", "该会话已经结束";
    HAS_SECOND_FACTOR = "TW-AUTH-020", 409,
        "there is a second factor already", "已设置第二因素",
        "remove it first: `tradewind second-factor remove`", "请先移除：`tradewind second-factor remove`";
    BAD_SETUP = "TW-AUTH-021", 422,
        "this setup of a second factor is not valid: begun by somebody else, or more than 15 minutes ago", "该第二因素设置无效：由他人发起，或已超过 15 分钟",
        "begin again: `tradewind second-factor setup`", "请重新开始：`tradewind second-factor setup`";
    ANOTHERS = "TW-AUTH-017", 403,
        "a token of {user} is made by {user} alone", "{user} 的令牌只能由 {user} 本人创建",
        "make one of your own, or for a service account: `tradewind user service`", "请创建自己的令牌，或为服务账号创建：`tradewind user service`";
    BAD_LINK = "TW-AUTH-022", 401,
        "this link is not valid: mistyped, used or older than ten minutes", "该链接无效：地址不完整、已使用或已超过十分钟",
        "make a new one: `tradewind console`", "请重新生成：`tradewind console`";
    LIMITED_TOKEN = "TW-AUTH-023", 403,
        "the token `{name}` has limits, and a session has all rights of its owner", "令牌 `{name}` 有权限限制，而会话拥有其所有者的全部权限",
        "use the token of `tradewind login`, or sign in with your password", "请使用 `tradewind login` 的令牌，或用密码登录";
    NOT_OWNERS = "TW-AUTH-024", 409,
        "`{name}` is an account of its own and not the machine owner's", "`{name}` 是独立的账号，不是本机所有者的账号",
        "name another: `tradewind console --user NAME`, or sign in as {name} with the password", "请另选名称：`tradewind console --user NAME`，或用密码以 {name} 登录";

    NOT_A_REPOSITORY = "TW-GIT-001", 404,
        "there is no service `{service}` here", "此处没有服务 `{service}`",
        "check the remote's address; the first push of a spec makes the service", "请检查远程地址；首次推送 spec 会创建该服务";
    NO_SPEC = "TW-GIT-002", 422,
        "the commit {commit} of {branch} has no tradewind.yaml", "{branch} 的提交 {commit} 中没有 tradewind.yaml",
        "add one (`tradewind check` tells what it lacks), commit it and push again", "请添加该文件（`tradewind check` 会指出缺少的内容），提交后重新推送";
    NO_PIPELINE = "TW-GIT-004", 422,
        "the spec names the pipeline file `{file}`, and the commit {commit} has none", "spec 指定的流水线文件 `{file}` 不在提交 {commit} 中",
        "commit the file, or write `pipeline: none`", "请提交该文件，或写 `pipeline: none`";
    ODD_REF = "TW-GIT-005", 422,
        "`{ref}` is neither a branch nor a tag with a readable name", "`{ref}` 不是名称可读的分支或标签",
        "push branches (refs/heads/) and tags (refs/tags/) only, named in UTF-8", "只能推送分支（refs/heads/）和标签（refs/tags/），名称须为 UTF-8";
    FILE_TOO_LARGE = "TW-GIT-006", 422,
        "{file} is larger than {limit} bytes", "{file} 超过 {limit} 字节",
        "shorten it", "请缩短该文件";
    NOT_TEXT = "TW-GIT-003", 422,
        "{file} is not UTF-8 text", "{file} 不是 UTF-8 文本",
        "save it as UTF-8", "请以 UTF-8 保存";
    LOST_PUSH = "TW-GIT-007", 409,
        "the server was restarted while this push was under way", "推送过程中服务端重启",
        "push again", "请重新推送";
    KEY_PUSHED = "TW-GIT-009", 422,
        "this looks like a key: {format} `{hint}`, in commit {commit}", "疑似密钥：{format} `{hint}`，位于提交 {commit}",
        "make it worthless where it was issued, take it out of the commits (`git commit --amend`, `git rebase -i`), and keep the new one with `tradewind secret set NAME`. If it is no key: say so beside it (`tradewind:allow-secret REASON`), or for this push with `git push -o {option}=REASON`",
        "请在签发方吊销它，从提交中移除（`git commit --amend`、`git rebase -i`），并用 `tradewind secret set NAME` 保存新的。若不是密钥：在旁边注释 `tradewind:allow-secret 原因`，或仅对本次推送使用 `git push -o {option}=原因`";
    NO_COMMIT = "TW-GIT-008", 404,
        "the service `{service}` has no commit {commit}", "服务 `{service}` 没有提交 {commit}",
        "push it first", "请先推送该提交";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

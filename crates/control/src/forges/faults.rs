//! What is refused where code comes from a forge.

tradewind_model::faults! {
    NO_LINK = "TW-FORGE-001", 404,
        "{service} is not linked to a forge", "{service} 没有关联代码平台",
        "link it: `tradewind forge link {service} --url https://…`", "关联：`tradewind forge link {service} --url https://…`";
    BAD_URL = "TW-FORGE-002", 422,
        "`{url}` is not a repository's address: {why}", "`{url}` 不是仓库地址：{why}",
        "write it as https://HOST/GROUP/NAME, without a user; a token is given with --token-stdin", "请写成 https://主机/组/名称，不含用户名；令牌请用 --token-stdin 提供";
    WHICH_KIND = "TW-FORGE-003", 422,
        "it cannot be told from {host} which forge it is", "无法由 {host} 判断是哪种代码平台",
        "say it: --kind github, gitlab, gitea (also for Forgejo) or gitee", "请指明：--kind github、gitlab、gitea（Forgejo 也用它）或 gitee";
    NO_DATA_CENTER = "TW-FORGE-004", 422,
        "{host} is not Bitbucket Cloud, and Bitbucket Data Center is not supported", "{host} 不是 Bitbucket Cloud；不支持 Bitbucket Data Center",
        "push to this server's own remote from there: `git push https://…/git/SERVICE.git`", "请从那里直接推送到本服务器：`git push https://…/git/SERVICE.git`";
    BAD_API = "TW-FORGE-005", 422,
        "`{url}` cannot be where the forge answers programs: {why}", "`{url}` 不能作为代码平台的 API 地址：{why}",
        "write it as https://HOST/PATH, such as https://git.example.com/api/v4", "请写成 https://主机/路径，例如 https://git.example.com/api/v4";
    BAD_SECRET = "TW-FORGE-006", 422,
        "this cannot be a webhook's secret: {why}", "不能作为 webhook 密钥：{why}",
        "take 16 to 200 printable ASCII characters, or leave it out: one is made", "请使用 16 至 200 个可打印 ASCII 字符，或省略以自动生成";
    BAD_TOKEN = "TW-FORGE-007", 422,
        "this cannot be a forge's token: it is empty, too long, or holds other than printable ASCII", "不能作为代码平台令牌：为空、过长或含非可打印 ASCII 字符",
        "copy it from the forge once more", "请重新从代码平台复制";
    LINKED_ELSEWHERE = "TW-FORGE-008", 409,
        "{service} is linked to {url} already", "{service} 已关联 {url}",
        "unlink it first: `tradewind forge unlink {service}`", "请先解除：`tradewind forge unlink {service}`";
    NO_HOOK = "TW-FORGE-009", 404,
        "there is no webhook at this address", "此地址没有 webhook",
        "compare it with `tradewind forge show SERVICE`", "请与 `tradewind forge show SERVICE` 对照";
    NOT_LET_IN = "TW-FORGE-010", 401,
        "this delivery was not let in", "该推送通知未被接受",
        "compare secret and kind of the webhook with the link; `tradewind forge show SERVICE` says why, to who may see it", "请核对 webhook 的密钥与类型；有权者可用 `tradewind forge show SERVICE` 查看原因";
    UNREADABLE = "TW-FORGE-011", 422,
        "this delivery cannot be read: {why}", "无法读取该推送通知：{why}",
        "let the webhook send JSON (`application/json`)", "请将 webhook 内容类型设为 JSON（`application/json`）";
    BODY_TOO_LARGE = "TW-FORGE-012", 413,
        "a delivery may have {limit} bytes", "推送通知最多 {limit} 字节",
        "push fewer branches or commits at once", "请减少单次推送的分支或提交";
    BODY_TOO_SLOW = "TW-FORGE-013", 408,
        "the delivery's body did not come in time", "推送通知的内容未按时到达",
        "deliver it again", "请重新投递";
    BUSY = "TW-FORGE-014", 503,
        "too many deliveries at once", "同时到达的推送通知过多",
        "deliver it again in a moment", "请稍后重新投递";
    NO_REPOSITORIES = "TW-FORGE-016", 409,
        "{service} belongs to an organisation without repositories here", "{service} 所属的组织在此处没有仓库",
        "link services of the installation's own organisation", "请关联本安装自身组织的服务";
    ACCOUNT_OFF = "TW-FORGE-015", 403,
        "the account {account}, which the link's pushes act as, is disabled or has no role", "关联使用的账号 {account} 已停用或没有角色",
        "enable it (`tradewind user enable {account}`) and give it a role, or link the service anew", "请启用它（`tradewind user enable {account}`）并授予角色，或重新关联";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

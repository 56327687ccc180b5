//! What is refused where rights, people and roles are concerned.

tradewind_model::faults! {
    NOT_ALLOWED = "TW-ACC-001", 403,
        "{name} may not `{action}` on {what}", "{name} 无权对 {what} 执行 `{action}`",
        "ask an admin for the role {role} there: `tradewind role grant {role} --user {name}`",
        "请管理员授予该范围的 {role} 角色：`tradewind role grant {role} --user {name}`";
    TOKEN_TOO_SMALL = "TW-ACC-002", 403,
        "{name} may `{action}` on {what}, and this token was not made for it", "{name} 有权对 {what} 执行 `{action}`，但此令牌未包含该权限",
        "make another with `tradewind token create --scope {scope}`, or log in with `tradewind login`",
        "请用 `tradewind token create --scope {scope}` 另建令牌，或用 `tradewind login` 登录";
    BEYOND_OWN_ROLE = "TW-ACC-003", 403,
        "nobody hands out more than they have: {role} on {what} goes beyond {name}'s own rights", "不能授予超出自身的权限：{what} 上的 {role} 超出 {name} 自身的权限",
        "ask someone whose admin role covers it", "请由管理范围包含该处的管理员授予";
    NO_USER = "TW-ACC-004", 404,
        "there is no user `{user}`", "没有用户 `{user}`",
        "`tradewind user list` shows those there are; `tradewind user invite` asks someone in", "用 `tradewind user list` 查看已有用户；用 `tradewind user invite` 邀请";
    NO_GROUP = "TW-ACC-005", 404,
        "there is no group `{group}`", "没有用户组 `{group}`",
        "`tradewind group list` shows those there are", "用 `tradewind group list` 查看已有用户组";
    NO_GRANT = "TW-ACC-006", 404,
        "there is no role given under the id `{grant}`", "没有编号为 `{grant}` 的授权",
        "`tradewind role list` shows those there are", "用 `tradewind role list` 查看已有授权";
    HANDLE_TAKEN = "TW-ACC-007", 409,
        "`{handle}` is taken", "`{handle}` 已被占用",
        "choose another; `tradewind user list` and `tradewind group list` show those there are", "请换一个；用 `tradewind user list` 和 `tradewind group list` 查看已有的";
    BAD_HANDLE = "TW-ACC-008", 422,
        "`{handle}` is no user or group name: 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter", "`{handle}` 不能作为用户名或组名：1 至 64 个字符，可用 a-z、0-9、`.`、`_`、`-`，以字母开头",
        "choose one like li.wei or oncall", "例如 li.wei 或 oncall";
    BAD_EMAIL = "TW-ACC-009", 422,
        "`{email}` is no address an invitation can be bound to", "`{email}` 不是可用于邀请的邮箱地址",
        "write it as name@company.com", "请写成 name@company.com 的形式";
    BAD_INVITATION = "TW-ACC-010", 401,
        "the invitation is not valid for this address: mistyped, used, withdrawn or over", "该邀请对此邮箱无效：输入有误、已使用、已撤回或已过期",
        "ask who invited you for a new one", "请联系邀请人重新邀请";
    NO_INVITATION = "TW-ACC-011", 404,
        "there is no open invitation `{invitation}`", "没有待接受的邀请 `{invitation}`",
        "`tradewind user invitations` shows those there are", "用 `tradewind user invitations` 查看待接受的邀请";
    LAST_ADMIN = "TW-ACC-012", 409,
        "{user} is the last person who is admin of everything", "{user} 是最后一位全局管理员",
        "make somebody else admin first: `tradewind role grant admin --user …`", "请先授予他人管理员角色：`tradewind role grant admin --user …`";
    NOT_A_PERSON = "TW-ACC-013", 409,
        "{user} is a service account: it has tokens, and neither password nor second factor", "{user} 是服务账号：只有令牌，没有密码和第二因素",
        "make it a token: `tradewind token create --for {user}`", "请为其创建令牌：`tradewind token create --for {user}`";
    GRANT_WHO = "TW-ACC-014", 422,
        "it is not said who gets the role", "没有说明授予谁",
        "name a user or a group, not both", "请指定用户或用户组之一";
    HAS_ROLE = "TW-ACC-015", 409,
        "{who} has the role {role} on {what} already", "{who} 已在 {what} 上拥有 {role} 角色",
        "nothing to do", "无需操作";
    SITE_WITHOUT_ENV = "TW-ACC-016", 422,
        "a site belongs to an environment, and none is named", "站点属于环境，但没有指定环境",
        "name the environment too", "请同时指定环境";
    POLICY_CHANGED = "TW-ACC-017", 412,
        "what is asked of those who sign in is no longer what you read{who}", "登录要求已不是您读取时的内容{who}",
        "look at it as it is now, and change that", "请查看当前内容，在其基础上修改";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

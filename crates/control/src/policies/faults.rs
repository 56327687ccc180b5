//! What an environment's policy refuses, beside a weaker spec.

tradewind_model::faults! {
    BROKEN_POLICY = "TW-POL-010", 409,
        "the policy of {env} cannot be read any more: {detail}", "{env} 的策略已无法读取：{detail}",
        "write it anew: `tradewind policy set {env} --file policy.yaml`; until then nothing is deployed there", "请重新写入：`tradewind policy set {env} --file policy.yaml`；在此之前该环境不能部署";
    NOT_A_DEPLOYER = "TW-POL-011", 403,
        "{name} may deploy to {env} by role, and its policy names others: {allowed}", "{name} 的角色允许部署到 {env}，但策略只允许：{allowed}",
        "ask one of them: `tradewind deploy SERVICE --env {env} --release …`; or who keeps the policy", "请他们执行 `tradewind deploy SERVICE --env {env} --release …`，或联系策略维护者";
    NOTHING_TO_APPROVE = "TW-POL-012", 409,
        "rollout {rollout} waits for no approval: {how}", "发布 {rollout} 不在等待审批：{how}",
        "nothing to do; `tradewind rollout show {rollout}` says where it stands", "无需操作；用 `tradewind rollout show {rollout}` 查看其状态";
    OWN_APPROVAL = "TW-POL-013", 403,
        "{name} asked for this rollout, and the policy wants somebody else's word", "该发布由 {name} 发起，策略要求由他人审批",
        "ask a colleague", "请联系同事";
    NOT_AN_APPROVER = "TW-POL-014", 403,
        "{name} may approve by role, and the policy names others: {from}", "{name} 的角色允许审批，但策略只认：{from}",
        "ask one of them", "请联系他们";
    PERSON_APPROVES = "TW-POL-015", 403,
        "people approve, and {name} is none: a token of the machine's owner or of a service account", "审批须由个人进行，而 {name} 是机器所有者或服务账号的令牌",
        "sign in as yourself: `tradewind login --user NAME`", "请以个人身份登录：`tradewind login --user NAME`";
    CHANGED_MEANWHILE = "TW-POL-016", 412,
        "the policy of {env} is no longer what you read{who}", "{env} 的策略已不是您读取时的内容{who}",
        "look at it as it is now (`tradewind policy show {env}`) and make your change to that", "请查看当前内容（`tradewind policy show {env}`），在其基础上修改";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

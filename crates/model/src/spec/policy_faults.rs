//! What is refused for an environment's policy.

crate::faults! {
    WEAKER = "TW-POL-001", 422,
        "`{key}` is {found} in {env}, and its policy asks for {wanted}", "{env} 中的 `{key}` 为 {found}，而该环境的策略要求 {wanted}",
        "make it as strict or stricter; `tradewind policy show {env}` has the whole policy", "请改为同等或更严格；完整策略见 `tradewind policy show {env}`";
    BAD_POLICY_NAME = "TW-POL-003", 422,
        "{found} is no name in `{key}`", "{found} 不能作为 `{key}` 中的名称",
        "name branches such as `release/*`; name users and groups as `tradewind user list` and `tradewind group list` do", "分支例如 `release/*`；用户和用户组按 `tradewind user list` 与 `tradewind group list` 中的名称填写";
    POLICY_BRANCH = "TW-POL-002", 422,
        "the branch {branch} may not be deployed to {env}: its policy allows {allowed}", "分支 {branch} 不能部署到 {env}：策略只允许 {allowed}",
        "deploy from an allowed branch, or ask who keeps the policy", "请从允许的分支部署，或联系策略维护者";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(crate::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

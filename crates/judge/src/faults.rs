//! What the judge refuses.

tradewind_model::faults! {
    BAD_CHANCE = "TW-JUDGE-001", 422,
        "{name} is {value}, and a chance of being wrong lies above 0 and is at most 0.5", "{name} 为 {value}，而犯错概率必须大于 0 且不超过 0.5",
        "write 0.01 for one in a hundred", "例如写 0.01，即百分之一";
    OUT_OF_RANGE = "TW-JUDGE-002", 422,
        "{name} is {value}, not between {low} and {high}", "{name} 为 {value}，不在 {low} 到 {high} 之间",
        "choose a value in that range", "请在该范围内取值";
    R1_BELOW_R0 = "TW-JUDGE-003", 422,
        "r1 ({r1}) is not above r0 ({r0}): one release could be better and worse at once", "r1（{r1}）不大于 r0（{r0}）：同一版本可能同时被判为更好和更差",
        "raise r1, or lower r0", "请调高 r1 或调低 r0";
    NO_METRICS = "TW-JUDGE-004", 422,
        "there is nothing to judge by", "没有可供判断的指标",
        "name at least one metric", "请至少指定一个指标";
    BAD_METRIC = "TW-JUDGE-005", 422,
        "metric `{metric}` cannot be used: {why}", "指标 `{metric}` 无法使用：{why}",
        "mend its description", "请修正其描述";
    BAD_SAMPLE = "TW-JUDGE-006", 422,
        "a sample of `{metric}` is refused: {why}", "`{metric}` 的样本被拒绝：{why}",
        "nothing was counted of it; mend what sends it", "该样本没有计入；请修正发送方";
    DAMAGED = "TW-JUDGE-007", 422,
        "the judge's stored state does not fit its metrics: {why}", "已保存的判断状态与指标不符：{why}",
        "it cannot be used; fold the counts that were kept into a new one", "该状态不可用；请用保存的计数重新计算";
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_languages_take_the_same_arguments() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

//! What is refused about secrets.

tradewind_model::faults! {
    VAULT_CLOSED = "TW-SEC-001", 503,
        "secrets cannot be read or set: {why}", "无法读取或设置密钥：{why}",
        "put the vault's key back where it was (mode 0600), or give it as `TRADEWIND_VAULT_KEY`; everything else goes on meanwhile",
        "请将密钥库的主密钥放回原处（权限 0600），或用 `TRADEWIND_VAULT_KEY` 提供；其他功能不受影响";
    NO_SECRET = "TW-SEC-002", 404,
        "there is no secret `{name}` for {scope}", "{scope} 没有密钥 `{name}`",
        "`tradewind secrets` shows those there are; a scope is named exactly, with `--service`, `--env` and `--site`",
        "用 `tradewind secrets` 查看已有的密钥；范围须用 `--service`、`--env`、`--site` 准确指定";
    NO_VERSION = "TW-SEC-003", 404,
        "secret `{name}` has no version {version}", "密钥 `{name}` 没有第 {version} 版",
        "`tradewind secret history {name}` shows those it has", "用 `tradewind secret history {name}` 查看已有的版本";
    SITE_WITHOUT_ENV = "TW-SEC-004", 422,
        "site `{site}` is named without its environment", "指定了站点 `{site}`，但没有指定其环境",
        "name the environment too: `--env production --site {site}`", "请同时指定环境：`--env production --site {site}`";
    BAD_VALUE = "TW-SEC-005", 422,
        "the value of `{name}` cannot be kept: {why}", "无法保存 `{name}` 的值：{why}",
        "give the value itself, as text of at most {most} bytes; what is longer or no text belongs into the artifact, encrypted with a key that is a secret here",
        "请给出值本身：不超过 {most} 字节的文本；更长或二进制的内容请加密后放入制品，只把密钥放在这里";
    MISSING = "TW-SEC-006", 409,
        "{place} wants secrets that nobody has set: {names}", "{place} 需要尚未设置的密钥：{names}",
        "set each: {command}", "请逐个设置：{command}";
    NOT_YOURS = "TW-SEC-007", 403,
        "this host is not to run {what}", "本主机不应运行 {what}",
        "nothing to do: a host is given the secrets of what it runs only", "无需操作：主机只能取得自己所运行内容的密钥";
    DAMAGED = "TW-SEC-008", 500,
        "version {version} of `{name}` does not open: {why}", "无法打开 `{name}` 的第 {version} 版：{why}",
        "set it again with `tradewind secret set {name}`, or restore the database and the vault's key from one backup",
        "请用 `tradewind secret set {name}` 重新设置，或从同一份备份恢复数据库与主密钥";
    REMOVED_ALREADY = "TW-SEC-009", 409,
        "secret `{name}` for {scope} is removed already", "{scope} 的密钥 `{name}` 已被删除",
        "bring it back with `tradewind secret restore {name} --version N`", "可用 `tradewind secret restore {name} --version N` 恢复";
}

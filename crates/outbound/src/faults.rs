//! What a person is told of a request that went out, or did not.

use tradewind_model::faults;

faults! {
    ADDRESS = "TW-OUT-001", 422,
        "`{url}` is not an address to send to: {why}", "`{url}` 不是可发送的地址：{why}",
        "write https://HOST/PATH, without a user in it", "请写成 https://主机/路径，且不含用户名";
    UNRESOLVED = "TW-OUT-002", 502,
        "the name {host} has no address", "域名 {host} 没有解析到地址",
        "check the name, and the name servers of this machine", "请检查域名和本机的 DNS";
    REFUSED = "TW-OUT-003", 422,
        "{host} leads to {address}, inside a network of somebody's own", "{host} 指向内部网络地址 {address}",
        "if it is meant, allow that network with `outbound_allow`", "如确有需要，请用 `outbound_allow` 允许该网络";
    METADATA = "TW-OUT-004", 422,
        "{host} leads to {address}, where a cloud hands out its machine's credentials", "{host} 指向云主机元数据地址 {address}",
        "if it is meant, allow that one address, as such, with `outbound_allow`", "如确有需要，请用 `outbound_allow` 单独允许这个地址";
    CONNECT = "TW-OUT-005", 502,
        "no connection to {host}: {why}", "无法连接 {host}：{why}",
        "check that it runs and that this machine may reach it", "请检查对方是否运行、本机能否访问";
    EXCHANGE = "TW-OUT-006", 502,
        "the exchange with {host} broke: {why}", "与 {host} 的通信中断：{why}",
        "check its certificate and the authorities of this machine (`ca-certificates`), or its own log", "请检查其证书与本机的 CA（`ca-certificates`），或查看对方日志";
    LATE = "TW-OUT-007", 504,
        "{host} took longer than {seconds} s", "{host} 超过 {seconds} 秒未应答",
        "it is tried again; check the other side", "将会重试；请检查对方";
    TOO_LARGE = "TW-OUT-008", 502,
        "{host} answered more than {limit} bytes", "{host} 的应答超过 {limit} 字节",
        "check that the address is the right one", "请检查地址是否正确";
    REDIRECTS = "TW-OUT-009", 502,
        "{host} sends on more than {limit} times", "{host} 的重定向超过 {limit} 次",
        "name the address it leads to in the end", "请直接使用最终地址";
    DOWNGRADE = "TW-OUT-010", 502,
        "{host} sends on to {to}, from https to http", "{host} 从 https 重定向到 http 地址 {to}",
        "name an address of https that answers itself", "请使用直接应答的 https 地址";
    OPEN = "TW-OUT-011", 422,
        "{host} ({address}) is not inside, and http shows everything on the way there", "{host}（{address}）不在内部网络，而 http 会在途中暴露内容",
        "use https; http is for networks that are named with `outbound_allow`", "请使用 https；http 仅用于 `outbound_allow` 中指定的网络";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

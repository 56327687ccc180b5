//! What the edge says when it refuses: pages it answers instead of an instance, and tables it does not take.

use tradewind_model::faults;

faults! {
    NO_ROUTE = "TW-EDGE-001", 404,
        "no service is routed at this address",
        "此地址没有对应的服务",
        "check the host name and path, or add them under `route` in tradewind.yaml",
        "请检查域名和路径，或在 tradewind.yaml 的 `route` 中添加";
    NO_TARGET = "TW-EDGE-002", 503,
        "the service has no running instance",
        "该服务没有正在运行的实例",
        "try again shortly; its team sees why with `tradewind status`",
        "请稍后重试；维护人员可用 `tradewind status` 查看原因";
    CONNECT = "TW-EDGE-003", 502,
        "no instance of the service accepted the connection",
        "该服务没有实例接受连接",
        "try again shortly; its team finds the reason with `tradewind logs`",
        "请稍后重试；维护人员可用 `tradewind logs` 查找原因";
    RESET = "TW-EDGE-004", 502,
        "the instance closed the connection before it answered",
        "实例在应答之前关闭了连接",
        "the request may or may not have been carried out: check before you repeat it",
        "请求可能已执行，也可能未执行：重复之前请先确认";
    TIMEOUT = "TW-EDGE-005", 504,
        "the instance did not answer in time",
        "实例未在规定时间内应答",
        "the request may or may not have been carried out: check before you repeat it",
        "请求可能已执行，也可能未执行：重复之前请先确认";
    OVERLOAD = "TW-EDGE-006", 503,
        "every instance of the service is fully busy",
        "该服务的所有实例都处于满负荷",
        "try again shortly",
        "请稍后重试";
    PAUSED = "TW-EDGE-007", 503,
        "the service is paused for a moment",
        "该服务暂停片刻",
        "try again in a few seconds",
        "请几秒后重试";
    MAINTENANCE = "TW-EDGE-008", 503,
        "the service is under maintenance",
        "该服务正在维护",
        "try again later",
        "请稍后再试";
    TOO_LARGE = "TW-EDGE-009", 413,
        "the request's body is larger than this service takes",
        "请求体超过该服务允许的大小",
        "send less at once",
        "请减少单次发送的内容";
    BAD_HOST = "TW-EDGE-010", 400,
        "the request does not name exactly one valid host",
        "请求没有给出唯一且有效的主机名",
        "send one `Host` header",
        "请发送且仅发送一个 `Host` 头";
    NOT_PROXIED = "TW-EDGE-011", 405,
        "this method is not passed on",
        "不转发此方法",
        "use another method",
        "请使用其他方法";
    CUT = "TW-EDGE-012", 502,
        "the instance was stopped before it had answered",
        "实例在应答完成之前被停止",
        "the request may or may not have been carried out: check before you repeat it",
        "请求可能已执行，也可能未执行：重复之前请先确认";
    SLOW_BODY = "TW-EDGE-013", 408,
        "the request's body did not arrive in time",
        "请求体未在规定时间内到达",
        "send it again",
        "请重新发送";
    SECURE = "TW-EDGE-014", 308,
        "this service is served over TLS",
        "该服务通过 TLS 提供",
        "ask the address that `Location` names",
        "请访问 `Location` 给出的地址";

    TABLE_OLD = "TW-EDGE-101", 409,
        "table {version} is older than {serving}, which is being served",
        "表 {version} 旧于正在使用的 {serving}",
        "send a table with a higher version",
        "请发送版本更高的表";
    TABLE_ROUTE = "TW-EDGE-102", 422,
        "route `{route}`: {wrong}",
        "路由 `{route}`：{wrong}",
        "the table before it stays; mend the route and send a table with a higher version",
        "之前的表继续有效；请修正该路由并发送版本更高的表";
    TABLE_UNREADABLE = "TW-EDGE-103", 422,
        "not a message of this protocol: {why}",
        "不是本协议的消息：{why}",
        "agent and edge must be of neighbouring versions",
        "agent 与 edge 的版本必须相邻";
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalog_is_sound_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

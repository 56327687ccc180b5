//! What a person is told about the log's proof.

use crate::checkpoint::BadCheckpoint;
use tradewind_model::{fault::Fault, faults};

faults! {
    NO_CHECKPOINT = "TW-AUDIT-001", 422,
        "{what} is not a checkpoint of Tradewind: {reason}", "{what} 不是信风的检查点：{reason}",
        "give a file as `tradewind audit checkpoint` prints it, unchanged", "请使用 `tradewind audit checkpoint` 输出的原样文件";
    UNSIGNED = "TW-AUDIT-002", 422,
        "the checkpoint {what} is not to be believed: {reason}", "检查点 {what} 不可信：{reason}",
        "give the key it was signed with as `--key`; `tradewind audit key` lists the server's. If that one is known, the text was altered after it was signed",
        "请用 `--key` 提供签名所用的公钥；`tradewind audit key` 可列出服务端的公钥。若公钥已知，则文本在签名后被改动过";
    OTHER_LOG = "TW-AUDIT-003", 409,
        "the checkpoint {what} is of another log: it began with {theirs}, this one with {ours}", "检查点 {what} 属于另一份日志：其首个事件为 {theirs}，本日志为 {ours}",
        "look for the checkpoint of this server; if it is this one, its log was replaced", "请使用本服务器的检查点；若确属本服务器，则日志已被替换";
    BAD_KEY = "TW-AUDIT-004", 422,
        "`{what}` is not a public key: {reason}", "`{what}` 不是公钥：{reason}",
        "give the line that `tradewind audit key` prints, a PEM file, or a file with either", "请提供 `tradewind audit key` 输出的那一行、PEM 文件，或包含其一的文件";
}

/// Why a checkpoint is refused, `what` being where it came from.
pub fn refused(what: &str, e: &BadCheckpoint) -> Fault {
    let code = match e {
        BadCheckpoint::NotSigned(_) => &UNSIGNED,
        BadCheckpoint::Note(_) | BadCheckpoint::Kind(_) | BadCheckpoint::Line(_) | BadCheckpoint::More => {
            &NO_CHECKPOINT
        }
    };
    Fault::new(code).with("what", what).with("reason", e.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

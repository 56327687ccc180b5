//! What a person is told about the store.

use tradewind_model::faults;

faults! {
    /// Writers stood in each other's way for too long.
    BUSY = "TW-STORE-001", 503,
        "the database is busy", "数据库正忙",
        "try again in a moment", "请稍后重试";
    /// Compare-and-swap lost.
    CONFLICT = "TW-STORE-002", 409,
        "{what} was changed by someone else in between", "{what} 在此期间已被他人修改",
        "look at its present state and try again", "请查看当前状态后重试";
    DUPLICATE = "TW-STORE-003", 409,
        "{what} exists already", "{what} 已存在",
        "use the one that exists or choose another name", "请使用已有的，或换一个名称";
    NOT_FOUND = "TW-STORE-004", 404,
        "{what} does not exist", "{what} 不存在",
        "check the name; `tradewind status` lists what exists", "请检查名称；`tradewind status` 会列出现有内容";
    /// Refused before anything is written over it.
    DAMAGED = "TW-STORE-005", 500,
        "the stored data is damaged: {what}", "存储的数据已损坏：{what}",
        "nothing was overwritten; keep a copy of the data folder and restore the newest backup next to the database file",
        "未覆盖任何内容；请保留数据目录的副本，并用数据库文件旁的最新备份恢复";
    SCHEMA_NEWER = "TW-STORE-006", 500,
        "the database has schema {found}, this program knows up to {known}", "数据库的结构版本为 {found}，本程序最多支持 {known}",
        "start the newer program, or restore the backup made before its upgrade", "请启动较新的程序，或恢复升级前的备份";
    SCHEMA_ALTERED = "TW-STORE-007", 500,
        "schema step {step} was applied from a text other than this program's", "结构步骤 {step} 的内容与本程序不一致",
        "start the program that made this database", "请使用创建该数据库的程序启动";
    FULL = "TW-STORE-008", 507,
        "no room is left on the disk of the data folder; nothing was changed", "数据目录所在磁盘已满；未做任何更改",
        "free space on it and try again", "请释放空间后重试";
    IO = "TW-STORE-009", 503,
        "the store failed: {what}", "存储出错：{what}",
        "check the disk or the database server; the server's log has the cause", "请检查磁盘或数据库服务器；原因见服务端日志";
    STALE_FENCE = "TW-STORE-010", 409,
        "the lease `{name}` went to another server", "租约 `{name}` 已转给另一台服务器",
        "nothing to do: the other server carries on", "无需处理：另一台服务器会继续";
    DIGEST = "TW-STORE-011", 422,
        "content is {found}, expected {expected}", "内容为 {found}，应为 {expected}",
        "send it again", "请重新发送";
    DEFECT = "TW-STORE-012", 500,
        "a statement of this program failed ({where})", "本程序的一条语句执行失败（{where}）",
        "report it with the server's log", "请附上服务端日志反馈";
    /// Who only reads does not bring it up to date.
    SCHEMA_OLDER = "TW-STORE-013", 409,
        "the database has schema {found}, and reading it needs {needed}", "数据库的结构版本为 {found}，读取需要 {needed}",
        "start this version of the server on it once, or use the program that wrote it", "请先用此版本启动一次服务端，或使用写入它的程序版本";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}

//! What a backup or a restore refuses.

use tradewind_model::faults;

faults! {
    POSTGRES = "TW-BACK-001", 422,
        "the database is PostgreSQL, and a backup of Tradewind holds a SQLite database", "数据库是 PostgreSQL，而信风的备份只包含 SQLite 数据库",
        "take the database first with `pg_dump --format=custom`, then copy blobs/, job-logs/, git/, keys/ and config.yaml of the data folder",
        "请先用 `pg_dump --format=custom` 备份数据库，再复制数据目录中的 blobs/、job-logs/、git/、keys/ 与 config.yaml";
    CANNOT = "TW-BACK-002", 500,
        "{what}: {why}", "{what}：{why}",
        "see to the cause (room on the disk, rights), then try again; nothing of the installation was changed", "请排除原因（磁盘空间、权限）后重试；现有安装未受影响";
    NOT_A_BACKUP = "TW-BACK-003", 422,
        "this is no whole backup: {why}", "不是完整的备份：{why}",
        "use another backup; one that broke off lacks its end", "请使用其他备份；中断的备份会缺少结尾";
    DAMAGED = "TW-BACK-004", 422,
        "the backup is damaged: {what}", "备份已损坏：{what}",
        "use another one; nothing was restored", "请使用其他备份；没有恢复任何内容";
    NEWER = "TW-BACK-005", 422,
        "the backup has form {found}, this program reads up to {known}", "备份的格式为 {found}，本程序最多支持 {known}",
        "use the program that made it ({version}), or a newer one", "请使用制作它的程序（{version}）或更新的版本";
    INCOMPLETE = "TW-BACK-006", 422,
        "the database names what the backup does not hold: {what}", "数据库引用了备份中没有的内容：{what}",
        "use another backup; nothing was restored", "请使用其他备份；没有恢复任何内容";
    CHAIN = "TW-BACK-007", 422,
        "the event log in the backup is broken: {what}", "备份中的事件链已损坏：{what}",
        "it was broken when the backup was made, or the backup was altered: use another one; nothing was restored", "备份时已损坏，或备份被改动：请使用其他备份；没有恢复任何内容";
    WHICH_KEYS = "TW-BACK-008", 422,
        "what becomes of the keys? Whoever has them can open every secret", "密钥如何处理？持有密钥的人可以打开所有秘密",
        "lock them with --passphrase-file FILE, leave them out with --without-keys (and keep keys/ elsewhere), or take them as they are with --keys-in-the-clear",
        "请用 --passphrase-file FILE 加锁，或用 --without-keys 不包含（另行保存 keys/），或用 --keys-in-the-clear 原样包含";
    PASSPHRASE = "TW-BACK-009", 422,
        "the keys in the backup do not open: {why}", "备份中的密钥无法打开：{why}",
        "give the passphrase it was made with: --passphrase-file FILE", "请提供备份时使用的口令：--passphrase-file FILE";
    NOT_EMPTY = "TW-BACK-010", 409,
        "{data} is not empty: it holds `{entry}`", "{data} 非空：其中有 `{entry}`",
        "restore into a new folder, then start Tradewind on it", "请恢复到新目录，再用它启动信风";
    TAKEN = "TW-BACK-011", 409,
        "{file} is there already", "{file} 已存在",
        "name another file: a backup replaces nothing", "请换一个文件名：备份不会覆盖已有文件";
    SHORT_PASSPHRASE = "TW-BACK-012", 422,
        "the passphrase in {file} has fewer than 12 characters", "{file} 中的口令少于 12 个字符",
        "choose a longer one: the backup may be tried against it for years", "请使用更长的口令：备份可能长期面临破解尝试";
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_agree_in_both_languages() {
        assert_eq!(tradewind_model::fault::check_catalog(super::ALL), Vec::<String>::new());
    }
}
